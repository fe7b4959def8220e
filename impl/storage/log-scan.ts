/**
 * Reads a log file from its first byte and says where the log ends, and why: specs/AppendLog.tla, FileIsWhole, TailIsTorn and
 * DamageBeforeTail. Verifies every record (header, bounds, crc, chain) before it shows it to the caller. Changes nothing.
 *
 * The end of the log in a preallocated file. Zeros mean: not written.
 *   whole    after the last record there are only zeros.
 *   torn     after the last record stand bytes that are no whole record, and nothing speaks for damage: what a crash left of
 *            a batch that was not synced. It may be cut; nothing in it was ever acknowledged.
 *   damaged  after the last good record stand bytes that a torn write cannot have left:
 *            1. a whole record follows somewhere behind them, or
 *            2. they stand where the caller knows records to be durable, or
 *            3. they are all of a record: its crc holds and its place in the chain does not, or its header is right and its
 *               bytes go on to its end, or it would hold with the right offset, previous hash or length.
 * Of a doubt it makes damage: a log that halts needs a person, a log that cuts an acknowledged record is wrong for ever.
 * What it cannot tell: damage that looks like a torn write in the very last record; the caller's bound (2) is for that.
 */
import { GENESIS_HASH } from '../crypto/hash.ts';
import type { DiskFile } from '../ports/disk.ts';
import { AppendLogError } from './append-log-error.ts';
import {
  claimedOffset,
  claimedSize,
  type DecodedRecord,
  decodeRecord,
  isWholeRecord,
  RECORD_CRC_BYTES,
  RECORD_FRAME_BYTES,
  RECORD_HEADER_BYTES,
  withHeader,
} from './log-record.ts';
import { CHUNK_BYTES, ReadWindow, readBytes } from './read-window.ts';

export interface LogScan {
  readonly verdict: 'whole' | 'torn' | 'damaged';
  /** Good records from the start of the file. */
  readonly records: number;
  /** Position after the last good record. */
  readonly endBytes: number;
  readonly headHash: Uint8Array;
  /** Bytes after endBytes up to the last one that is not zero: 0 when whole. */
  readonly tornBytes: number;
  /** What is wrong with the first bad record; undefined when whole. */
  readonly reason?: AppendLogError;
}

export interface ScanOptions {
  readonly payloadBytesMax: number;
  /** Records that the caller knows to be durable; fewer are damage. */
  readonly recordsDurableMin?: number;
  readonly faults?: ReadonlySet<string>;
  /** Records are valid while they are visited only: a log of any length is scanned in the memory of one window. */
  readonly reuses?: boolean;
}

/** @param visit called with each good record in order and the position where it begins. */
export function scanLog(
  file: DiskFile,
  options: ScanOptions,
  visit: (record: DecodedRecord, position: number) => void,
): LogScan {
  const { payloadBytesMax, faults } = options;
  const window = new ReadWindow(file, { reuses: options.reuses ?? false });
  const checks = { crc: faults?.has('crc-not-checked') !== true, chain: faults?.has('chain-not-checked') !== true };
  let position = 0;
  let records = 0;
  let headHash: Uint8Array = GENESIS_HASH;
  let reason: AppendLogError | undefined;
  while (position + RECORD_FRAME_BYTES <= file.sizeBytes) {
    let at = window.load(position, RECORD_HEADER_BYTES);
    const size = claimedSize(window.bytes, at) ?? 0;
    if (size === RECORD_FRAME_BYTES && isZero(window.bytes, at, at + RECORD_HEADER_BYTES)) break;
    if (size <= RECORD_FRAME_BYTES + payloadBytesMax) at = window.load(position, size);
    try {
      const expected = { offset: records, previousHash: headHash, payloadBytesMax };
      const record = decodeRecord(window.bytes, at, expected, { file: file.path, position }, checks);
      visit(record, position);
      headHash = record.hash;
      position += record.sizeBytes;
      records++;
    } catch (cause) {
      if (!(cause instanceof AppendLogError)) throw cause;
      reason = cause;
      break;
    }
  }
  const writtenTo = lastWritten(file, window, position);
  const endBytes = position;
  const tornBytes = writtenTo - position;
  const missing = (options.recordsDurableMin ?? 0) > records;
  if (writtenTo === position && !missing) return { verdict: 'whole', records, endBytes, headHash, tornBytes };
  reason ??= missing
    ? recordsMissing(file, records, options.recordsDurableMin ?? 0)
    : zeroHeader(file, records, position);
  if (faults?.has('cut-at-first-bad-crc') === true)
    return { verdict: 'torn', records, endBytes, headHash, tornBytes, reason };
  const bad = { position, writtenTo, offset: records, headHash };
  const damaged = missing || isAllOfARecord(file, bad, payloadBytesMax) || recordFollows(file, bad, payloadBytesMax);
  const verdict = damaged ? 'damaged' : 'torn';
  return { verdict, records, endBytes, headHash, tornBytes, reason };
}

interface BadPlace {
  readonly position: number;
  readonly writtenTo: number;
  /** The record that should stand here, and the hash that it should chain to. */
  readonly offset: number;
  readonly headHash: Uint8Array;
}

/** Rule 3: these bytes are a whole record in which something is wrong. */
function isAllOfARecord(file: DiskFile, bad: BadPlace, payloadBytesMax: number): boolean {
  const bytes = readBytes(file, bad.position, RECORD_FRAME_BYTES + payloadBytesMax);
  const size = claimedSize(bytes, 0);
  if (size === undefined) return false;
  if (isWholeRecord(bytes, 0, payloadBytesMax)) return true;
  const repaired = withHeader(bytes, bad.offset, bad.headHash, undefined);
  const headerRight = repaired.subarray(0, 40).every((byte, at) => bytes[at] === byte);
  const reach = bad.writtenTo - bad.position;
  if (headerRight && size <= RECORD_FRAME_BYTES + payloadBytesMax && size <= reach) return true;
  if (isWholeRecord(repaired, 0, payloadBytesMax)) return true;
  // A crc may end in zeros, so the end of the record is at most four bytes behind the last written byte.
  for (let end = reach; end <= reach + RECORD_CRC_BYTES; end++) {
    if (end < RECORD_FRAME_BYTES || end > bytes.length) continue;
    if (isWholeRecord(withHeader(bytes, bad.offset, bad.headHash, end - RECORD_FRAME_BYTES), 0, payloadBytesMax))
      return true;
  }
  return false;
}

/** Rule 1: whether a whole record begins anywhere behind the bad place. */
function recordFollows(file: DiskFile, bad: BadPlace, payloadBytesMax: number): boolean {
  const recordBytesMax = RECORD_FRAME_BYTES + payloadBytesMax;
  const offsetMax = bad.offset + Math.ceil((bad.writtenTo - bad.position) / RECORD_FRAME_BYTES);
  for (let from = bad.position + 1; from < bad.writtenTo; from += CHUNK_BYTES) {
    const bytes = readBytes(file, from, CHUNK_BYTES + recordBytesMax);
    const last = Math.min(CHUNK_BYTES, bad.writtenTo - from, bytes.length - RECORD_FRAME_BYTES + 1);
    for (let at = 0; at < last; at++) {
      if (bytes[at + 7] !== 0 || bytes[at + 6] !== 0) continue; // an offset below 2^48; most bytes fail here
      const offset = claimedOffset(bytes, at);
      if (offset <= bad.offset || offset > offsetMax) continue;
      if (isWholeRecord(bytes, at, payloadBytesMax)) return true;
    }
  }
  return false;
}

/** Position after the last byte that is not zero, `from` when there is none behind it. */
function lastWritten(file: DiskFile, window: ReadWindow, from: number): number {
  let end = from;
  for (let position = from; position < file.sizeBytes; position += CHUNK_BYTES) {
    const count = Math.min(CHUNK_BYTES, file.sizeBytes - position);
    const at = window.load(position, count);
    const bytes = window.bytes.subarray(at, at + count);
    if (isZero(bytes, 0, bytes.length)) continue;
    let last = bytes.length - 1;
    while (bytes[last] === 0) last--;
    end = position + last + 1;
  }
  return end;
}

const ZEROS = Buffer.alloc(CHUNK_BYTES);

function isZero(bytes: Uint8Array, from: number, to: number): boolean {
  return ZEROS.compare(bytes, from, to, 0, to - from) === 0;
}

function zeroHeader(file: DiskFile, offset: number, position: number): AppendLogError {
  return new AppendLogError(
    'APPEND_LOG_HEADER_INVALID',
    `${file.path}: record ${offset} at byte ${position}: the header is zeros, and bytes follow it`,
    { file: file.path, offset, position, field: 'header', expected: 'a record or zeros to the end', actual: 'zeros' },
  );
}

function recordsMissing(file: DiskFile, records: number, known: number): AppendLogError {
  return new AppendLogError(
    'APPEND_LOG_RECORDS_MISSING',
    `${file.path}: ${records} good records, and ${known} are known to be durable; do not write to this file, restore it`,
    { file: file.path, expected: known, actual: records },
  );
}
