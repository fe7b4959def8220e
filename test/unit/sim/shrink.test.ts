/**
 * Goal: shrinking finds the few events that a failure needs among hundreds that it does not, makes them plain, stays inside
 * the fault budget, and says what it did. Method: fake runs with known minimal cores.
 */
import { describe, expect, test } from 'vitest';
import { type Bundle, makeBundle } from '../../../conformance/sim/bundle.ts';
import { BundleError } from '../../../conformance/sim/bundle-error.ts';
import { FOREVER_US, type Link, type PlanEvent, type Scenario } from '../../../conformance/sim/plan.ts';
import { scenarioFault } from '../../../conformance/sim/scenario-schema.ts';
import { type ShrinkProgress, shrinkBundle, shrunkText } from '../../../conformance/sim/shrink.ts';
import { isWithinBudgetOf, lostReplicas } from '../../../conformance/sim/spent-budget.ts';
import {
  type FakeFailure,
  type FakeRun,
  fakeRun,
  faultAt,
  noise,
  operationAt,
  planOf,
  scenarioOf,
} from './fake-plan-run.ts';

const origin = { lockstep: '0.1.0', sources: 'a'.repeat(64), node: 'v20.20.2' };

/** @param fails index of the plan event at which it fails, or undefined */
function failing(
  fails: (scenario: Scenario) => FakeFailure | undefined,
  scenario: Scenario,
): FakeRun & { bundle: Bundle } {
  const fake = fakeRun({ fails });
  return { ...fake, bundle: makeBundle(fake.run, scenario, origin) };
}

const cut: readonly Link[] = [
  { from: 0, to: 1 },
  { from: 1, to: 0 },
  { from: 2, to: 1 },
];

/** Partition that cuts 0 -> 1, then a crash of replica 1, then an append to stream x. */
function partitionCrashAppend({ plan }: Scenario): FakeFailure | undefined {
  const isCut = (event: PlanEvent): boolean =>
    event.type === 'fault' && 'cut' in event.fault && event.fault.cut.some(({ from, to }) => from === 0 && to === 1);
  const isCrash = (event: PlanEvent): boolean =>
    event.type === 'fault' && event.fault.kind === 'process-crash' && event.fault.replica === 1;
  const isAppend = (event: PlanEvent): boolean =>
    event.type === 'operation' && event.action.kind === 'append' && event.action.stream === 'x';
  let after = -1;
  for (const is of [isCut, isCrash, isAppend]) {
    after = plan.findIndex((event, index) => index > after && is(event));
    if (after < 0) return undefined;
  }
  return { after };
}

const hidden = scenarioOf(
  planOf(noise(500), [
    faultAt(100_500, { kind: 'partition-symmetric', cut }, 390_000),
    faultAt(200_500, { kind: 'process-crash', replica: 1, atOperation: 7, downUs: 80_000 }),
    operationAt(300_500, 3, { stream: 'x' }),
  ]),
);

describe('Shrink', () => {
  test('finds partition, crash and append among 500 others, and makes them plain', () => {
    const { run, bundle, runs } = failing(partitionCrashAppend, hidden);
    const before = runs();
    const shrunk = shrinkBundle(run, bundle);
    expect(shrunk.scenario.plan).toEqual([
      { type: 'fault', atUs: 0, untilUs: 1, fault: { kind: 'partition-symmetric', cut: [{ from: 0, to: 1 }] } },
      { type: 'fault', atUs: 0, fault: { kind: 'process-crash', replica: 1, atOperation: 0, downUs: 1 } },
      {
        type: 'operation',
        atUs: 0,
        client: 3,
        replica: 0,
        action: { kind: 'append', stream: 'x', value: 300_500, count: 1, bytes: 8, keyed: false, expected: false },
      },
    ]);
    expect(shrunk.scenario).toMatchObject({ safetyUs: 1, frameUs: [100, 100], syncUs: [50, 50] });
    expect(shrunk.before).toEqual({ planEvents: 503, faults: 202, operations: 301, steps: bundle.steps });
    expect(shrunk.after).toEqual({ planEvents: 3, faults: 2, operations: 1, steps: 30 });
    expect(shrunk.stoppedBy).toBe('minimal');
    expect(shrunk.probes).toBe(runs() - before);
    expect(shrunk.probes).toBeLessThan(150);
    expect(shrunkText(shrunk)).toMatch(
      /^503 events of the plan -> 3 \(99 % gone: 202 faults -> 2, 301 operations -> 1\)/,
    );
    expect(scenarioFault(shrunk.scenario)).toBeUndefined();
  });

  test('is decided by the bundle: twice the same, run by run', () => {
    const lines = (): readonly string[] => {
      const asked: string[] = [];
      const { run, bundle } = failing(partitionCrashAppend, hidden);
      shrinkBundle((scenario, options) => {
        asked.push(JSON.stringify(scenario));
        return run(scenario, options);
      }, bundle);
      return asked;
    };
    expect(lines()).toEqual(lines());
  });

  test('no run takes much longer than the failing one, however long it would go on', () => {
    const fake = fakeRun({ fails: partitionCrashAppend, stepsPerEvent: 100 });
    const bundle = makeBundle(fake.run, hidden, origin);
    const bounds: (number | undefined)[] = [];
    const shrunk = shrinkBundle((scenario, options) => {
      bounds.push(options?.stepMax);
      return fake.run(scenario, options);
    }, bundle);
    expect(bounds[0]).toBeUndefined();
    expect(bounds[1]).toBe(2 * bundle.steps + 2_000);
    expect(bounds.at(-1)).toBe(2 * shrunk.after.steps + 2_000);
  });

  test('another failure on the way is not the same failure', () => {
    const { run, bundle } = failing((scenario) => {
      const found = partitionCrashAppend(scenario);
      // Without the crash something else breaks.
      return found ?? { after: 'end', rule: 'Other' };
    }, hidden);
    const shrunk = shrinkBundle(run, bundle);
    expect(shrunk.result.failure?.rule).toBe('Broken');
    expect(shrunk.scenario.plan).toHaveLength(3);
  });

  test('numbers go down as far as the failure stays, to an eighth', () => {
    const plan = [
      faultAt(9000, { kind: 'loss', links: 'all', perMille: 870 }, 90_000),
      operationAt(30_000, 2, { count: 40, bytes: 6000 }),
    ];
    const { run, bundle } = failing((scenario) => {
      const [loss, append] = scenario.plan;
      if (loss?.type !== 'fault' || loss.fault.kind !== 'loss' || append?.type !== 'operation') return undefined;
      const { action } = append;
      const enough = loss.fault.perMille >= 120 && (loss.untilUs ?? 0) - append.atUs >= 20_000;
      return enough && action.kind === 'append' && action.bytes >= 1000 && action.keyed ? { after: 'end' } : undefined;
    }, scenarioOf(plan));
    const [loss, append] = shrinkBundle(run, bundle).scenario.plan as [
      ReturnType<typeof faultAt>,
      ReturnType<typeof operationAt>,
    ];
    expect(loss.fault).toMatchObject({ kind: 'loss', perMille: expect.toSatisfy((n: number) => n >= 120 && n <= 137) });
    expect((loss.untilUs ?? 0) - loss.atUs).toBeGreaterThanOrEqual(20_000);
    expect((loss.untilUs ?? 0) - loss.atUs).toBeLessThanOrEqual(23_000);
    expect(append.action).toMatchObject({ count: 1, keyed: true, expected: false });
    expect(append.action).toMatchObject({ bytes: expect.toSatisfy((n: number) => n >= 1000 && n <= 1150) });
  });

  test('a failure without faults or operations shrinks to an empty plan', () => {
    const { run, bundle } = failing(() => ({ after: 'end' }), scenarioOf(noise(300), { replicaCount: 7 }));
    const { scenario } = shrinkBundle(run, bundle);
    expect(scenario).toMatchObject({ plan: [], replicaCount: 3, safetyUs: 1 });
  });

  test('faults of several replicas become faults of one, and clients become one', () => {
    const crash = (atUs: number, replica: number): PlanEvent =>
      faultAt(atUs, { kind: 'process-crash', replica, atOperation: 0, downUs: 5 });
    const plan = planOf(noise(100), [
      crash(10_500, 6),
      crash(20_500, 4),
      operationAt(30_500, 9),
      operationAt(40_500, 8),
    ]);
    const { run, bundle } = failing(
      ({ plan }) => {
        const crashes = plan.filter((event) => event.type === 'fault' && event.fault.kind === 'process-crash').length;
        const appends = plan.filter(({ type }) => type === 'operation').length;
        return crashes >= 2 && appends >= 2 ? { after: 'end' } : undefined;
      },
      scenarioOf(plan, { replicaCount: 7 }),
    );
    const { scenario } = shrinkBundle(run, bundle);
    expect(scenario.plan).toHaveLength(4);
    expect(scenario.replicaCount).toBe(3);
    expect(new Set(scenario.plan.flatMap((event) => ('client' in event ? [event.client] : []))).size).toBe(1);
    expect(
      new Set(
        scenario.plan.flatMap((event) =>
          event.type === 'fault' && 'replica' in event.fault ? [event.fault.replica] : [],
        ),
      ).size,
    ).toBe(1);
  });

  test('stops at the bound of runs with the smallest so far, and says so', () => {
    const { run, bundle, runs } = failing(partitionCrashAppend, hidden);
    const before = runs();
    const shrunk = shrinkBundle(run, bundle, { probesMax: 20 });
    expect(shrunk).toMatchObject({ probes: 20, stoppedBy: 'probes' });
    expect(runs() - before).toBe(20);
    expect(partitionCrashAppend(shrunk.scenario)).toBeDefined();
    expect(shrunk.after.planEvents).toBeLessThan(503);
    expect(shrunkText(shrunk)).toContain('the bound of runs is reached');
  });

  test('stops when the caller says that the time is over', () => {
    const { run, bundle } = failing(partitionCrashAppend, hidden);
    let left = 9;
    const shrunk = shrinkBundle(run, bundle, { mayGoOn: () => left-- > 0 });
    expect(shrunk).toMatchObject({ probes: 10, stoppedBy: 'time' });
  });

  test('tells its progress after each run, never growing', () => {
    const { run, bundle } = failing(partitionCrashAppend, hidden);
    const told: ShrinkProgress[] = [];
    const { probes } = shrinkBundle(run, bundle, { onProgress: (progress) => told.push(progress) });
    expect(told.map((one) => one.probes)).toEqual(Array.from({ length: probes - 1 }, (_, index) => index + 2));
    const sizes = told.map(({ size }) => size.planEvents);
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
  });

  test.each<[string, (scenario: Scenario) => FakeFailure | undefined, string, RegExp]>([
    ['does not fail', () => undefined, 'SIM_BUNDLE_DOES_NOT_FAIL', /does not fail.*may be fixed/],
    [
      'fails otherwise',
      () => ({ after: 2, rule: 'New' }),
      'SIM_BUNDLE_FAILS_OTHERWISE',
      /agreement, New.*agreement, Broken/,
    ],
  ])('a bundle that %s is an error after one run', (_, fails, code, words) => {
    const { bundle } = failing(partitionCrashAppend, hidden);
    const now = fakeRun({ fails });
    let error: unknown;
    try {
      shrinkBundle(now.run, bundle);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(BundleError);
    expect((error as BundleError).code).toBe(code);
    expect((error as BundleError).message).toMatch(words);
    expect(now.runs()).toBe(1);
  });
});

describe('The fault budget of a shrunk plan', () => {
  const lost = (atUs: number, replica: number): PlanEvent => faultAt(atUs, { kind: 'gone-for-good', replica });
  const deaf: readonly Link[] = [
    { from: 0, to: 2 },
    { from: 1, to: 2 },
  ];

  test('counts replicas that lose something, and those that are cut off for ever', () => {
    const plan = [
      lost(1, 4),
      lost(2, 4),
      faultAt(3, { kind: 'partition-asymmetric', cut: deaf }, FOREVER_US),
      faultAt(4, { kind: 'partition-asymmetric', cut: [{ from: 0, to: 1 }] }, 900),
      faultAt(5, { kind: 'process-crash', replica: 0, atOperation: 0, downUs: 1 }),
    ];
    expect([...lostReplicas(scenarioOf(plan, { replicaCount: 5 }))]).toEqual([4, 2]);
  });

  test('a smaller cluster that could not bear them is not tried, although it would fail', () => {
    const whole = scenarioOf([lost(1, 0), lost(2, 1)], { replicaCount: 7 });
    expect(isWithinBudgetOf({ ...whole, replicaCount: 5 }, whole)).toBe(true);
    expect(isWithinBudgetOf({ ...whole, replicaCount: 3 }, whole)).toBe(false);
    expect(isWithinBudgetOf({ ...whole, replicaCount: 3, beyond: true }, whole)).toBe(true);
    const gone = ({ plan }: Scenario): FakeFailure | undefined =>
      new Set(
        plan.flatMap((event) => (event.type === 'fault' && 'replica' in event.fault ? [event.fault.replica] : [])),
      ).size === 2
        ? { after: 'end' }
        : undefined;
    const { run, bundle } = failing(gone, whole);
    expect(shrinkBundle(run, bundle).scenario).toMatchObject({ replicaCount: 5, plan: { length: 2 } });
  });

  test('a cut for ever becomes one that heals, when that is enough', () => {
    const plan = [faultAt(3, { kind: 'partition-asymmetric', cut: deaf }, FOREVER_US)];
    const { run, bundle } = failing(({ plan }) => (plan.length > 0 ? { after: 'end' } : undefined), scenarioOf(plan));
    const [event] = shrinkBundle(run, bundle).scenario.plan;
    expect(event).toEqual({
      type: 'fault',
      atUs: 0,
      fault: { kind: 'partition-asymmetric', cut: [{ from: 0, to: 2 }] },
    });
  });
});
