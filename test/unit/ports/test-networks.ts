/** Networks of replicas on free ports of the loopback, for the tests of impl/ports; closed after each test. */
import { afterEach } from 'vitest';
import { freePorts as drawPorts } from '../../../impl/cli/free-ports.ts';
import { RealClock } from '../../../impl/ports/real-clock.ts';
import { RealNetwork } from '../../../impl/ports/real-network.ts';
import type { RealNetworkOptions } from '../../../impl/ports/real-network-options.ts';
import { RealRandom } from '../../../impl/ports/real-random.ts';

export const HOST = '127.0.0.1';
export const CLUSTER = 7n;

const open: RealNetwork[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((network) => network.close()));
});

export function freePorts(count: number): Promise<readonly number[]> {
  return drawPorts(HOST, count, (boundExclusive) => new RealRandom().below(boundExclusive));
}

export interface Started {
  readonly network: RealNetwork;
  /** Of each frame of a replica: its number, a space, and its bytes as text. */
  readonly received: string[];
  /** Why replicas could not be reached. */
  readonly failed: string[];
}

/** What clients say it says back, unless `changed` says otherwise. It does not listen yet. */
export function start(ports: readonly number[], replica: number, changed: Partial<RealNetworkOptions> = {}): Started {
  const received: string[] = [];
  const failed: string[] = [];
  const network: RealNetwork = new RealNetwork({
    cluster: CLUSTER,
    replica,
    addresses: ports.map((port) => ({ host: HOST, port })),
    clientConnectionsMax: 4,
    clientFrameBytesMax: 1_024,
    clock: new RealClock(),
    random: new RealRandom(),
    onPeerFrame: (from, _, payload) => received.push(`${from} ${payload.toString()}`),
    onClientFrame: (client, kind, payload) => client.send(kind, payload),
    onClientClosed: () => {},
    onPeerChange: () => {},
    onDialFailed: (_, reason) => failed.push(reason),
    onPending: () => setImmediate(() => network.flush()),
    ...changed,
  });
  open.push(network);
  return { network, received, failed };
}
