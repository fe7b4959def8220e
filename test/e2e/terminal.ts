/**
 * A program on a real terminal, for tests: keys are typed, what it shows is waited for. The terminal is Python's (terminal.py),
 * so that no package has to be compiled. Set SHOW=1 to see what the terminal shows.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const DRIVER = fileURLToPath(new URL('./terminal.py', import.meta.url));
const WAIT_MS_MAX = 20_000;
export const KEYS = { ctrlC: '\x03', ctrlD: '\x04', tab: '\t', enter: '\r', up: '\x1b[A' } as const;
// biome-ignore lint/suspicious/noControlCharactersInRegex: escapes begin with one
const ESCAPES = /\x1b(?:\[[0-9;?<>=]*[A-Za-z]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[=>()][0-9A-B]?)/g;
/** Whether this machine has what a terminal needs. */
export const hasPython: boolean = spawnSync('python3', ['-c', 'import pty, termios']).status === 0;

export class Terminal {
  readonly #child: ChildProcess;
  /** Everything that was shown, with its escapes. */
  raw = '';
  /** Undefined while it runs. */
  exitCode: number | undefined;
  #seen = 0;

  constructor(command: readonly string[], environment: Readonly<Record<string, string>> = {}, cwd?: string) {
    const { NO_COLOR: _, FORCE_COLOR: __, CI: ___, ...usual } = process.env;
    this.#child = spawn('python3', [DRIVER, ...command], {
      env: { ...usual, TERM: 'xterm-256color', ...environment },
      stdio: ['pipe', 'pipe', 'inherit'],
      ...(cwd === undefined ? {} : { cwd }),
    });
    this.#child.stdin?.on('error', () => {}); // it may end first
    createInterface({ input: this.#child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      const { shown, exit } = JSON.parse(line) as { shown?: string; exit?: number };
      if (process.env.SHOW !== undefined) process.stderr.write(shown ?? `\n[exit ${exit}]\n`);
      this.raw += shown ?? '';
      this.exitCode = exit ?? this.exitCode;
    });
  }

  type(keys: string): void {
    this.#child.stdin?.write(`${JSON.stringify({ keys })}\n`);
  }

  /** What was shown since the last wait, as a person reads it: without colours and moves of the cursor. */
  get fresh(): string {
    return plain(this.raw.slice(this.#seen));
  }

  /** Waits until what is fresh matches; what was shown up to then is fresh no longer. @returns all of it, with its escapes */
  async until(what: RegExp): Promise<string> {
    const deadline = performance.now() + WAIT_MS_MAX;
    while (!what.test(this.fresh)) {
      if (performance.now() > deadline || this.exitCode !== undefined)
        throw new Error(`the terminal does not show ${what}, but ${JSON.stringify(this.fresh)}`);
      await delay(10);
    }
    const shown = this.raw.slice(this.#seen);
    this.#seen = this.raw.length;
    return shown;
  }

  /** Types a line, and waits for what comes of it. */
  run(line: string, what: RegExp): Promise<string> {
    this.type(`${line}${KEYS.enter}`);
    return this.until(what);
  }

  async ended(): Promise<number> {
    const deadline = performance.now() + WAIT_MS_MAX;
    while (this.exitCode === undefined) {
      if (performance.now() > deadline)
        throw new Error(`it does not end; the terminal shows ${JSON.stringify(this.fresh)}`);
      await delay(10);
    }
    return this.exitCode;
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.stdin?.end();
    const late = setTimeout(() => this.#child.kill('SIGKILL'), 5_000);
    await gone;
    clearTimeout(late);
  }
}

/** As a person reads it: without the escapes of colours, cursor and modes, and with one end of line. */
export function plain(text: string): string {
  return text.replaceAll(ESCAPES, '').replaceAll(/\r*\n\r*/g, '\n');
}
