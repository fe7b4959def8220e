/**
 * Goal: the driver of Vsr answers from what a replica object did before as the code does anew. Method: random walks, twice in
 * one world (the second finds its outcomes there) and once in a fresh one; every variable is equal after every step, and a
 * step leaves the state that it was given as it was.
 */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type VsrCluster, vsrDriver } from '../../../conformance/drivers/vsr.ts';
import { parseCfg } from '../../../conformance/engines/cfg.ts';

const STEPS_MAX = 40;
const { constants } = parseCfg(readFileSync('specs/Vsr_random.cfg', 'utf8'));

function started(): VsrCluster {
  const initial = vsrDriver.initial(constants);
  return (Array.isArray(initial) ? initial[0] : initial) as VsrCluster;
}

const textsOf = (cluster: VsrCluster): string =>
  Object.entries(vsrDriver.project(cluster))
    .map(([name, { text }]) => `${name} = ${text}`)
    .join('\n');

/** Takes the enabled event that each number picks; the states on the way, as texts. */
function walk(from: VsrCluster, picks: readonly number[]): readonly string[] {
  let cluster = from;
  return picks.map((pick) => {
    const before = textsOf(cluster);
    const successors = vsrDriver
      .alphabet(cluster)
      .map((event) => vsrDriver.step(cluster, event))
      .filter((next) => next !== cluster);
    expect(textsOf(cluster)).toBe(before);
    cluster = successors[pick % Math.max(successors.length, 1)] ?? cluster;
    return textsOf(cluster);
  });
}

test('VsrDriver: an outcome used again is the outcome executed anew', () => {
  const shared = started();
  fc.assert(
    fc.property(fc.array(fc.nat(), { minLength: 1, maxLength: STEPS_MAX }), (picks) => {
      const first = walk(shared, picks);
      expect(walk(shared, picks)).toEqual(first);
      expect(walk(started(), picks)).toEqual(first);
    }),
    { numRuns: 8 },
  );
});
