/**
 * Simulation: a plan made from a seed stays inside the budget (at most f replicas lose what they must not lose, or are cut
 * off for ever), is in order of time, and every kind of fault and workload comes up.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LOSING_KINDS, lostReplicasMax } from '../../../conformance/sim/budget.ts';
import { makeScenario } from '../../../conformance/sim/make-plan.ts';
import {
  FAULT_KINDS,
  FOREVER_US,
  type PlanEvent,
  type ReplicaCount,
  type Scenario,
  SEED_MAX,
  WORKLOADS,
} from '../../../conformance/sim/plan.ts';

const seeds = fc.nat({ max: SEED_MAX });
const sizes = fc.constantFrom<ReplicaCount>(3, 5, 7);
const ENOUGH_SEEDS = 600;

/** Replicas that this plan may lose. */
function lostBy({ plan, replicaCount }: Scenario): ReadonlySet<number> {
  const lost = new Set<number>();
  for (const event of plan) {
    if (event.type !== 'fault') continue;
    const { fault, untilUs } = event;
    if (LOSING_KINDS.has(fault.kind) && 'replica' in fault) lost.add(fault.replica);
    if (untilUs !== FOREVER_US || !('cut' in fault)) continue;
    const alone = Array.from({ length: replicaCount }, (_, index) => index).filter(
      (index) => fault.cut.every(({ from }) => from === index) || fault.cut.every(({ to }) => to === index),
    );
    expect(alone).toHaveLength(1);
    lost.add(alone[0] as number);
  }
  return lost;
}

test('a plan loses at most f of 2f + 1 replicas', () => {
  fc.assert(
    fc.property(seeds, sizes, (seed, replicaCount) => {
      expect(lostBy(makeScenario(seed, { replicaCount })).size).toBeLessThanOrEqual(lostReplicasMax(replicaCount));
    }),
    { numRuns: 400 },
  );
});

test('beyond the budget there are plans that lose more', () => {
  const most = Math.max(
    ...Array.from({ length: ENOUGH_SEEDS }, (_, seed) => lostBy(makeScenario(seed, { beyond: true })).size),
  );
  expect(most).toBeGreaterThan(lostReplicasMax(3));
});

test('a plan is in order of time, within the safety phase, and the same for the same seed', () => {
  fc.assert(
    fc.property(seeds, (seed) => {
      const scenario = makeScenario(seed);
      const times = scenario.plan.map(({ atUs }: PlanEvent) => atUs);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      expect(Math.max(...times)).toBeLessThanOrEqual(scenario.safetyUs + 2_000);
      expect(makeScenario(seed)).toEqual(scenario);
    }),
    { numRuns: 100 },
  );
});

test('every kind of fault and every workload comes up, and a kind that is switched off does not', () => {
  const kinds = new Set<string>();
  const workloads = new Set<string>();
  for (let seed = 0; seed < ENOUGH_SEEDS; seed++) {
    const { plan, workload } = makeScenario(seed);
    workloads.add(workload);
    for (const event of plan) if (event.type === 'fault') kinds.add(event.fault.kind);
    const without = makeScenario(seed, { without: ['power-loss'] });
    for (const event of without.plan) if (event.type === 'fault') expect(event.fault.kind).not.toBe('power-loss');
  }
  expect([...kinds].toSorted()).toEqual([...FAULT_KINDS].toSorted());
  expect([...workloads].toSorted()).toEqual([...WORKLOADS].toSorted());
});
