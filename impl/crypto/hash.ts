/**
 * The crypto boundary of what is built so far: SHA-256 and CRC-32. On Node the hot path is node:crypto and node:zlib; the
 * portable reference (@noble, and a table for CRC-32) runs in a browser too. test/property/crypto holds them equal.
 */
import { createHash, hash as hashAtOnce } from 'node:crypto';
import { crc32 as zlibCrc32 } from 'node:zlib';
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';

export const HASH_BYTES = 32;
const scratch = Buffer.allocUnsafeSlow(HASH_BYTES);
/** Parent of the first record of every chain. */
export const GENESIS_HASH: Uint8Array = new Uint8Array(HASH_BYTES);

/** SHA-256 over the chunks in order. */
export function sha256(...chunks: readonly Uint8Array[]): Uint8Array {
  const [only] = chunks;
  // As text, one character a byte: an array of 32 bytes made here is three times faster than a Buffer made there.
  if (only !== undefined && chunks.length === 1) return bytesOf(hashAtOnce('sha256', only, 'binary'));
  const hash = createHash('sha256');
  for (const chunk of chunks) hash.update(chunk);
  return bytesOf(hash.digest('binary'));
}

function bytesOf(digest: string): Uint8Array {
  const bytes = new Uint8Array(HASH_BYTES);
  for (let at = 0; at < HASH_BYTES; at++) bytes[at] = digest.charCodeAt(at);
  return bytes;
}

/** CRC-32 (ISO 3309, as in zlib and PNG) over the chunks in order. */
export function crc32(...chunks: readonly Uint8Array[]): number {
  let crc = 0;
  for (const chunk of chunks) crc = zlibCrc32(chunk, crc);
  return crc;
}

export function hashesEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.byteLength !== b.byteLength) return false;
  for (let at = 0; at < a.byteLength; at++) if (a[at] !== b[at]) return false;
  return true;
}

/** Full lower-case hexadecimal. */
export function hashText(hash: Uint8Array): string {
  if (hash.byteLength !== HASH_BYTES) return Buffer.from(hash).toString('hex');
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

export function crc32Portable(...chunks: readonly Uint8Array[]): number {
  let crc = 0xffffffff;
  for (const chunk of chunks) for (const byte of chunk) crc = (crc >>> 8) ^ (CRC_TABLE[(crc ^ byte) & 255] as number);
  return (crc ^ 0xffffffff) >>> 0;
}
