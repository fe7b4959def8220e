/**
 * One record of the log as bytes, and the hash that chains it to the one before. Pure; specs/AppendLog.tla calls it a record
 * with its parent. Little endian, in this order:
 *   offset u64 | previous hash 32 | kind u8 | compression u8 (0 none, 1 lz4) | length u32 | payload | crc32 u32
 * length counts the payload as stored; crc32 covers everything before it.
 * Chain hash = SHA-256 over the record as it stands uncompressed, without its crc, in the order of storing: offset,
 * previous hash, kind, compression (always 0 here), length (of the uncompressed payload), payload. So the hash does not
 * depend on whether a copy of the log is compressed, and an uncompressed record is hashed in place.
 */
import { compressSync, uncompressSync } from 'lz4-napi';
import { crc32, HASH_BYTES, hashText, sha256 } from '../crypto/hash.ts';
import { assert } from '../ports/assert.ts';
import { newBytes } from '../ports/byte-pool.ts';
import { readU32, writeU32, writeU64 } from '../ports/little-endian.ts';
import { AppendLogError } from './append-log-error.ts';

const PREVIOUS_AT = 8;
const KIND_AT = PREVIOUS_AT + HASH_BYTES;
const COMPRESSION_AT = KIND_AT + 1;
const LENGTH_AT = COMPRESSION_AT + 1;
export const RECORD_HEADER_BYTES = LENGTH_AT + 4;
export const RECORD_CRC_BYTES = 4;
export const RECORD_FRAME_BYTES = RECORD_HEADER_BYTES + RECORD_CRC_BYTES;
/** Payload bytes below which lz4 is not tried: its own prefix and token eat what it could win. */
const COMPRESS_BYTES_MIN = 64;
/** lz4-napi puts the uncompressed size, u32, before the block. */
const LZ4_PREFIX_BYTES = 4;

export const COMPRESSION_NONE = 0;
export const COMPRESSION_LZ4 = 1;

export interface NewRecord {
  /** 1..255, the log does not interpret it. Not 0, so that no record begins like a place that was never written. */
  readonly kind: number;
  readonly payload: Uint8Array;
}

export interface EncodedRecord {
  readonly bytes: Uint8Array;
  readonly hash: Uint8Array;
}

export interface DecodedRecord {
  readonly offset: number;
  readonly kind: number;
  /** Uncompressed; a view into the bytes that were decoded when it was stored so. */
  readonly payload: Uint8Array;
  readonly previousHash: Uint8Array;
  /** Chain hash, computed when it is asked for. */
  readonly hash: Uint8Array;
  /** Bytes of the whole record as stored. */
  readonly sizeBytes: number;
}

/**
 * @param offset sequence number of the record, from 0
 * @param previousHash chain hash of the record before, GENESIS_HASH for the first
 * @param compress whether lz4 may be tried; it is kept only when smaller
 */
export function encodeRecord(
  offset: number,
  previousHash: Uint8Array,
  record: NewRecord,
  compress: boolean,
): EncodedRecord {
  assert(Number.isSafeInteger(offset) && offset >= 0, 'an offset counts from 0');
  assert(previousHash.length === HASH_BYTES, 'a previous hash has 32 bytes');
  assert(Number.isInteger(record.kind) && record.kind > 0 && record.kind <= 255, 'a kind is 1..255');
  const plain = frameOf(offset, previousHash, record.kind, COMPRESSION_NONE, record.payload);
  const hashed = withoutCrc(plain);
  const hash = sha256(hashed);
  const packed = compress ? compressed(record.payload) : undefined;
  const bytes = packed === undefined ? plain : frameOf(offset, previousHash, record.kind, COMPRESSION_LZ4, packed);
  const crc = crc32(bytes === plain ? hashed : withoutCrc(bytes)); // the same bytes are cut out once
  writeU32(bytes, bytes.length - RECORD_CRC_BYTES, crc);
  return { bytes, hash };
}

/** Where a record that may be wrong stands: for the evidence. */
export interface RecordPlace {
  readonly file: string;
  /** Byte position in the file. */
  readonly position: number;
}

/** Size of the record whose header begins at `at`, as its length field says; undefined when the header is not all there. */
export function claimedSize(bytes: Uint8Array, at: number): number | undefined {
  if (at + RECORD_HEADER_BYTES > bytes.length) return undefined;
  return RECORD_FRAME_BYTES + readU32(bytes, at + LENGTH_AT);
}

/** The offset field of a header at `at`, whatever it says; -1 when it is beyond 2^53. */
export function claimedOffset(bytes: Uint8Array, at: number): number {
  const high = readU32(bytes, at + 4);
  return high >= 0x200000 ? -1 : high * 0x1_0000_0000 + readU32(bytes, at);
}

/** Whether fields, bounds and crc of the record at `at` hold for any offset: it is one that a log once wrote. */
export function isWholeRecord(bytes: Uint8Array, at: number, payloadBytesMax: number): boolean {
  const size = claimedSize(bytes, at);
  if (size === undefined || size > RECORD_FRAME_BYTES + payloadBytesMax || at + size > bytes.length) return false;
  const compression = bytes[at + COMPRESSION_AT];
  if (compression !== COMPRESSION_NONE && compression !== COMPRESSION_LZ4) return false;
  const crcAt = at + size - RECORD_CRC_BYTES;
  return readU32(bytes, crcAt) === crc32(bytes.subarray(at, crcAt));
}

/**
 * Decodes the record that begins at `at` and checks it before anything of it is used: header fields, bounds, crc, chain.
 * @param expected offset and previous hash that it must have
 * @throws AppendLogError APPEND_LOG_HEADER_INVALID, _CRC_MISMATCH, _CHAIN_BROKEN
 */
export function decodeRecord(
  bytes: Uint8Array,
  at: number,
  expected: { readonly offset: number; readonly previousHash: Uint8Array; readonly payloadBytesMax: number },
  place: RecordPlace,
  checks: { readonly crc: boolean; readonly chain: boolean } = { crc: true, chain: true },
): DecodedRecord {
  const { offset } = expected;
  const size = claimedSize(bytes, at);
  if (size === undefined) throw invalid(place, offset, 'bytes of the header', RECORD_HEADER_BYTES, bytes.length - at);
  const claimed = claimedOffset(bytes, at);
  if (claimed !== offset) throw invalid(place, offset, 'offset', offset, claimed);
  const compression = bytes[at + COMPRESSION_AT] as number;
  if (compression !== COMPRESSION_NONE && compression !== COMPRESSION_LZ4)
    throw invalid(place, offset, 'compression', 1, compression);
  if (size > RECORD_FRAME_BYTES + expected.payloadBytesMax)
    throw invalid(place, offset, 'length', expected.payloadBytesMax, size - RECORD_FRAME_BYTES);
  if (at + size > bytes.length) throw invalid(place, offset, 'bytes of the record', size, bytes.length - at);

  const crcAt = at + size - RECORD_CRC_BYTES;
  const checked = bytes.subarray(at, crcAt);
  const crcStored = readU32(bytes, crcAt);
  const crcActual = crc32(checked);
  if (checks.crc && crcStored !== crcActual)
    throw new AppendLogError(
      'APPEND_LOG_CRC_MISMATCH',
      `${place.file}: record ${offset} at byte ${place.position}: the crc does not hold; the record is damaged or torn`,
      { file: place.file, offset, position: place.position, expected: crcStored, actual: crcActual },
    );
  if (checks.chain && !chainsTo(checked, expected.previousHash))
    throw new AppendLogError(
      'APPEND_LOG_CHAIN_BROKEN',
      `${place.file}: record ${offset} at byte ${place.position}: its previous hash is not the hash of record ${offset - 1}`,
      {
        file: place.file,
        offset,
        position: place.position,
        expected: hashText(expected.previousHash),
        actual: hashText(checked.subarray(PREVIOUS_AT, KIND_AT)),
      },
    );
  const kind = checked[KIND_AT] as number;
  if (compression === COMPRESSION_NONE) return new CheckedRecord(offset, kind, size, checked, undefined);
  const stored = checked.subarray(RECORD_HEADER_BYTES);
  const payload = uncompressed(stored, expected.payloadBytesMax);
  if (payload === undefined) throw invalid(place, offset, 'lz4 block', expected.payloadBytesMax, stored.length);
  return new CheckedRecord(offset, kind, size, checked, payload);
}

/** Whether the previous hash in these bytes of a record is this one. */
function chainsTo(record: Uint8Array, hash: Uint8Array): boolean {
  for (let at = 0; at < HASH_BYTES; at++) if (record[PREVIOUS_AT + at] !== hash[at]) return false;
  return true;
}

function invalid(place: RecordPlace, offset: number, what: string, wanted: number, actual: number): AppendLogError {
  return new AppendLogError(
    'APPEND_LOG_HEADER_INVALID',
    `${place.file}: record ${offset} at byte ${place.position}: ${what} is ${actual}, expected ${wanted}`,
    { file: place.file, offset, position: place.position, field: what, expected: wanted, actual },
  );
}

/**
 * Its parts are cut out when they are asked for, a typed array each: opening a log needs of every record its hash alone, and
 * who reads its payload seldom needs that.
 */
class CheckedRecord implements DecodedRecord {
  readonly offset: number;
  readonly kind: number;
  readonly sizeBytes: number;
  /** As stored, without its crc. */
  readonly #checked: Uint8Array;
  readonly #isCompressed: boolean;
  #payload: Uint8Array | undefined;
  #hash: Uint8Array | undefined;

  /** @param unpacked the payload of a record that is stored compressed */
  constructor(offset: number, kind: number, sizeBytes: number, checked: Uint8Array, unpacked: Uint8Array | undefined) {
    this.offset = offset;
    this.kind = kind;
    this.sizeBytes = sizeBytes;
    this.#checked = checked;
    this.#isCompressed = unpacked !== undefined;
    this.#payload = unpacked;
  }

  get payload(): Uint8Array {
    this.#payload ??= this.#checked.subarray(RECORD_HEADER_BYTES);
    return this.#payload;
  }

  get previousHash(): Uint8Array {
    return this.#checked.subarray(PREVIOUS_AT, KIND_AT);
  }

  get hash(): Uint8Array {
    this.#hash ??= sha256(this.#isCompressed ? this.#plain() : this.#checked);
    return this.#hash;
  }

  #plain(): Uint8Array {
    return withoutCrc(frameOf(this.offset, this.previousHash, this.kind, COMPRESSION_NONE, this.payload));
  }
}

/** A copy of the record's bytes as it would stand with this offset, previous hash and, unless undefined, this length. */
export function withHeader(
  bytes: Uint8Array,
  offset: number,
  previousHash: Uint8Array,
  length: number | undefined,
): Uint8Array {
  const copy = Uint8Array.from(bytes);
  writeU64(copy, 0, offset);
  copy.set(previousHash, PREVIOUS_AT);
  if (length !== undefined) writeU32(copy, LENGTH_AT, length);
  return copy;
}

function withoutCrc(record: Uint8Array): Uint8Array {
  return record.subarray(0, record.length - RECORD_CRC_BYTES);
}

/** A frame with everything but its crc. */
function frameOf(
  offset: number,
  previousHash: Uint8Array,
  kind: number,
  compression: number,
  payload: Uint8Array,
): Uint8Array {
  const bytes = newBytes(RECORD_FRAME_BYTES + payload.length);
  writeU64(bytes, 0, offset);
  bytes.set(previousHash, PREVIOUS_AT);
  bytes[KIND_AT] = kind;
  bytes[COMPRESSION_AT] = compression;
  writeU32(bytes, LENGTH_AT, payload.length);
  bytes.set(payload, RECORD_HEADER_BYTES);
  return bytes;
}

function compressed(payload: Uint8Array): Uint8Array | undefined {
  if (payload.length < COMPRESS_BYTES_MIN) return undefined;
  const packed = compressSync(bufferOf(payload));
  return packed.length < payload.length ? packed : undefined;
}

/** undefined when the block is none, or when it claims more than the bound: that is asked before memory is taken. */
function uncompressed(stored: Uint8Array, payloadBytesMax: number): Uint8Array | undefined {
  if (stored.length < LZ4_PREFIX_BYTES) return undefined;
  const claimed = readU32(stored, 0);
  if (claimed > payloadBytesMax) return undefined;
  try {
    const payload = uncompressSync(bufferOf(stored));
    return payload.length === claimed ? payload : undefined;
  } catch {
    return undefined;
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
