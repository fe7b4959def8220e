/**
 * Goal: a replica that was away for 10,000 entries catches up by itself, and clients never noticed.
 * Method: stop one backup with SIGTERM, append 10,000 entries, start it, wait until it is level; compare every entry.
 */
import { afterEach, expect, it } from 'vitest';
import { TestCluster } from './cluster-harness.ts';
import { Load, nothingLost, verifiedClean } from './load.ts';

const ENTRIES_AWAY = 10_000;

let cluster: TestCluster | undefined;
afterEach(async () => {
  await cluster?.close();
  cluster = undefined;
});

it('Catching up: one replica stopped for 10,000 entries is level again by itself', async () => {
  cluster = await TestCluster.start();
  const primary = await cluster.primary();
  const away = cluster.replicas.find((replica) => replica !== primary) as number;
  const load = await Load.start(cluster, { stream: 'away', clients: 6, eventsPerAppend: 2 });
  await load.progress(100, 20_000);
  expect(await cluster.stop(away)).toBe(0);
  const opLeft = (await cluster.statusOf(primary))?.op as number;
  await load.progress(ENTRIES_AWAY, 200_000);
  const opBack = (await cluster.statusOf(primary))?.op as number;
  await cluster.start(away);
  const started = performance.now();
  await load.progress(100, 20_000); // it catches up while others go on
  await load.stop();
  await cluster.level();
  console.log(
    `${ENTRIES_AWAY} entries, ${opBack - opLeft} ops away; level ${Math.round(performance.now() - started)} ms after its start`,
  );
  const entries = await nothingLost(cluster, load);
  expect(entries).toBeGreaterThan(ENTRIES_AWAY);
  expect(load.failures).toEqual([]);
  expect(cluster.deaths).toEqual([]);
  await verifiedClean(cluster);
}, 290_000);
