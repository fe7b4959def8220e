/**
 * Goal: a cluster is restarted replica by replica under load, as docs/operating.md says it, and nobody notices but by a wait:
 * no request fails beyond its repetitions, nothing is lost, nothing stands twice; with TLS, and with new certificates on the
 * way. Method: three real processes, backups first and the primary last, each awaited as the guide has it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { replicaFiles } from '../../impl/cli/tls-files.ts';
import { authorityOf, replicaCertificate } from '../../impl/ports/certificates.ts';
import { RealClock } from '../../impl/ports/real-clock.ts';
import { TestCluster } from './cluster-harness.ts';
import { Load, nothingLost, verifiedClean } from './load.ts';

const ROUNDS = 3;
const CLIENTS = 4;
const PROGRESS_MS_MAX = 20_000;

let cluster: TestCluster | undefined;
afterEach(async () => {
  await cluster?.close();
  cluster = undefined;
});

/** One replica after another, the primary last: one change of primary for the whole round. */
async function restartAll(running: TestCluster, load: Load): Promise<void> {
  const primary = await running.primary();
  for (const replica of [...running.replicas.filter((one) => one !== primary), primary]) {
    expect(await running.stop(replica), await running.report()).toBe(0);
    await load.progress(5, PROGRESS_MS_MAX);
    await running.start(replica);
    // Before the next one goes, this one has everything: else two together would miss what was acknowledged meanwhile.
    await running.eventually(`replica ${replica} has caught up`, PROGRESS_MS_MAX, async () => {
      const all = await Promise.all(running.replicas.map((one) => running.statusOf(one)));
      const commit = Math.max(...all.map((status) => status?.commit ?? 0));
      const own = all[replica];
      return own?.status === 'normal' && own.commit >= commit - 50 ? true : undefined;
    });
    await load.progress(5, PROGRESS_MS_MAX);
  }
}

/** New pairs, signed by the authority that all trust already, in the place of the old ones. */
async function renewCertificates(running: TestCluster): Promise<void> {
  const folder = running.tlsFolder as string;
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  const authority = await authorityOf({ certificate: read('authority.pem'), key: read('authority.key') });
  for (const replica of running.replicas) {
    const identity = { cluster: running.cluster, replica, hosts: ['localhost', '127.0.0.1'] };
    const pair = await replicaCertificate(authority, identity, { fromMs: new RealClock().wallMs(), days: 1 });
    const files = replicaFiles(folder, replica);
    writeFileSync(files.certificate, pair.certificate);
    writeFileSync(files.key, pair.key);
  }
}

it(`Rolling restart: ${ROUNDS} rounds under load fail no request and lose nothing`, async () => {
  cluster = await TestCluster.start();
  const load = await Load.start(cluster, { stream: 'rolling', clients: CLIENTS, eventsPerAppend: 3 });
  await load.progress(20, PROGRESS_MS_MAX);
  for (let round = 0; round < ROUNDS; round++) await restartAll(cluster, load);
  await load.stop();
  const entries = await nothingLost(cluster, load);
  expect(load.failures).toEqual([]);
  expect(cluster.deaths).toEqual([]);
  await verifiedClean(cluster);
  console.log(
    `${ROUNDS} rolling restarts, ${load.acknowledged.length} entries acknowledged, ${entries} in the log, ` +
      `slowest append ${Math.round(load.slowestMs)} ms`,
  );
}, 240_000);

it('Rolling restart: with TLS, and new certificates of the same authority between two rounds by SIGHUP', async () => {
  cluster = await TestCluster.start({ tls: true });
  const load = await Load.start(cluster, { stream: 'rolling', clients: CLIENTS, eventsPerAppend: 3 });
  await load.progress(20, PROGRESS_MS_MAX);
  await restartAll(cluster, load);

  await renewCertificates(cluster);
  for (const replica of cluster.replicas) cluster.hangUp(replica);
  for (const replica of cluster.replicas) {
    const read = 'certificates, keys and secrets are read again';
    await cluster.eventually(`replica ${replica} says so`, PROGRESS_MS_MAX, async () =>
      cluster?.logOf(replica).some((line) => line.includes(read)) === true ? true : undefined,
    );
  }
  await load.progress(20, PROGRESS_MS_MAX);
  await restartAll(cluster, load);
  await load.stop();
  await nothingLost(cluster, load);
  expect(load.failures).toEqual([]);
  expect(cluster.deaths).toEqual([]);
}, 240_000);
