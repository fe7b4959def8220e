/**
 * Runs TLC, the reference engine, on one model in a temporary folder and reads its answer: counts, actions, graph, failure.
 * The folder of the model is copied, so that nothing is written beside the specs. Output is read from files, not pipes.
 */
import { spawn } from 'node:child_process';
import {
  closeSync,
  cpSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { actionName, readDot } from '../graph/read-dot.ts';
import { adviceFor } from './advice.ts';
import { EngineError, type EngineFailure, type EngineRun, type FailureKind, type ModelFiles } from './engine.ts';
import type { Tlc } from './find-tlc.ts';

export interface TlcOptions {
  readonly wantGraph?: boolean;
  /** How often each action was taken. TLC then counts the evaluations of every expression: no small matter in a module of megabytes. */
  readonly countActions?: boolean;
  readonly workers?: number;
  readonly heapMegabytes?: number;
  /** A run of a second or two: compiled quickly rather than well, it takes half the processor time. */
  readonly isBrief?: boolean;
  /** Go on after a violated invariant. */
  readonly keepGoing?: boolean;
  /** Random behaviours instead of all states: TLC writes one file a behaviour, given to onTraces before the folder goes. */
  readonly simulate?: { readonly traces: number; readonly depth: number; readonly seed: number };
  /** Texts that replace or add files of the model's folder (mutants, generated modules): name -> content. */
  readonly overlay?: Readonly<Record<string, string>>;
}

/** One message of `-tool` output. */
interface Message {
  readonly code: number;
  readonly severity: number;
  readonly text: string;
}

export async function runTlc(tlc: Tlc, model: ModelFiles, options: TlcOptions = {}): Promise<EngineRun> {
  const { run } = await withTlc(tlc, model, options, () => undefined);
  return run;
}

/** Runs TLC and lets `collect` look into the folder before it is removed. */
export async function withTlc<T>(
  tlc: Tlc,
  model: ModelFiles,
  options: TlcOptions,
  collect: (folder: string) => T,
): Promise<{ run: EngineRun; collected: T }> {
  const folder = mkdtempSync(join(tmpdir(), 'lockstep-tlc-'));
  try {
    copyModel(model, folder, options.overlay ?? {});
    const started = performance.now();
    const [program, ...leading] = tlc.command(folder, javaFlags(options));
    const args = [...leading, ...argumentsFor(model, options, folder)];
    const exitCode = await spawnTo(program, args, folder);
    const seconds = (performance.now() - started) / 1000;
    const messages = parseMessages(readFileSync(join(folder, 'tlc.out'), 'utf8'));
    if (messages.length === 0) {
      const said = readFileSync(join(folder, 'tlc.err'), 'utf8').trim().split('\n').slice(0, 3).join(' ');
      throw new EngineError(`TLC did not start (exit ${exitCode}): ${said}`);
    }
    const run = readRun(messages, seconds, exitCode, folder);
    const dot = join(folder, 'graph.dot');
    const graph =
      options.wantGraph === true && run.failure === undefined && existsSync(dot)
        ? readDot(readFileSync(dot, 'utf8'))
        : undefined;
    return { run: graph === undefined ? run : { ...run, graph }, collected: collect(folder) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function javaFlags({ heapMegabytes = 2048, isBrief = false }: TlcOptions): readonly string[] {
  const heap = `-Xmx${heapMegabytes}m`;
  return isBrief ? [heap, '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'] : [heap, '-XX:+UseParallelGC'];
}

function copyModel(model: ModelFiles, folder: string, overlay: Readonly<Record<string, string>>): void {
  for (const name of readdirSync(model.folder)) {
    if (name.endsWith('.tla') || name === model.cfg) cpSync(join(model.folder, name), join(folder, name));
  }
  for (const [name, text] of Object.entries(overlay)) {
    writeFileSync(join(folder, name), text);
  }
}

function argumentsFor(model: ModelFiles, options: TlcOptions, folder: string): string[] {
  const simulate = options.simulate;
  return [
    '-tool',
    ...(simulate === undefined
      ? ['-workers', String(options.workers ?? 1), ...(options.countActions === true ? ['-coverage', '60'] : [])]
      : [
          '-simulate',
          `file=${join(folder, 'trace')},num=${simulate.traces}`,
          '-depth',
          String(simulate.depth),
          '-seed',
          String(simulate.seed),
        ]),
    ...(options.keepGoing === true ? ['-continue'] : []),
    '-metadir',
    join(folder, 'states'),
    ...(options.wantGraph === true ? ['-dump', 'dot,actionlabels', join(folder, 'graph.dot')] : []),
    '-config',
    model.cfg,
    `${model.module}.tla`,
  ];
}

function spawnTo(program: string, args: readonly string[], folder: string): Promise<number> {
  const out = openSync(join(folder, 'tlc.out'), 'w');
  const err = openSync(join(folder, 'tlc.err'), 'w');
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: folder, stdio: ['ignore', out, err] });
    const stop = (): void => void child.kill('SIGKILL');
    process.once('exit', stop);
    const close = (): void => {
      process.removeListener('exit', stop);
      closeSync(out);
      closeSync(err);
    };
    child.once('error', (cause) => {
      close();
      reject(new EngineError(`TLC could not be started: ${cause.message}`));
    });
    child.once('exit', (code) => {
      close();
      resolve(code ?? 255);
    });
  });
}

function parseMessages(output: string): readonly Message[] {
  return [...output.matchAll(/@!@!@STARTMSG (\d+):(\d) @!@!@\n([\s\S]*?)@!@!@ENDMSG \1 @!@!@/g)].map((match) => ({
    code: Number(match[1]),
    severity: Number(match[2]),
    text: (match[3] ?? '').trim(),
  }));
}

/** Codes of tlc2.output.EC that are read here. */
const CODE = {
  version: 2262,
  stats: 2199,
  depth: 2194,
  state: 2217,
  action: 2772,
  stuttering: 2218,
  back: 2122,
} as const;

function readRun(messages: readonly Message[], seconds: number, exitCode: number, folder: string): EngineRun {
  const textOf = (code: number): string => messages.findLast((message) => message.code === code)?.text ?? '';
  const stats = /(\d+) states generated, (\d+) distinct states found/.exec(textOf(CODE.stats));
  const actions = new Map<string, number>();
  for (const message of messages) {
    if (message.code !== CODE.action) continue;
    const match = /^<(\w+) line .*>: \d+:(\d+)/.exec(message.text);
    if (match === null) continue;
    const name = actionName(match[1] as string);
    actions.set(name, Math.max(Number(match[2]), actions.get(name) ?? 0));
  }
  const failure = exitCode === 0 ? undefined : failureOf(messages, exitCode, folder);
  return {
    engine: 'tlc',
    version: /Version (\S+)/.exec(textOf(CODE.version))?.[1] ?? 'unknown',
    distinct: Number(stats?.[2] ?? 0),
    generated: Number(stats?.[1] ?? 0),
    depth: Number(/search is (\d+)/.exec(textOf(CODE.depth))?.[1] ?? 0),
    seconds,
    actions,
    ...(failure === undefined ? {} : { failure }),
  };
}

const KIND_BY_EXIT: Readonly<Record<number, FailureKind>> = {
  10: 'assume',
  11: 'deadlock',
  12: 'invariant',
  13: 'property',
  14: 'assume',
};

function failureOf(messages: readonly Message[], exitCode: number, folder: string): EngineFailure {
  const errors = messages.filter((message) => message.severity === 1 && message.code !== CODE.stuttering);
  const plain = errors.map((message) => message.text).filter((text) => text !== '');
  let message = plain
    .filter((text, index) => plain.indexOf(text) === index)
    .slice(0, 4)
    .join('\n');
  let kind: FailureKind = KIND_BY_EXIT[exitCode] ?? (exitCode >= 75 && exitCode < 100 ? 'evaluation' : 'other');
  if (exitCode >= 150 && exitCode < 160) {
    kind = exitCode === 151 ? 'config' : 'parse';
    const said = readFileSync(join(folder, 'tlc.out'), 'utf8')
      .replace(/^@!@!@.*$/gm, '')
      .split('\n');
    const first = said.findIndex((line) =>
      /\*\*\*|error|Error|Was expecting|Encountered|Unknown operator|Could not/i.test(line),
    );
    message = said
      .slice(Math.max(first, 0))
      .filter((line) => line.trim() !== '' && !line.startsWith('Parsing file'))
      .slice(0, 12)
      .join('\n');
  }
  if (/configuration file|config|specified in the configuration|constant parameter/i.test(message) && kind === 'other')
    kind = 'config';
  const name = /(?:Invariant|property|Property|properties) (\w+) (?:is|was|were) violated/.exec(message)?.[1];
  const trace = messages.filter(({ code }) => code === CODE.state).map(({ text }) => text);
  return { kind, ...(name === undefined ? {} : { name }), message, advice: adviceFor(kind, message, name), trace };
}
