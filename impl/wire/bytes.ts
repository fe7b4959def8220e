/**
 * Fields in a row: a writer that grows, and a reader that never reads past the end. Little endian; texts and byte strings
 * have their length before them. Mirrors no spec module. Whatever a peer sends ends here in a value or a WireError.
 */
import { assert } from '../ports/assert.ts';
import { newBytes } from '../ports/byte-pool.ts';
import { readU32, readU64, writeU32, writeU64 } from '../ports/little-endian.ts';
import { shortAsciiAt, writeBytes, writeShortAscii } from '../ports/short-fields.ts';
import { WireError } from './wire-error.ts';

const FIRST_BYTES = 512;
const U16_MAX = 2 ** 16 - 1;
const U32_MAX = 2 ** 32 - 1;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class ByteWriter {
  #bytes: Uint8Array;
  #at = 0;

  /** @param expectedBytes when it is exact, nothing is made anew and nothing is left over */
  constructor(expectedBytes = FIRST_BYTES) {
    this.#bytes = newBytes(expectedBytes);
  }

  u8(value: number): this {
    this.#room(1);
    this.#bytes[this.#at++] = value;
    return this;
  }

  u16(value: number): this {
    assert(value >= 0 && value <= U16_MAX, 'a number fits its field');
    this.#room(2);
    this.#bytes[this.#at++] = value;
    this.#bytes[this.#at++] = value >>> 8;
    return this;
  }

  u32(value: number): this {
    assert(value >= 0 && value <= U32_MAX, 'a number fits its field');
    this.#room(4);
    writeU32(this.#bytes, this.#at, value);
    this.#at += 4;
    return this;
  }

  /** A whole number up to 2^53 - 1, as u64. */
  u64(value: number): this {
    assert(Number.isSafeInteger(value) && value >= 0, 'a count is a whole number');
    this.#room(8);
    writeU64(this.#bytes, this.#at, value);
    this.#at += 8;
    return this;
  }

  /** Without a length: the reader knows it. */
  raw(bytes: Uint8Array): this {
    this.#room(bytes.length);
    writeBytes(this.#bytes, this.#at, bytes);
    this.#at += bytes.length;
    return this;
  }

  /** u32 length, bytes. */
  bytes(bytes: Uint8Array): this {
    return this.u32(bytes.length).raw(bytes);
  }

  /** u16 length, UTF-8. */
  text(text: string): this {
    this.#room(2 + text.length);
    if (!writeShortAscii(this.#bytes, this.#at + 2, text)) return this.#anyText(text);
    this.u16(text.length);
    this.#at += text.length;
    return this;
  }

  #anyText(text: string): this {
    const bytes = Buffer.from(text, 'utf8');
    assert(bytes.length <= U16_MAX, 'a text field is short');
    return this.u16(bytes.length).raw(bytes);
  }

  /** Everything written; the writer is of no use afterwards. */
  done(): Uint8Array {
    return this.#at === this.#bytes.length ? this.#bytes : this.#bytes.subarray(0, this.#at);
  }

  /** Replaces #bytes when they are full: whoever writes looks at #bytes after this, never before. */
  #room(count: number): void {
    const needed = this.#at + count;
    if (needed <= this.#bytes.length) return;
    const larger = newBytes(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = larger;
  }
}

/** Reads what ByteWriter wrote. Every method throws WireError WIRE_MALFORMED when the bytes do not hold the field. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  u8(field: string): number {
    return this.#bytes[this.#take(1, field)] as number;
  }

  u16(field: string): number {
    const at = this.#take(2, field);
    return (this.#bytes[at] as number) | ((this.#bytes[at + 1] as number) << 8);
  }

  u32(field: string): number {
    return readU32(this.#bytes, this.#take(4, field));
  }

  u64(field: string): number {
    const value = readU64(this.#bytes, this.#take(8, field));
    if (!Number.isSafeInteger(value)) throw malformed(field, 'is too large');
    return value;
  }

  /** A view of the frame, not a copy. */
  raw(count: number, field: string): Uint8Array {
    const at = this.#take(count, field);
    return this.#bytes.subarray(at, at + count);
  }

  bytes(field: string): Uint8Array {
    return this.raw(this.u32(field), field);
  }

  text(field: string): string {
    const length = this.u16(field);
    const at = this.#take(length, field);
    const short = shortAsciiAt(this.#bytes, at, length);
    if (short !== undefined) return short;
    try {
      return utf8.decode(this.#bytes.subarray(at, at + length));
    } catch {
      throw malformed(field, 'is not UTF-8');
    }
  }

  /** One byte, 0 or 1. */
  flag(field: string): boolean {
    const value = this.u8(field);
    if (value > 1) throw malformed(field, 'is neither 0 nor 1');
    return value === 1;
  }

  /** u32 count of things that take at least so many bytes each: one that cannot be is refused before anything is made. */
  count(field: string, bytesEach: number): number {
    const count = this.u32(field);
    if (count * bytesEach > this.left) throw malformed(field, 'does not fit the frame');
    return count;
  }

  /** What is left, as a view. */
  rest(): Uint8Array {
    return this.raw(this.left, 'rest');
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  end(): void {
    if (this.left !== 0) throw malformed('end', `has ${this.left} bytes left over`);
  }

  #take(count: number, field: string): number {
    const at = this.#at;
    if (count > this.left) throw malformed(field, `needs ${count} bytes, ${this.left} are left`);
    this.#at += count;
    return at;
  }
}

export function malformed(field: string, what: string): WireError {
  return new WireError('WIRE_MALFORMED', `field ${field} ${what}`, { field });
}
