/**
 * Goal: kill -9 of random replicas, of the primary and of two at once, 50 times under load, loses no acknowledged entry and
 * leaves replicas that are equal entry by entry and verify clean. Method: real processes; clients append without pause; the
 * seed decides who is killed and when. Repeat with: SEED=n npx vitest run test/e2e/kill.test.ts
 */
import { afterEach, expect, it } from 'vitest';
import { SimulatedRandom } from '../../impl/ports/simulated-random.ts';
import { pause, TestCluster } from './cluster-harness.ts';
import { Load, nothingLost, verifiedClean } from './load.ts';

const KILLS = 50;
const CLIENTS = 4;
const PAUSE_MS_MAX = 200;
/** After a kill clients wait for a view change and no longer. */
const PROGRESS_MS_MAX = 20_000;

let cluster: TestCluster | undefined;
afterEach(async () => {
  await cluster?.close();
  cluster = undefined;
});

it('Kill: 50 kill -9 of replicas and of the primary under load lose nothing that was acknowledged', async () => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`seed ${seed}`);
  const random = new SimulatedRandom(seed);
  cluster = await TestCluster.start();
  const load = await Load.start(cluster, { stream: 'kills', clients: CLIENTS, eventsPerAppend: 3 });
  await load.progress(20, PROGRESS_MS_MAX);
  let kills = 0;
  for (let round = 0; kills < KILLS; round++) {
    const primary = await cluster.primary();
    const backups = cluster.replicas.filter((replica) => replica !== primary);
    const backup = backups[random.below(backups.length)] as number;
    // In turn: the primary, a backup, the primary with a backup: without a quorum nothing may be acknowledged.
    const victims = [[primary], [backup], [primary], [backup], [primary, backup]][round % 5] as number[];
    await pause(random.below(PAUSE_MS_MAX));
    await Promise.all(victims.map((victim) => cluster?.kill(victim)));
    kills += victims.length;
    await pause(random.below(PAUSE_MS_MAX));
    await Promise.all(victims.map((victim) => cluster?.start(victim)));
    await load.progress(10, PROGRESS_MS_MAX);
  }
  await load.stop();
  const entries = await nothingLost(cluster, load);
  expect(load.failures).toEqual([]);
  expect(cluster.deaths).toEqual([]);
  await verifiedClean(cluster);
  console.log(
    `${kills} kills, ${load.acknowledged.length} entries acknowledged, ${entries} in the log, slowest append ${Math.round(load.slowestMs)} ms`,
  );
}, 300_000);
