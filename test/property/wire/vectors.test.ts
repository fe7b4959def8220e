/**
 * Goal: the bytes of docs/protocol.md are the bytes of the code, in both directions, so that a client of another language can
 * be held to test/vectors/protocol.json alone. Method: every vector encoded and decoded; every operation has one of each kind.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  type AnswerOf,
  decodeResponse,
  encodeAnswer,
  encodeFailure,
  type Failure,
  responseId,
} from '../../../impl/wire/answer.ts';
import { encodeFrame, FRAME_KINDS, type FrameKind, FrameReader } from '../../../impl/wire/frame.ts';
import {
  decodeGoodbye,
  decodeHello,
  encodeGoodbye,
  encodeHello,
  type Goodbye,
  type Hello,
  PROTOCOL_VERSION,
} from '../../../impl/wire/hello.ts';
import { decodeRequest, encodeRequest, OPERATIONS, type Operation, type Request } from '../../../impl/wire/request.ts';

interface Vector {
  readonly name: string;
  readonly kind: 'hello' | 'goodbye' | 'ping' | 'pong' | 'request' | 'response';
  readonly fields: Readonly<Record<string, unknown>>;
  readonly payload: string;
  readonly frame: string;
}

const file = new URL('../../vectors/protocol.json', import.meta.url);
const { protocol, vectors } = JSON.parse(readFileSync(file, 'utf8')) as {
  protocol: number;
  vectors: readonly Vector[];
};
const BYTE_FIELDS: ReadonlySet<string> = new Set(['data', 'hash']);
const FRAME_KIND_OF: Readonly<Record<Vector['kind'], FrameKind>> = {
  hello: FRAME_KINDS.hello,
  goodbye: FRAME_KINDS.goodbye,
  ping: FRAME_KINDS.ping,
  pong: FRAME_KINDS.pong,
  request: FRAME_KINDS.clientRequest,
  response: FRAME_KINDS.clientResponse,
};

/** As in the file: bytes in hexadecimal, cluster in decimal, nothing that is undefined. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (typeof value === 'bigint') return String(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(fields.map(([name, field]) => [name, plain(field)]));
}

function rich(value: unknown, name = ''): unknown {
  if (name === 'cluster') return BigInt(value as string);
  if (BYTE_FIELDS.has(name)) return Buffer.from(value as string, 'hex');
  if (Array.isArray(value)) return value.map((item) => rich(item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([field, inner]) => [field, rich(inner, field)]));
}

function encoded({ kind, fields }: Vector): Uint8Array {
  const value = rich(fields);
  switch (kind) {
    case 'hello':
      return encodeHello(value as Hello);
    case 'goodbye':
      return encodeGoodbye(value as Goodbye);
    case 'ping':
    case 'pong':
      return new Uint8Array(0);
    case 'request':
      return encodeRequest(value as Request);
    case 'response': {
      const { id, operation, applied, failure } = value as {
        id: number;
        operation: Operation;
        applied?: AnswerOf[Operation];
        failure?: Failure;
      };
      return failure === undefined
        ? encodeAnswer(id, operation, applied as AnswerOf[Operation])
        : encodeFailure(id, failure);
    }
  }
}

function decoded({ kind, fields }: Vector, payload: Buffer): unknown {
  switch (kind) {
    case 'hello':
      return decodeHello(payload);
    case 'goodbye':
      return decodeGoodbye(payload);
    case 'ping':
    case 'pong':
      return {};
    case 'request':
      return decodeRequest(payload);
    case 'response': {
      const operation = fields.operation as Operation;
      return { id: responseId(payload), operation, ...decodeResponse(payload, operation) };
    }
  }
}

describe('test vectors of the protocol', () => {
  it('are of this version', () => expect(protocol).toBe(PROTOCOL_VERSION));

  it.each(vectors)('$kind, $name: fields to bytes', (vector) => {
    const payload = encoded(vector);
    expect(Buffer.from(payload).toString('hex')).toBe(vector.payload);
    expect(encodeFrame(FRAME_KIND_OF[vector.kind], payload).toString('hex')).toBe(vector.frame);
  });

  it.each(vectors)('$kind, $name: bytes to fields', (vector) => {
    const frames: { kind: FrameKind; payload: Buffer }[] = [];
    new FrameReader().push(Buffer.from(vector.frame, 'hex'), (kind, payload) => frames.push({ kind, payload }));
    expect(frames.map(({ kind }) => kind)).toEqual([FRAME_KIND_OF[vector.kind]]);
    const payload = (frames[0] as { payload: Buffer }).payload;
    expect(payload.toString('hex')).toBe(vector.payload);
    expect(plain(decoded(vector, payload))).toEqual(vector.fields);
  });

  it('each operation has a request and an answer', () => {
    const requests = vectors.filter(({ kind }) => kind === 'request');
    const answered = vectors.filter(({ kind, fields }) => kind === 'response' && 'applied' in fields);
    const asked = requests.map(({ fields }) => (fields.body as { operation: Operation }).operation);
    expect(new Set(asked)).toEqual(new Set(OPERATIONS));
    expect(new Set(answered.map(({ fields }) => fields.operation))).toEqual(new Set(OPERATIONS));
  });
});
