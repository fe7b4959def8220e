/**
 * `lockstep repl`: reads a line, runs it as a command of this program, reads the next. Keeps a history over sessions,
 * completes words, colours its prompt by how the last command ended. Commands that go on until Ctrl-C run in a process of
 * their own, so that Ctrl-C ends them and not the session. Mirrors no spec module.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { CliError, errorText } from './cli-error.ts';
import { colors as pc } from './colors.ts';
import type { Program } from './command.ts';
import { completions } from './completions.ts';
import { asCommand, wordsOf } from './repl-line.ts';
import { session } from './session.ts';

/** Lines kept from session to session. */
const HISTORY_LINES_MAX = 1_000;
/** They end with Ctrl-C or last long: they get a process of their own. */
const OWN_PROCESS: ReadonlySet<string> = new Set(['bench', 'check', 'cluster', 'dev', 'replay', 'server', 'sim']);
const ENDS: ReadonlySet<string> = new Set(['exit', 'quit']);

export interface ReplParts {
  readonly program: Program;
  /** Program and words that start it as a process. */
  readonly command: readonly [string, ...string[]];
  readonly historyFile: string;
  readonly input?: NodeJS.ReadableStream;
  readonly output?: NodeJS.WritableStream;
}

export function historyFileOf(environment: NodeJS.ProcessEnv): string {
  const state = environment.XDG_STATE_HOME || join(homedir(), '.local', 'state');
  return join(state, 'lockstep', 'history');
}

/** Settles when the input ends or says exit. */
export async function runRepl(parts: ReplParts): Promise<void> {
  const { input = process.stdin, output = process.stdout } = parts;
  const isTerminal = (input as NodeJS.ReadStream).isTTY === true;
  const lines = createInterface({
    input,
    output,
    terminal: isTerminal,
    history: [...readHistory(parts.historyFile)],
    historySize: HISTORY_LINES_MAX,
    removeHistoryDuplicates: true,
    completer: (line: string, done: (error: null, found: [string[], string]) => void) =>
      void completed(parts.program, line).then((found) => done(null, found)),
  });
  let history: readonly string[] = [];
  lines.on('history', (kept: string[]) => {
    history = [...kept];
  });
  if (isTerminal) output.write(`${pc.dim('help lists the commands, Tab completes, Ctrl-D ends.')}\n`);
  const child = new OwnProcess(lines, isTerminal ? (input as NodeJS.ReadStream) : undefined);
  let failed = false;
  const prompt = (): void => {
    if (!isTerminal) return;
    lines.setPrompt(`${failed ? pc.red('lockstep>') : pc.green('lockstep>')} `);
    lines.prompt();
  };
  lines.on('SIGINT', () => {
    output.write('^C\n');
    if (session.interrupt()) return; // the prompt comes when the command has ended
    lines.write(null, { ctrl: true, name: 'e' });
    lines.write(null, { ctrl: true, name: 'u' });
  });
  prompt();
  let saidToEnd = false;
  for await (const line of lines) {
    // Now, and not at the end: a terminal that is closed ends a session without a word.
    if (isTerminal) writeHistory(parts.historyFile, history);
    const words = readWords(line);
    saidToEnd = ENDS.has(words?.[0] ?? '');
    if (saidToEnd) break;
    if (words === undefined) failed = true;
    else if (words.length > 0) failed = !(await execute(words, parts, child));
    prompt();
  }
  lines.close();
  if (isTerminal && !saidToEnd) output.write('\n'); // after Ctrl-D the prompt still stands there
  process.exitCode = 0;
}

async function execute(words: readonly string[], { program, command }: ReplParts, child: OwnProcess): Promise<boolean> {
  const [name = ''] = words;
  if (name === 'repl') {
    process.stderr.write(errorText('repl', new CliError('CLI_USAGE', 'this is it already: type a command'), false));
    return false;
  }
  if (OWN_PROCESS.has(name) || words.includes('--follow')) return child.run(command, words);
  process.exitCode = 0;
  await session.run(() => program.run(words));
  return process.exitCode === 0;
}

/** Undefined: no words, which was said. */
function readWords(line: string): readonly string[] | undefined {
  try {
    return asCommand(wordsOf(line));
  } catch (cause) {
    process.stderr.write(errorText('repl', cause, false));
    return undefined;
  }
}

async function completed(program: Program, line: string): Promise<[string[], string]> {
  const words = line.trimStart().split(/\s+/);
  const typed = words.at(-1) ?? '';
  return [[...(await completions(program, words))].map((found) => `${found} `), typed];
}

/** One at a time; while it runs the terminal is its own. */
class OwnProcess {
  readonly #lines: Interface;
  readonly #terminal: NodeJS.ReadStream | undefined;

  constructor(lines: Interface, terminal: NodeJS.ReadStream | undefined) {
    this.#lines = lines;
    this.#terminal = terminal;
  }

  /** @returns whether it ended with 0 */
  run([program, ...before]: readonly [string, ...string[]], words: readonly string[]): Promise<boolean> {
    this.#lines.pause();
    // Not raw, or Ctrl-C would be a byte that nobody reads.
    this.#terminal?.setRawMode(false);
    // Ctrl-C reaches the whole group: it ends the command, and this session stays.
    const stay = (): void => {};
    process.on('SIGINT', stay);
    return new Promise((ended) => {
      const done = (good: boolean): void => {
        process.off('SIGINT', stay);
        this.#terminal?.setRawMode(true);
        this.#lines.resume();
        ended(good);
      };
      const child = spawn(program, [...before, ...words], { stdio: ['ignore', 'inherit', 'inherit'] });
      child.once('error', () => done(false));
      child.once('exit', (code) => done(code === 0));
    });
  }
}

function readHistory(file: string): readonly string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(Boolean);
  } catch {
    return []; // the first session
  }
}

/** Newest first, as readline keeps it. Without a place to write it the session was still a good one. */
function writeHistory(file: string, history: readonly string[]): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${history.slice(0, HISTORY_LINES_MAX).join('\n')}\n`, { mode: 0o600 });
  } catch (cause) {
    process.stderr.write(`the history is not kept: ${cause instanceof Error ? cause.message : String(cause)}\n`);
  }
}
