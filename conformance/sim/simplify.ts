/**
 * What a plan whose events are all needed is made plainer by: fewer replicas and clients, an earlier end, events closer
 * together, fewer links, plainer choices, smaller numbers, the rough ones first. Each step is kept when the scenario still
 * fails in the same way. Mirrors no spec module.
 */
import { SESSION_BOUNDS } from '../../impl/vsr/client-sessions.ts';
import { ddmin } from './ddmin.ts';
import { knobsOf, linksOf, plainer } from './knobs.ts';
import type { PlanEvent, ReplicaCount, Scenario } from './plan.ts';
import { endedAt, movedForward, pulledForward } from './plan-times.ts';
import { replicasOf } from './scenario-schema.ts';

/** The scenario so far, which accept() replaces by a candidate that still fails. */
export interface Simplified {
  readonly scenario: Scenario;
  readonly failedAtUs: number;
  accept(candidate: Scenario): boolean;
}

/** Runs for one number: its floor, then halves; what is left is within an eighth of the least that fails. */
const PROBES_PER_NUMBER_MAX = 10;
const CLOSE_ENOUGH = 8;

export function simplify(work: Simplified): void {
  withoutSessions(work);
  fewerReplicas(work);
  fewerClients(work);
  earlierEnd(work);
  closerTogether(work);
  fewerLinks(work);
  plainerChoices(work);
  allAtTheFloor(work);
  smallerNumbers(work);
  plainerTimes(work);
}

/** Clients without sessions; if they are needed, a client table of the usual size. */
function withoutSessions(work: Simplified): void {
  const { sessions: _, ...plain } = work.scenario;
  if (work.scenario.sessions === undefined || work.accept(plain)) return;
  if (work.scenario.sessions !== SESSION_BOUNDS) work.accept({ ...plain, sessions: SESSION_BOUNDS });
}

function fewerReplicas(work: Simplified): void {
  const withFaults = (): readonly number[] => [...new Set(work.scenario.plan.flatMap(faultReplica))].sort();
  for (const replica of [...withFaults()].reverse())
    for (const other of [...withFaults(), ...Array(replica).keys()])
      if (other < replica && work.accept(mapped(work.scenario, (event) => faultOn(event, replica, other)))) break;
  for (const replicaCount of [3, 5] satisfies ReplicaCount[]) {
    const { scenario } = work;
    const fits = scenario.plan.every((event) => replicasOf(event).every((replica) => replica < replicaCount));
    if (replicaCount < scenario.replicaCount && fits && work.accept({ ...scenario, replicaCount })) return;
  }
}

function faultReplica(event: PlanEvent): readonly number[] {
  return event.type === 'fault' && 'replica' in event.fault ? [event.fault.replica] : [];
}

function faultOn(event: PlanEvent, replica: number, other: number): PlanEvent {
  if (event.type !== 'fault' || !('replica' in event.fault) || event.fault.replica !== replica) return event;
  return { ...event, fault: { ...event.fault, replica: other } };
}

function fewerClients(work: Simplified): void {
  const clients = (): readonly number[] =>
    [...new Set(work.scenario.plan.flatMap((event) => ('client' in event ? [event.client] : [])))].sort(
      (a, b) => a - b,
    );
  for (const client of [...clients()].reverse())
    for (const other of clients()) {
      if (other >= client) break;
      const joined = (event: PlanEvent): PlanEvent =>
        'client' in event && event.client === client ? { ...event, client: other } : event;
      if (work.accept(mapped(work.scenario, joined))) break;
    }
}

function earlierEnd(work: Simplified): void {
  const { safetyUs, plan } = work.scenario;
  const last = plan.at(-1)?.atUs ?? 0;
  least(safetyUs, Math.min(safetyUs, last + 1), (endUs) => work.accept(endedAt(work.scenario, endUs)));
}

/** Together with all that follows, so that what comes between stays as it is; then each one alone. */
function closerTogether(work: Simplified): void {
  for (const move of [pulledForward, movedForward])
    for (let index = 0; index < work.scenario.plan.length; index++) {
      const atUs = work.scenario.plan[index]?.atUs ?? 0;
      const before = work.scenario.plan[index - 1]?.atUs ?? 0;
      least(atUs, before, (us) => {
        const now = work.scenario.plan[index]?.atUs ?? us;
        return work.accept(move(work.scenario, index, now - us));
      });
    }
}

function fewerLinks(work: Simplified): void {
  for (let index = 0; index < work.scenario.plan.length; index++) {
    const named = linksOf(work.scenario.plan[index] as PlanEvent);
    if (named === undefined) continue;
    ddmin(named.links, (links) => links.length > 0 && work.accept(replaced(work.scenario, index, named.set(links))));
  }
}

function plainerChoices(work: Simplified): void {
  for (let index = 0; index < work.scenario.plan.length; index++)
    for (let tried = 0; ; ) {
      const plain = plainer(work.scenario.plan[index] as PlanEvent)[tried];
      if (plain === undefined) break;
      if (!work.accept(replaced(work.scenario, index, plain))) tried += 1;
    }
}

/** One number of all events at once. */
function allAtTheFloor(work: Simplified): void {
  for (const name of new Set(work.scenario.plan.flatMap((event) => knobsOf(event).map((knob) => knob.name)))) {
    const lowered = mapped(work.scenario, (event) => {
      const knob = knobsOf(event).find((one) => one.name === name);
      return knob === undefined || knob.value === knob.floor ? event : knob.set(knob.floor);
    });
    if (lowered.plan.some((event, index) => event !== work.scenario.plan[index])) work.accept(lowered);
  }
}

function smallerNumbers(work: Simplified): void {
  for (let index = 0; index < work.scenario.plan.length; index++)
    for (const { name } of knobsOf(work.scenario.plan[index] as PlanEvent)) {
      // The event as it is now: a number before this one may have changed.
      const knob = knobsOf(work.scenario.plan[index] as PlanEvent).find((one) => one.name === name);
      if (knob === undefined) continue;
      least(knob.value, knob.floor, (value) => work.accept(replaced(work.scenario, index, knob.set(value))));
    }
}

function plainerTimes(work: Simplified): void {
  for (const name of ['frameUs', 'syncUs'] as const) {
    const [from, to] = work.scenario[name];
    if (to > from) work.accept({ ...work.scenario, [name]: [from, from] });
  }
}

/** The least value that still fails, as near as CLOSE_ENOUGH, if failing is monotone in it; else one that fails. */
function least(value: number, floor: number, fails: (value: number) => boolean): void {
  if (value === floor || fails(floor)) return;
  let failing = value;
  let harmless = floor;
  for (let probes = 1; probes < PROBES_PER_NUMBER_MAX; probes++) {
    const apart = Math.abs(failing - harmless);
    if (apart <= 1 || apart * CLOSE_ENOUGH <= Math.abs(failing - floor)) return;
    const between = harmless + Math.trunc((failing - harmless) / 2);
    if (fails(between)) failing = between;
    else harmless = between;
  }
}

function mapped(scenario: Scenario, change: (event: PlanEvent) => PlanEvent): Scenario {
  return { ...scenario, plan: scenario.plan.map(change) };
}

function replaced(scenario: Scenario, index: number, event: PlanEvent): Scenario {
  return { ...scenario, plan: scenario.plan.map((one, at) => (at === index ? event : one)) };
}
