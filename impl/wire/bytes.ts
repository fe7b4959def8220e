/**
 * Fields in a row: a writer that grows, and a reader that never reads past the end. Little endian; texts and byte strings
 * have their length before them. Mirrors no spec module. Whatever a peer sends ends here in a value or a WireError.
 */
import { assert } from '../ports/assert.ts';
import { WireError } from './wire-error.ts';

const FIRST_BYTES = 512;
const U32_RANGE = 2 ** 32;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class ByteWriter {
  #bytes: Buffer;
  #at = 0;

  constructor(expectedBytes = FIRST_BYTES) {
    this.#bytes = Buffer.allocUnsafe(expectedBytes);
  }

  u8(value: number): this {
    this.#room(1);
    this.#bytes[this.#at++] = value;
    return this;
  }

  u16(value: number): this {
    this.#room(2);
    this.#at = this.#bytes.writeUInt16LE(value, this.#at);
    return this;
  }

  u32(value: number): this {
    this.#room(4);
    this.#at = this.#bytes.writeUInt32LE(value, this.#at);
    return this;
  }

  /** A whole number up to 2^53 - 1, as u64. */
  u64(value: number): this {
    assert(Number.isSafeInteger(value) && value >= 0, 'a count is a whole number');
    this.#room(8);
    this.#at = this.#bytes.writeUInt32LE(value % U32_RANGE, this.#at);
    this.#at = this.#bytes.writeUInt32LE(Math.floor(value / U32_RANGE), this.#at);
    return this;
  }

  /** Without a length: the reader knows it. */
  raw(bytes: Uint8Array): this {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
    return this;
  }

  /** u32 length, bytes. */
  bytes(bytes: Uint8Array): this {
    return this.u32(bytes.length).raw(bytes);
  }

  /** u16 length, UTF-8. */
  text(text: string): this {
    const length = Buffer.byteLength(text);
    assert(length <= 0xffff, 'a text field is short');
    this.u16(length).#room(length);
    this.#at += this.#bytes.write(text, this.#at, 'utf8');
    return this;
  }

  /** Everything written; the writer is of no use afterwards. */
  done(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  /** Replaces #bytes when they are full: whoever writes looks at #bytes after this, never before. */
  #room(count: number): void {
    const needed = this.#at + count;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}

/** Reads what ByteWriter wrote. Every method throws WireError WIRE_MALFORMED when the bytes do not hold the field. */
export class ByteReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  u8(field: string): number {
    return this.#bytes[this.#take(1, field)] as number;
  }

  u16(field: string): number {
    return this.#bytes.readUInt16LE(this.#take(2, field));
  }

  u32(field: string): number {
    return this.#bytes.readUInt32LE(this.#take(4, field));
  }

  u64(field: string): number {
    const at = this.#take(8, field);
    const value = this.#bytes.readUInt32LE(at) + this.#bytes.readUInt32LE(at + 4) * U32_RANGE;
    if (!Number.isSafeInteger(value)) throw malformed(field, 'is too large');
    return value;
  }

  /** A view of the frame, not a copy. */
  raw(count: number, field: string): Buffer {
    const at = this.#take(count, field);
    return this.#bytes.subarray(at, at + count);
  }

  bytes(field: string): Buffer {
    return this.raw(this.u32(field), field);
  }

  text(field: string): string {
    const bytes = this.raw(this.u16(field), field);
    try {
      return utf8.decode(bytes);
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
  rest(): Buffer {
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
