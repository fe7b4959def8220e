/**
 * Runs that are steered by what they reach: fresh scenarios from the seeds in order, and changed ones of those that reached
 * what few reach (corpus.ts). Deterministic from the first seed. Mirrors no spec module.
 */
import { SimulatedRandom } from '../../impl/ports/simulated-random.ts';
import { ClusterShapes } from './cluster-shapes.ts';
import { Corpus } from './corpus.ts';
import { makeScenario, type PlanSettings, SAFETY_US_MAX } from './make-plan.ts';
import { crossedScenario, mutatedScenario } from './mutate-plan.ts';
import type { Scenario } from './plan.ts';
import { runScenario } from './run.ts';
import type { Oracle, RunResult } from './run-result.ts';

/** Runs before the first change: something to choose from. */
const FRESH_FIRST = 10;

/**
 * How the next scenario is made: of the next seed; of the next seed, with a storm of view changes, where shapes are that few
 * runs reach; from one of the corpus, changed; or of the next seed, under the faults of one of the corpus, changed.
 */
export type Way = 'fresh' | 'storm' | 'near' | 'cross';
/**
 * Of 16 runs: tuned on seeds from 20,000,000 on; lockstep sim --guided prints what each way reaches. Chance finds what the
 * corpus does not lead to, so nearly half stays fresh.
 */
const WAYS: readonly Way[] = [
  ...Array.from({ length: 2 }, (): Way => 'fresh'),
  ...Array.from({ length: 5 }, (): Way => 'storm'),
  ...Array.from({ length: 2 }, (): Way => 'near'),
  ...Array.from({ length: 7 }, (): Way => 'cross'),
];
const WAYS_AT_FIRST: readonly Way[] = ['fresh', 'storm'];

export interface FuzzSettings {
  readonly firstSeed: number;
  readonly guided: boolean;
  readonly plan?: PlanSettings;
  readonly without?: ReadonlySet<Oracle>;
}

export interface FuzzStep {
  readonly run: number;
  readonly way: Way;
  readonly scenario: Scenario;
  readonly result: RunResult;
  readonly corpus: Corpus;
  /** Keys and shapes that no run before has reached. */
  readonly news: number;
}

/** Without end: whoever asks stops. Unguided: the seeds in order, and the same account of what is new. */
export function* fuzz({ firstSeed, guided, plan = {}, without }: FuzzSettings): Generator<FuzzStep, never, undefined> {
  const corpus = new Corpus();
  const random = new SimulatedRandom(firstSeed);
  const seeds = new Seeds(firstSeed, plan);
  for (let run = 1; ; run++) {
    const way = guided ? chosenWay(random, corpus) : 'fresh';
    const scenario = made(way, random, corpus, seeds);
    const shapes = new ClusterShapes();
    const result = runScenario(scenario, { coverage: true, shapes, ...(without === undefined ? {} : { without }) });
    const news = corpus.offer(scenario, result.coverage ?? new Set(), shapes.seen);
    yield { run, way, scenario, result, corpus, news };
  }
}

/** Scenarios of the seeds in order. */
class Seeds {
  readonly #plan: PlanSettings;
  #next: number;

  constructor(first: number, plan: PlanSettings) {
    this.#plan = plan;
    this.#next = first;
  }

  next(more: PlanSettings = {}): Scenario {
    return makeScenario(this.#next++, { ...this.#plan, ...more });
  }
}

function chosenWay(random: SimulatedRandom, corpus: Corpus): Way {
  const ways = corpus.size < FRESH_FIRST ? WAYS_AT_FIRST : WAYS;
  return ways[random.below(ways.length)] as Way;
}

function made(way: Way, random: SimulatedRandom, corpus: Corpus, seeds: Seeds): Scenario {
  if (way === 'fresh') return seeds.next();
  if (way === 'storm') return seeds.next({ storm: true });
  const chosen = corpus.choose(random);
  const other = corpus.any(random);
  if (way === 'near') return mutatedScenario(random, chosen, other);
  const { replicaCount } = chosen;
  const storm = chosen.safetyUs > SAFETY_US_MAX;
  return mutatedScenario(random, crossedScenario(chosen, seeds.next({ replicaCount, storm })), other);
}
