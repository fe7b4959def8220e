/**
 * Hands ranges of seeds to worker processes and gathers what they answer. A worker that dies or hangs costs its run alone:
 * the range is handed out again seed by seed, and the seed that takes its worker with it a second time is reported.
 * Mirrors no spec module.
 */
import { SimError } from '../sim-error.ts';
import type { Answer, Job, RunSettings } from './messages.ts';
import { runsIn, SeedQueue, type SeedRange } from './seed-ranges.ts';
import { WorkerProcess } from './worker-process.ts';

/** Of work in one piece: enough that handing it out costs nothing beside it; a stop waits for it, and it is lost with its worker. */
const PIECE_MS = 200;
const PIECE_RUNS_MAX = 128;
/** Before it is known how long a run takes. */
const PIECE_RUNS_FIRST = 4;
/** A run takes milliseconds; one that takes this long does not end. Also for a whole piece, whose seeds are then tried alone. */
const RUN_MS_MAX = 60_000;
/** From the start of a process until it takes work: compiling the sources on a busy machine. */
const START_MS_MAX = 120_000;
/** What is begun when a stop is asked for may end, so long. */
const STOP_MS_MAX = 3_000;
/** Processes that end before they are ready, one after the other: then none will be. */
const FALSE_STARTS_MAX = 3;

export interface ShardOptions {
  readonly world: string;
  readonly settings: RunSettings;
  readonly workers: number;
  readonly remaining: readonly SeedRange[];
  readonly coverage: boolean;
  readonly runMsMax?: number;
  /** Work that goes before ranges: bundles to save; asked after every answer. */
  readonly urgent: () => Job | undefined;
  readonly onAnswer: (answer: Answer) => void;
  /** A worker has loaded the code and takes work. */
  readonly onReady?: () => void;
  /** This run took its worker with it. */
  readonly onLostRun: (seed: number, why: string) => void;
  readonly onNotSaved: (seed: number, why: string) => void;
  /** Aborted: what is begun may end, nothing is begun. */
  readonly stop: AbortSignal;
}

export function shard(options: ShardOptions): Promise<void> {
  return new Promise((done, fail) => new Shard(options, done, fail).start());
}

class Shard {
  readonly #options: ShardOptions;
  readonly #done: () => void;
  readonly #fail: (cause: Error) => void;
  readonly #seeds: SeedQueue;
  /** To be tried alone, after a worker died of one of them. */
  readonly #alone: number[] = [];
  readonly #workers = new Set<WorkerProcess>();
  readonly #deadlines = new Map<WorkerProcess, NodeJS.Timeout>();
  #falseStarts = 0;
  #pieceRuns = PIECE_RUNS_FIRST;
  #stopTimer: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(options: ShardOptions, done: () => void, fail: (cause: Error) => void) {
    this.#options = options;
    this.#done = done;
    this.#fail = fail;
    this.#seeds = new SeedQueue(options.remaining);
  }

  start(): void {
    this.#options.stop.addEventListener('abort', () => this.#stop(), { once: true });
    process.once('exit', this.#killAll);
    const { workers, remaining } = this.#options;
    // A process takes as long to start as many runs: none for a run or two.
    const useful = Math.max(1, Math.ceil(runsIn(remaining) / PIECE_RUNS_FIRST));
    for (let count = 0; count < Math.min(workers, useful); count++) this.#hire();
  }

  /** A runner that ends at once leaves nobody behind, not even a worker that hangs. */
  readonly #killAll = (): void => {
    for (const worker of this.#workers) worker.kill('is no longer needed');
  };

  #hire(): void {
    const worker = new WorkerProcess(this.#options.world, this.#options.settings, {
      onAnswer: (answering, answer) => this.#take(answering, answer),
      onGone: (gone, why) => this.#lose(gone, why),
    });
    this.#workers.add(worker);
    this.#expectWithin(worker, START_MS_MAX, 'is not ready');
  }

  #take(worker: WorkerProcess, answer: Answer): void {
    if (this.#ended) return;
    worker.job = undefined;
    this.#falseStarts = 0;
    this.#clearDeadline(worker);
    if (answer.kind === 'runs') this.#pieceRuns = pieceRunsFor(answer);
    if (answer.kind === 'ready') this.#options.onReady?.();
    else this.#options.onAnswer(answer);
    this.#employ(worker);
  }

  #employ(worker: WorkerProcess): void {
    const job = this.#options.stop.aborted ? undefined : this.#nextJob();
    if (job !== undefined) {
      worker.take(job);
      this.#expectWithin(worker, this.#options.runMsMax ?? RUN_MS_MAX, 'a run does not end');
      return;
    }
    // Idle, but a worker that still works may leave its range behind, or a failure to be saved.
    if (!this.#working) this.#end();
  }

  get #working(): boolean {
    return [...this.#workers].some((worker) => worker.job !== undefined);
  }

  #nextJob(): Job | undefined {
    const urgent = this.#options.urgent();
    if (urgent !== undefined) return urgent;
    const { coverage } = this.#options;
    const seed = this.#alone.shift();
    if (seed !== undefined) return { kind: 'runs', range: { first: seed, count: 1 }, coverage };
    const range = this.#seeds.take(this.#pieceRuns);
    return range === undefined ? undefined : { kind: 'runs', range, coverage };
  }

  #lose(worker: WorkerProcess, why: string): void {
    this.#workers.delete(worker);
    this.#clearDeadline(worker);
    if (this.#ended) return;
    const { job } = worker;
    if (!worker.ready && ++this.#falseStarts >= FALSE_STARTS_MAX) {
      this.#end(
        new SimError(
          'SIM_WORKER_BROKEN',
          `a worker process ${why} before it was ready, ${FALSE_STARTS_MAX} times: see what it wrote\n${worker.lastWords}`,
          { starts: FALSE_STARTS_MAX },
        ),
      );
      return;
    }
    if (!this.#options.stop.aborted && job !== undefined) this.#leaveBehind(job, why, worker.lastWords);
    if (this.#options.stop.aborted && this.#workers.size === 0) this.#end();
    else if (!this.#options.stop.aborted) this.#hire();
  }

  #leaveBehind(job: Job, why: string, lastWords: string): void {
    if (job.kind === 'save') this.#options.onNotSaved(job.seed, `the worker ${why}`);
    else if (job.kind === 'runs' && job.range.count > 1)
      for (let index = 0; index < job.range.count; index++) this.#alone.push(job.range.first + index);
    else {
      const seed = job.kind === 'one' ? job.seed : job.range.first;
      this.#options.onLostRun(seed, lastWords === '' ? why : `${why}\n${lastWords}`);
    }
  }

  #expectWithin(worker: WorkerProcess, limitMs: number, otherwise: string): void {
    const timer = setTimeout(() => worker.kill(`${otherwise} within ${limitMs / 1000} s`), limitMs);
    this.#deadlines.set(worker, timer);
  }

  #clearDeadline(worker: WorkerProcess): void {
    clearTimeout(this.#deadlines.get(worker));
    this.#deadlines.delete(worker);
  }

  #stop(): void {
    if (this.#working) this.#stopTimer = setTimeout(() => this.#end(), STOP_MS_MAX);
    else this.#end();
  }

  #end(cause?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    process.off('exit', this.#killAll);
    clearTimeout(this.#stopTimer);
    for (const timer of this.#deadlines.values()) clearTimeout(timer);
    for (const worker of this.#workers) {
      if (worker.job === undefined && worker.ready) worker.dismiss();
      else worker.kill('is no longer needed');
    }
    if (cause === undefined) this.#done();
    else this.#fail(cause);
  }
}

function pieceRunsFor({ range, tookMs }: { readonly range: SeedRange; readonly tookMs: number }): number {
  const runs = Math.round((PIECE_MS * range.count) / Math.max(1, tookMs));
  return Math.max(1, Math.min(runs, PIECE_RUNS_MAX));
}
