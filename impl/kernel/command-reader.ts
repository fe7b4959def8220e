/**
 * Fields of commands in a row, read with every length checked before it is used. A part of command-codec.ts and
 * command-outline.ts; mirrors no spec module. Whatever the bytes are, it ends in a value or a CommandError.
 */
import { readU32, readU64 } from '../ports/little-endian.ts';
import { shortAsciiAt } from '../ports/short-fields.ts';
import { CommandError, type CommandErrorCode } from './command.ts';

const NO_BYTES = new Uint8Array(0);

/** Never past the end, never a byte copied. */
export class CommandReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  #end: number;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#end = bytes.length;
  }

  get left(): number {
    return this.#end - this.#at;
  }

  get position(): number {
    return this.#at;
  }

  /** Goes on at a position that was read already, up to an end: for a command in its batch. */
  within(position: number, end: number): void {
    this.#at = position;
    this.#end = end;
  }

  /** The next byte, left where it is: something is left. */
  peek(): number {
    return this.#bytes[this.#at] as number;
  }

  u8(): number {
    return this.#bytes[this.#take(1)] as number;
  }

  u16(): number {
    const at = this.#take(2);
    return (this.#bytes[at] as number) | ((this.#bytes[at + 1] as number) << 8);
  }

  u32(): number {
    return readU32(this.#bytes, this.#take(4));
  }

  u64(): number {
    return readU64(this.#bytes, this.#take(8));
  }

  bytes(length: number): Uint8Array {
    if (length === 0) return NO_BYTES;
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  skip(length: number): void {
    this.#take(length);
  }

  /** One byte a character: checkCommand refuses what is not ASCII. */
  ascii(): string {
    const length = this.u8();
    const at = this.#take(length);
    return shortAsciiAt(this.#bytes, at, length) ?? this.#view(at, length).toString('latin1');
  }

  /** Whether the text that comes next is that of an earlier position, length and all; then it is read. */
  sameTextAs(position: number): boolean {
    const bytes = this.#bytes;
    const size = 1 + (bytes[position] as number);
    if (size > this.left) return false;
    for (let at = 0; at < size; at++) if (bytes[this.#at + at] !== bytes[position + at]) return false;
    this.#at += size;
    return true;
  }

  text(): string {
    const length = this.u8();
    if (length === 0) return '';
    const at = this.#take(length);
    const short = shortAsciiAt(this.#bytes, at, length);
    if (short !== undefined) return short;
    const view = this.#view(at, length);
    const text = view.toString('utf8');
    const same = Buffer.byteLength(text) === length && !text.includes('\ufffd');
    if (same || Buffer.from(text, 'utf8').equals(view)) return text;
    return refuse('COMMAND_BAD_EVENT_TYPE', 'the type of an event is not well-formed UTF-8');
  }

  /**
   * A text of at most so many bytes, passed over: printable ASCII, or whatever else is allowed.
   * @throws CommandError with the code
   */
  skipPrintableOr(bytesMax: number, code: CommandErrorCode, otherwise: 'utf8' | 'nothing'): void {
    const begin = this.#at;
    const length = this.u8();
    if (length > bytesMax) refuse(code, `a text is over ${bytesMax} bytes`);
    const from = this.#take(length);
    for (let at = from; at < from + length; at++) {
      const byte = this.#bytes[at] as number;
      if (byte >= 0x20 && byte <= 0x7e) continue;
      if (otherwise === 'nothing') refuse(code, 'a text is not printable ASCII');
      this.#at = begin;
      this.text();
      return;
    }
  }

  end(): void {
    if (this.left > 0) refuse('COMMAND_BAD_LENGTH', `a command or batch has ${this.left} bytes left over`);
  }

  #view(at: number, length: number): Buffer {
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + at, length);
  }

  #take(length: number): number {
    if (length > this.left) refuse('COMMAND_TRUNCATED', `${length} bytes are promised and ${this.left} are left`);
    const at = this.#at;
    this.#at += length;
    return at;
  }
}

export function refuse(code: CommandErrorCode, what: string): never {
  throw new CommandError(code, what);
}
