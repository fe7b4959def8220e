/**
 * How a backup hands commands to the primary over the peer connection, and how the outcome comes back. Mirrors no spec
 * module. A command that came this way is never handed on again: the primary takes it or says that it is none.
 *   ForwardRequest: u64 process | u32 id | u32 deadlineMs | u8 kind (0 command, 1 barrier, 2 read) | command bytes
 *   ForwardResult:  u64 process | u32 id | u8 kind | fields
 * The process is part of the name: a backup that restarts counts from 1 again, and the answer to a request of its last life
 * must not end one of this life (found by simulation: traces/sim/answer-of-another-life).
 */

import type { Failure } from '../wire/answer.ts';
import { ByteReader, ByteWriter, malformed } from '../wire/bytes.ts';
import { jsonIn, jsonOf } from '../wire/json-field.ts';
import { appendedIn, appendedJson } from './appended-json.ts';

/** Names a request among all that a backup ever hands on. */
interface ForwardName {
  /** 53 bits of chance, drawn when the backup's process started. */
  readonly process: number;
  /** The backup's own number, unique among those that wait. */
  readonly id: number;
}

export interface ForwardRequest extends ForwardName {
  /** Milliseconds that the request may still take. */
  readonly deadlineMs: number;
  /** An encoded command of impl/kernel; a barrier, which is an op of the log; a read, which is a round of the primary. */
  readonly command: Uint8Array | 'barrier' | 'read';
}

/** Numbers of reads begin here, those of commands and barriers end before: an answer finds who asked by its number. */
export const READ_IDS_FROM = 0x8000_0000;

export type ForwardResult = ForwardName &
  (
    | { readonly kind: 'applied'; readonly op: number; readonly hash: Uint8Array; readonly result: unknown }
    | { readonly kind: 'read-at'; readonly commitId: number }
    | { readonly kind: 'failed'; readonly failure: Failure }
    | { readonly kind: 'not-primary' }
  );

const HASH_BYTES = 32;
const KINDS = ['applied', 'failed', 'not-primary', 'read-at'] as const;
/** Without the command. */
const REQUEST_BYTES = 17;
/** Of most results; a longer one makes the writer grow. */
const RESULT_BYTES = 160;
const REQUEST_KINDS = { command: 0, barrier: 1, read: 2 } as const;

export function encodeForwardRequest({ process, id, deadlineMs, command }: ForwardRequest): Uint8Array {
  const bytes = typeof command === 'string' ? 0 : command.length;
  const writer = new ByteWriter(REQUEST_BYTES + bytes).u64(process).u32(id).u32(deadlineMs);
  if (typeof command === 'string') return writer.u8(REQUEST_KINDS[command]).done();
  return writer.u8(REQUEST_KINDS.command).raw(command).done();
}

/** @throws WireError WIRE_MALFORMED */
export function decodeForwardRequest(payload: Uint8Array): ForwardRequest {
  const reader = new ByteReader(payload);
  const process = reader.u64('process');
  const id = reader.u32('id');
  const deadlineMs = reader.u32('deadlineMs');
  const kind = reader.u8('kind');
  if (kind === REQUEST_KINDS.command) return { process, id, deadlineMs, command: reader.rest() };
  if (kind !== REQUEST_KINDS.barrier && kind !== REQUEST_KINDS.read) throw malformed('kind', 'is unknown');
  reader.end();
  return { process, id, deadlineMs, command: kind === REQUEST_KINDS.read ? 'read' : 'barrier' };
}

export function encodeForwardResult(forwarded: ForwardResult): Uint8Array {
  const writer = new ByteWriter(RESULT_BYTES).u64(forwarded.process).u32(forwarded.id);
  writer.u8(KINDS.indexOf(forwarded.kind));
  if (forwarded.kind === 'applied') writeApplied(writer, forwarded);
  else if (forwarded.kind === 'failed') writer.bytes(jsonOf(forwarded.failure));
  else if (forwarded.kind === 'read-at') writer.u64(forwarded.commitId);
  return writer.done();
}

/** @throws WireError WIRE_MALFORMED */
export function decodeForwardResult(payload: Uint8Array): ForwardResult {
  const reader = new ByteReader(payload);
  const process = reader.u64('process');
  const id = reader.u32('id');
  const kind = KINDS[reader.u8('kind')];
  if (kind === undefined) throw malformed('kind', 'is unknown');
  const forwarded = readResult(reader, process, id, kind);
  reader.end();
  return forwarded;
}

function readResult(reader: ByteReader, process: number, id: number, kind: ForwardResult['kind']): ForwardResult {
  if (kind === 'not-primary') return { process, id, kind };
  if (kind === 'read-at') return { process, id, kind, commitId: reader.u64('commitId') };
  if (kind === 'failed') return { process, id, kind, failure: jsonIn(reader.bytes('json'), 'json') as Failure };
  const op = reader.u64('op');
  const hash = reader.raw(HASH_BYTES, 'hash');
  return { process, id, kind, op, hash, result: resultIn(reader.bytes('json')) };
}

function writeApplied(writer: ByteWriter, { op, hash, result }: Extract<ForwardResult, { kind: 'applied' }>): void {
  const appended = appendedJson(result);
  // null stands for undefined: a barrier has no result.
  const json = appended === undefined ? jsonOf(result ?? null) : Buffer.from(appended, 'latin1');
  writer.u64(op).raw(hash).bytes(json);
}

function resultIn(bytes: Uint8Array): unknown {
  return appendedIn(bytes) ?? jsonIn(bytes, 'json');
}
