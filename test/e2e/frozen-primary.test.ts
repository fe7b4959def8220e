/**
 * Goal: a primary that hangs for longer than the view-change timeout (SIGSTOP: its connections stay open) is replaced, and
 * when it goes on it steps down without having acknowledged anything of its own. Method: freeze, wait for a new primary in a
 * higher view, thaw under load; three times, since each thaw meets another history.
 */
import { afterEach, expect, it } from 'vitest';
import { pause, TestCluster } from './cluster-harness.ts';
import { Load, nothingLost, verifiedClean } from './load.ts';

const ROUNDS = 3;

let cluster: TestCluster | undefined;
afterEach(async () => {
  for (const replica of cluster?.replicas ?? []) cluster?.thaw(replica);
  await cluster?.close();
  cluster = undefined;
});

it('View change: a primary stopped for longer than the timeout is replaced and steps down when it goes on', async () => {
  cluster = await TestCluster.start();
  const test = cluster;
  const load = await Load.start(test, { stream: 'frozen', clients: 4, eventsPerAppend: 2 });
  for (let round = 0; round < ROUNDS; round++) {
    await load.progress(20, 20_000);
    const old = await test.primary();
    const before = (await test.statusOf(old))?.view as number;
    test.freeze(old);
    await test.eventually('another replica is primary in a higher view', 20_000, async () => {
      const others = test.replicas.filter((replica) => replica !== old);
      const all = await Promise.all(others.map((replica) => test.statusOf(replica)));
      return all.some((one) => one?.isPrimary === true && one.view > before) ? true : undefined;
    });
    await load.progress(20, 20_000);
    await pause(round * 500);
    test.thaw(old);
    await test.eventually('the old primary follows the new view', 20_000, async () => {
      const one = await test.statusOf(old);
      return one !== undefined && one.status === 'normal' && one.view > before ? true : undefined;
    });
  }
  await load.stop();
  await nothingLost(test, load);
  expect(load.failures).toEqual([]);
  expect(test.deaths).toEqual([]);
  await verifiedClean(test);
}, 120_000);
