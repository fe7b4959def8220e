/**
 * `lockstep sim --guided`: runs that are steered by what they reach (fuzz.ts), one process, each run guarded: what they reach,
 * and a bundle of each kind of failure. Not resumed: what comes next depends on all that came before. Mirrors no spec module.
 */
import { join } from 'node:path';
import { COVERAGE_KEYS, coverageRows, coverageText } from '../coverage.ts';
import { guarded } from '../deterministic.ts';
import { type FuzzStep, fuzz, type Way } from '../fuzz.ts';
import { failureText } from './failure-text.ts';
import { EXIT_CLEAN, EXIT_FAILED, EXIT_STOPPED, FAILURES_MAX, type Surroundings } from './many-runs.ts';
import type { SavedBundle } from './saved-state.ts';
import type { GuidedTask } from './sim-arguments.ts';
import { saveBundle } from './simulated-world.ts';
import { type FailedRun, failureKey, tallyOfRun } from './tally.ts';

/** Runs between two lines of progress; Ctrl-C is heard after each of them. */
const LINE_RUNS = 200;
/** What is reached is told in so many. */
const STEPS_COUNTED = 1_000;

/** What one way of making scenarios came to. */
interface OfWay {
  readonly runs: number;
  readonly steps: number;
  readonly news: number;
}

export async function runGuided(task: GuidedTask, around: Surroundings): Promise<number> {
  const { progress, print, stop, build } = around;
  const failures = new Map<string, { readonly failure: FailedRun; readonly bundle: SavedBundle }>();
  const steps = fuzz({ firstSeed: task.firstSeed, guided: true, plan: task.settings });
  const ways = new Map<Way, OfWay>();
  let last: FuzzStep | undefined;
  for (let run = 1; run <= task.runs && !stop.aborted; run++) {
    const step = guarded(() => steps.next().value);
    last = step;
    const { runs, steps: stepsBefore, news } = ways.get(step.way) ?? { runs: 0, steps: 0, news: 0 };
    ways.set(step.way, { runs: runs + 1, steps: stepsBefore + step.result.steps, news: news + step.news });
    for (const failure of tallyOfRun(step.scenario, step.result).failures) {
      const key = failureKey(failure);
      if (failures.has(key) || failures.size >= FAILURES_MAX) continue;
      const bundle = saved(step, task.keep ?? join(build, 'sim', 'failures'));
      failures.set(key, { failure, bundle });
      if (!task.json) print(`run ${run} ${failureText(failure, undefined, bundle)}\n`);
    }
    if (run % LINE_RUNS === 0) progress.write(`${reachedText(step)}\n`);
    await nextTurn();
  }
  print(task.json ? jsonOf(last, ways, [...failures.values()]) : textOf(last, ways, failures.size));
  if (failures.size > 0) return EXIT_FAILED;
  return stop.aborted ? EXIT_STOPPED : EXIT_CLEAN;
}

function saved({ scenario }: FuzzStep, folder: string): SavedBundle {
  const { seed } = scenario;
  try {
    return { seed, file: saveBundle(scenario, folder) };
  } catch (cause) {
    return { seed, why: cause instanceof Error ? cause.message : String(cause) };
  }
}

function reachedText({ run, corpus }: FuzzStep): string {
  return `${run} runs, ${corpus.keys.size} of ${COVERAGE_KEYS.length} keys, ${corpus.shapes} shapes, corpus ${corpus.size}`;
}

function textOf(last: FuzzStep | undefined, ways: ReadonlyMap<Way, OfWay>, kinds: number): string {
  if (last === undefined) return 'no run was made\n';
  const lines = [...ways].map(([way, { runs, steps, news }]) => {
    const [aRun, aThousand] = [news / runs, (news * STEPS_COUNTED) / steps];
    return `${way.padEnd(10)} ${String(runs).padStart(5)} runs, ${aRun.toFixed(1)} keys and shapes a run that no run before has reached, ${aThousand.toFixed(1)} in 1,000 steps\n`;
  });
  return `${coverageText(last.corpus.keys)}${lines.join('')}${reachedText(last)}: ${kinds} kinds of failure\n`;
}

function jsonOf(
  last: FuzzStep | undefined,
  ways: ReadonlyMap<Way, OfWay>,
  failures: readonly { readonly failure: FailedRun; readonly bundle: SavedBundle }[],
): string {
  const { run: runs = 0, corpus } = last ?? {};
  const coverage = coverageRows(corpus?.keys ?? new Set());
  const reached = { keys: corpus?.keys.size ?? 0, shapes: corpus?.shapes ?? 0, corpus: corpus?.size ?? 0 };
  return `${JSON.stringify({ schema: 1, runs, ...reached, ways: Object.fromEntries(ways), failures, coverage })}\n`;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
