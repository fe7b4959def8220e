/**
 * How a backup hands commands to the primary over the peer connection, and how the outcome comes back. Mirrors no spec
 * module. A command that came this way is never handed on again: the primary takes it or says that it is none.
 *   ForwardRequest: u32 id | u32 deadlineMs | u8 kind (0 command, 1 barrier) | command bytes
 *   ForwardResult:  u32 id | u8 kind | fields
 */
import { ByteReader, ByteWriter, malformed } from '../wire/bytes.ts';
import type { Failure } from '../wire/request.ts';

export interface ForwardRequest {
  /** The backup's own number, unique among those that wait. */
  readonly id: number;
  /** Milliseconds that the request may still take. */
  readonly deadlineMs: number;
  /** An encoded command of impl/kernel; undefined asks for a read barrier. */
  readonly command: Uint8Array | undefined;
}

export type ForwardResult = { readonly id: number } & (
  | { readonly kind: 'applied'; readonly op: number; readonly hash: Uint8Array; readonly result: unknown }
  | { readonly kind: 'failed'; readonly failure: Failure }
  | { readonly kind: 'not-primary' }
);

const HASH_BYTES = 32;
const KINDS = ['applied', 'failed', 'not-primary'] as const;

export function encodeForwardRequest({ id, deadlineMs, command }: ForwardRequest): Buffer {
  const writer = new ByteWriter(16 + (command?.byteLength ?? 0)).u32(id).u32(deadlineMs);
  return command === undefined ? writer.u8(1).done() : writer.u8(0).raw(command).done();
}

/** @throws WireError WIRE_MALFORMED */
export function decodeForwardRequest(payload: Buffer): ForwardRequest {
  const reader = new ByteReader(payload);
  const id = reader.u32('id');
  const deadlineMs = reader.u32('deadlineMs');
  const kind = reader.u8('kind');
  if (kind > 1) throw malformed('kind', 'is unknown');
  if (kind === 0) return { id, deadlineMs, command: reader.rest() };
  reader.end();
  return { id, deadlineMs, command: undefined };
}

export function encodeForwardResult(forwarded: ForwardResult): Buffer {
  const writer = new ByteWriter(256).u32(forwarded.id).u8(KINDS.indexOf(forwarded.kind));
  if (forwarded.kind === 'applied') {
    writer.u64(forwarded.op).raw(forwarded.hash).bytes(json(forwarded.result));
  } else if (forwarded.kind === 'failed') writer.bytes(json(forwarded.failure));
  return writer.done();
}

/** @throws WireError WIRE_MALFORMED */
export function decodeForwardResult(payload: Buffer): ForwardResult {
  const reader = new ByteReader(payload);
  const id = reader.u32('id');
  const kind = KINDS[reader.u8('kind')];
  if (kind === undefined) throw malformed('kind', 'is unknown');
  const forwarded = ((): ForwardResult => {
    if (kind === 'not-primary') return { id, kind };
    if (kind === 'failed') return { id, kind, failure: parsed(reader) as Failure };
    return { id, kind, op: reader.u64('op'), hash: reader.raw(HASH_BYTES, 'hash'), result: parsed(reader) };
  })();
  reader.end();
  return forwarded;
}

/** null stands for undefined: a barrier has no result. */
function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value ?? null, (_, field) => (typeof field === 'bigint' ? String(field) : field)));
}

function parsed(reader: ByteReader): unknown {
  const bytes = reader.bytes('json');
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    throw malformed('json', 'is not JSON');
  }
}
