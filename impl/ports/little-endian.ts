/**
 * Little-endian words at a place in bytes, without a DataView: making one for a few fields costs more than reading them.
 * Mirrors no spec module. Who calls has checked that the bytes are there.
 */
const U32_RANGE = 2 ** 32;
const scratch = new DataView(new ArrayBuffer(8));

export function readU32(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
  return (low | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24)) >>> 0;
}

export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

/** A u64 as a number, without a bigint on the hot path. Above 2^53 it is inexact, and every caller's bound is far below. */
export function readU64(bytes: Uint8Array, at: number): number {
  return readU32(bytes, at) + readU32(bytes, at + 4) * U32_RANGE;
}

export function writeU64(bytes: Uint8Array, at: number, value: number): void {
  writeU32(bytes, at, value >>> 0);
  writeU32(bytes, at + 4, Math.floor(value / U32_RANGE));
}

/** All 64 bits of a u64. */
export function readWideU64(bytes: Uint8Array, at: number): bigint {
  scratch.setUint32(0, readU32(bytes, at), true);
  scratch.setUint32(4, readU32(bytes, at + 4), true);
  return scratch.getBigUint64(0, true);
}

export function writeWideU64(bytes: Uint8Array, at: number, value: bigint): void {
  scratch.setBigUint64(0, value, true);
  writeU32(bytes, at, scratch.getUint32(0, true));
  writeU32(bytes, at + 4, scratch.getUint32(4, true));
}

/**
 * A u64 field that mostly has the value it had before, such as the cluster of a frame: it is read and written as two words.
 * Making a bigint, or taking one apart, is a call of V8's that takes ten times as long.
 */
export class SteadyU64 {
  #value = 0n;
  #low = 0;
  #high = 0;

  read(bytes: Uint8Array, at: number): bigint {
    const low = readU32(bytes, at);
    const high = readU32(bytes, at + 4);
    if (low !== this.#low || high !== this.#high) this.#know(readWideU64(bytes, at));
    return this.#value;
  }

  write(bytes: Uint8Array, at: number, value: bigint): void {
    if (value !== this.#value) this.#know(value);
    writeU32(bytes, at, this.#low);
    writeU32(bytes, at + 4, this.#high);
  }

  #know(value: bigint): void {
    scratch.setBigUint64(0, value, true);
    this.#value = value;
    this.#low = scratch.getUint32(0, true);
    this.#high = scratch.getUint32(4, true);
  }
}
