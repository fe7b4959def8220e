/** Goal: a scenario that names a least number of steps has them in every run, and loses the rule when its end is moved. */
import { describe, expect, test } from 'vitest';
import { makeScenario } from '../../../conformance/sim/make-plan.ts';
import { endedAt } from '../../../conformance/sim/plan-times.ts';
import { runScenario } from '../../../conformance/sim/run.ts';

const SEEDS = Array.from({ length: 16 }, (_, index) => 1 + index);

describe('stepsMin of a scenario', () => {
  test('the same plan without it ends earlier in some run, with it in none', () => {
    const steps = SEEDS.map((seed) => {
      const scenario = makeScenario(seed, { name: 'rate' });
      const byTime = endedAt(scenario, scenario.safetyUs);
      return { least: scenario.stepsMin ?? 0, with: runScenario(scenario), without: runScenario(byTime) };
    });
    expect(steps.filter((run) => run.with.failure ?? run.without.failure)).toEqual([]);
    expect(steps.filter((run) => run.with.steps < Math.max(2_000, run.least))).toEqual([]);
    const short = steps.filter((run) => run.without.steps < run.least);
    expect(short.length).toBeGreaterThan(0);
    // One that is long enough by itself is the same run, byte by byte.
    const long = steps.filter((run) => run.without.steps > 1.5 * run.least);
    expect(long.length).toBeGreaterThan(0);
    for (const run of long) expect(run.with.hash).toBe(run.without.hash);
  });
});
