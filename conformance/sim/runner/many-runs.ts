/**
 * `lockstep sim --runs N`: shards the seeds over workers, shows how far they are, saves bundles of what fails, keeps what is
 * done for the next start, and reports. Mirrors no spec module.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { coverageRows } from '../coverage.ts';
import type { Origin } from '../origin.ts';
import { commandOf } from './command-line.ts';
import { failureText } from './failure-text.ts';
import { type JudgedShare, judgeShare } from './judged-share.ts';
import { MemoryTrend } from './memory-trend.ts';
import type { Answer, Job } from './messages.ts';
import { Progress } from './progress.ts';
import { type SavedBundle, StateFile } from './saved-state.ts';
import { runsIn, type SeedRange, withoutRanges, withRange } from './seed-ranges.ts';
import { shard } from './shard.ts';
import type { RunsTask } from './sim-arguments.ts';
import { neverInjected, type OutsideBudget, reportText, type SimReport } from './sim-report.ts';
import {
  EMPTY_TALLY,
  type FailureGroup,
  failureKey,
  inOrder,
  mergeTallies,
  type Tally,
  tallyOfLostRun,
} from './tally.ts';

/** Kinds of failure in full, with a bundle each; the others are counted. */
export const FAILURES_MAX = 5;
/** Between two saves of what is done: as much is lost at most when the runner itself is killed. */
const SAVE_MS_MIN = 5_000;
const MS_PER_S = 1_000;

export const EXIT_CLEAN = 0;
export const EXIT_FAILED = 1;
export const EXIT_STOPPED = 130;

export interface Surroundings {
  /** Address of the module with makeScenario and runScenario. */
  readonly world: string;
  /** By which code the runs are made. */
  readonly origin: () => Origin;
  /** Of the checkout. */
  readonly root: string;
  /** Its build/: for bundles, what is done, and the report. */
  readonly build: string;
  readonly outsideBudget: readonly OutsideBudget[];
  /** Standard output: the result. */
  readonly print: (text: string) => void;
  /** Standard error: everything beside it. */
  readonly progress: { readonly terminal: boolean; readonly columns: number; readonly write: (text: string) => void };
  /** Aborted by Ctrl-C. */
  readonly stop: AbortSignal;
  /** Monotonic. */
  readonly nowMs: () => number;
  readonly runMsMax?: number;
  /** Another judge, in tests. */
  readonly judgeRuns?: typeof judgeShare;
}

export async function runMany(task: RunsTask, around: Surroundings): Promise<number> {
  const runs = new ManyRuns(task, around);
  await runs.run();
  return runs.report();
}

class ManyRuns {
  readonly #task: RunsTask;
  readonly #around: Surroundings;
  readonly #state: StateFile;
  readonly #memory = new MemoryTrend();
  readonly #startMs: number;
  readonly #doneBefore: number;
  readonly #before: Tally;
  readonly #progress: Progress;
  readonly #failuresFolder: string;
  readonly #coverage: Set<string>;
  readonly #bundles: Map<string, SavedBundle>;
  /** By failureKey: bundles that are to be saved, and are being saved. */
  readonly #toSave: FailureGroup[] = [];
  readonly #saving = new Map<number, FailureGroup>();
  readonly #shown = new Set<string>();
  #tally: Tally;
  #done: readonly SeedRange[];
  #savedMs: number;
  #judged: JudgedShare | undefined;
  #unsaved = false;
  /** When the first worker took work: rates begin there. */
  #readyMs: number | undefined;
  /** When half of the runs of this start were done: V8 has compiled by then. */
  #halfway: { readonly runs: number; readonly atMs: number } | undefined;
  /** When the last run was done: judging comes after it. */
  #doneMs: number | undefined;

  constructor(task: RunsTask, around: Surroundings) {
    this.#task = task;
    this.#around = around;
    const folder = join(around.build, 'sim');
    this.#failuresFolder = task.keep ?? join(folder, 'failures');
    this.#state = new StateFile(folder, task.settings, task.coverage, task.seeds, around.origin().sources);
    const saved = task.resume ? this.#state.load() : undefined;
    this.#tally = saved?.tally ?? EMPTY_TALLY;
    this.#before = this.#tally;
    this.#done = saved?.done ?? [];
    this.#coverage = new Set(saved?.coverage);
    this.#bundles = new Map(Object.entries(saved?.bundles ?? {}));
    this.#doneBefore = runsIn(this.#done);
    this.#startMs = around.nowMs();
    this.#savedMs = this.#startMs;
    this.#progress = new Progress(
      { ...around.progress, runs: task.seeds.count, doneBefore: this.#doneBefore },
      this.#startMs,
    );
  }

  async run(): Promise<void> {
    const { seeds } = this.#task;
    if (this.#doneBefore > 0)
      this.#note(
        `going on: ${this.#doneBefore} of ${seeds.count} runs were done before; --no-resume begins anew (${this.#state.path})`,
      );
    for (const failure of this.#tally.failures) if (this.#bundles.has(failureKey(failure))) this.#show(failure);
    await this.#shard(withoutRanges(seeds, this.#done));
    this.#doneMs = this.#around.nowMs();
    if (!this.#around.stop.aborted) await this.#saveRepresentatives();
    if (!this.#around.stop.aborted && this.#task.judge > 0) await this.#judge();
    this.#progress.clear();
  }

  report(): number {
    const { failures } = this.#tally;
    for (const failure of failures.slice(0, FAILURES_MAX)) this.#show(failure);
    if (failures.length > FAILURES_MAX)
      this.#print(`… and ${failures.length - FAILURES_MAX} more kinds of failure, in build/report/sim.json`);
    const report = this.#reportNow();
    this.#write(report);
    if (this.#task.json) this.#around.print(`${JSON.stringify(report)}\n`);
    else this.#around.print(`${reportText(report)}\n`);
    if (report.complete) this.#state.remove();
    else this.#sayHowToGoOn();
    if ((report.judged?.wrong.length ?? 0) > 0) return EXIT_FAILED;
    if (report.result.tally.failedRuns > 0 || report.result.neverInjected.length > 0) return EXIT_FAILED;
    return report.complete ? EXIT_CLEAN : EXIT_STOPPED;
  }

  #shard(remaining: readonly SeedRange[], workers = this.#task.workers): Promise<void> {
    const { world, stop, runMsMax } = this.#around;
    const { settings, coverage } = this.#task;
    return shard({
      ...{ world, settings, workers, remaining, coverage, stop },
      ...(runMsMax === undefined ? {} : { runMsMax }),
      onReady: () => {
        this.#readyMs ??= this.#around.nowMs();
      },
      urgent: () => this.#nextSave(),
      onAnswer: (answer) => this.#take(answer),
      onLostRun: (seed, why) => this.#takeRuns({ first: seed, count: 1 }, tallyOfLostRun(seed, 'worker died', why)),
      onNotSaved: (seed, why) => this.#takeBundle(seed, { seed, why }),
    });
  }

  #take(answer: Answer): void {
    if (answer.kind === 'runs') {
      for (const key of answer.coverage) this.#coverage.add(key);
      this.#takeRuns(answer.range, answer.tally);
      this.#memory.add(this.#tally.runs / this.#task.seeds.count, answer.memory);
    } else if (answer.kind === 'saved') this.#takeBundle(answer.seed, { seed: answer.seed, file: answer.file });
    else if (answer.kind === 'not-saved') this.#takeBundle(answer.seed, { seed: answer.seed, why: answer.why });
  }

  #takeRuns(range: SeedRange, tally: Tally): void {
    const known = new Set(this.#tally.failures.map(failureKey));
    this.#tally = mergeTallies(this.#tally, tally);
    this.#done = withRange(this.#done, range);
    for (const failure of tally.failures) {
      if (known.has(failureKey(failure))) continue;
      if (known.size + this.#toSave.length < FAILURES_MAX) this.#toSave.push(failure);
    }
    const now = this.#around.nowMs();
    const { runs } = this.#tally;
    if (this.#halfway === undefined && 2 * runs >= this.#doneBefore + this.#task.seeds.count)
      this.#halfway = { runs, atMs: now };
    this.#progress.update(runs, this.#tally.failedRuns, now);
    if (now - this.#savedMs < SAVE_MS_MIN) return;
    this.#savedMs = now;
    this.#saveState();
  }

  async #judge(): Promise<void> {
    const { root, stop, judgeRuns = judgeShare } = this.#around;
    const { seeds, settings, judge } = this.#task;
    const onProgress = (judged: number, of: number): void => this.#note(`TLC judges: ${judged} of ${of} runs`);
    this.#judged = await judgeRuns(seeds, settings, judge, { root, stop, onProgress });
  }

  #nextSave(): Job | undefined {
    const failure = this.#toSave.shift();
    if (failure === undefined) return undefined;
    this.#saving.set(failure.seed, failure);
    return { kind: 'save', seed: failure.seed, folder: this.#failuresFolder };
  }

  #takeBundle(seed: number, bundle: SavedBundle): void {
    const failure = this.#saving.get(seed);
    this.#saving.delete(seed);
    if (failure === undefined) return;
    this.#bundles.set(failureKey(failure), bundle);
    this.#show(failure);
  }

  /** The report tells each kind by its lowest seed, whichever came first: that one has a bundle, too. */
  async #saveRepresentatives(): Promise<void> {
    for (const failure of this.#tally.failures.slice(0, FAILURES_MAX)) {
      const key = failureKey(failure);
      if (this.#bundles.get(key)?.seed === failure.seed) continue;
      this.#toSave.push(failure);
      this.#shown.delete(key);
    }
    if (this.#toSave.length > 0) await this.#shard([], 1);
  }

  #show(failure: FailureGroup): void {
    const key = failureKey(failure);
    if (this.#shown.has(key)) return;
    this.#shown.add(key);
    this.#print(failureText(failure, this.#task.settings, this.#bundles.get(key)));
  }

  #reportNow(): SimReport {
    const { settings, seeds, workers, coverage } = this.#task;
    const { outsideBudget, nowMs } = this.#around;
    const endMs = nowMs();
    const tally = inOrder(this.#tally);
    const complete = tally.runs === seeds.count;
    const doneMs = this.#doneMs ?? endMs;
    const half = this.#halfway;
    return {
      schema: 1,
      settings,
      seeds,
      complete,
      result: {
        tally,
        neverInjected: complete ? neverInjected(tally, settings) : [],
        ...(coverage ? { coverage: { seen: this.#coverage.size, machines: coverageRows(this.#coverage) } } : {}),
      },
      ...(this.#judged === undefined ? {} : { judged: this.#judged }),
      outsideBudget,
      measured: {
        runs: tally.runs - this.#doneBefore,
        seconds: (endMs - this.#startMs) / MS_PER_S,
        workingSeconds: (doneMs - (this.#readyMs ?? this.#startMs)) / MS_PER_S,
        ...(half === undefined || half.runs === tally.runs
          ? {}
          : { secondHalf: { runs: tally.runs - half.runs, seconds: (doneMs - half.atMs) / MS_PER_S } }),
        workers,
        steps: tally.steps - this.#before.steps,
        machineEvents: tally.machineEvents - this.#before.machineEvents,
        operations: operationsOf(tally) - operationsOf(this.#before),
        memory: this.#memory.parts,
        residentBytesPeaks: this.#memory.peaks,
      },
    };
  }

  #write(report: SimReport): void {
    const folder = join(this.#around.build, 'report');
    try {
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'sim.json'), `${JSON.stringify(report, null, 2)}\n`);
    } catch (cause) {
      this.#note(`the report is not in build/report/sim.json: ${wordsOf(cause)}`);
    }
  }

  #sayHowToGoOn(): void {
    const { settings, seeds } = this.#task;
    this.#saveState();
    const again = commandOf(settings, '--runs', String(seeds.count), '--first-seed', String(seeds.first));
    if (!this.#unsaved)
      this.#note(`stopped after ${this.#tally.runs} runs; they are kept, and this goes on with the rest: ${again}`);
  }

  #saveState(): void {
    try {
      const bundles = Object.fromEntries(this.#bundles);
      this.#state.save({ done: this.#done, tally: this.#tally, coverage: [...this.#coverage], bundles });
      this.#unsaved = false;
    } catch (cause) {
      if (!this.#unsaved) this.#note(`what is done cannot be kept for the next start: ${wordsOf(cause)}`);
      this.#unsaved = true;
    }
  }

  #print(text: string): void {
    this.#progress.clear();
    if (this.#task.json) this.#around.progress.write(`${text}\n`);
    else this.#around.print(`${text}\n`);
  }

  #note(text: string): void {
    this.#progress.clear();
    this.#around.progress.write(`sim: ${text}\n`);
  }
}

function operationsOf({ applied, refused, unknown }: Tally): number {
  return applied + refused + unknown;
}

export function wordsOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
