/**
 * Records what a client of this version sends and what a fresh server answers: test/vectors/client-vN.json. Run once when a
 * version of the protocol is frozen, and never again for that version: node --import tsx test/vectors/record-client-main.ts
 */
import { existsSync, writeFileSync } from 'node:fs';
import { FRAME_KINDS, type FrameKind } from '../../impl/wire/frame.ts';
import { ANY_REPLICA, encodeHello, PROTOCOL_VERSION } from '../../impl/wire/hello.ts';
import { encodeRequest, type RequestBody } from '../../impl/wire/request.ts';
import { TestCluster } from '../e2e/cluster-harness.ts';
import { play, REGISTER_SESSION_STEP, type RecordedClient, type RecordedStep } from './played-client.ts';

const file = new URL(`client-v${PROTOCOL_VERSION}.json`, import.meta.url);
if (existsSync(file))
  throw new Error(`${file.pathname} is frozen: a new version of the protocol gets a file of its own`);

/** Stands where the id of the session goes; no field has these bytes by chance. */
const CLIENT_ID = 0x1f_1e1d_1c1b_1a;
const CLIENT_ID_BYTES = (() => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(CLIENT_ID));
  return bytes;
})();

const session = (requestNumber: number) => ({ clientId: CLIENT_ID, requestNumber });
const event = (text: string, type = '', contentType = '') => ({ data: Buffer.from(text), type, contentType });
const append = { operation: 'append', stream: 'orders', expectedOffset: undefined, idempotencyKey: '' } as const;
const read = { operation: 'read', stream: 'orders', from: 0, limit: 100, minCommitId: 0, waitMs: 0 } as const;
const two = { ...append, session: session(2), events: [event('one'), event('two', 'order', 'text/plain')] };
const keyed = { ...append, idempotencyKey: 'key 1', events: [event('drei – три')] };
const bodies: readonly (readonly [string, RequestBody])[] = [
  ['status', { operation: 'status' }],
  [REGISTER_SESSION_STEP, { operation: 'register-session' }],
  [
    'create a stream in a session',
    { operation: 'create-stream', stream: 'orders', dataClass: 'internal', session: session(1) },
  ],
  ['append in a session', two],
  ['the same number again', two],
  ['append with a key', keyed],
  ['the same key again', keyed],
  ['the same key with other events', { ...keyed, events: [event('other')] }],
  ['append without session or key, at an offset', { ...append, expectedOffset: 3, events: [event('four')] }],
  ['append at a wrong offset', { ...append, expectedOffset: 3, session: session(3), events: [event('five')] }],
  ['the same refused number again', { ...append, expectedOffset: 3, session: session(3), events: [event('five')] }],
  ['linearizable read', { ...read, linearizable: true }],
  ['committed read of a part', { ...read, linearizable: false, from: 1, limit: 2 }],
  ['read beyond the end', { ...read, linearizable: true, from: 99 }],
  ['read of no stream', { ...read, stream: 'nowhere', linearizable: true }],
  ['list', { operation: 'list-streams', linearizable: true, minCommitId: 0 }],
  ['a key that is there', { operation: 'lookup-key', idempotencyKey: 'key 1' }],
  ['a key that is not there', { operation: 'lookup-key', idempotencyKey: 'key 2' }],
  ['a session that never was', { ...append, session: { clientId: 5, requestNumber: 1 }, events: [event('x')] }],
  ['an append of nothing', { ...append, session: session(4), events: [] }],
  ['delete the stream', { operation: 'delete-stream', stream: 'orders', session: session(5) }],
];

const hello = {
  role: 'client',
  replica: ANY_REPLICA,
  replicaCount: 0,
  to: ANY_REPLICA,
  cluster: 0n,
  token: '',
} as const;
const steps: Omit<RecordedStep, 'answer'>[] = [
  { name: 'Hello', kind: FRAME_KINDS.hello, payload: encodeHello(hello).toString('hex') },
  { name: 'ping', kind: FRAME_KINDS.ping, payload: '' },
  ...bodies.map(([name, body], index) => {
    const payload = Buffer.from(encodeRequest({ id: index + 1, deadlineMs: 5_000, body }));
    const clientIdAt = payload.indexOf(CLIENT_ID_BYTES);
    const step = { name, kind: FRAME_KINDS.clientRequest as FrameKind, payload: payload.toString('hex') };
    return clientIdAt < 0 ? step : { ...step, clientIdAt };
  }),
  { name: 'an operation of no version', kind: FRAME_KINDS.clientRequest, payload: '0900000000000000fe' },
];

const cluster = await TestCluster.start({ replicas: 1 });
try {
  const answers = await play(cluster.addresses[0] as string, steps);
  const recorded: RecordedClient = {
    protocol: PROTOCOL_VERSION,
    about:
      'What a client of this version sent to a fresh server, and its answers. Frozen. test/e2e/older-client.test.ts plays it.',
    steps: steps.map((step, index) => {
      const { kind, payload } = answers[index] as { kind: FrameKind; payload: Buffer };
      return { ...step, answer: { kind, payload: payload.toString('hex') } };
    }),
  };
  writeFileSync(file, `${JSON.stringify(recorded, null, 2)}\n`);
  console.log(`${recorded.steps.length} steps in ${file.pathname}`);
} finally {
  await cluster.close();
}
