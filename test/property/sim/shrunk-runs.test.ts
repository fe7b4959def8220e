/**
 * Goal: what shrinking and bisecting take for granted holds for the real runs: a run before its cut is the same as the whole
 * one, a plan of the simulator has the form of a saved one, and a canary's failure shrinks to a fifth or less of its events.
 * Method: made plans, run whole and cut; the first seeds at which a canary fails.
 */
import { describe, expect, test } from 'vitest';
import { bisectBundle } from '../../../conformance/sim/bisect.ts';
import { type Bundle, bundleText, isSameFailure, makeBundle, parseBundle } from '../../../conformance/sim/bundle.ts';
import { makeScenario } from '../../../conformance/sim/make-plan.ts';
import type { Scenario } from '../../../conformance/sim/plan.ts';
import { cutAfter } from '../../../conformance/sim/plan-times.ts';
import { replayBundle } from '../../../conformance/sim/replay-bundle.ts';
import { runScenario } from '../../../conformance/sim/run.ts';
import { scenarioFault } from '../../../conformance/sim/scenario-schema.ts';
import { shrinkBundle } from '../../../conformance/sim/shrink.ts';
import { isWithinBudgetOf } from '../../../conformance/sim/spent-budget.ts';

const origin = { lockstep: '0.1.0', sources: 'a'.repeat(64), node: process.version };
const CANARY = 'Vsr.acknowledge-before-log-view-durable';
const SEEDS_MAX = 100;
const seeds = (count: number): readonly number[] => Array.from({ length: count }, (_, seed) => seed);

function failing(): Bundle {
  for (const seed of seeds(SEEDS_MAX)) {
    const scenario = makeScenario(seed, { canary: CANARY });
    if (runScenario(scenario).failure !== undefined) return makeBundle(runScenario, scenario, origin);
  }
  throw new Error(`${CANARY} is not found within ${SEEDS_MAX} runs`);
}

describe('Plans of the simulator', () => {
  test('have the form of a saved one, and stay inside the budget as shrinking counts it', () => {
    for (const seed of seeds(300)) {
      const scenario = makeScenario(seed, { replicaCount: 'swarm' });
      expect(scenarioFault(JSON.parse(JSON.stringify(scenario))), `seed ${seed}`).toBeUndefined();
      expect(isWithinBudgetOf(scenario, { ...scenario, plan: [] }), `seed ${seed}`).toBe(true);
    }
  });

  test('a run before its cut is the same as the whole one, event by event', () => {
    for (const seed of seeds(4)) {
      const scenario = makeScenario(seed, { replicaCount: 'swarm' });
      const whole = eventsOf(scenario);
      for (const share of [0.3, 0.8]) {
        const kept = Math.floor(scenario.plan.length * share);
        const cut = cutAfter(scenario, kept);
        const cutUs = scenario.plan[kept]?.atUs ?? Number.POSITIVE_INFINITY;
        const textsBefore = (events: readonly Told[]): readonly string[] =>
          events.flatMap(({ atUs, text }) => (atUs < cutUs ? [text] : []));
        const same = textsBefore(whole);
        expect(same.length).toBeGreaterThan(0);
        // Compared as one text: a difference of a whole run is nothing that anybody reads.
        expect(textsBefore(eventsOf(cut)).join('\n') === same.join('\n'), `seed ${seed}, cut after ${kept}`).toBe(true);
      }
    }
  });
});

interface Told {
  readonly atUs: number;
  readonly text: string;
}

function eventsOf(scenario: Scenario): readonly Told[] {
  const events: Told[] = [];
  runScenario(scenario, { onEvent: (event) => events.push({ atUs: event.atUs, text: eventText(event) }) });
  return events;
}

/** When a fault will end is told when it begins, and is sooner in a plan that is cut. */
function eventText(event: object): string {
  return JSON.stringify({ ...event, untilUs: 0 }, (_, value: unknown) =>
    typeof value === 'bigint' ? `${value}` : value,
  );
}

describe('A failure of the real simulator', () => {
  const bundle = failing();

  test('survives its bundle: read back, it fails in the same history', () => {
    const read = parseBundle(bundleText(bundle), 'here');
    const { verdict, doubt } = replayBundle(runScenario, read, origin);
    expect({ verdict, doubt }).toEqual({ verdict: 'same-history', doubt: undefined });
    expect(read.events.at(-1)?.kind).toBe('failure');
  });

  test('shrinks to a fifth or less of its events, and still fails in the same way', () => {
    const shrunk = shrinkBundle(runScenario, bundle);
    expect(isSameFailure(runScenario(shrunk.scenario).failure, bundle.failure)).toBe(true);
    expect(shrunk.after.planEvents).toBeLessThanOrEqual(0.2 * shrunk.before.planEvents);
    expect(shrunk.after.steps).toBeLessThanOrEqual(0.2 * shrunk.before.steps);
  });

  test('has a first bad step: the plan that ends with it fails, the one that ends just before does not', () => {
    const { planIndex, probes, step, failure } = bisectBundle(runScenario, bundle);
    const endingWith = (kept: number) => runScenario(cutAfter(bundle.scenario, kept)).failure;
    expect(probes).toBeLessThanOrEqual(10);
    expect(isSameFailure(endingWith(planIndex + 1), bundle.failure)).toBe(true);
    expect(isSameFailure(endingWith(planIndex), bundle.failure)).toBe(false);
    expect(step).toBeLessThanOrEqual(failure.step);
  });
});
