/**
 * One replica as a process: `lockstep server`, its lines, its end. Its standard input is a pipe that closes when we die,
 * however we die, and the server then drains and ends. Mirrors no spec module.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Clock } from '../ports/clock.ts';
import { CliError } from './cli-error.ts';

/** What `lockstep server --json` prints once it listens. */
export interface ReadyLine {
  readonly event: 'ready';
  readonly cluster: string;
  readonly replica: number;
  readonly address: string;
  readonly http: string;
  readonly pid: number;
}

export interface ReplicaExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Of pino. */
const WARNING_LEVEL = 40;
/** Lines of standard error kept for the report of a death. */
const LAST_LINES_MAX = 12;

export class ReplicaProcess {
  readonly replica: number;
  readonly ready: Promise<ReadyLine>;
  /** Settles when the process has ended and its output is read. */
  readonly ended: Promise<ReplicaExit>;
  readonly #child: ChildProcess;
  #lastLines: string[] = [];
  #exited = false;

  /**
   * @param command program and words before the arguments of `server`, such as node and the main file
   * @param onLog each line of its standard error
   */
  constructor(
    replica: number,
    command: readonly [string, ...string[]],
    args: readonly string[],
    onLog: (line: string) => void,
  ) {
    this.replica = replica;
    const [program, ...words] = command;
    // A session of its own: Ctrl-C reaches us alone, and we stop the replicas in order.
    this.#child = spawn(program, [...words, 'server', ...args, '--json', '--stop-with-stdin'], {
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
    this.#child.stdin?.on('error', () => {}); // it may be gone before us
    this.ended = new Promise((resolve) => {
      this.#child.on('error', () => resolve({ code: null, signal: null }));
      this.#child.on('exit', () => {
        this.#exited = true;
      });
      this.#child.on('close', (code, signal) => resolve({ code, signal }));
    });
    this.ready = new Promise((resolve, reject) => {
      onLines(this.#child.stdout, (line) => {
        const parsed = readyLineOf(line);
        if (parsed !== undefined) resolve(parsed);
      });
      void this.ended.then((exit) => reject(this.deathOf(exit)));
    });
    this.ready.catch(() => {}); // whoever waits sees it; nobody waiting is no fault
    onLines(this.#child.stderr, (line) => {
      const trouble = troubleOf(line);
      if (trouble !== undefined) this.#lastLines = [...this.#lastLines, trouble].slice(-LAST_LINES_MAX);
      onLog(line);
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get isAlive(): boolean {
    return !this.#exited && this.#child.pid !== undefined;
  }

  signal(name: NodeJS.Signals): void {
    if (this.isAlive) this.#child.kill(name);
  }

  /** SIGTERM and, when it has not ended after drainMs, SIGKILL. */
  async stop(clock: Clock, drainMs: number): Promise<ReplicaExit> {
    this.signal('SIGTERM');
    const cancel = clock.after(drainMs, () => this.signal('SIGKILL'));
    const exit = await this.ended;
    cancel();
    return exit;
  }

  deathOf({ code, signal }: ReplicaExit): CliError {
    const how = signal === null ? `ended with exit code ${code}` : `was killed by ${signal}`;
    const said = this.#lastLines.length === 0 ? '' : `. It said:\n${this.#lastLines.join('\n')}`;
    return new CliError('CLI_REPLICA_DIED', `replica ${this.replica} ${how}${said}`, {
      replica: this.replica,
      exitCode: code,
      signal,
    });
  }
}

function onLines(stream: NodeJS.ReadableStream | null, onLine: (line: string) => void): void {
  if (stream === null) return;
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (part: string) => {
    const lines = (rest + part).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  });
  stream.on('end', () => {
    if (rest !== '') onLine(rest);
  });
}

/** A line of the log from a warning up in words, a line that is no log as it is; what is only information is left out. */
function troubleOf(line: string): string | undefined {
  let record: { level?: unknown; msg?: unknown; reason?: unknown; err?: { message?: unknown } };
  try {
    record = JSON.parse(line) as typeof record;
  } catch {
    return line;
  }
  if (typeof record?.level !== 'number') return line;
  if (record.level < WARNING_LEVEL) return undefined;
  const why = record.reason ?? record.err?.message;
  return why === undefined ? String(record.msg) : `${String(record.msg)}: ${String(why)}`;
}

function readyLineOf(line: string): ReadyLine | undefined {
  try {
    const parsed = JSON.parse(line) as { event?: unknown };
    return parsed.event === 'ready' ? (parsed as ReadyLine) : undefined;
  } catch {
    return undefined;
  }
}
