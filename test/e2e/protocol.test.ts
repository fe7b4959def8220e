/**
 * Goal: docs/protocol.md is enough to write a client. Method: one that was written from the page alone, in another language
 * (independent-client.py: Python, standard library), against three real replicas; and against every test vector.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LockstepClient } from '../../impl/client/index.ts';
import vectors from '../vectors/protocol.json' with { type: 'json' };
import { REPOSITORY, TestCluster } from './cluster-harness.ts';

const CLIENT = join(REPOSITORY, 'test', 'e2e', 'independent-client.py');
const hasPython = spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 9))']).status === 0;

// Without Python 3.9 there is nobody independent to ask; the vectors are still held to the codec in test/property/wire.
describe.skipIf(!hasPython)('a client in another language, written from docs/protocol.md', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start();
  });
  afterAll(async () => cluster?.close());

  function independent(...args: string[]): Record<string, Record<string, unknown>> {
    const { status, stdout, stderr } = spawnSync('python3', [CLIENT, ...args], { encoding: 'utf8', timeout: 60_000 });
    expect(status, stderr).toBe(0);
    return JSON.parse(stdout) as Record<string, Record<string, unknown>>;
  }

  it('reads every test vector', () => {
    const file = join(REPOSITORY, 'test', 'vectors', 'protocol.json');
    expect(independent('--vectors', file)).toEqual({ vectors: vectors.vectors.length });
  });

  it.each([0, 1, 2])(
    'through replica %i: appends once however often it sends, reads, asks, and is told why it is closed',
    async (replica) => {
      const stream = `independent-${replica}`;
      const out = independent(cluster.addresses[replica] as string, stream);
      expect(out).toMatchObject({
        replica,
        session: { window: 64 },
        created: 'applied',
        first: { outcome: 'applied', firstOffset: 0, count: 2 },
        keyed: { outcome: 'applied', firstOffset: 2, count: 1 },
        wrongOffset: { outcome: 'refused', code: 'OFFSET_MISMATCH' },
        lookup: { found: true, stream, firstOffset: 2 },
        goodbye: 'WIRE_MALFORMED',
      });
      expect(out.again).toEqual(out.first);
      expect(out.keyedAgain).toEqual(out.keyed);
      const events = out.read?.events as { data: string; hash: string }[];
      expect(events.map(({ data }) => data)).toEqual(['one', 'two', 'drei – три']);
      expect(events[0]?.hash).toBe(out.first?.hash);
      const [host, port] = (cluster.addresses[replica] as string).split(':') as [string, string];
      const client = new LockstepClient({ addresses: [{ host, port: Number(port) }] });
      const ours = await client.read(stream);
      client.close();
      expect(ours.events.map(({ data }) => Buffer.from(data).toString())).toEqual(['one', 'two', 'drei – три']);
    },
  );
});
