/**
 * One message as one frame, and back: the only door from a peer's bytes to a replica. Every field is bounded and checked
 * before use (protocol.md, "Input hardening"); what does not pass is a FrameError with a code that is counted, and never
 * moves a replica. Length prefixes on a stream are the transport's business.
 * Frame, little endian: magic u32, protocol version u8, type u8, from u8, to u8 (255: whom it reaches), cluster u64,
 * view u32, length of the fields u32, fields, CRC-32 over all before it.
 */
import { crc32Of, GENESIS_HASH, HASH_BYTES, hashesEqual } from '../crypto/hash.ts';
import { assert } from '../ports/assert.ts';
import { newBytes } from '../ports/byte-pool.ts';
import { readU32, readU64, SteadyU64, writeU32, writeU64 } from '../ports/little-endian.ts';
import { type Evidence, LockstepError } from '../ports/lockstep-error.ts';
import { OP_MAX, READ_ROUND_MAX, REPLICA_COUNT_MAX, VIEW_MAX } from './limits.ts';
import type { Message, MessageType } from './message.ts';
import {
  decodePrepare,
  encodedPrepareBytes,
  encodePrepare,
  PREPARE_BYTES_MAX,
  type Prepare,
  PrepareError,
} from './prepare.ts';

export type FrameErrorCode =
  | 'FRAME_TRUNCATED' // fewer bytes than header and checksum, or than the length promises
  | 'FRAME_OVERSIZED' // more than FRAME_BYTES_MAX, or a prepare with too large a batch
  | 'FRAME_BAD_LENGTH' // bytes left over, or a length that is not that of the message type
  | 'FRAME_BAD_MAGIC' // not a frame of this protocol
  | 'FRAME_UNKNOWN_VERSION' // another version of the protocol
  | 'FRAME_UNKNOWN_TYPE'
  | 'FRAME_BAD_CHECKSUM' // damaged on the way
  | 'FRAME_WRONG_CLUSTER'
  | 'FRAME_WRONG_SENDER' // no replica of this cluster, not the peer on the line, or one that may not say this in this view
  | 'FRAME_WRONG_ADDRESSEE' // to no replica, or to its sender, or addressed where nobody is meant
  | 'FRAME_FORGED_VIEW' // a logView or an entry's view above the message's own view
  | 'FRAME_FORGED_OP' // an op out of bounds, or op 0 with a hash, or a hash with op 0
  | 'FRAME_FORGED_COMMIT' // a commit out of bounds or above the op beside it
  | 'FRAME_FORGED_ROUND' // a round of reads out of bounds
  | 'FRAME_BAD_ENTRY' // an entry whose own fields are out of bounds
  | 'FRAME_BAD_PARENT' // an entry that begins the chain and is not op 1, or the reverse
  | 'FRAME_BAD_HASH'; // an entry whose hash is not its own

/** Bytes from a peer that are no message for this replica. */
export class FrameError extends LockstepError<FrameErrorCode> {}

export const PROTOCOL_VERSION = 1;
/** "LSVR" when read as bytes. */
const MAGIC = 0x5256534c;
const NOBODY = 255;
export const TYPE_AT = 5;
export const FROM_AT = 6;
const TO_AT = 7;
const CLUSTER_AT = 8;
export const VIEW_AT = 16;
const LENGTH_AT = 20;
export const FIELDS_AT = 24;
const CHECKSUM_BYTES = 4;
const FRAME_BYTES_MIN = FIELDS_AT + CHECKSUM_BYTES;
/** The largest frame: a Prepare or Entry with a full body. The transport refuses a longer length prefix unread. */
export const FRAME_BYTES_MAX = FRAME_BYTES_MIN + PREPARE_BYTES_MAX;

/** What holds for all frames of one type. */
interface FrameKind {
  readonly type: MessageType;
  /** Who alone says it. */
  readonly saidBy: 'primary' | 'backup' | 'anyone';
  /** Bytes of the fields; undefined for entries, which have their own length. */
  readonly fieldBytes: number | undefined;
  readonly isAddressed: boolean;
}

function frameKind(type: MessageType, saidBy: FrameKind['saidBy'], fieldBytes: number | undefined): FrameKind {
  return { type, saidBy, fieldBytes, isAddressed: type === 'RequestEntry' || type === 'Entry' };
}

/** Index is the type on the wire; 0 is never sent. */
const FRAME_KINDS: readonly (FrameKind | undefined)[] = [
  undefined,
  frameKind('Prepare', 'primary', undefined),
  frameKind('PrepareOk', 'backup', 8),
  frameKind('Commit', 'primary', 8),
  frameKind('StartViewChange', 'anyone', 0),
  frameKind('DoViewChange', 'backup', 4 + 8 + 8 + HASH_BYTES),
  frameKind('StartView', 'primary', 8 + HASH_BYTES),
  frameKind('RequestEntry', 'anyone', 8),
  frameKind('Entry', 'anyone', undefined),
  frameKind('RequestPrepare', 'backup', 8),
  frameKind('ReadRound', 'primary', 8),
  frameKind('ReadRoundOk', 'backup', 8),
];
export const TYPES: readonly (MessageType | undefined)[] = FRAME_KINDS.map((kind) => kind?.type);

/** Compared one by one, the commonest first: V8 takes longer for a search in a map of so few. */
function typeOnWire(type: MessageType): number {
  for (let number = 1; number < TYPES.length; number++) if (TYPES[number] === type) return number;
  assert(false, 'every type of message has its number');
}

const clusterField = new SteadyU64();

/** The frame of a message of ours: a field out of bounds is our bug, hence assertions. The body of an entry is copied once. */
export function encodeMessage(cluster: bigint, message: Message): Uint8Array {
  assert(message.from >= 0 && message.from < REPLICA_COUNT_MAX, 'the sender is a replica');
  assert(message.view >= 0 && message.view <= VIEW_MAX, 'a view is a u32');
  const type = typeOnWire(message.type);
  const isEntry = message.type === 'Prepare' || message.type === 'Entry';
  const fieldBytes = isEntry ? encodedPrepareBytes(message.entry) : (FRAME_KINDS[type]?.fieldBytes ?? 0);
  const frame = newBytes(FRAME_BYTES_MIN + fieldBytes);
  writeU32(frame, 0, MAGIC);
  frame[4] = PROTOCOL_VERSION;
  frame[TYPE_AT] = type;
  frame[FROM_AT] = message.from;
  frame[TO_AT] = message.type === 'Entry' || message.type === 'RequestEntry' ? message.to : NOBODY;
  clusterField.write(frame, CLUSTER_AT, cluster);
  writeU32(frame, VIEW_AT, message.view);
  writeU32(frame, LENGTH_AT, fieldBytes);
  writeFields(frame, message);
  const checked = frame.length - CHECKSUM_BYTES;
  writeU32(frame, checked, crc32Of(frame, checked));
  return frame;
}

/**
 * The message in a frame, or why it is none for this replica. Hashes and bodies are views of the frame, which must not
 * change afterwards; nothing is allocated by a length that the frame itself does not have.
 * @param peer the replica at the other end of the line, when the transport knows it
 * @throws FrameError and nothing else
 */
export function decodeMessage(frame: Uint8Array, cluster: bigint, replicaCount: number, peer?: number): Message {
  assert(replicaCount >= 1 && replicaCount <= REPLICA_COUNT_MAX, 'a cluster has 1 to REPLICA_COUNT_MAX replicas');
  checkEnvelope(frame);
  const kind = FRAME_KINDS[frame[TYPE_AT] as number];
  if (kind === undefined) fail('FRAME_UNKNOWN_TYPE', 'is of no known type', { type: frame[TYPE_AT] as number });
  const clusterNamed = clusterField.read(frame, CLUSTER_AT);
  if (clusterNamed !== cluster) {
    fail('FRAME_WRONG_CLUSTER', 'is of another cluster', { cluster: clusterNamed, expected: cluster });
  }
  const from = checkedSender(frame[FROM_AT] as number, readU32(frame, VIEW_AT), kind, replicaCount, peer);
  const to = checkedAddressee(frame[TO_AT] as number, from, kind, replicaCount);
  const length = frame.length - FRAME_BYTES_MIN;
  const { type, fieldBytes: expected } = kind;
  if (expected !== undefined && length !== expected) {
    fail('FRAME_BAD_LENGTH', 'has not the length of its type', { type, length, expected });
  }
  return readFields(frame, type, from, to, cluster);
}

/** Everything that holds for frames of all types, the checksum last: what it covers is bounded by then. */
function checkEnvelope(frame: Uint8Array): void {
  const bytes = frame.length;
  if (bytes < FRAME_BYTES_MIN) fail('FRAME_TRUNCATED', 'is cut in its header', { bytes, expected: FRAME_BYTES_MIN });
  if (bytes > FRAME_BYTES_MAX) fail('FRAME_OVERSIZED', 'is too long', { bytes, maximum: FRAME_BYTES_MAX });
  const magic = readU32(frame, 0);
  if (magic !== MAGIC) fail('FRAME_BAD_MAGIC', 'is not of this protocol', { magic });
  const version = frame[4] as number;
  if (version !== PROTOCOL_VERSION) {
    fail('FRAME_UNKNOWN_VERSION', 'is of another protocol version', { version, expected: PROTOCOL_VERSION });
  }
  const expected = FRAME_BYTES_MIN + readU32(frame, LENGTH_AT);
  if (bytes < expected) fail('FRAME_TRUNCATED', 'is cut in its fields', { bytes, expected });
  if (bytes > expected) fail('FRAME_BAD_LENGTH', 'has bytes left over', { bytes, expected });
  const checked = bytes - CHECKSUM_BYTES;
  const checksum = readU32(frame, checked);
  const actual = crc32Of(frame, checked);
  if (checksum !== actual) fail('FRAME_BAD_CHECKSUM', 'is damaged', { expected: checksum, actual });
}

/** The one that says what only a primary says is the primary of that view, and what only a backup says is not. */
function checkedSender(from: number, view: number, kind: FrameKind, replicaCount: number, peer?: number): number {
  if (from >= replicaCount) fail('FRAME_WRONG_SENDER', 'is from no replica of this cluster', { from, replicaCount });
  if (peer !== undefined && from !== peer) {
    fail('FRAME_WRONG_SENDER', 'is not from the replica on the line', { from, peer });
  }
  const primary = view % replicaCount;
  const { type, saidBy } = kind;
  if (saidBy === 'primary' && from !== primary) {
    fail('FRAME_WRONG_SENDER', 'is what only the primary says', { from, view, primary, type });
  }
  if (saidBy === 'backup' && from === primary) {
    fail('FRAME_WRONG_SENDER', 'is what only a backup says', { from, view, type });
  }
  return from;
}

function checkedAddressee(to: number, from: number, { type, isAddressed }: FrameKind, replicaCount: number): number {
  const right = isAddressed ? to < replicaCount && to !== from : to === NOBODY;
  if (!right) fail('FRAME_WRONG_ADDRESSEE', 'is for nobody here', { to, from, type });
  return to;
}

function writeFields(frame: Uint8Array, message: Message): void {
  switch (message.type) {
    case 'Prepare':
    case 'Entry':
      assert(message.op === message.entry.op, 'the op of the message is that of its entry');
      assert(message.entry.view <= message.view, 'an entry is not of a later view');
      frame.set(encodePrepare(message.entry), FIELDS_AT);
      return;
    case 'PrepareOk':
    case 'RequestEntry':
    case 'RequestPrepare':
      writeOp(frame, FIELDS_AT, message.op);
      return;
    case 'Commit':
      writeOp(frame, FIELDS_AT, message.commit);
      return;
    case 'ReadRound':
    case 'ReadRoundOk':
      assert(message.round >= 1 && message.round <= READ_ROUND_MAX, 'a round is from 1 to READ_ROUND_MAX');
      writeU64(frame, FIELDS_AT, message.round);
      return;
    case 'StartViewChange':
      return;
    case 'DoViewChange':
      writeU32(frame, FIELDS_AT, message.logView);
      writeOp(frame, FIELDS_AT + 4, message.commit);
      writeEnd(frame, FIELDS_AT + 12, message);
      return;
    case 'StartView':
      writeEnd(frame, FIELDS_AT, message);
      return;
  }
}

function readFields(frame: Uint8Array, type: MessageType, from: number, to: number, cluster: bigint): Message {
  const view = readU32(frame, VIEW_AT);
  switch (type) {
    case 'Prepare': {
      const entry = readEntry(frame, view, cluster);
      return { type, from, view, op: entry.op, entry };
    }
    case 'Entry': {
      const entry = readEntry(frame, view, cluster);
      return { type, from, to, view, op: entry.op, entry };
    }
    case 'PrepareOk':
      return { type, from, view, op: readOp(frame, FIELDS_AT, 0) };
    case 'RequestEntry':
      return { type, from, to, view, op: readOp(frame, FIELDS_AT, 1) };
    case 'RequestPrepare':
      return { type, from, view, op: readOp(frame, FIELDS_AT, 1) };
    case 'Commit':
      return { type, from, view, commit: readCommit(frame, FIELDS_AT, OP_MAX) };
    case 'ReadRound':
    case 'ReadRoundOk':
      return { type, from, view, round: readRound(frame, FIELDS_AT) };
    case 'StartViewChange':
      return { type, from, view };
    case 'DoViewChange': {
      const logView = readU32(frame, FIELDS_AT);
      if (logView > view) fail('FRAME_FORGED_VIEW', 'names a logView above its view', { logView, view });
      const end = readEnd(frame, FIELDS_AT + 12);
      const { op, hash } = end;
      return { type, from, view, logView, op, hash, commit: readCommit(frame, FIELDS_AT + 4, op) };
    }
    case 'StartView': {
      const { op, hash } = readEnd(frame, FIELDS_AT);
      return { type, from, view, op, hash };
    }
  }
}

/** An entry takes the rest of the frame. */
function readEntry(frame: Uint8Array, view: number, cluster: bigint): Prepare {
  const entry = decodedEntry(frame.subarray(FIELDS_AT, frame.length - CHECKSUM_BYTES));
  if (entry.cluster !== cluster) {
    fail('FRAME_WRONG_CLUSTER', 'holds an entry of another cluster', { cluster: entry.cluster, expected: cluster });
  }
  if (entry.view > view) fail('FRAME_FORGED_VIEW', 'holds an entry of a later view', { entryView: entry.view, view });
  return entry;
}

const ENTRY_CODES: Readonly<Record<PrepareError['code'], FrameErrorCode>> = {
  PREPARE_TRUNCATED: 'FRAME_TRUNCATED',
  PREPARE_BAD_LENGTH: 'FRAME_BAD_LENGTH',
  PREPARE_OVERSIZED: 'FRAME_OVERSIZED',
  PREPARE_BAD_CLUSTER: 'FRAME_WRONG_CLUSTER',
  PREPARE_BAD_OP: 'FRAME_FORGED_OP',
  PREPARE_BAD_TIMESTAMP: 'FRAME_BAD_ENTRY',
  PREPARE_BAD_PARENT: 'FRAME_BAD_PARENT',
  PREPARE_BAD_HASH: 'FRAME_BAD_HASH',
};

function decodedEntry(bytes: Uint8Array): Prepare {
  try {
    return decodePrepare(bytes);
  } catch (cause) {
    if (!(cause instanceof PrepareError)) throw cause;
    throw new FrameError(ENTRY_CODES[cause.code], `a frame: ${cause.message}`, cause.evidence, cause);
  }
}

function writeOp(frame: Uint8Array, at: number, op: number): void {
  assert(op >= 0 && op <= OP_MAX, 'an op is from 0 to OP_MAX');
  writeU64(frame, at, op);
}

function readOp(frame: Uint8Array, at: number, least: number): number {
  const op = readU64(frame, at);
  if (op < least || op > OP_MAX) fail('FRAME_FORGED_OP', 'names an op out of bounds', { op, least, maximum: OP_MAX });
  return op;
}

function readRound(frame: Uint8Array, at: number): number {
  const round = readU64(frame, at);
  if (round >= 1 && round <= READ_ROUND_MAX) return round;
  return fail('FRAME_FORGED_ROUND', 'names a round of reads out of bounds', { round, maximum: READ_ROUND_MAX });
}

function readCommit(frame: Uint8Array, at: number, most: number): number {
  const commit = readU64(frame, at);
  if (commit > most) fail('FRAME_FORGED_COMMIT', 'names a commit out of bounds', { commit, maximum: most });
  return commit;
}

/** The end of a log: its op and the hash there. */
function writeEnd(frame: Uint8Array, at: number, end: { op: number; hash: Uint8Array }): void {
  assert(end.hash.length === HASH_BYTES, 'a hash is 32 bytes');
  writeOp(frame, at, end.op);
  frame.set(end.hash, at + 8);
}

function readEnd(frame: Uint8Array, at: number): { op: number; hash: Uint8Array } {
  const op = readOp(frame, at, 0);
  const hash = frame.subarray(at + 8, at + 8 + HASH_BYTES);
  if (hashesEqual(hash, GENESIS_HASH) !== (op === 0)) {
    fail('FRAME_FORGED_OP', 'names an end of a log that cannot be: exactly op 0 has the genesis hash', { op });
  }
  return { op, hash };
}

function fail(code: FrameErrorCode, what: string, evidence: Evidence): never {
  throw new FrameError(code, `a frame ${what}; it is dropped`, evidence);
}
