/**
 * Goal: what the invariant oracle of the simulator says after each step is what the whole predicates say of everything.
 * Method: real clusters, whole and with each canary, and whatever step comes: the oracle's verdict beside checkAll()'s, up
 * to the first violation. The cluster asks the predicates by itself too, after each tick, of what it has remembered.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DURABLE_VIEW_FELL, InvariantOracle } from '../../../conformance/sim/invariant-oracle.ts';
import { vsrInvariants } from '../../../machines/vsr-invariants.ts';
import { CANARIES } from '../vsr/broken-replicas.ts';
import { Cluster } from '../vsr/cluster.ts';
import { runOf } from '../vsr/cluster-faults.ts';
import type { ClusterNode, NodeOptions } from '../vsr/cluster-node.ts';

const WHOLE_RUNS = 3;
const CANARY_RUNS = 4;
const SEED = 5;
const TICKS_AFTER = 300;

class Found extends Error {}

const STEPS = ['receive', 'tick', 'flush', 'submit', 'start', 'crash'] as const;

/** Asks both after every step of any node. @throws Found when both say that something does not hold */
function watch(cluster: Cluster, replicaCount: number): { readonly asked: number } {
  const oracle = new InvariantOracle({ replicaCount, remembers: true });
  const seen = { asked: 0 };
  let committed = 0;
  const ask = (node: ClusterNode): void => {
    for (; committed < cluster.committed.length; committed++)
      oracle.committed(committed + 1, Buffer.from(cluster.committed[committed] as string, 'hex'));
    const broken = oracle.changed(node, cluster.nodes);
    const all = oracle.checkAll(cluster.nodes);
    seen.asked++;
    if (broken === undefined) expect(all).toEqual([]);
    else if (broken !== DURABLE_VIEW_FELL) expect(all).toContain(broken);
    if (broken !== undefined) throw new Found(broken);
  };
  cluster.network.onSend = (from, frame) => oracle.sent(from, frame);
  for (const node of cluster.nodes) {
    ask(node);
    for (const step of STEPS) {
      const act = (node[step] as (...args: unknown[]) => unknown).bind(node);
      (node as unknown as Record<string, unknown>)[step] = (...args: unknown[]): unknown => {
        const before = node.replica?.snapshot;
        const sent = cluster.network.framesSent;
        const result = act(...args);
        if (before !== node.replica?.snapshot || before === undefined || sent !== cluster.network.framesSent) ask(node);
        return result;
      };
    }
  }
  return seen;
}

/** Runs until something fails. @returns the oracle's verdict, or the first words of whatever else ended the run */
function verdictOf(replicaCount: number, node: NodeOptions, runs: number): readonly string[] {
  const ends: string[] = [];
  for (const [seed, actions] of fc.sample(runOf(replicaCount), { seed: SEED, numRuns: runs })) {
    const cluster = new Cluster({ replicaCount, seed, node });
    try {
      watch(cluster, replicaCount);
      for (const action of actions) cluster.act(action);
      cluster.calm();
      for (let tick = 0; tick < TICKS_AFTER; tick++) cluster.tick();
      ends.push('');
    } catch (cause) {
      if (!(cause instanceof Error) || (cause.name === 'AssertionError' && 'expected' in cause)) throw cause;
      ends.push(cause instanceof Found ? `oracle: ${cause.message}` : String(cause.message.split(/[\n,:]/)[0]));
    }
  }
  return ends;
}

const NAMES: readonly string[] = Object.keys(vsrInvariants);

test.each([3, 5])('%i whole replicas: both find nothing after any step', (replicaCount) => {
  expect(verdictOf(replicaCount, {}, WHOLE_RUNS)).toEqual(new Array(WHOLE_RUNS).fill(''));
});

test.each(CANARIES)('%s: both say the same of every step', (_, node) => {
  for (const replicaCount of [3, 5])
    for (const end of verdictOf(replicaCount, node, CANARY_RUNS)) {
      expect(NAMES, 'the cluster saw it first').not.toContain(end);
    }
});
