/**
 * The command `replay TRACE...`: steps ITF traces on the real code and prints each step; without names, all of traces/.
 * `--explain TOPIC [--step N] [--replica N]`: then why each replica, or that one, is in its state after the step, or the last.
 * Exit 0: every trace is reproduced. 1: the code goes elsewhere. 2: not a trace, another spec, nothing to replay.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Component, Explain } from '../component.ts';
import { components as allComponents } from '../components/all.ts';
import type { Constants } from '../driver.ts';
import { parseCfg } from '../engines/cfg.ts';
import { colors as pc } from '../report/colors.ts';
import { diffLines } from '../report/problem-text.ts';
import { explainedLines, explainsAlike, StepExplainer } from './explain-step.ts';
import { ItfError, readItf } from './itf.ts';
import { type ReplayOptions, type ReplayResult, replay } from './replay.ts';

const USAGE = 'usage: lockstep replay [TRACE.itf.json...] [--explain TOPIC] [--step N] [--replica N]';

type Print = (text: string) => unknown;

/** What the command line asks for. */
interface ReplayRequest {
  readonly files: readonly string[];
  readonly topic: string | undefined;
  readonly step: number | undefined;
  readonly replica: number | undefined;
}

export async function runReplay(
  argv: readonly string[],
  components: readonly Component[] = allComponents,
  print: Print = (text) => process.stdout.write(text),
): Promise<number> {
  const request = requestOf(argv);
  if (typeof request === 'string') {
    process.stderr.write(`replay: ${request}\n${USAGE}\n`);
    return 2;
  }
  const files = request.files.length > 0 ? request.files : globFiles();
  if (files.length === 0) {
    process.stderr.write('replay: no trace under traces/ and none named\n');
    return 2;
  }
  let exit = 0;
  for (const file of files) exit = Math.max(exit, await replayFile(file, components, request, print));
  return exit;
}

/** What is asked, or what is wrong with it. */
function requestOf(argv: readonly string[]): ReplayRequest | string {
  const files: string[] = [];
  const numbers: Record<'--step' | '--replica', number | undefined> = { '--step': undefined, '--replica': undefined };
  let topic: string | undefined;
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] as string;
    const value = argv[at + 1];
    if (word !== '--explain' && word !== '--step' && word !== '--replica') {
      if (word.startsWith('-')) return `unknown option ${word}`;
      files.push(word);
      continue;
    }
    if (value === undefined) return `${word} needs a value`;
    if (word === '--explain') topic = value;
    else if (/^\d{1,9}$/.test(value)) numbers[word] = Number(value);
    else return `${word} takes a number, not ${value}`;
    at++;
  }
  const { '--step': step, '--replica': replica } = numbers;
  if (topic === undefined && (step !== undefined || replica !== undefined))
    return '--step and --replica say what --explain is about: name a topic';
  return { files, topic, step, replica };
}

/** Replays one file; prints each step of one that was named and is not to be explained. */
async function replayFile(
  file: string,
  components: readonly Component[],
  { files, topic, step, replica }: ReplayRequest,
  print: Print,
): Promise<0 | 1 | 2> {
  const verbose = files.length > 0 && topic === undefined;
  const fail = (message: string): 2 => {
    process.stderr.write(`replay: ${file}: ${message}\n`);
    return 2;
  };
  if (!existsSync(file)) return fail('no such file');
  try {
    const { component, trace, constants } = openTrace(readFileSync(file, 'utf8'), components);
    const explain = topic === undefined ? undefined : await explainOf(component, topic);
    const explainer =
      topic === undefined || explain === undefined
        ? undefined
        : new StepExplainer(component, constants, explain, topic, step);
    const result = replayOpened(component, trace, constants, (index, label, state, code) => {
      if (verbose) print(`  ${index}. ${label}\n`);
      explainer?.onStep(index, label, state, code);
    });
    printResult(file, `${component.name} ${trace.cfg}`, result, trace.refused?.type, print);
    const explained = explainer?.explained;
    if (explainer !== undefined && explained === undefined) return fail(`it has no step ${step}`);
    if (explained === undefined) return result.failure === undefined ? 0 : 1;
    const paint = { strong: pc.bold, dim: pc.dim, holds: pc.green, fails: pc.red };
    print(`\n${explainedLines(explained, paint, replica).join('\n')}\n`);
    return result.failure === undefined && explainsAlike(explained) ? 0 : 1;
  } catch (cause) {
    if (cause instanceof ItfError) return fail(cause.message);
    throw cause;
  }
}

function printResult(
  file: string,
  name: string,
  result: ReplayResult,
  refused: string | undefined,
  print: Print,
): void {
  if (result.failure === undefined) {
    const tail = refused === undefined ? '' : `, and ${refused} refused`;
    print(`${pc.green('reproduced')} ${file}: ${name}, ${result.steps} steps${tail}\n`);
    return;
  }
  const { at, message, expected, actual, guards } = result.failure;
  print(`${pc.red('diverges')} ${file}: ${name}, step ${at}: ${message}\n`);
  if (expected !== undefined && actual !== undefined) print(`${diffLines(expected, actual).join('\n')}\n`);
  for (const { rule, holds } of guards) print(`    ${holds ? pc.green('holds') : pc.red('fails')} ${rule}\n`);
}

/** @throws ItfError when nothing can be explained, with the reason */
async function explainOf(component: Component, topic: string): Promise<Explain> {
  if (component.explanation === undefined)
    throw new ItfError(`${component.name} has no explanations: only what replicas decide has`);
  const explain = await component.explanation.load();
  if (explain === undefined) throw new ItfError('this build has no impl/dx, so nothing can be explained');
  if (!explain.topics.includes(topic))
    throw new ItfError(`no explanation of ${topic}: ask for one of ${explain.topics.join(', ')}`);
  return explain;
}

interface OpenedTrace {
  readonly component: Component;
  readonly trace: ReturnType<typeof readItf>;
  readonly constants: Constants;
}

/** The trace with the component and the constants that it is of. @throws ItfError */
function openTrace(text: string, components: readonly Component[]): OpenedTrace {
  const trace = readItf(text);
  const component = components.find(({ name }) => name === trace.component);
  if (component === undefined) throw new ItfError(`a trace of ${trace.component}, which is no component here`);
  const cfgPath = join(dirname(component.sources.spec), trace.cfg);
  if (!existsSync(cfgPath)) throw new ItfError(`a trace of ${trace.cfg}, which does not exist`);
  const { constants } = parseCfg(readFileSync(cfgPath, 'utf8'));
  return { component, trace, constants };
}

function replayOpened(
  component: Component,
  trace: OpenedTrace['trace'],
  constants: Constants,
  onStep: NonNullable<ReplayOptions['onStep']>,
): ReplayResult {
  const driver = component.random?.cfg === trace.cfg ? component.random.driver : component.driver;
  return replay(trace, driver, constants, { abstracted: component.abstracted, onStep });
}

export function replayTrace(
  text: string,
  components: readonly Component[],
): { component: Component; trace: OpenedTrace['trace']; result: ReplayResult } {
  const { component, trace, constants } = openTrace(text, components);
  return { component, trace, result: replayOpened(component, trace, constants, () => undefined) };
}

function globFiles(): string[] {
  if (!existsSync('traces')) return [];
  const names = readdirSync('traces', { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => name.endsWith('.itf.json'))
    .map((name) => join('traces', name))
    .toSorted();
}
