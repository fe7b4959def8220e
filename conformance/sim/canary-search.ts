/**
 * How many runs it takes to find a canary: seeds in order from a first one, until an oracle speaks. A failure that the whole
 * implementation has on the same seed is not the canary's. Mirrors no spec module.
 */
import { canaryNamed } from './canaries.ts';
import { makeScenario, type PlanSettings } from './make-plan.ts';
import { runScenario } from './run.ts';
import type { Oracle, SimFailure } from './run-result.ts';

export interface SearchTask {
  readonly canary: string;
  readonly firstSeed: number;
  readonly runsMax: number;
  /** Oracles that are switched off. */
  readonly without?: readonly Oracle[];
}

export interface SearchResult {
  readonly runs: number;
  /** Absent: not within runsMax. */
  readonly found?: { readonly seed: number; readonly oracle: Oracle; readonly rule: string };
}

/** What canaries.ts says of the plan that shows this canary, beside the seed. */
export function settingsOf(canary: string): PlanSettings {
  return { ...canaryNamed(canary).plan, canary };
}

export function searchCanary({ canary, firstSeed, runsMax, without = [] }: SearchTask): SearchResult {
  const settings = settingsOf(canary);
  const off = new Set(without);
  for (let runs = 1; runs <= runsMax; runs++) {
    const seed = firstSeed + runs - 1;
    const failure = runScenario(makeScenario(seed, settings), { without: off }).failure;
    if (failure === undefined || isOfTheWhole(seed, settings, off, failure)) continue;
    return { runs, found: { seed, oracle: failure.oracle, rule: failure.rule } };
  }
  return { runs: runsMax };
}

/** Then the simulator has found something real, and this is no measurement of a canary. */
function isOfTheWhole(
  seed: number,
  settings: PlanSettings,
  without: ReadonlySet<Oracle>,
  failure: SimFailure,
): boolean {
  const { canary: _, ...whole } = settings;
  const real = runScenario(makeScenario(seed, whole), { without }).failure;
  return real !== undefined && real.oracle === failure.oracle;
}
