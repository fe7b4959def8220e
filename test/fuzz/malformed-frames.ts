/**
 * Bytes that no client, peer or browser of ours would send, from a seed, by kind. What happens to be well-formed after all is
 * not malformed and is drawn anew: the real decoders say so. Nothing here may move the state of a cluster.
 */
import { SimulatedRandom } from '../../impl/ports/simulated-random.ts';
import { decodeForwardRequest, decodeForwardResult } from '../../impl/server/forward.ts';
import { decodeMessage, encodeMessage } from '../../impl/vsr/codec.ts';
import { encodeFrame, FRAME_KINDS, type FrameKind } from '../../impl/wire/frame.ts';
import { ANY_REPLICA, encodeHello, type Hello } from '../../impl/wire/hello.ts';
import { decodeRequest, encodeRequest, type RequestBody } from '../../impl/wire/request.ts';

export interface Target {
  readonly cluster: bigint;
  readonly replicaCount: number;
  /** The replica that is written to. */
  readonly replica: number;
  /** Whom a false peer says to be. */
  readonly posesAs: number;
}

/** Bytes for one connection. */
export interface Malformed {
  readonly kind: string;
  readonly bytes: Buffer;
  /** How many malformed frames or requests they are. */
  readonly count: number;
  /** We end the connection ourselves: the other side may be waiting for the rest. */
  readonly weEnd: boolean;
}

const RANDOM_BYTES_MAX = 300;
/** Malformed messages that one connection of a false peer brings: they are dropped, and the connection stays. */
const MESSAGES_EACH = 100;
/** Requests that one connection brings which are whole and refused for what they say: the connection stays. */
const REQUESTS_EACH = 100;
const HTTP_REQUESTS_EACH = 50;

const BODIES: readonly RequestBody[] = [
  {
    operation: 'append',
    stream: 'no-such-stream',
    expectedOffset: 7,
    idempotencyKey: 'k',
    session: { clientId: 1, requestNumber: 1 },
    events: [{ data: Buffer.from('an event'), type: 'type', contentType: 'text/plain' }],
  },
  { operation: 'read', stream: 'no-such-stream', from: 3, limit: 10, linearizable: true, minCommitId: 0, waitMs: 0 },
  { operation: 'create-stream', stream: 'never-made', dataClass: '', session: { clientId: 1, requestNumber: 2 } },
  { operation: 'delete-stream', stream: 'no-such-stream' },
  { operation: 'list-streams', linearizable: true },
  { operation: 'lookup-key', idempotencyKey: 'never' },
];

type Draw = (random: SimulatedRandom, target: Target) => Malformed;

const clientHello = (target: Target): Hello => ({
  role: 'client',
  replica: ANY_REPLICA,
  replicaCount: 0,
  to: ANY_REPLICA,
  cluster: target.cluster,
});
const peerHello = ({ cluster, replicaCount, posesAs, replica }: Target): Hello => ({
  role: 'peer',
  replica: posesAs,
  replicaCount,
  to: replica,
  cluster,
});
const helloFrame = (hello: Hello): Buffer => encodeFrame(FRAME_KINDS.hello, encodeHello(hello));

function pick<T>(random: SimulatedRandom, all: readonly T[]): T {
  return all[random.below(all.length)] as T;
}

function isDecoded(decode: () => unknown): boolean {
  try {
    decode();
    return true;
  } catch {
    return false;
  }
}

function mutated(random: SimulatedRandom, bytes: Buffer): Buffer {
  const changed = Buffer.from(bytes);
  for (let times = 1 + random.below(4); times > 0; times--) {
    const at = random.below(changed.byteLength);
    changed[at] = (changed[at] as number) ^ (1 + random.below(255));
  }
  return changed;
}

/** Drawn until the decoder refuses it; a copy of nothing when it never does. */
function undecodable(random: SimulatedRandom, draw: () => Buffer, decode: (bytes: Buffer) => unknown): Buffer {
  for (let tries = 0; tries < 50; tries++) {
    const bytes = draw();
    if (bytes.byteLength === 0 || !isDecoded(() => decode(bytes))) return bytes;
  }
  return Buffer.from(random.bytes(1));
}

function oversized(random: SimulatedRandom): Buffer {
  const head = Buffer.from(random.bytes(9 + random.below(64)));
  head.writeUInt32LE(5 * 1024 * 1024 + random.below(2 ** 31), 0);
  return head;
}

function badRequest(random: SimulatedRandom): Buffer {
  const draw = (): Buffer => {
    const payload = Buffer.from(encodeRequest({ id: random.below(1_000), deadlineMs: 0, body: pick(random, BODIES) }));
    return random.chance(300) ? payload.subarray(0, random.below(payload.byteLength)) : mutated(random, payload);
  };
  return undecodable(random, draw, decodeRequest);
}

const one = (kind: string, bytes: Buffer, weEnd = false): Malformed => ({ kind, bytes, count: 1, weEnd });

/** Whole frames and whole requests that no server may take, whatever its state: refused before the log. */
const REFUSED: readonly RequestBody[] = [
  { operation: 'append', stream: 'served', expectedOffset: undefined, idempotencyKey: '', events: [] },
  {
    operation: 'append',
    stream: 'served',
    expectedOffset: undefined,
    idempotencyKey: 'ключ',
    events: [{ data: Buffer.from('x'), type: '', contentType: '' }],
  },
  {
    operation: 'append',
    stream: 'served',
    expectedOffset: undefined,
    idempotencyKey: '',
    events: [{ data: Buffer.alloc(0), type: '', contentType: '' }],
  },
  {
    operation: 'append',
    stream: 'served',
    expectedOffset: Number.MAX_SAFE_INTEGER,
    idempotencyKey: '',
    events: [{ data: Buffer.alloc(140 * 1024), type: '', contentType: '' }],
  },
  { operation: 'read', stream: 'served', from: 0, limit: 0, linearizable: true },
  { operation: 'read', stream: 'served', from: 0, limit: 0xffff_ffff, linearizable: false },
  { operation: 'create-stream', stream: '../../etc', dataClass: '' },
  { operation: 'create-stream', stream: 'a'.repeat(60_000), dataClass: '' },
  { operation: 'create-stream', stream: 'ok', dataClass: 'NOT LOWER CASE' },
  { operation: 'delete-stream', stream: '' },
];

const CLIENT: readonly Draw[] = [
  (random, target) => {
    const frames = Array.from({ length: REQUESTS_EACH }, (_, id) =>
      encodeFrame(
        FRAME_KINDS.clientRequest,
        encodeRequest({ id: id + 1, deadlineMs: 0, body: pick(random, REFUSED.slice(random.chance(100) ? 0 : 4)) }),
      ),
    );
    const bytes = Buffer.concat([helloFrame(clientHello(target)), ...frames]);
    return { kind: 'requests that are refused', bytes, count: REQUESTS_EACH, weEnd: true };
  },
  (random) => one('random bytes first', Buffer.from(random.bytes(9 + random.below(RANDOM_BYTES_MAX))), true),
  (random, target) => {
    const hello = encodeFrame(FRAME_KINDS.hello, encodeHello(clientHello(target)));
    const rest = Buffer.from(random.bytes(9 + random.below(RANDOM_BYTES_MAX)));
    return one('random bytes after Hello', Buffer.concat([hello, rest]), true);
  },
  (random, target) => one('mutated Hello', mutatedHello(random, clientHello(target))),
  (random, target) => {
    const frame = encodeFrame(
      FRAME_KINDS.clientRequest,
      encodeRequest({ id: 1, deadlineMs: 0, body: pick(random, BODIES) }),
    );
    return one('mutated frame', Buffer.concat([helloFrame(clientHello(target)), mutated(random, frame)]), true);
  },
  (random, target) => {
    const frame = encodeFrame(FRAME_KINDS.clientRequest, badRequest(random));
    return one('mutated request, sealed anew', Buffer.concat([helloFrame(clientHello(target)), frame]));
  },
  (random, target) => {
    const whole = encodeFrame(
      FRAME_KINDS.clientRequest,
      encodeRequest({ id: 1, deadlineMs: 0, body: pick(random, BODIES) }),
    );
    const cut = whole.subarray(0, 1 + random.below(whole.byteLength - 1));
    return one('cut', Buffer.concat([helloFrame(clientHello(target)), cut]), true);
  },
  (random) => one('oversized first', oversized(random)),
  (random, target) => one('oversized', Buffer.concat([helloFrame(clientHello(target)), oversized(random)])),
  (random, target) => {
    const kind = pick<number>(random, [1, 5, 6, 7, 9, 10, 77, 255]) as FrameKind;
    const frame = encodeFrame(kind, random.bytes(random.below(RANDOM_BYTES_MAX)));
    return one('a kind that clients do not send', Buffer.concat([helloFrame(clientHello(target)), frame]));
  },
  (random) => {
    const frame = encodeFrame(FRAME_KINDS.clientRequest, badRequest(random));
    return one('no Hello', frame);
  },
];

function mutatedHello(random: SimulatedRandom, hello: Hello): Buffer {
  const payload = encodeHello(hello);
  // Only what has to be right: a count of replicas may be anything in a client's, and a higher maxVersion is welcome.
  const at = pick(random, [0, 1, 2, 3, 5, 8, 12, 13, 14, 15, 16, 17, 18, 19, 21]);
  payload[at] = (payload[at] as number) ^ (2 + random.below(254));
  return encodeFrame(FRAME_KINDS.hello, payload);
}

const MESSAGES: readonly ((target: Target) => Buffer)[] = [
  ({ cluster, posesAs: from }) => Buffer.from(encodeMessage(cluster, { type: 'Commit', from, view: 1, commit: 3 })),
  ({ cluster, posesAs: from }) => Buffer.from(encodeMessage(cluster, { type: 'PrepareOk', from, view: 1, op: 3 })),
  ({ cluster, posesAs: from }) => Buffer.from(encodeMessage(cluster, { type: 'StartViewChange', from, view: 9 })),
];

/** Many on one connection: a message of a peer that is none is dropped and counted, and the connection stays. */
function messages(kind: string, payloadOf: (random: SimulatedRandom, target: Target) => Buffer): Draw {
  return (random, target) => {
    const frames = Array.from({ length: MESSAGES_EACH }, () =>
      encodeFrame(FRAME_KINDS.replica, payloadOf(random, target)),
    );
    const bytes = Buffer.concat([helloFrame(peerHello(target)), ...frames]);
    return { kind, bytes, count: MESSAGES_EACH, weEnd: true };
  };
}

const PEER: readonly Draw[] = [
  messages('messages of random bytes', (random) => Buffer.from(random.bytes(random.below(RANDOM_BYTES_MAX)))),
  messages('mutated messages', (random, target) =>
    undecodable(
      random,
      () => mutated(random, pick(random, MESSAGES)(target)),
      (bytes) => decodeMessage(bytes, target.cluster, target.replicaCount, target.posesAs),
    ),
  ),
  messages('cut messages', (random, target) => {
    const whole = pick(random, MESSAGES)(target);
    return whole.subarray(0, random.below(whole.byteLength));
  }),
  (random, target) => one('mutated Hello of a peer', mutatedPeerHello(random, target)),
  (random, target) => {
    const payload = undecodable(
      random,
      () => Buffer.from(random.bytes(random.below(64))),
      random.chance(500) ? decodeForwardRequest : decodeForwardResult,
    );
    const kind = isDecoded(() => decodeForwardRequest(payload))
      ? FRAME_KINDS.forwardResult
      : FRAME_KINDS.forwardRequest;
    return one(
      'forwarded requests and results',
      Buffer.concat([helloFrame(peerHello(target)), encodeFrame(kind, payload)]),
    );
  },
  (random, target) => one('oversized of a peer', Buffer.concat([helloFrame(peerHello(target)), oversized(random)])),
  (random, target) => {
    const frame = mutated(random, encodeFrame(FRAME_KINDS.replica, pick(random, MESSAGES)(target)));
    return one('mutated frame of a peer', Buffer.concat([helloFrame(peerHello(target)), frame]), true);
  },
  (random, target) => {
    const whole = encodeFrame(FRAME_KINDS.replica, pick(random, MESSAGES)(target));
    const cut = whole.subarray(0, 1 + random.below(whole.byteLength - 1));
    return one('cut frame of a peer', Buffer.concat([helloFrame(peerHello(target)), cut]), true);
  },
];

function mutatedPeerHello(random: SimulatedRandom, target: Target): Buffer {
  const payload = encodeHello(peerHello(target));
  const at = pick(random, [0, 1, 2, 3, 5, 10, 11, 12, 16, 19, 21]);
  payload[at] = (payload[at] as number) ^ (8 + random.below(248));
  return encodeFrame(FRAME_KINDS.hello, payload);
}

const HTTP_PATHS = ['/v1/nowhere', '/v2/streams', '/../../etc/passwd', '//', '/v1/streams/a/b/c'];
const HTTP_BODIES = [
  '{',
  '[]',
  '{"events":1}',
  '{"events":[{"data":7}]}',
  '{"name":"bad name!"}',
  '\u0000',
  '"',
  'null',
];

/** Refused by what they say; the connection stays, so many go on one. */
function httpRequest(random: SimulatedRandom): string {
  switch (random.below(5)) {
    case 0: {
      const body = pick(random, HTTP_BODIES);
      const type = pick(random, ['application/json', 'text/plain', 'application/xml', '']);
      return `POST /v1/streams/no-such-stream/events HTTP/1.1\r\nhost: x\r\ncontent-type: ${type}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
    }
    case 1:
      return `${pick(random, ['PUT', 'PATCH', 'DELETE', 'OPTIONS'])} /v1/nowhere HTTP/1.1\r\nhost: x\r\n\r\n`;
    case 2:
      return `GET /v1/streams/${pick(random, ['%00', '%2e%2e', 'a%20b', '-', '%ff'])}/events HTTP/1.1\r\nhost: x\r\n\r\n`;
    case 3:
      return `GET /v1/streams/no-such-stream/events?${pick(random, ['from=-1', 'from=1e99', 'limit=0', 'limit=x', 'what=1', 'consistency=no'])} HTTP/1.1\r\nhost: x\r\n\r\n`;
    default:
      return `GET ${pick(random, HTTP_PATHS)} HTTP/1.1\r\nhost: x\r\n\r\n`;
  }
}

const HTTP: readonly Draw[] = [
  (random) => ({
    kind: 'requests that are refused',
    bytes: Buffer.from(Array.from({ length: HTTP_REQUESTS_EACH }, () => httpRequest(random)).join('')),
    count: HTTP_REQUESTS_EACH,
    weEnd: true,
  }),
  (random) => one('random bytes', Buffer.from(random.bytes(16 + random.below(RANDOM_BYTES_MAX))), true),
  (random) => one('mutated request line', mutated(random, Buffer.from('GET /health HTTP/1.1\r\n')), true),
  (random) => {
    const whole = Buffer.from(httpRequest(random));
    return one('cut', whole.subarray(0, 1 + random.below(whole.byteLength - 1)), true);
  },
  (random) =>
    one('header bomb', Buffer.from(`GET /health HTTP/1.1\r\nx: ${'y'.repeat(17_000 + random.below(9_000))}\r\n\r\n`)),
  () =>
    one(
      'a body that is announced too large',
      Buffer.from(
        'POST /v1/streams HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99999999\r\n\r\n{',
      ),
      true,
    ),
  (random) =>
    one(
      'two lengths, bad chunks',
      Buffer.from(
        `POST /v1/streams HTTP/1.1\r\nhost: x\r\n${pick(random, ['content-length: 5\r\ncontent-length: 6', 'content-length: -1', 'transfer-encoding: chunked\r\ncontent-length: 3', 'transfer-encoding: gzip'])}\r\n\r\nZZZ\r\n`,
      ),
      true,
    ),
  (random) =>
    one('TLS to a plain port', Buffer.concat([Buffer.of(0x16, 3, 1, 2, 0), Buffer.from(random.bytes(200))]), true),
];

export const PORTS = { client: CLIENT, peer: PEER, http: HTTP } as const;
export type Port = keyof typeof PORTS;

/** Endless; the same seed, the same bytes. */
export function* malformedFor(port: Port, target: Target, seed: number): Generator<Malformed, never, undefined> {
  const random = new SimulatedRandom(seed);
  for (;;) yield pick<Draw>(random, PORTS[port])(random, target);
}
