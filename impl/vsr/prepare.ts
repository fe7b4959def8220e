/**
 * One entry of the replicated log: header, chain hash and body. Mirrors `entry` of Vsr.tla: view, parent; the body and its
 * client stand for the spec's `value`, and the hash for "the entry and everything before it".
 * hash = SHA-256 over parent (32), op u64, view u32, timestamp u64, client u64, request u32, body; little endian.
 * Encoded: cluster u64, body length u32, hash 32, then exactly what is hashed. A batch of commands is impl/kernel's business.
 */
import { GENESIS_HASH, HASH_BYTES, hashesEqual, sha256 } from '../crypto/hash.ts';
import { assert } from '../ports/assert.ts';
import { newBytes } from '../ports/byte-pool.ts';
import { readU32, readU64, SteadyU64, writeU32, writeU64 } from '../ports/little-endian.ts';
import { LockstepError } from '../ports/lockstep-error.ts';
import { OP_MAX, PREPARE_BODY_BYTES_MAX, REQUEST_MAX, TIMESTAMP_MS_MAX, U64_MAX, VIEW_MAX } from './limits.ts';

export interface Prepare {
  /** u64, not 0. */
  readonly cluster: bigint;
  /** The view whose primary made it. */
  readonly view: number;
  /** From 1. */
  readonly op: number;
  /** Hash of the prepare before; 32 zero bytes for op 1. */
  readonly parent: Uint8Array;
  readonly hash: Uint8Array;
  /** Milliseconds since the epoch, stamped by the primary. */
  readonly timestamp: number;
  /** u64. */
  readonly client: bigint;
  /** u32, the client's own number of the request. */
  readonly request: number;
  /** 0..PREPARE_BODY_BYTES_MAX bytes; after decoding a view of the bytes decoded. */
  readonly body: Uint8Array;
}

export type PrepareErrorCode =
  | 'PREPARE_TRUNCATED' // fewer bytes than the header or the body length promises
  | 'PREPARE_BAD_LENGTH' // more bytes than that
  | 'PREPARE_OVERSIZED' // body length over PREPARE_BODY_BYTES_MAX
  | 'PREPARE_BAD_CLUSTER' // cluster 0
  | 'PREPARE_BAD_OP' // op 0 or over OP_MAX
  | 'PREPARE_BAD_TIMESTAMP' // over TIMESTAMP_MS_MAX
  | 'PREPARE_BAD_PARENT' // op 1 does not begin the chain, or another op does
  | 'PREPARE_BAD_HASH'; // the hash is not that of header and body

/** Bytes that are no prepare: from a peer or from a disk. */
export class PrepareError extends LockstepError<PrepareErrorCode> {}

const BODY_LENGTH_AT = 8;
export const HASH_AT = 12;
export const PARENT_AT = HASH_AT + HASH_BYTES;
export const OP_AT = PARENT_AT + HASH_BYTES;
export const VIEW_AT = OP_AT + 8;
const TIMESTAMP_AT = VIEW_AT + 4;
const CLIENT_AT = TIMESTAMP_AT + 8;
const REQUEST_AT = CLIENT_AT + 8;
export const PREPARE_HEADER_BYTES = REQUEST_AT + 4;
export const PREPARE_BYTES_MAX = PREPARE_HEADER_BYTES + PREPARE_BODY_BYTES_MAX;
const clusterField = new SteadyU64();
const clientField = new SteadyU64();

/**
 * A prepare that was made or decoded here, with its encoding: so a body is copied once on its way to the log (primary) or
 * never (backup). A copy of its fields, such as a spread, is encoded anew.
 */
class EncodedPrepare implements Prepare {
  readonly cluster: bigint;
  readonly view: number;
  readonly op: number;
  readonly parent: Uint8Array;
  readonly hash: Uint8Array;
  readonly timestamp: number;
  readonly client: bigint;
  readonly request: number;
  readonly body: Uint8Array;
  readonly #encoding: Uint8Array;

  /** @param encoding whose header is that of the fields; hash and body are views of it */
  constructor(fields: Omit<Prepare, 'hash' | 'body'>, encoding: Uint8Array) {
    this.cluster = fields.cluster;
    this.view = fields.view;
    this.op = fields.op;
    this.parent = fields.parent;
    this.hash = encoding.subarray(HASH_AT, PARENT_AT);
    this.timestamp = fields.timestamp;
    this.client = fields.client;
    this.request = fields.request;
    this.body = encoding.subarray(PREPARE_HEADER_BYTES);
    this.#encoding = encoding;
  }

  static encodingOf(prepare: Prepare): Uint8Array | undefined {
    return #encoding in prepare ? prepare.#encoding : undefined;
  }
}

/** A prepare with its hash computed. The body is copied into the encoding, and becomes a view of it. */
export function newPrepare(fields: Omit<Prepare, 'hash'>): Prepare {
  const bytes = newBytes(PREPARE_HEADER_BYTES + fields.body.length);
  writeHashedFields(bytes, fields);
  writeFields(bytes, fields.cluster, sha256(bytes.subarray(PARENT_AT)), fields.body.length);
  return new EncodedPrepare(fields, bytes);
}

export function encodedPrepareBytes(prepare: Prepare): number {
  return PREPARE_HEADER_BYTES + prepare.body.length;
}

/** The encoding, shared: nobody writes to it. */
export function encodePrepare(prepare: Prepare): Uint8Array {
  const present = EncodedPrepare.encodingOf(prepare);
  if (present !== undefined) return present;
  const bytes = newBytes(encodedPrepareBytes(prepare));
  writeHashedFields(bytes, prepare);
  writeFields(bytes, prepare.cluster, prepare.hash, prepare.body.length);
  return bytes;
}

/**
 * Reads exactly one prepare: every field bounded, hash checked. parent, hash and body are views of bytes, which must not
 * change afterwards.
 * @throws PrepareError and nothing else
 */
export function decodePrepare(bytes: Uint8Array): Prepare {
  if (bytes.length < PREPARE_HEADER_BYTES) {
    fail('PREPARE_TRUNCATED', 'is cut in its header', { bytes: bytes.length, expected: PREPARE_HEADER_BYTES });
  }
  const bodyLength = readU32(bytes, BODY_LENGTH_AT);
  if (bodyLength > PREPARE_BODY_BYTES_MAX) {
    fail('PREPARE_OVERSIZED', 'has too large a body', { bodyLength, maximum: PREPARE_BODY_BYTES_MAX });
  }
  const length = PREPARE_HEADER_BYTES + bodyLength;
  if (bytes.length < length) {
    fail('PREPARE_TRUNCATED', 'is cut in its body', { bytes: bytes.length, expected: length });
  }
  if (bytes.length > length) {
    fail('PREPARE_BAD_LENGTH', 'has bytes after its body', { bytes: bytes.length, expected: length });
  }
  const fields = {
    cluster: clusterField.read(bytes, 0),
    view: readU32(bytes, VIEW_AT),
    op: readU64(bytes, OP_AT),
    parent: bytes.subarray(PARENT_AT, PARENT_AT + HASH_BYTES),
    timestamp: readU64(bytes, TIMESTAMP_AT),
    client: clientField.read(bytes, CLIENT_AT),
    request: readU32(bytes, REQUEST_AT),
  };
  check(fields);
  const prepare = new EncodedPrepare(fields, bytes);
  if (!hashesEqual(sha256(bytes.subarray(PARENT_AT)), prepare.hash)) {
    fail('PREPARE_BAD_HASH', 'has a hash that is not its own', { op: prepare.op });
  }
  return prepare;
}

function check({ cluster, op, timestamp, parent }: Omit<Prepare, 'hash' | 'body'>): void {
  if (cluster === 0n) fail('PREPARE_BAD_CLUSTER', 'names cluster 0', {});
  if (op === 0 || op > OP_MAX) fail('PREPARE_BAD_OP', 'has an op out of bounds', { op, maximum: OP_MAX });
  if (timestamp > TIMESTAMP_MS_MAX) fail('PREPARE_BAD_TIMESTAMP', 'has a timestamp out of bounds', { op, timestamp });
  if (hashesEqual(parent, GENESIS_HASH) !== (op === 1)) {
    fail('PREPARE_BAD_PARENT', 'has a parent that cannot be: exactly op 1 has the genesis hash', { op });
  }
}

function writeFields(target: Uint8Array, cluster: bigint, hash: Uint8Array, bodyLength: number): void {
  assert(cluster > 0n && cluster <= U64_MAX, 'a cluster is a u64 from 1');
  assert(hash.length === HASH_BYTES, 'a hash is 32 bytes');
  clusterField.write(target, 0, cluster);
  writeU32(target, BODY_LENGTH_AT, bodyLength);
  target.set(hash, HASH_AT);
}

function writeHashedFields(target: Uint8Array, fields: Omit<Prepare, 'hash'>): void {
  assert(fields.op >= 1 && fields.op <= OP_MAX, 'an op is from 1 to OP_MAX');
  assert(fields.view >= 0 && fields.view <= VIEW_MAX, 'a view is a u32');
  assert(fields.timestamp >= 0 && fields.timestamp <= TIMESTAMP_MS_MAX, 'a timestamp is from 0 to TIMESTAMP_MS_MAX');
  assert(fields.client >= 0n && fields.client <= U64_MAX, 'a client is a u64');
  assert(fields.request >= 0 && fields.request <= REQUEST_MAX, 'a request number is a u32');
  assert(fields.parent.length === HASH_BYTES, 'a parent hash is 32 bytes');
  assert(fields.body.length <= PREPARE_BODY_BYTES_MAX, 'a body is at most PREPARE_BODY_BYTES_MAX');
  target.set(fields.parent, PARENT_AT);
  writeU64(target, OP_AT, fields.op);
  writeU32(target, VIEW_AT, fields.view);
  writeU64(target, TIMESTAMP_AT, fields.timestamp);
  clientField.write(target, CLIENT_AT, fields.client);
  writeU32(target, REQUEST_AT, fields.request);
  target.set(fields.body, PREPARE_HEADER_BYTES);
}

function fail(code: PrepareErrorCode, what: string, evidence: PrepareError['evidence']): never {
  throw new PrepareError(code, `a prepare ${what}; it is refused`, evidence);
}
