/**
 * Simulation, steered: a changed or crossed plan is a plan inside the budget of its parent and of its scenario, the corpus
 * keeps what is new and only that and chooses what is rare, and the same first seed makes the same runs.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Corpus } from '../../../conformance/sim/corpus.ts';
import { fuzz } from '../../../conformance/sim/fuzz.ts';
import { makeScenario } from '../../../conformance/sim/make-plan.ts';
import { crossedScenario, mutatedScenario } from '../../../conformance/sim/mutate-plan.ts';
import { type ReplicaCount, SEED_MAX } from '../../../conformance/sim/plan.ts';
import { scenarioFault } from '../../../conformance/sim/scenario-schema.ts';
import { scenarioNamed } from '../../../conformance/sim/scenarios.ts';
import { isWithinBudgetOf, lostReplicas } from '../../../conformance/sim/spent-budget.ts';
import { SimulatedRandom } from '../../../impl/ports/simulated-random.ts';

const seeds = fc.nat({ max: SEED_MAX });
const sizes = fc.constantFrom<ReplicaCount>(3, 5, 7);

test('a changed plan is a plan, in order of time, and loses no replica that its parent does not', () => {
  fc.assert(
    fc.property(seeds, seeds, seeds, sizes, (chance, seed, otherSeed, replicaCount) => {
      const parent = makeScenario(seed, { replicaCount });
      const changed = mutatedScenario(new SimulatedRandom(chance), parent, makeScenario(otherSeed, { replicaCount }));
      expect(scenarioFault(JSON.parse(JSON.stringify(changed)))).toBeUndefined();
      const times = changed.plan.map(({ atUs }) => atUs);
      expect(times).toEqual([...times].sort((a, b) => a - b));
      expect(isWithinBudgetOf(changed, parent)).toBe(true);
      expect([...lostReplicas(changed)].filter((replica) => !lostReplicas(parent).has(replica))).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

test("a crossed plan has one's faults and the other's clients, sessions and chance, and loses who the first loses", () => {
  fc.assert(
    fc.property(seeds, seeds, sizes, (seed, otherSeed, replicaCount) => {
      const [faults, fresh] = [makeScenario(seed, { replicaCount }), makeScenario(otherSeed, { replicaCount })];
      const crossed = crossedScenario(faults, fresh);
      expect(scenarioFault(JSON.parse(JSON.stringify(crossed)))).toBeUndefined();
      expect(lostReplicas(crossed)).toEqual(lostReplicas(faults));
      expect(crossed.plan.filter(({ type }) => type !== 'fault')).toEqual(
        fresh.plan.filter(({ type }) => type !== 'fault'),
      );
      expect([crossed.seed, crossed.sessions]).toEqual([fresh.seed, fresh.sessions]);
    }),
    { numRuns: 200 },
  );
});

test.each(['calm', 'failover', 'disk', 'partitions'])('a changed plan of %s has no fault that is not of it', (name) => {
  const { faults } = scenarioNamed(name);
  fc.assert(
    fc.property(seeds, seeds, seeds, (chance, seed, otherSeed) => {
      const [parent, other] = [makeScenario(seed, { name }), makeScenario(otherSeed, { name })];
      const changed = mutatedScenario(new SimulatedRandom(chance), parent, other);
      const kinds = changed.plan.flatMap((event) => (event.type === 'fault' ? event.fault.kind : []));
      expect(kinds.filter((kind) => !faults.includes(kind))).toEqual([]);
    }),
    { numRuns: 60 },
  );
});

test('a corpus chooses what few have reached', () => {
  const corpus = new Corpus();
  const [everyday, rare] = [makeScenario(1), makeScenario(2)];
  corpus.offer(everyday, new Set(), new Set([1]));
  corpus.offer(rare, new Set(), new Set([2]));
  for (let run = 0; run < 50; run++) corpus.offer(everyday, new Set(), new Set([1]));
  const random = new SimulatedRandom(7);
  const chosen = Array.from({ length: 40 }, () => corpus.choose(random));
  expect(corpus.size).toBe(2);
  expect(chosen.filter((scenario) => scenario === rare).length).toBeGreaterThan(30);
});

test('a corpus keeps what reached something new', () => {
  const corpus = new Corpus();
  const scenario = makeScenario(1);
  expect(corpus.offer(scenario, new Set(['a', 'b']), new Set([1]))).toBe(3);
  expect(corpus.offer(scenario, new Set(['a']), new Set([1]))).toBe(0);
  expect(corpus.offer(scenario, new Set(['a']), new Set([2]))).toBe(1);
  expect([corpus.size, corpus.keys.size, corpus.shapes]).toEqual([2, 2, 2]);
});

test('the same first seed makes the same steered runs, and the whole implementation passes them', () => {
  const RUNS = 30;
  const hashesOf = (): readonly string[] => {
    const hashes: string[] = [];
    for (const { run, result } of fuzz({ firstSeed: 7, guided: true })) {
      expect(result.failure).toBeUndefined();
      hashes.push(result.hash);
      if (run >= RUNS) return hashes;
    }
    return hashes;
  };
  const once = hashesOf();
  expect(hashesOf()).toEqual(once);
  expect(new Set(once).size).toBe(RUNS);
});
