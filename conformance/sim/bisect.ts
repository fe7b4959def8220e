/**
 * The first bad step of a failing run. A step is bad when the failure still comes although every fault and operation after it
 * is left out, and the world heals there and runs on. Only steps at which the plan does something can be the first bad one,
 * so a probe runs the scenario anew, cut off after some event of the plan; since a run before its cut is the same as the
 * whole one (plan-times.ts), a probe that fails early is worth all later cuts, too. Mirrors no spec module.
 *
 * Where badness is monotone (once bad, always bad) this is the first bad step. Where it is not, it is a bad step whose
 * predecessor is not bad: one of the steps at which the run went wrong, and perhaps not the only one.
 */
import { type Bundle, isSameFailure, type Run } from './bundle.ts';
import type { PlanEvent, Scenario } from './plan.ts';
import { cutAfter } from './plan-times.ts';
import type { SimFailure } from './run-result.ts';
import { showing } from './shrink.ts';
import type { SimEvent } from './sim-event.ts';
import { faultText, timeText } from './timeline/fault-text.ts';

/** Cut runs of one bisection: enough for 1,023 events of the plan before the failure, whatever the steps between them. */
export const BISECT_PROBES_MAX = 10;
/** Events of the run that are shown on either side of the step. */
const AROUND_EVENTS = 6;

export interface Bisected {
  /** The first bad one: where the run begins to fail, not where an oracle sees it (failure.step). */
  readonly step: number;
  readonly atUs: number;
  /** What the plan does at the step; absent: it fails without any fault or operation. */
  readonly planEvent?: PlanEvent;
  /** Index of planEvent in the plan; -1 without one. */
  readonly planIndex: number;
  /**
   * Events of the plan, up to planIndex, among which the first bad one is: 1, unless more than 1,023 come before the failure
   * and BISECT_PROBES_MAX was not enough to tell them apart.
   */
  readonly among: number;
  /** Of the run that is cut after the step: the first step at which the state itself is bad. */
  readonly failure: SimFailure;
  /** Just before and after the step. */
  readonly around: readonly SimEvent[];
  /** Cut runs. Two more show that the bundle fails, and what is around the step. */
  readonly probes: number;
  readonly sentence: string;
}

/** @throws BundleError when the bundle does not fail, or fails in another way than it did */
export function bisectBundle(run: Run, { scenario, failure }: Bundle): Bisected {
  let seen = showing(run, scenario, failure).failure ?? failure;
  // bad: cut after so many events it fails as `seen`; good: it does not (-1: nothing is cut off before the run begins).
  let good = -1;
  let bad = eventsUntil(scenario, seen.atUs);
  let probes = 0;
  for (; bad - good > 1 && probes < BISECT_PROBES_MAX; probes++) {
    const kept = (good + bad) >> 1;
    const result = run(cutAfter(scenario, kept));
    if (result.failure !== undefined && isSameFailure(failure, result.failure)) {
      seen = result.failure;
      bad = Math.min(kept, eventsUntil(scenario, seen.atUs));
    } else good = kept;
  }
  return report(run, scenario, { bad, among: bad - good, failure: seen, probes });
}

interface Found {
  /** Events that are kept. */
  readonly bad: number;
  readonly among: number;
  readonly failure: SimFailure;
  readonly probes: number;
}

function report(run: Run, scenario: Scenario, { bad, among, failure, probes }: Found): Bisected {
  const planIndex = bad - 1;
  const planEvent = scenario.plan[planIndex];
  const near = new EventsNear(planEvent, failure);
  run(cutAfter(scenario, bad), { onEvent: (event) => near.add(event) });
  const { step, atUs } = near.place();
  const found = { step, atUs, planIndex, among, failure, around: near.around(), probes };
  return planEvent === undefined
    ? { ...found, sentence: sentenceOf(found) }
    : { ...found, planEvent, sentence: sentenceOf({ ...found, planEvent }) };
}

function sentenceOf({
  step,
  atUs,
  planEvent,
  among,
  failure,
  probes,
}: Omit<Bisected, 'sentence' | 'around' | 'planIndex'>): string {
  const fails = `${failure.oracle}, ${failure.rule}, fails at step ${failure.step} (${timeText(failure.atUs)})`;
  const counted = `${probes} ${probes === 1 ? 'probe' : 'probes'}`;
  if (planEvent === undefined)
    return `Step ${step} (${timeText(atUs)}) is the first bad one: ${fails} without any fault or operation; ${counted}.`;
  const what = planEventText(planEvent);
  if (among > 1)
    return (
      `The first bad step is that of one of ${among} events of the plan, the last of which is ${what}, at step ${step} ` +
      `(${timeText(atUs)}). If the plan ends with them, ${fails}; if it ends before them, it does not; ${counted}.`
    );
  return (
    `Step ${step} (${timeText(atUs)}) is the first bad one: ${what}. If the plan ends with it, ${fails}; if it ends ` +
    `just before, it does not; ${counted}.`
  );
}

/** `fault loss on all links`, `append to s0 by client 3`. */
export function planEventText(event: PlanEvent): string {
  if (event.type === 'fault') return `fault ${faultText(event.fault)}`;
  if (event.type === 'client-crash') return `crash of client ${event.client}`;
  const { kind, stream } = event.action;
  return `${kind} ${stream} by client ${event.client}`;
}

/** How many events of the plan come at this time or before. */
function eventsUntil({ plan }: Scenario, atUs: number): number {
  const later = plan.findIndex((event) => event.atUs > atUs);
  return later < 0 ? plan.length : later;
}

/** Of all events of a run: those of the plan event's time, and a few before and after. Without one: around the failure. */
class EventsNear {
  readonly #planEvent: PlanEvent | undefined;
  readonly #failure: SimFailure;
  readonly #before: SimEvent[] = [];
  readonly #after: SimEvent[] = [];

  constructor(planEvent: PlanEvent | undefined, failure: SimFailure) {
    this.#planEvent = planEvent;
    this.#failure = failure;
  }

  add(event: SimEvent): void {
    if (this.#isBefore(event)) {
      this.#before.push(event);
      if (this.#before.length > AROUND_EVENTS) this.#before.shift();
    } else if (this.#after.length < AROUND_EVENTS || event.atUs === this.#planEvent?.atUs) this.#after.push(event);
  }

  #isBefore({ atUs, step }: SimEvent): boolean {
    return this.#planEvent === undefined ? step < this.#failure.step : atUs < this.#planEvent.atUs;
  }

  /** The event that is what the plan says; else the first at or after its time: an operation waits for its client. */
  place(): { readonly step: number; readonly atUs: number } {
    const planEvent = this.#planEvent;
    if (planEvent === undefined) return this.#failure;
    return this.#after.find((event) => isOf(planEvent, event)) ?? this.#after[0] ?? this.#failure;
  }

  around(): readonly SimEvent[] {
    const { step } = this.place();
    const all = [...this.#before, ...this.#after];
    const at = all.findIndex((event) => event.step >= step);
    return all.slice(Math.max(0, at - AROUND_EVENTS), at + AROUND_EVENTS + 1);
  }
}

function isOf(planEvent: PlanEvent, event: SimEvent): boolean {
  if (event.atUs !== planEvent.atUs) return false;
  if (planEvent.type === 'fault')
    return event.kind === 'fault' && JSON.stringify(event.fault) === JSON.stringify(planEvent.fault);
  if (planEvent.type === 'client-crash') return event.kind === 'client-crash' && event.client === planEvent.client;
  return event.kind === 'call' && event.client === planEvent.client;
}
