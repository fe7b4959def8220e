/**
 * Short texts and hashes in larger bytes, read and written by a loop: below some fifty bytes a call into Node, or of a typed array's
 * own methods, takes longer than the bytes do. Mirrors no spec module. Who calls has checked that the bytes are there.
 */

/** Of a text and of bytes that are short: longer ones are Node's. Measured on Node 20. */
const SHORT_BYTES_MAX = 48;
/** Texts remembered, a power of two: more find more of many names again, less stays in the processor's cache. */
const TEXTS_REMEMBERED = 256;
const ASCII_MAX = 0x7f;

/** Names come again and again: one that was read lately is given again, and brings the hash that a Map asks it for. */
const remembered: string[] = Array.from({ length: TEXTS_REMEMBERED }, () => '');
const scratch = Buffer.allocUnsafeSlow(SHORT_BYTES_MAX);

/** @returns undefined for a text that is not short or not ASCII */
export function shortAsciiAt(bytes: Uint8Array, at: number, length: number): string | undefined {
  if (length > SHORT_BYTES_MAX) return undefined;
  let sum = length;
  let anyBits = 0;
  for (let index = at; index < at + length; index++) {
    const byte = bytes[index] as number;
    anyBits |= byte;
    sum = (sum * 31 + byte) | 0;
  }
  if (anyBits > ASCII_MAX) return undefined;
  const slot = sum & (TEXTS_REMEMBERED - 1);
  const known = remembered[slot] as string;
  if (isTextAt(known, bytes, at, length)) return known;
  for (let index = 0; index < length; index++) scratch[index] = bytes[at + index] as number;
  const text = scratch.toString('latin1', 0, length);
  remembered[slot] = text;
  return text;
}

/** @returns false for a text that is not short or not ASCII: what of it was written is to be written over */
export function writeShortAscii(bytes: Uint8Array, at: number, text: string): boolean {
  const { length } = text;
  if (length > SHORT_BYTES_MAX) return false;
  for (let index = 0; index < length; index++) {
    const code = text.charCodeAt(index);
    if (code > ASCII_MAX) return false;
    bytes[at + index] = code;
  }
  return true;
}

export function writeBytes(bytes: Uint8Array, at: number, from: Uint8Array): void {
  const { length } = from;
  if (length > SHORT_BYTES_MAX) bytes.set(from, at);
  else for (let index = 0; index < length; index++) bytes[at + index] = from[index] as number;
}

function isTextAt(text: string, bytes: Uint8Array, at: number, length: number): boolean {
  if (text.length !== length) return false;
  for (let index = 0; index < length; index++) if (text.charCodeAt(index) !== bytes[at + index]) return false;
  return true;
}
