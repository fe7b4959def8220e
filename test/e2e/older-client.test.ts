/**
 * Goal: a client of version 1 of the protocol is answered by every later server as it was on the day the version was frozen; a
 * client that is too new is told so, and one whose range includes ours is served. Method: test/vectors/client-v1.json, the
 * bytes that were sent then, played against the server of today; what differs by nature (ids, hashes, times) is left out.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeResponse } from '../../impl/wire/answer.ts';
import { encodeFrame, FRAME_KINDS, type FrameKind } from '../../impl/wire/frame.ts';
import { ANY_REPLICA, decodeGoodbye, decodeHello, encodeHello, PROTOCOL_VERSION } from '../../impl/wire/hello.ts';
import { decodeRequest, encodeRequest } from '../../impl/wire/request.ts';
import recorded from '../vectors/client-v1.json' with { type: 'json' };
import { play, type RecordedStep } from '../vectors/played-client.ts';
import { TestCluster } from './cluster-harness.ts';
import { converse } from './wire-client.ts';

const steps = recorded.steps as readonly RecordedStep[];
/** Another cluster, another moment: no two runs have the same ones. */
const OF_THE_RUN: ReadonlySet<string> = new Set([
  'clientId',
  'commitId',
  'createdCommitId',
  'keptSinceCommitId',
  'hash',
  'timestamp',
  'cluster',
  'view',
  'op',
  'commit',
  // Texts for people, and values beside the code: they may say more.
  'message',
  'evidence',
  // What the server speaks beside this version.
  'minVersion',
  'maxVersion',
]);

function meaning({ kind, payload }: { kind: FrameKind; payload: Buffer }, step: RecordedStep): unknown {
  if (kind === FRAME_KINDS.hello) return lasting(decodeHello(payload));
  if (kind === FRAME_KINDS.goodbye) return { goodbye: decodeGoodbye(payload).code };
  if (kind !== FRAME_KINDS.clientResponse) return { kind };
  const { id, body } = decodeRequest(Buffer.from(step.payload, 'hex'));
  return lasting({ id, answered: payload.readUInt32LE(0), ...decodeResponse(payload, body.operation) });
}

function lasting(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(lasting);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).filter(([name]) => !OF_THE_RUN.has(name));
  return Object.fromEntries(fields.map(([name, field]) => [name, lasting(field)]));
}

/** Those whose bytes are as many in every run: no text for people in them. */
function isFixed({ kind, payload }: { kind: FrameKind; payload: Buffer }): boolean {
  return kind === FRAME_KINDS.clientResponse && payload[4] === 0;
}

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.start({ replicas: 1 });
});
afterAll(async () => cluster.close());

describe('clients of other versions', () => {
  it('a client of version 1 gets the answers of the day on which the version was frozen', async () => {
    expect(recorded.protocol).toBe(1);
    const answers = await play(cluster.addresses[0] as string, steps);
    for (const [index, step] of steps.entries()) {
      const then = { kind: step.answer.kind, payload: Buffer.from(step.answer.payload, 'hex') };
      const now = answers[index] as { kind: FrameKind; payload: Buffer };
      expect({ step: step.name, answer: meaning(now, step) }).toEqual({ step: step.name, answer: meaning(then, step) });
      if (isFixed(then)) expect(now.payload.byteLength, step.name).toBe(then.payload.byteLength);
    }
    expect(steps.length).toBeGreaterThan(20);
  });

  const fields = { role: 'client', replica: ANY_REPLICA, replicaCount: 0, to: ANY_REPLICA, cluster: 0n } as const;
  const hello = (minVersion: number, maxVersion: number, more = ''): Buffer => {
    const payload = Buffer.concat([encodeHello({ ...fields, minVersion, maxVersion }), Buffer.from(more)]);
    return encodeFrame(FRAME_KINDS.hello, payload);
  };
  const status = encodeFrame(
    FRAME_KINDS.clientRequest,
    encodeRequest({ id: 1, deadlineMs: 0, body: { operation: 'status' } }),
  );

  it('a client that speaks only newer versions is told so', async () => {
    const told = await converse(cluster.addresses[0] as string, [
      hello(PROTOCOL_VERSION + 1, PROTOCOL_VERSION + 3, 'a field of a later version'),
    ]);
    expect(told).toMatchObject({ closed: true, goodbye: { code: 'WIRE_WRONG_VERSION' } });
    expect(told.goodbye?.message).toContain(`${PROTOCOL_VERSION + 1} to ${PROTOCOL_VERSION + 3}`);
  });

  it('a newer client whose range includes ours is served, whatever else its Hello says', async () => {
    const parts = [hello(1, PROTOCOL_VERSION + 1, 'a field of a later version'), status];
    const { kinds } = await converse(cluster.addresses[0] as string, parts, 10_000, 2);
    expect(kinds).toEqual([FRAME_KINDS.hello, FRAME_KINDS.clientResponse]);
  });
});
