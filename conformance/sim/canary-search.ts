/**
 * How many runs it takes to find a canary, from a first seed on, until an oracle speaks: seeds in order, or steered (fuzz.ts).
 * A failure that the whole implementation has in the same scenario is not the canary's. Mirrors no spec module.
 */
import { canaryNamed } from './canaries.ts';
import { fuzz } from './fuzz.ts';
import { makeScenario, type PlanSettings } from './make-plan.ts';
import type { Scenario } from './plan.ts';
import { runScenario } from './run.ts';
import type { Oracle, RunResult, SimFailure } from './run-result.ts';

/** storms: the seeds in order, each with a storm of view changes; in unguided runs every fourth has one. */
export type SearchWay = 'guided' | 'unguided' | 'storms';

export interface SearchTask {
  readonly canary: string;
  readonly firstSeed: number;
  readonly runsMax: number;
  /** Oracles that are switched off. */
  readonly without?: readonly Oracle[];
  /** Unguided unless told. */
  readonly way?: SearchWay;
}

export interface SearchResult {
  readonly runs: number;
  /** Of all these runs: a steered one may be longer. */
  readonly steps: number;
  /** Absent: not within runsMax. */
  readonly found?: { readonly seed: number; readonly oracle: Oracle; readonly rule: string };
}

interface Tried {
  readonly scenario: Scenario;
  readonly result: RunResult;
}

/** What canaries.ts says of the plan that shows this canary, beside the seed. */
export function settingsOf(canary: string): PlanSettings {
  return { ...canaryNamed(canary).plan, canary };
}

export function searchCanary({
  canary,
  firstSeed,
  runsMax,
  without: off = [],
  way = 'unguided',
}: SearchTask): SearchResult {
  const plan = settingsOf(canary);
  const without = new Set(off);
  let runs = 0;
  let steps = 0;
  const tries =
    way === 'guided'
      ? fuzz({ firstSeed, guided: true, plan, without })
      : seedsInOrder(firstSeed, way === 'storms' ? { ...plan, storm: true } : plan, without);
  for (const { scenario, result } of tries) {
    runs++;
    steps += result.steps;
    const { failure } = result;
    if (failure !== undefined && !isOfTheWhole(scenario, without, failure)) {
      const { oracle, rule } = failure;
      return { runs, steps, found: { seed: scenario.seed, oracle, rule } };
    }
    if (runs >= runsMax) break;
  }
  return { runs, steps };
}

/** Without the account of what is reached, which costs time. Without end. */
function* seedsInOrder(first: number, plan: PlanSettings, without: ReadonlySet<Oracle>): Generator<Tried> {
  for (let seed = first; ; seed++) {
    const scenario = makeScenario(seed, plan);
    yield { scenario, result: runScenario(scenario, { without }) };
  }
}

/** Then the simulator has found something real, and this is no measurement of a canary. */
function isOfTheWhole(scenario: Scenario, without: ReadonlySet<Oracle>, failure: SimFailure): boolean {
  const { canary: _, ...whole } = scenario;
  const real = runScenario(whole, { without }).failure;
  return real !== undefined && real.oracle === failure.oracle;
}
