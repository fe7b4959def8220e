/**
 * Goal: any mix of kill -9, hanging, going on and restarting, of any replicas and as many at once as chance wants, loses no
 * acknowledged entry; when it ends the cluster heals by itself. Method: a seeded script of faults under load, without regard
 * for a quorum; then all are started and thawed. Repeat with: SEED=n npx vitest run test/e2e/chaos.test.ts
 */
import { afterEach, expect, it } from 'vitest';
import { SimulatedRandom } from '../../impl/ports/simulated-random.ts';
import { pause, TestCluster } from './cluster-harness.ts';
import { Load, nothingLost, verifiedClean } from './load.ts';

const FAULTS = Number(process.env.FAULTS ?? 40);
const PAUSE_MS_MAX = 600;

let cluster: TestCluster | undefined;
afterEach(async () => {
  await cluster?.close(); // kill -9 ends a hanging process too
  cluster = undefined;
});

it('Chaos: kills, hangs and restarts at random lose nothing that was acknowledged, and the cluster heals', async () => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`seed ${seed}`);
  const random = new SimulatedRandom(seed);
  cluster = await TestCluster.start();
  const test = cluster;
  const load = await Load.start(test, { stream: 'chaos', clients: 4, eventsPerAppend: 2 });
  await load.progress(20, 20_000);
  const frozen = new Set<number>();
  const done: string[] = [];
  for (let fault = 0; fault < FAULTS; fault++) {
    const replica = random.below(test.replicas.length);
    if (!test.isAlive(replica)) {
      await test.start(replica);
      done.push(`start ${replica}`);
    } else if (frozen.has(replica)) {
      test.thaw(replica);
      frozen.delete(replica);
      done.push(`thaw ${replica}`);
    } else if (random.below(2) === 0) {
      await test.kill(replica);
      done.push(`kill ${replica}`);
    } else {
      test.freeze(replica);
      frozen.add(replica);
      done.push(`freeze ${replica}`);
    }
    await pause(random.below(PAUSE_MS_MAX));
  }
  for (const replica of frozen) test.thaw(replica);
  await test.startAll();
  await load.progress(20, 30_000);
  await load.stop();
  const entries = await nothingLost(test, load);
  expect(load.failures).toEqual([]);
  expect(test.deaths, done.join(', ')).toEqual([]);
  await verifiedClean(test);
  console.log(`${done.length} faults, ${load.acknowledged.length} entries acknowledged, ${entries} in the log`);
}, 240_000);
