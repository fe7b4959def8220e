/** The data of a simulated append: which operation and which part of it, then filler that depends on both. Mirrors no spec module. */
import { assert } from '../../impl/ports/assert.ts';
import { readU32 } from '../../impl/ports/little-endian.ts';

const HEAD_BYTES = 6;

export function eventData(value: number, part: number, bytes: number): Uint8Array {
  const data = new Uint8Array(Math.max(HEAD_BYTES, bytes));
  data.fill((value * 31 + part * 7 + bytes) & 0xff, HEAD_BYTES);
  data[0] = value;
  data[1] = value >>> 8;
  data[2] = value >>> 16;
  data[3] = value >>> 24;
  data[4] = part;
  data[5] = part >>> 8;
  return data;
}

/** @throws when no append of ours can have had these bytes */
export function partsOf(data: Uint8Array): { readonly value: number; readonly part: number } {
  assert(data.length >= HEAD_BYTES, 'an event that is read has the bytes of one that was appended');
  const value = readU32(data, 0);
  const part = (data[4] as number) | ((data[5] as number) << 8);
  const last = data[data.length - 1];
  const filler = (value * 31 + part * 7 + data.length) & 0xff;
  assert(data.length === HEAD_BYTES || last === filler, 'an event that is read has the bytes of one that was appended');
  return { value, part };
}
