/**
 * Runs that are steered by what they reach: fresh scenarios from the seeds in order, and changed ones of those that reached
 * something new (corpus.ts). Deterministic from the first seed. Mirrors no spec module.
 */
import { SimulatedRandom } from '../../impl/ports/simulated-random.ts';
import { ClusterShapes } from './cluster-shapes.ts';
import { Corpus } from './corpus.ts';
import { makeScenario, type PlanSettings } from './make-plan.ts';
import { mutatedScenario } from './mutate-plan.ts';
import type { Scenario } from './plan.ts';
import { runScenario } from './run.ts';
import type { Oracle, RunResult } from './run-result.ts';

/** Runs before the first change: something to choose from. */
const FRESH_FIRST = 20;
/** Of so many runs one is fresh: chance finds what the corpus does not lead to. */
const FRESH_OF = 4;

export interface FuzzSettings {
  readonly firstSeed: number;
  readonly guided: boolean;
  readonly plan?: PlanSettings;
  readonly without?: ReadonlySet<Oracle>;
}

export interface FuzzStep {
  readonly run: number;
  readonly scenario: Scenario;
  readonly result: RunResult;
  readonly corpus: Corpus;
}

/** Without end: whoever asks stops. Unguided: the seeds in order, and the same account of what is new. */
export function* fuzz({ firstSeed, guided, plan = {}, without }: FuzzSettings): Generator<FuzzStep, never, undefined> {
  const corpus = new Corpus();
  const random = new SimulatedRandom(firstSeed);
  let nextSeed = firstSeed;
  for (let run = 1; ; run++) {
    const isFresh = !guided || run <= FRESH_FIRST || corpus.size === 0 || random.below(FRESH_OF) === 0;
    const scenario = isFresh
      ? makeScenario(nextSeed++, plan)
      : mutatedScenario(random, corpus.choose(random), corpus.choose(random));
    const shapes = new ClusterShapes();
    const result = runScenario(scenario, { coverage: true, shapes, ...(without === undefined ? {} : { without }) });
    corpus.offer(scenario, result.coverage ?? new Set(), shapes.seen);
    yield { run, scenario, result, corpus };
  }
}
