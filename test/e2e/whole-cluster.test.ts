/**
 * Goal: power loss of the whole cluster under load, and a clean stop of all, keep everything that was acknowledged.
 * Method: kill -9 of all three processes at once, restart, three times over; then SIGTERM of all, restart.
 */
import { afterEach, expect, it } from 'vitest';
import { TestCluster } from './cluster-harness.ts';
import { Load, nothingLost, verifiedClean } from './load.ts';

const ROUNDS = 3;

let cluster: TestCluster | undefined;
afterEach(async () => {
  await cluster?.close();
  cluster = undefined;
});

it('Kill: the whole cluster at once under load, three times, keeps every acknowledged entry', async () => {
  cluster = await TestCluster.start();
  const load = await Load.start(cluster, { stream: 'power', clients: 4, eventsPerAppend: 5 });
  for (let round = 0; round < ROUNDS; round++) {
    await load.progress(100, 20_000);
    await cluster.killAll();
    await cluster.startAll();
  }
  await load.progress(50, 20_000);
  await load.stop();
  const entries = await nothingLost(cluster, load);
  expect(load.failures).toEqual([]);
  expect(cluster.deaths).toEqual([]);
  await verifiedClean(cluster);
  // The same entries after a clean stop and a start in another order.
  for (const replica of [...cluster.replicas].reverse()) await cluster.start(replica);
  expect(await nothingLost(cluster, load)).toBe(entries);
}, 120_000);

it.each([
  [1, 0],
  [5, 2],
])(
  'Size: a cluster of %i serves with %i replicas killed, and comes back whole',
  async (replicas, killed) => {
    cluster = await TestCluster.start({ replicas });
    const test = cluster;
    const load = await Load.start(test, { stream: 'size', clients: 4, eventsPerAppend: 2 });
    await load.progress(20, 20_000);
    const primary = await test.primary();
    const victims = [primary, ...test.replicas.filter((replica) => replica !== primary)].slice(0, killed);
    await Promise.all(victims.map((victim) => test.kill(victim)));
    await load.progress(20, 20_000);
    await Promise.all(victims.map((victim) => test.start(victim)));
    await load.stop();
    await nothingLost(test, load);
    expect(load.failures).toEqual([]);
    expect(test.deaths).toEqual([]);
    await verifiedClean(test);
  },
  120_000,
);
