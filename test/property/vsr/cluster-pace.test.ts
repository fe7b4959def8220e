/**
 * Vsr: how long things take, in ticks of 10 ms of the simulated clock: the next primary after a death, a backup that lacks
 * 10,000 ops, in its own view and in a later one. Many seeds; the worst counts. What a tick costs is bench/replica.ts.
 */
import { expect, test } from 'vitest';
import { Cluster } from './cluster.ts';
import type { ClusterNode } from './cluster-node.ts';

const SEEDS = 40;
/** HEARTBEAT_TIMEOUT_TICKS and its whole jitter, then ten messages that take up to two ticks each. */
const FAILOVER_TICKS_MAX = 140;
const MISSING_OPS = 10_000;
/** Frames arrive within their tick: what is counted are timers that had to fire. */
const CATCH_UP_TICKS_MAX = 60;

function openCluster(replicaCount: number, seed: number): Cluster {
  const cluster = new Cluster({ replicaCount, seed, invariants: false, flushesSkipped: 0 });
  for (let tick = 0; tick < 10; tick++) cluster.tick();
  return cluster;
}

function primaryOf(cluster: Cluster): ClusterNode | undefined {
  return cluster.nodes.find((node) => node.isUp && node.isPrimary);
}

/** @returns ticks */
function ticksUntil(cluster: Cluster, ticksMax: number, isSo: () => boolean, settles = false): number {
  const begin = cluster.ticks;
  while (!isSo()) {
    if (cluster.ticks - begin >= ticksMax) cluster.fail(`not within ${ticksMax} ticks`);
    cluster.tick();
    if (settles) cluster.settle();
  }
  return cluster.ticks - begin;
}

function commitUpTo(cluster: Cluster, ops: number): void {
  while (cluster.committed.length < ops) {
    const primary = primaryOf(cluster);
    if (primary === undefined) throw new Error('no primary');
    if (cluster.submit(primary, 50) === 0) cluster.fail('the primary takes no requests');
    cluster.settle();
  }
}

for (const replicaCount of [3, 5]) {
  test(`Vsr: ${FAILOVER_TICKS_MAX} ticks after its death another primary has committed a request (R=${replicaCount})`, () => {
    for (let seed = 0; seed < SEEDS; seed++) {
      const cluster = openCluster(replicaCount, seed);
      cluster.network.weather = { lost: 0, doubled: 0, delayMax: 1 };
      const primary = primaryOf(cluster);
      if (primary === undefined) throw new Error('no primary at first');
      for (let tick = 0; tick < seed; tick++) {
        cluster.submit(primary, 1);
        cluster.tick();
      }
      cluster.act({ kind: 'crash', replica: primary.index, kept: (seed * 97) % 1001, framesLost: true });
      let wanted = Number.POSITIVE_INFINITY;
      ticksUntil(cluster, FAILOVER_TICKS_MAX, () => {
        const next = primaryOf(cluster);
        if (wanted === Number.POSITIVE_INFINITY && next !== undefined && cluster.submit(next, 1) === 1) {
          wanted = next.replica?.op ?? wanted;
        }
        return cluster.committed.length >= wanted;
      });
    }
  });
}

test(`Vsr: a backup that lacks ${MISSING_OPS} ops of its view has them after ${CATCH_UP_TICKS_MAX} ticks`, () => {
  const cluster = openCluster(3, 1);
  cluster.act({ kind: 'crash', replica: 2, kept: 0, framesLost: true });
  commitUpTo(cluster, MISSING_OPS);
  cluster.act({ kind: 'restart', replica: 2 });
  const sent = cluster.network.framesSent;
  ticksUntil(cluster, CATCH_UP_TICKS_MAX, () => cluster.isAgreed, true);
  // One frame an op, and one request for every 256 of them.
  expect(cluster.network.framesSent - sent).toBeLessThan(MISSING_OPS * 1.1);
});

test(`Vsr: a backup that lacks ${MISSING_OPS} ops and a view has them after ${CATCH_UP_TICKS_MAX} ticks`, () => {
  const cluster = openCluster(3, 2);
  cluster.act({ kind: 'crash', replica: 2, kept: 0, framesLost: true });
  commitUpTo(cluster, MISSING_OPS);
  cluster.nodes[0]?.replica?.take('Abdicate');
  ticksUntil(cluster, FAILOVER_TICKS_MAX, () => primaryOf(cluster) !== undefined);
  commitUpTo(cluster, MISSING_OPS + 1);
  cluster.act({ kind: 'restart', replica: 2 });
  const sent = cluster.network.framesSent;
  ticksUntil(cluster, CATCH_UP_TICKS_MAX, () => cluster.isAgreed, true);
  // Request and entry for each op: one round trip an op.
  expect(cluster.network.framesSent - sent).toBeLessThan(MISSING_OPS * 2.1);
});

test('Vsr: a primary that died and comes back into a later view asks for nothing that its log has', () => {
  const cluster = openCluster(3, 3);
  commitUpTo(cluster, 1_000);
  cluster.act({ kind: 'crash', replica: 0, kept: 1000, framesLost: true });
  ticksUntil(cluster, FAILOVER_TICKS_MAX, () => primaryOf(cluster) !== undefined);
  commitUpTo(cluster, 1_500);
  cluster.act({ kind: 'restart', replica: 0 });
  const sent = cluster.network.framesSent;
  ticksUntil(cluster, CATCH_UP_TICKS_MAX, () => cluster.isAgreed, true);
  // One prepare for each of the 500 ops that it lacks, and what a view takes to enter.
  expect(cluster.network.framesSent - sent).toBeLessThan(600);
});

test('Vsr: after a power loss of the whole cluster a log is walked from the commit that the superblock has, not from 0', () => {
  const cluster = openCluster(3, 4);
  for (let second = 0; second < 4; second++) {
    commitUpTo(cluster, cluster.committed.length + 1_000);
    for (let tick = 0; tick < 110; tick++) {
      cluster.tick();
      cluster.settle();
    }
  }
  cluster.act({ kind: 'cut', from: 0, to: 1 }); // the next primary lacks the end of the log
  commitUpTo(cluster, cluster.committed.length + 3);
  cluster.act({ kind: 'heal' });
  for (const replica of [0, 1, 2]) cluster.act({ kind: 'crash', replica, kept: 1000, framesLost: true });
  for (const replica of [0, 1, 2]) cluster.act({ kind: 'restart', replica });
  const sent = cluster.network.framesSent;
  ticksUntil(cluster, FAILOVER_TICKS_MAX, () => cluster.isAgreed, true);
  expect(cluster.network.framesSent - sent).toBeLessThan(1_000);
});
