/**
 * Goal: the durability oracle says nothing of a whole cluster at any time, and names what a disk holds otherwise than memory.
 * Method: runs of the cluster tests, asked after every action; then logs, superblocks and disks that lie.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type DurableNode, readsBack } from '../../../conformance/sim/durability-oracle.ts';
import { LOG_FILE } from '../../../impl/storage/data-directory.ts';
import { Cluster } from '../vsr/cluster.ts';
import { runOf } from '../vsr/cluster-faults.ts';
import { type ClusterNode, DIRECTORY } from '../vsr/cluster-node.ts';

const RUNS = 4;
const SEED = 5;

function durable({ disk, log, superblock }: ClusterNode): DurableNode {
  return { disk, log, superblock, directory: { path: DIRECTORY } };
}

/** Three replicas with some ops, all of them durable but the last at replica 0. */
function settled(): Cluster {
  const cluster = new Cluster({ replicaCount: 3, seed: 1 });
  for (let round = 0; round < 5; round++) {
    cluster.act({ kind: 'submit', count: 3 });
    cluster.act({ kind: 'run', ticks: 20 });
  }
  cluster.act({ kind: 'submit', count: 1 });
  return cluster;
}

test('whole replicas: what memory says is what the disk holds, after every action', () => {
  for (const [seed, actions] of fc.sample(runOf(3), { seed: SEED, numRuns: RUNS })) {
    const cluster = new Cluster({ replicaCount: 3, seed, invariants: false });
    for (const action of actions) {
      cluster.act(action);
      for (const node of cluster.nodes)
        if (node.replica?.status !== 'halted') expect(readsBack(durable(node))).toBeUndefined();
    }
  }
});

test('a log that says more than is there, durable or written', () => {
  const [node] = settled().nodes.map(durable) as [DurableNode];
  expect(readsBack(node)).toBeUndefined();
  expect(node.log.op).toBe(node.log.opDurable + 1);
  const { op, opDurable } = node.log;
  const log = (claims: Partial<DurableNode['log']>): DurableNode => {
    const { holds, holdsDurably } = node.log;
    const real = { op, opDurable, holds: holds.bind(node.log), holdsDurably: holdsDurably.bind(node.log) };
    return { ...node, log: { ...real, ...claims } };
  };
  expect(readsBack(log({}))).toBeUndefined();
  expect(readsBack(log({ opDurable: op }))).toBe(`after a power loss the log ends at op ${opDurable} instead of ${op}`);
  expect(readsBack(log({ opDurable: opDurable - 1 }))).toMatch(/^after a power loss the log ends at op/);
  expect(readsBack(log({ op: op + 1 }))).toBe(`after a restart the log ends at op ${op} instead of ${op + 1}`);
  expect(readsBack(log({ holdsDurably: (at) => at !== 3 }))).toBe(
    'after a power loss the log has another entry at op 3',
  );
  expect(readsBack(log({ holds: (at) => at !== op }))).toBe(`after a restart the log has another entry at op ${op}`);
});

test('a superblock that says more than is there', () => {
  const [, node] = settled().nodes.map(durable) as [DurableNode, DurableNode];
  const state = { ...node.superblock.state, view: 9, sequence: 99, hash: 'f'.repeat(64) };
  expect(readsBack({ ...node, superblock: { status: 'open', state } })).toMatch(
    /^after a power loss the superblock has/,
  );
});

test('a log that rots', () => {
  const [, node] = settled().nodes.map(durable) as [DurableNode, DurableNode];
  node.disk.damage(`${DIRECTORY}/${LOG_FILE}`, 300, Uint8Array.of(0xaa, 0x55));
  expect(readsBack(node)).toMatch(/^after a power loss it does not open: DIRECTORY_LOG_DAMAGED/);
});
