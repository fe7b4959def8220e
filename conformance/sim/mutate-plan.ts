/**
 * Another scenario from one or two that are known to be worth it: faults and operations are added, left out, moved, lengthened,
 * aligned with each other and taken over from another plan. Stays inside the budget of its parents, as make-plan.ts has it.
 * Deterministic. Mirrors no spec module.
 */
import type { SimulatedRandom } from '../../impl/ports/simulated-random.ts';
import { LOSING_KINDS } from './budget.ts';
import { drawFault } from './draw-fault.ts';
import { isSessionFault } from './draw-sessions.ts';
import { drawStorm, focusOnStorm } from './draw-storm.ts';
import {
  FAULT_KINDS,
  type Fault,
  type FaultEvent,
  type FaultKind,
  FOREVER_US,
  type OperationEvent,
  type PlanEvent,
  type Scenario,
  SEED_MAX,
} from './plan.ts';
import { scenarioNamed } from './scenarios.ts';

const CHANGES_MAX = 6;
const FAULTS_MAX = 40;
const MOVED_US_MAX = 200_000;
/** One change in so many puts a storm of view changes (draw-storm.ts) in the place of all else that splits the cluster. */
const STORM_OF = 4;
const STORM_US_MIN = 2_000_000;
/** Two faults that meet are so far apart at most: a few turns of a replica. */
const MEETING_US = 4_000;
/** Kinds by which machines are kept apart or end: what view changes are made of. They are drawn half of the time. */
const SPLITTING: readonly FaultKind[] = [
  'partition-symmetric',
  'partition-asymmetric',
  'partition-partial',
  'process-crash',
  'power-loss',
  'process-pause',
];

/**
 * Another scenario's clients, sessions and chance under this one's faults, to be changed then: what was worth it is met by
 * other operations. Both of the same size.
 */
export function crossedScenario(faults: Scenario, fresh: Scenario): Scenario {
  const isOfSession = (event: PlanEvent): boolean => isFault(event) && isSessionFault(event.fault.kind);
  const plan = [
    ...fresh.plan.filter((event) => !isFault(event) || isOfSession(event)),
    ...faults.plan.filter((event) => isFault(event) && !isOfSession(event)),
  ].sort((a, b) => a.atUs - b.atUs);
  return { ...fresh, safetyUs: Math.max(fresh.safetyUs, faults.safetyUs), plan };
}

/** @param other whose faults may be taken over: of the same size */
export function mutatedScenario(random: SimulatedRandom, parent: Scenario, other: Scenario): Scenario {
  const changes = 1 + random.below(CHANGES_MAX);
  let faults = parent.plan.filter(isFault);
  let rest: readonly PlanEvent[] = parent.plan.filter((event) => !isFault(event));
  for (let change = 0; change < changes; change++) {
    if (random.below(6) === 0) rest = movedOperations(random, rest, parent);
    else faults = changedFaults(random, faults, parent, other);
  }
  let { safetyUs } = parent;
  if (scenarioNamed(parent.name).swarm && random.below(STORM_OF) === 0) {
    if (safetyUs < STORM_US_MIN) safetyUs += STORM_US_MIN;
    const storm = drawStorm(random, parent.replicaCount, safetyUs, SPLITTING);
    rest = focusOnStorm(random, rest, storm);
    faults = [
      ...faults.filter(({ fault, untilUs }) => !SPLITTING.includes(fault.kind) || untilUs === FOREVER_US),
      ...storm,
    ];
  }
  // What chance decides inside a run is drawn anew half of the time.
  const seed = random.below(2) === 0 ? parent.seed : random.below(SEED_MAX);
  const plan = [...rest, ...faults.slice(0, FAULTS_MAX)].sort((a, b) => a.atUs - b.atUs);
  return { ...parent, seed, safetyUs, plan };
}

function isFault(event: PlanEvent): event is FaultEvent {
  return event.type === 'fault';
}

function changedFaults(
  random: SimulatedRandom,
  faults: readonly FaultEvent[],
  parent: Scenario,
  other: Scenario,
): FaultEvent[] {
  const changed = [...faults];
  const at = random.below(Math.max(1, faults.length));
  const one = changed[at];
  const change = random.below(8);
  if (one === undefined || change < 2) {
    const added = addedFault(random, parent);
    if (added !== undefined)
      changed.push(one === undefined || random.below(2) === 0 ? added : meeting(random, added, one));
  } else if (change === 2) changed.splice(at, 1);
  else if (change === 3) changed[at] = moved(one, random.below(2 * MOVED_US_MAX) - MOVED_US_MAX, parent.safetyUs);
  else if (change === 4) changed[at] = stretched(random, one, parent.safetyUs);
  else if (change === 5) {
    const met = changed[random.below(changed.length)] as FaultEvent;
    if (met !== one) changed[at] = meeting(random, one, met);
  } else if (change === 6) changed[at] = elsewhere(random, one, parent);
  else changed.push(...takenOver(random, other, parent));
  return changed;
}

/** Of a kind that the parent's scenario may have. */
function addedFault(
  random: SimulatedRandom,
  { name, replicaCount, safetyUs, beyond }: Scenario,
): FaultEvent | undefined {
  const { faults } = scenarioNamed(name);
  const allowed: readonly FaultKind[] = faults === 'all' ? FAULT_KINDS : faults;
  const splitting = SPLITTING.filter((kind) => allowed.includes(kind));
  const kinds = splitting.length > 0 && random.below(2) === 0 ? splitting : allowed;
  if (kinds.length === 0) return undefined;
  const kind = kinds[random.below(kinds.length)] as FaultKind;
  if (LOSING_KINDS.has(kind) && !beyond) return undefined; // the parent's plan has used its budget, or has not: it keeps it
  const losing = beyond ? Array.from({ length: replicaCount }, (_, replica) => replica) : [];
  const atUs = random.below(safetyUs);
  return drawFault(random, kind, { replicaCount, losing, safetyUs, strength: 1 + random.below(4), atUs });
}

const lengthOf = ({ atUs, untilUs }: FaultEvent): number =>
  untilUs === undefined || untilUs === FOREVER_US ? 0 : untilUs - atUs;

function at(event: FaultEvent, atUs: number, lengthUs: number): FaultEvent {
  if (event.untilUs === undefined || event.untilUs === FOREVER_US) return { ...event, atUs };
  return { ...event, atUs, untilUs: atUs + lengthUs };
}

function moved(event: FaultEvent, byUs: number, safetyUs: number): FaultEvent {
  return at(event, Math.max(1, Math.min(safetyUs - 1, event.atUs + byUs)), lengthOf(event));
}

function stretched(random: SimulatedRandom, event: FaultEvent, safetyUs: number): FaultEvent {
  const factor = [0.25, 0.5, 2, 4][random.below(4)] as number;
  return at(event, event.atUs, Math.max(1, Math.min(safetyUs, Math.floor(lengthOf(event) * factor))));
}

/** Begins when the other one begins or ends, a little before or after. */
function meeting(random: SimulatedRandom, event: FaultEvent, met: FaultEvent): FaultEvent {
  const edge = random.below(2) === 0 ? met.atUs : met.atUs + lengthOf(met);
  return at(event, Math.max(1, edge + random.below(2 * MEETING_US) - MEETING_US), lengthOf(event));
}

/** The same fault with all replicas turned by some places, as if the ring began elsewhere. */
function elsewhere(random: SimulatedRandom, event: FaultEvent, { replicaCount, beyond }: Scenario): FaultEvent {
  const by = 1 + random.below(replicaCount - 1);
  const turned = (replica: number): number => (replica + by) % replicaCount;
  const { fault } = event;
  if (!beyond && isLosing(event)) return event;
  const links = 'links' in fault && fault.links !== 'all' ? { links: fault.links.map(turnedLink(turned)) } : {};
  const cut = 'cut' in fault ? { cut: fault.cut.map(turnedLink(turned)) } : {};
  const replica = 'replica' in fault ? { replica: turned(fault.replica) } : {};
  return { ...event, fault: { ...fault, ...links, ...cut, ...replica } as Fault };
}

/** What the budget counts: it stays as the parent has it. */
function isLosing({ fault, untilUs }: FaultEvent): boolean {
  return LOSING_KINDS.has(fault.kind) || untilUs === FOREVER_US;
}

function turnedLink(turned: (replica: number) => number) {
  return ({ from, to }: { readonly from: number; readonly to: number }) => ({ from: turned(from), to: turned(to) });
}

/** A stretch of time of another plan, with all that begins in it. */
function takenOver(random: SimulatedRandom, other: Scenario, parent: Scenario): readonly FaultEvent[] {
  if (other.replicaCount !== parent.replicaCount) return [];
  const from = random.below(other.safetyUs);
  const to = from + random.below(other.safetyUs);
  return other.plan
    .filter(isFault)
    .filter(({ atUs }) => atUs >= from && atUs < to)
    .filter((event) => parent.beyond || !isLosing(event))
    .map((event) => moved(event, 0, parent.safetyUs));
}

/** Some operations come at another time, together, or go to another replica first. */
function movedOperations(
  random: SimulatedRandom,
  events: readonly PlanEvent[],
  { safetyUs, replicaCount }: Scenario,
): readonly PlanEvent[] {
  const fromUs = random.below(safetyUs);
  const toUs = fromUs + random.below(MOVED_US_MAX * 2);
  const kind = random.below(3);
  const byUs = random.below(2 * MOVED_US_MAX) - MOVED_US_MAX;
  const by = 1 + random.below(6);
  return events.map((event) => {
    if (event.type !== 'operation' || event.atUs < fromUs || event.atUs > toUs) return event;
    if (event.action.kind === 'create-stream') return event;
    if (kind === 0) return { ...event, atUs: Math.max(2_000, Math.min(safetyUs - 1, event.atUs + byUs)) };
    if (kind === 1) return { ...event, atUs: Math.max(2_000, fromUs) };
    return turnedOperation(event, by, replicaCount);
  });
}

function turnedOperation(event: OperationEvent, by: number, replicaCount: number): OperationEvent {
  return { ...event, replica: (event.replica + by) % replicaCount };
}
