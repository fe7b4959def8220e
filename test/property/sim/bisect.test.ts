/**
 * Goal: bisection names the first bad step in at most ten probes, in runs of 100,000 steps and more; where badness comes and
 * goes, a bad step after one that is not. Method: fake runs with known first bad steps, every one of a small plan, random
 * ones of large plans, and random badness.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BISECT_PROBES_MAX, type Bisected, bisectBundle } from '../../../conformance/sim/bisect.ts';
import { type Bundle, makeBundle } from '../../../conformance/sim/bundle.ts';
import type { Scenario } from '../../../conformance/sim/plan.ts';
import { cutAfter } from '../../../conformance/sim/plan-times.ts';
import { type FakeFailure, fakeRun, noise, operationAt, scenarioOf } from '../../unit/sim/fake-plan-run.ts';

const origin = { lockstep: '0.1.0', sources: 'a'.repeat(64), node: 'v20.20.2' };
const STEPS_PER_EVENT = 100;

interface Case {
  readonly bisected: Bisected;
  readonly bundle: Bundle;
  /** Runs of the bisection. */
  readonly runs: number;
}

function bisected(scenario: Scenario, fails: (scenario: Scenario) => FakeFailure | undefined): Case {
  const fake = fakeRun({ fails, stepsPerEvent: STEPS_PER_EVENT });
  const bundle = makeBundle(fake.run, scenario, origin);
  const before = fake.runs();
  const found = bisectBundle(fake.run, bundle);
  return { bisected: found, bundle, runs: fake.runs() - before };
}

/** Bad from event `first` on; an oracle sees it `later` events later, or at the end when there are fewer. */
function badFrom(first: number, later: number) {
  return ({ plan }: Scenario): FakeFailure | undefined => {
    if (plan.length <= first) return undefined;
    return { after: first + later < plan.length ? first + later : 'end' };
  };
}

describe('Bisect', () => {
  test('of a run of 100,000 steps: the first bad step, whichever it is, in at most ten probes', () => {
    const scenario = scenarioOf(noise(1000));
    fc.assert(
      fc.property(fc.nat(999), fc.oneof(fc.nat(5), fc.nat(1000)), (first, later) => {
        const { bisected: found, bundle, runs } = bisected(scenario, badFrom(first, later));
        if (first + later >= 1000) expect(bundle.steps).toBeGreaterThanOrEqual(100_000);
        expect(found).toMatchObject({ planIndex: first, among: 1, step: (first + 1) * STEPS_PER_EVENT });
        expect(found.planEvent).toEqual(scenario.plan[first]);
        expect(found.atUs).toBe(scenario.plan[first]?.atUs);
        expect(found.probes).toBeLessThanOrEqual(BISECT_PROBES_MAX);
        expect(runs).toBe(found.probes + 2);
      }),
      { numRuns: 150 },
    );
  });

  test('each event of small plans, also when many come at one time', () => {
    for (let count = 1; count <= 20; count++)
      for (let first = 0; first < count; first++) {
        const plan = Array.from({ length: count }, (_, index) => operationAt(1000 * Math.floor(index / 3), index));
        const { bisected: found } = bisected(scenarioOf(plan), badFrom(first, 2));
        expect(found, `${first} of ${count}`).toMatchObject({ planIndex: first, among: 1, step: (first + 1) * 100 });
        expect(found.probes).toBeLessThanOrEqual(Math.ceil(Math.log2(count + 1)));
      }
  });

  test('a plan of 5,000 events: ten probes name the few among which it is', () => {
    const { bisected: found } = bisected(scenarioOf(noise(5000)), badFrom(3210, 5000));
    expect(found.probes).toBe(BISECT_PROBES_MAX);
    expect(found.among).toBeLessThanOrEqual(5);
    expect(found.planIndex).toBeGreaterThanOrEqual(3210);
    expect(found.planIndex - found.among).toBeLessThan(3210);
    expect(found.sentence).toContain(`one of ${found.among} events`);
  });

  test('what is only seen later is named with both steps and what is around', () => {
    const scenario = scenarioOf(noise(300));
    const { bisected: found } = bisected(scenario, badFrom(101, 50));
    expect(found.failure.step).toBe(152 * STEPS_PER_EVENT - 50 * STEPS_PER_EVENT + STEPS_PER_EVENT);
    expect(found.around.map(({ step }) => step)).toEqual([96, 97, 98, 99, 100, 101, 102, 103, 103].map((n) => n * 100));
    expect(found.sentence).toMatch(
      /^Step 10200 \(.*\) is the first bad one: fault process-crash at r2.*\. If the plan ends with it/,
    );
    expect(found.sentence).toMatch(/agreement, Broken, fails at step 10300 .*just before, it does not; \d+ probes\.$/);
  });

  test('a failure that needs nothing of the plan is at the step where it is seen', () => {
    const { bisected: found } = bisected(scenarioOf(noise(300)), () => ({ after: 'end' }));
    expect(found).toMatchObject({ planIndex: -1, among: 1, step: STEPS_PER_EVENT });
    expect(found.planEvent).toBeUndefined();
    expect(found.sentence).toContain('without any fault or operation');
  });

  test('where badness comes and goes: a bad step after one that is not', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 60 }), (badness) => {
        const count = badness.length;
        const isBad = (kept: number): boolean => kept === count || badness[kept] === true;
        const scenario = scenarioOf(noise(count));
        const { bisected: found } = bisected(scenario, ({ plan }) =>
          isBad(plan.length) ? { after: 'end' } : undefined,
        );
        const kept = found.planIndex + 1;
        expect(isBad(kept)).toBe(true);
        if (kept > 0) expect(isBad(kept - 1)).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  test('another failure does not make a step bad', () => {
    const { bisected: found } = bisected(scenarioOf(noise(200)), ({ plan }) =>
      plan.length > 120 ? { after: 'end' } : { after: 'end', rule: 'Other' },
    );
    expect(found.planIndex).toBe(120);
  });

  test('a bundle that does not fail is an error', () => {
    const { bundle } = bisected(scenarioOf(noise(20)), badFrom(3, 1));
    expect(() => bisectBundle(fakeRun({ fails: () => undefined }).run, bundle)).toThrow(/does not fail/);
  });
});

describe('A plan that is cut', () => {
  test('heals when the next event would have come, and never later than the whole one', () => {
    const scenario = scenarioOf([operationAt(10), operationAt(20), operationAt(20), operationAt(50)], { safetyUs: 60 });
    const cuts = [0, 1, 2, 3, 4].map((kept) => cutAfter(scenario, kept));
    expect(cuts.map(({ plan }) => plan.length)).toEqual([0, 1, 2, 3, 4]);
    expect(cuts.map(({ safetyUs }) => safetyUs)).toEqual([10, 20, 21, 50, 60]);
  });
});
