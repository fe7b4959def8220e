/** What a command of `lockstep` is, and how it prints: values on standard output, everything else on standard error. */
import type { Command } from 'commander';
import { EXIT_DONE, jsonSafe } from './cli-error.ts';

export interface CommandModule {
  /** Adds arguments, options and the action; loaded only when the command is named. */
  configure(command: Command, program: Program): void;
}

/** The whole command line, for the commands that are about commands. */
export interface Program {
  readonly commands: readonly CommandEntry[];
  /** Runs one as if it had been typed; sets process.exitCode. */
  readonly run: (argv: readonly string[]) => Promise<void>;
}

export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<CommandModule>;
}

/** One invocation's output. `json` is the option of that name, which every command has. */
export class Output {
  readonly json: boolean;
  #progressShown = false;

  constructor(command: Command) {
    this.json = command.opts<{ json?: boolean }>().json === true;
  }

  /** For a person: printed unless --json. */
  line(text: string): void {
    if (this.json) return;
    this.clearProgress();
    process.stdout.write(`${text}\n`);
  }

  /** For a program: one JSON value a line, printed with --json only. */
  value(value: unknown): void {
    if (this.json) process.stdout.write(`${JSON.stringify(value, jsonSafe)}\n`);
  }

  /** Beside the result, on standard error, with and without --json. */
  note(text: string): void {
    this.clearProgress();
    process.stderr.write(`${text}\n`);
  }

  /** One line that replaces itself, on a terminal only: for whatever takes longer than a second. */
  progress(text: string): void {
    if (this.json || !process.stderr.isTTY) return;
    process.stderr.write(`\r\x1b[2K${text.slice(0, (process.stderr.columns ?? 80) - 1)}`);
    this.#progressShown = true;
  }

  clearProgress(): void {
    if (this.#progressShown) process.stderr.write('\r\x1b[2K');
    this.#progressShown = false;
  }
}

/** An action that says how it ended: the exit code, or nothing for done. */
export function exitsWith<Args extends unknown[]>(
  act: (...args: Args) => Promise<number | undefined> | number | undefined,
): (...args: Args) => Promise<void> {
  return async (...args) => {
    process.exitCode = (await act(...args)) ?? EXIT_DONE;
  };
}
