/**
 * One worker as seen from the runner: a process of its own, so that one that crashes, runs out of memory or hangs is one
 * that is replaced. Mirrors no spec module.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Answer, Job, RunSettings } from './messages.ts';

/** Of the heap of one worker: a run needs some 10 MiB; a leak is to end as a lost run, not as a machine that swaps. */
const WORKER_HEAP_MIB_MAX = 2_048;
/** Of the young generation of its heap: twice what a run allocates there, and more. */
const SEMI_SPACE_MIB_MIN = 16;
const SEMI_SPACE_MIB_MAX = 32;
/** Of what a worker wrote before it died. */
const LAST_WORDS_CHARS_MAX = 2_000;

export interface WorkerEvents {
  readonly onAnswer: (worker: WorkerProcess, answer: Answer) => void;
  /** Once, whoever ended it. */
  readonly onGone: (worker: WorkerProcess, why: string) => void;
}

export class WorkerProcess {
  readonly #child: ChildProcess;
  #lastWords = '';
  #gone = false;
  /** Said why it was ended, when we ended it. */
  #endedFor: string | undefined;
  job: Job | undefined;
  ready = false;

  constructor(worldModule: string, settings: RunSettings, { onAnswer, onGone }: WorkerEvents) {
    const here = import.meta.url;
    const typescript = here.endsWith('.ts');
    const entry = fileURLToPath(new URL(typescript ? './worker.ts' : './worker.js', here));
    this.#child = fork(entry, [worldModule, JSON.stringify(settings)], {
      execArgv: [
        `--max-old-space-size=${WORKER_HEAP_MIB_MAX}`,
        // A run leaves little behind: what few collections of the young meet is mostly dead.
        `--min-semi-space-size=${SEMI_SPACE_MIB_MIN}`,
        `--max-semi-space-size=${SEMI_SPACE_MIB_MAX}`,
        // A worker a core: helpers of its garbage collector would only take the core from another worker.
        '--single-threaded-gc',
        ...(typescript ? ['--import', 'tsx'] : ['--enable-source-maps']),
      ],
      // What it prints goes to standard error: standard output is for the report.
      stdio: ['ignore', 2, 'pipe', 'ipc'],
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#lastWords = (this.#lastWords + text).slice(-LAST_WORDS_CHARS_MAX);
    });
    this.#child.on('message', (answer: Answer) => {
      if (answer.kind === 'ready') this.ready = true;
      onAnswer(this, answer);
    });
    const gone = (why: string): void => {
      if (this.#gone) return;
      this.#gone = true;
      onGone(this, this.#endedFor ?? why);
    };
    this.#child.on('error', (cause) => gone(cause.message));
    this.#child.on('close', (code, signal) => gone(this.#deathOf(code, signal)));
  }

  /** What it wrote on standard error, its end. */
  get lastWords(): string {
    return this.#lastWords;
  }

  take(job: Job): void {
    this.job = job;
    this.#child.send(job, () => {}); // one that is gone is told by its end
  }

  /** Lets go of it: it ends by itself when it has finished what it does. */
  dismiss(): void {
    if (this.#child.connected) this.#child.disconnect();
  }

  kill(why: string): void {
    this.#endedFor = why;
    this.#child.kill('SIGKILL');
  }

  #deathOf(code: number | null, signal: NodeJS.Signals | null): string {
    if (/heap out of memory|Allocation failed/i.test(this.#lastWords))
      return `out of memory, at ${WORKER_HEAP_MIB_MAX} MiB of heap`;
    return signal === null ? `ended with exit code ${code}` : `ended by ${signal}`;
  }
}
