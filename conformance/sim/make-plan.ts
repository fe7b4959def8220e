/**
 * From a seed to a scenario: which faults exist in this run and how strong (each seed draws its own: a "swarm"), what the
 * clients ask, and when. Deterministic. Stays inside the budget of budget.ts unless the run is `beyond`. Mirrors no spec
 * module.
 */
import { assert } from '../../impl/ports/assert.ts';
import { SimulatedRandom } from '../../impl/ports/simulated-random.ts';
import { lostReplicasMax } from './budget.ts';
import { drawFault } from './draw-fault.ts';
import { clientsOf, drawOperations } from './draw-operations.ts';
import { drawSessionFaults, drawSessions, isSessionFault } from './draw-sessions.ts';
import { drawStorm, focusOnStorm } from './draw-storm.ts';
import {
  FAULT_KINDS,
  type FaultEvent,
  type FaultKind,
  type PlanEvent,
  type ReplicaCount,
  type Scenario,
  SEED_MAX,
  WORKLOADS,
  type Workload,
} from './plan.ts';
import { type NamedScenario, scenarioNamed } from './scenarios.ts';

export interface PlanSettings {
  /** Of scenarios.ts; `swarm` unless told. */
  readonly name?: string;
  /** 'swarm' draws one. */
  readonly replicaCount?: ReplicaCount | 'swarm';
  readonly workload?: Workload;
  readonly beyond?: boolean;
  readonly canary?: string;
  /** Of a swarm: whether it has a storm of view changes; unless told, chance decides. */
  readonly storm?: boolean;
  /** Kinds that are switched off. */
  readonly without?: readonly FaultKind[];
}

const SAFETY_US_MIN = 1_700_000;
/** Without a storm. */
export const SAFETY_US_MAX = 3_600_000;
const FAULTS_MAX = 22;
/** One run of a swarm in so many has a storm of view changes (draw-storm.ts), and so much more time for it. */
const STORM_OF = 4;
const STORM_US = 2_000_000;
/** Before the first fault: a cluster that never came up shows little. */
const QUIET_US = 60_000;

/** @param seed 0..SEED_MAX */
export function makeScenario(seed: number, settings: PlanSettings = {}): Scenario {
  assert(Number.isInteger(seed) && seed >= 0 && seed <= SEED_MAX, 'a seed is a whole number of 32 bits');
  const random = new SimulatedRandom(Math.imul(seed, 0x9e37_79b9) ^ 0x5bd1_e995);
  const sessionRandom = new SimulatedRandom(Math.imul(seed, 0x85eb_ca6b) ^ 0x2545_f491);
  const named = scenarioNamed(settings.name ?? 'swarm');
  const replicaCount = replicaCountOf(settings.replicaCount ?? named.replicaCount ?? 3, random);
  const drawnWorkload = WORKLOADS[random.below(WORKLOADS.length)] as Workload;
  const workload = settings.workload ?? named.workload ?? drawnWorkload;
  const drawnStorm = named.swarm && random.below(STORM_OF) === 0;
  const hasStorm = named.swarm && (settings.storm ?? named.storm ?? drawnStorm);
  const safetyUs = between(random, SAFETY_US_MIN, SAFETY_US_MAX) + (hasStorm ? STORM_US : 0);
  const beyond = settings.beyond ?? false;
  const wanted = FAULT_KINDS.filter(
    (kind) => (named.faults === 'all' || named.faults.includes(kind)) && !(settings.without ?? []).includes(kind),
  );
  const allowed = wanted.filter((kind) => !isSessionFault(kind)); // drawn on their own, below
  const operations = drawOperations(new SimulatedRandom(random.below(SEED_MAX)), workload, replicaCount, safetyUs);
  const storm = hasStorm ? drawStorm(new SimulatedRandom(random.below(SEED_MAX)), replicaCount, safetyUs, allowed) : [];
  const plan: PlanEvent[] = [
    ...focusOnStorm(new SimulatedRandom(random.below(SEED_MAX)), operations, storm),
    ...storm,
    ...drawFaults(new SimulatedRandom(random.below(SEED_MAX)), { allowed, named, replicaCount, safetyUs, beyond }),
  ];
  // A registration takes its time, and promptness is not measured with it.
  const sessions = named.prompt === true ? undefined : drawSessions(sessionRandom, clientsOf(workload));
  plan.push(...drawSessionFaults(sessionRandom, { sessions, kinds: wanted, replicaCount, safetyUs }));
  plan.sort((a, b) => a.atUs - b.atUs);
  const frameFrom = between(random, 20, 400);
  const syncFrom = between(random, 20, 600);
  return {
    seed,
    name: named.name,
    replicaCount,
    workload,
    beyond,
    ...(settings.canary === undefined ? {} : { canary: settings.canary }),
    safetyUs,
    ...(named.stepsMin === undefined ? {} : { stepsMin: named.stepsMin }),
    // A connection keeps the order of its frames; where no fault may disturb it, each takes the same time.
    frameUs: named.prompt === true ? [frameFrom, frameFrom] : [frameFrom, frameFrom + between(random, 10, 1_500)],
    syncUs: [syncFrom, syncFrom + between(random, 10, 2_000)],
    ...(sessions === undefined ? {} : { sessions }),
    plan,
  };
}

interface Wanted {
  readonly allowed: readonly FaultKind[];
  readonly named: NamedScenario;
  readonly replicaCount: ReplicaCount;
  readonly safetyUs: number;
  readonly beyond: boolean;
}

function drawFaults(
  random: SimulatedRandom,
  { allowed, named, replicaCount, safetyUs, beyond }: Wanted,
): readonly FaultEvent[] {
  // A swarm: each kind is in this run or not, and drawn more or less often.
  const present = named.swarm ? allowed.filter(() => random.below(5) < 2) : allowed;
  if (present.length === 0) return [];
  const weights = present.map(() => 1 + random.below(named.swarm ? 6 : 1));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const lostMax = beyond ? replicaCount : lostReplicasMax(replicaCount);
  // Which replicas may be lost, were any to be: the same ones for all faults of the run.
  const order = Array.from({ length: replicaCount }, (_, index) => index);
  for (let at = order.length - 1; at > 0; at--) {
    const other = random.below(at + 1);
    [order[at], order[other]] = [order[other] as number, order[at] as number];
  }
  const losing = order.slice(0, lostMax);
  const count = random.below(FAULTS_MAX + 1);
  const strength = 1 + random.below(4);
  const faults: FaultEvent[] = [];
  for (let drawn = 0; drawn < count; drawn++) {
    let weight = random.below(total);
    const at = weights.findIndex((own) => {
      weight -= own;
      return weight < 0;
    });
    const kind = present[at] as FaultKind;
    const atUs = QUIET_US + random.below(safetyUs - QUIET_US);
    const fault = drawFault(random, kind, { replicaCount, losing, safetyUs, strength, atUs });
    if (fault !== undefined) faults.push(fault);
  }
  return faults;
}

function replicaCountOf(wanted: ReplicaCount | 'swarm', random: SimulatedRandom): ReplicaCount {
  const drawn = ([3, 3, 3, 5, 5, 7] as const)[random.below(6)] as ReplicaCount;
  return wanted === 'swarm' ? drawn : wanted;
}

function between(random: SimulatedRandom, from: number, to: number): number {
  return from + random.below(to - from + 1);
}
