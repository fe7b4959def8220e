/**
 * Goal: asking the parts of what a step changed and asking the whole predicates of everything is the same, whichever
 * invariant breaks and however. Method: clusters that keep no protocol, each with two vices; every invariant must have been
 * broken by some of them.
 */
import { expect, test } from 'vitest';
import { DURABLE_VIEW_FELL, InvariantOracle } from '../../../conformance/sim/invariant-oracle.ts';
import { vsrInvariants } from '../../../machines/vsr-invariants.ts';
import { AnarchicCluster } from './anarchic-cluster.ts';

const RUNS = 1200;
const STEPS_MAX = 100;
/** Of 1000 cases. */
const RECKLESS = [100, 300, 900] as const;

/** @returns what the oracle saw broken; undefined when nothing was up to the end */
function brokenIn(seed: number): string | undefined {
  const replicaCount = seed % 2 === 0 ? 3 : 5;
  const oracle = new InvariantOracle({ replicaCount, remembers: true });
  const cluster = new AnarchicCluster(replicaCount, seed, RECKLESS[seed % 3] as number, oracle);
  const views = cluster.nodes.map(() => 0);
  for (const node of cluster.nodes) expect(oracle.changed(node as never, [])).toBeUndefined();
  for (let step = 1; step <= STEPS_MAX; step++) {
    const node = cluster.step();
    const name = oracle.changed(node, []);
    const all: string[] = [...oracle.checkAll(cluster.nodes as never)];
    const { status, state } = node.superblock;
    if (status === 'open' && state.view < (views[node.index] ?? 0)) all.push(DURABLE_VIEW_FELL);
    if (status === 'open') views[node.index] = state.view;
    if (name === undefined && all.length === 0) continue;
    expect(all, `seed ${seed} step ${step}`).toContain(name);
    expect(oracle.changed(node, []), 'what is broken stays so').toBe(name);
    return name;
  }
  return undefined;
}

test(`${RUNS} anarchic clusters: after each step both say the same`, () => {
  const broken = new Set<string | undefined>();
  for (let seed = 1; seed <= RUNS; seed++) broken.add(brokenIn(seed));
  expect([...broken]).toEqual(expect.arrayContaining([...Object.keys(vsrInvariants), DURABLE_VIEW_FELL, undefined]));
});
