/**
 * What TLS costs a replica: frames of one prepare's size there and back between two networks of one process, with and without,
 * in processor time, which other load on the machine does not change much. Repeat with: npx tsx bench/tls.ts
 */

import { freePorts } from '../impl/cli/free-ports.ts';
import { makeAuthority, replicaCertificate } from '../impl/ports/certificates.ts';
import type { TlsServerMaterial } from '../impl/ports/network.ts';
import { RealClock } from '../impl/ports/real-clock.ts';
import { RealNetwork } from '../impl/ports/real-network.ts';
import { RealRandom } from '../impl/ports/real-random.ts';

const CLUSTER = 7n;
const BYTES_EACH_WAY = 16 * 1024 * 1024;
const FRAMES_MAX = 8_000;
const ROUNDS = 3;
const clock = new RealClock();
const random = new RealRandom();

interface Row {
  readonly tls: string;
  readonly inFlight: number;
  readonly bytes: number;
  readonly cpuUsEachWay: number;
}

async function measure(material: readonly TlsServerMaterial[], inFlight: number, bytes: number): Promise<Row> {
  const ports = await freePorts('127.0.0.1', 2, (bound) => random.below(bound));
  const addresses = ports.map((port) => ({ host: '127.0.0.1', port }));
  const frame = Buffer.alloc(bytes, 1);
  const frames = Math.min(FRAMES_MAX, BYTES_EACH_WAY / bytes);
  let left = frames;
  let done = (): void => {};
  const end = new Promise<void>((resolve) => {
    done = resolve;
  });
  const networks = addresses.map((_, replica): RealNetwork => {
    const network: RealNetwork = new RealNetwork({
      cluster: CLUSTER,
      replica,
      addresses,
      clientConnectionsMax: 4,
      clientFrameBytesMax: 1_024,
      tls: material[replica],
      clock,
      random,
      onPeerFrame: (from) => {
        if (replica === 0) network.send(from, frame);
        else if (--left > 0) network.send(from, frame);
        else done();
      },
      onClientFrame: () => {},
      onClientClosed: () => {},
      onPeerChange: () => {},
      onPending: () => setImmediate(() => network.flush()),
    });
    return network;
  });
  for (const network of networks) await network.listen();
  while (!networks.every((network, replica) => network.isConnected(1 - replica))) {
    await new Promise<void>((resolve) => void clock.after(5, resolve));
  }
  const before = process.cpuUsage();
  for (let count = 0; count < inFlight; count++) networks[1]?.send(0, frame);
  await end;
  const { user, system } = process.cpuUsage(before);
  await Promise.all(networks.map((network) => network.close()));
  return {
    tls: material.length > 0 ? 'TLS 1.3' : 'plain',
    inFlight,
    bytes,
    cpuUsEachWay: Number(((user + system) / frames / 2).toFixed(1)),
  };
}

const authority = await makeAuthority('bench', { fromMs: clock.wallMs(), days: 1 });
const material: TlsServerMaterial[] = [];
for (const replica of [0, 1]) {
  const identity = { cluster: CLUSTER, replica, hosts: ['127.0.0.1'] };
  const pair = await replicaCertificate(authority, identity, { fromMs: clock.wallMs(), days: 1 });
  material.push({ ...pair, authority: authority.certificate });
}
const rows: Row[] = [];
for (let round = 0; round < ROUNDS; round++)
  for (const inFlight of [1, 64])
    for (const bytes of [512, 65_536])
      for (const shown of [[], material]) rows.push(await measure(shown, inFlight, bytes));
/** The least of the rounds: what it takes when nothing else is in the way. */
const least = new Map<string, Row>();
for (const row of rows) {
  const key = `${row.inFlight} ${row.bytes} ${row.tls}`;
  const known = least.get(key);
  if (known === undefined || row.cpuUsEachWay < known.cpuUsEachWay) least.set(key, row);
}
console.table([...least.values()]);
