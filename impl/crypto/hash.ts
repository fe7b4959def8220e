/**
 * The crypto boundary of what is built so far: SHA-256 and CRC-32. On Node the hot path is node:crypto and node:zlib; the
 * portable reference (@noble, and a table for CRC-32) runs in a browser too. test/property/crypto holds them equal.
 */
import { type BinaryToTextEncoding, createHash, hash as hashAtOnce } from 'node:crypto';
import { crc32 as zlibCrc32 } from 'node:zlib';
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';

export const HASH_BYTES = 32;
/** Of a chunk whose CRC-32 is computed here: calling zlib takes as long as this many bytes. Measured on Node 20. */
const CRC_HERE_BYTES_MAX = 160;
/** Little endian, as any 16 bits: half as many characters to read as bytes. Node takes every encoding, its types name four. */
const TWO_BYTES_A_CHARACTER = 'utf16le' as string as BinaryToTextEncoding;
const scratch = Buffer.allocUnsafeSlow(HASH_BYTES);
/** Parent of the first record of every chain. */
export const GENESIS_HASH: Uint8Array = new Uint8Array(HASH_BYTES);

/** SHA-256 over the chunks in order. */
export function sha256(...chunks: readonly Uint8Array[]): Uint8Array {
  const [only] = chunks;
  // As text, two bytes a character: an array of 32 bytes made here is three times faster than a Buffer made there.
  if (only !== undefined && chunks.length === 1) return bytesOf(hashAtOnce('sha256', only, TWO_BYTES_A_CHARACTER));
  const hash = createHash('sha256');
  for (const chunk of chunks) hash.update(chunk);
  return bytesOf(hash.digest(TWO_BYTES_A_CHARACTER));
}

function bytesOf(digest: string): Uint8Array {
  const bytes = new Uint8Array(HASH_BYTES);
  for (let at = 0; at < HASH_BYTES; at += 2) {
    const pair = digest.charCodeAt(at >>> 1);
    bytes[at] = pair;
    bytes[at + 1] = pair >>> 8;
  }
  return bytes;
}

/** SHA-256 in full lower-case hexadecimal. */
export function sha256Text(bytes: Uint8Array): string {
  return hashAtOnce('sha256', bytes, 'hex');
}

/** CRC-32 (ISO 3309, as in zlib and PNG). */
export function crc32(chunk: Uint8Array): number {
  return chunk.length <= CRC_HERE_BYTES_MAX ? crc32Here(chunk, chunk.length) : zlibCrc32(chunk);
}

/** CRC-32 of so many bytes from the beginning: of a short chunk without a view of it, which takes V8 longer than they do. */
export function crc32Of(chunk: Uint8Array, length: number): number {
  return length <= CRC_HERE_BYTES_MAX ? crc32Here(chunk, length) : zlibCrc32(chunk.subarray(0, length));
}

/** By `length`, asked once: on Node 20 each `byteLength` of a typed array is a call, ten times what comparing a byte takes. */
export function hashesEqual(a: Uint8Array, b: Uint8Array): boolean {
  const { length } = a;
  if (length !== b.length) return false;
  for (let at = 0; at < length; at++) if (a[at] !== b[at]) return false;
  return true;
}

/** Full lower-case hexadecimal. */
export function hashText(hash: Uint8Array): string {
  if (hash.length !== HASH_BYTES) return Buffer.from(hash).toString('hex');
  scratch.set(hash); // its own buffer may not exist yet, and would have to be made
  return scratch.toString('hex');
}

export function sha256Portable(...chunks: readonly Uint8Array[]): Uint8Array {
  const hash = nobleSha256.create();
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest();
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc >>> 0;
});

/** By index: the table for a byte that has so many bytes of its word behind it. */
const CRC_TABLES = [0, 1, 2, 3].map((behind) =>
  Int32Array.from(CRC_TABLE, (crc) => {
    let shifted = crc;
    for (let at = 0; at < behind; at++) shifted = (shifted >>> 8) ^ (CRC_TABLE[shifted & 255] as number);
    return shifted;
  }),
);
const [BEHIND_0, BEHIND_1, BEHIND_2, BEHIND_3] = CRC_TABLES as [Int32Array, Int32Array, Int32Array, Int32Array];

/** Four bytes at a time ("slicing by four"). */
function crc32Here(bytes: Uint8Array, length: number): number {
  let crc = -1;
  let at = 0;
  for (; at + 4 <= length; at += 4) {
    crc ^= (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
    crc ^= ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24);
    const early = (BEHIND_3[crc & 255] as number) ^ (BEHIND_2[(crc >>> 8) & 255] as number);
    crc = early ^ (BEHIND_1[(crc >>> 16) & 255] as number) ^ (BEHIND_0[crc >>> 24] as number);
  }
  for (; at < length; at++) crc = (crc >>> 8) ^ (BEHIND_0[(crc ^ (bytes[at] as number)) & 255] as number);
  return (crc ^ -1) >>> 0;
}

/**
 * What so many zeros behind a chunk make of its CRC-32: four look-ups instead of a look-up a byte. Shifting zeros in is linear,
 * so each byte of the crc adds its own part.
 */
export function crc32WithZeros(zeroCount: number): (crc: number) => number {
  const zeros = new Uint8Array(zeroCount);
  const ofNothing = zlibCrc32(zeros);
  const tables = [0, 8, 16, 24].map((shift) => {
    const table = new Int32Array(256);
    for (let byte = 1; byte < table.length; byte++) {
      const others = byte & (byte - 1); // all its bits but the last
      const parts = (table[others] as number) ^ (table[byte ^ others] as number);
      table[byte] = others === 0 ? zlibCrc32(zeros, (byte << shift) >>> 0) ^ ofNothing : parts;
    }
    return table;
  });
  const [first, second, third, fourth] = tables as [Int32Array, Int32Array, Int32Array, Int32Array];
  return (crc) => {
    const low = (first[crc & 255] as number) ^ (second[(crc >>> 8) & 255] as number);
    return (ofNothing ^ low ^ (third[(crc >>> 16) & 255] as number) ^ (fourth[crc >>> 24] as number)) >>> 0;
  };
}

export function crc32Portable(...chunks: readonly Uint8Array[]): number {
  let crc = 0xffffffff;
  for (const chunk of chunks) for (const byte of chunk) crc = (crc >>> 8) ^ (CRC_TABLE[(crc ^ byte) & 255] as number);
  return (crc ^ 0xffffffff) >>> 0;
}
