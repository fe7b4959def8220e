/** Times of a plan moved, and a plan cut off: the scenario stays one that can be run. Pure. Mirrors no spec module. */
import { FOREVER_US, type PlanEvent, type Scenario } from './plan.ts';

/** The safety phase ends earlier: what would begin later is left out, what would end later ends with it. */
export function endedAt(scenario: Scenario, safetyUs: number): Scenario {
  const plan = scenario.plan.filter(({ atUs }) => atUs <= safetyUs).map((event) => endedBy(event, safetyUs));
  return healedAt(scenario, safetyUs, plan);
}

function endedBy(event: PlanEvent, safetyUs: number): PlanEvent {
  if (event.type !== 'fault' || event.untilUs === undefined || event.untilUs === FOREVER_US) return event;
  return event.untilUs <= safetyUs ? event : { ...event, untilUs: Math.max(event.atUs, safetyUs) };
}

/**
 * The first `kept` events alone; the world heals when the next one would have come. Until then the run is the same as the
 * whole one, step by step: it knows nothing of what comes later.
 */
export function cutAfter(scenario: Scenario, kept: number): Scenario {
  const next = scenario.plan[kept];
  if (next === undefined) return scenario;
  const last = scenario.plan[kept - 1];
  const healsUs = last === undefined ? next.atUs : Math.max(next.atUs, last.atUs + 1);
  return healedAt(scenario, Math.min(scenario.safetyUs, healsUs), scenario.plan.slice(0, kept));
}

/** By time alone: no least number of steps keeps its safety phase open. */
function healedAt({ stepsMin: _, ...scenario }: Scenario, safetyUs: number, plan: Scenario['plan']): Scenario {
  return { ...scenario, safetyUs, plan };
}

/** From event `index` on everything comes so much earlier, the end of the safety phase, too. */
export function pulledForward(scenario: Scenario, index: number, byUs: number): Scenario {
  const plan = scenario.plan.map((event, at) => (at < index ? event : movedBy(event, -byUs)));
  return { ...scenario, plan, safetyUs: scenario.safetyUs - byUs };
}

/** Event `index` alone comes so much earlier; not before the one in front of it. */
export function movedForward(scenario: Scenario, index: number, byUs: number): Scenario {
  return { ...scenario, plan: scenario.plan.map((event, at) => (at === index ? movedBy(event, -byUs) : event)) };
}

function movedBy(event: PlanEvent, us: number): PlanEvent {
  const atUs = event.atUs + us;
  if (event.type !== 'fault' || event.untilUs === undefined || event.untilUs === FOREVER_US) return { ...event, atUs };
  return { ...event, atUs, untilUs: event.untilUs + us };
}
