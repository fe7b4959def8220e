/**
 * The Random port from a seed (xoshiro128**, Blackman and Vigna 2018; seeded by splitmix32): the same seed, the same run.
 * fork() continues from the same point. Mirrors no spec module.
 */
import { assert } from './assert.ts';
import type { Random } from './random.ts';

export class SimulatedRandom implements Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;
  /** What seeding counts on. */
  #mixed: number;

  constructor(seed: number) {
    this.#mixed = seed | 0;
    this.#a = this.#seeded();
    this.#b = this.#seeded();
    this.#c = this.#seeded();
    this.#d = this.#seeded();
  }

  fork(): SimulatedRandom {
    const twin = new SimulatedRandom(0);
    twin.#a = this.#a;
    twin.#b = this.#b;
    twin.#c = this.#c;
    twin.#d = this.#d;
    return twin;
  }

  below(boundExclusive: number): number {
    assert(boundExclusive >= 1 && boundExclusive <= 2 ** 32, 'the bound is from 1 to 2^32');
    if ((boundExclusive & (boundExclusive - 1)) === 0)
      return boundExclusive === 2 ** 32 ? this.#next() : this.#next() & (boundExclusive - 1);
    const unbiased = 2 ** 32 - (2 ** 32 % boundExclusive);
    for (;;) {
      const drawn = this.#next();
      if (drawn < unbiased) return drawn % boundExclusive;
    }
  }

  /** True in so many of 1,000 cases; draws nothing when it is sure. */
  chance(perMille: number): boolean {
    return perMille >= 1000 || (perMille > 0 && this.below(1000) < perMille);
  }

  bytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    for (let at = 0; at < count; at++) bytes[at] = this.#next() & 255;
    return bytes;
  }

  #next(): number {
    const a = this.#a;
    const b = this.#b;
    const c = this.#c ^ a;
    const d = this.#d ^ b;
    this.#a = a ^ d;
    this.#b = b ^ c;
    this.#c = c ^ (b << 9);
    this.#d = rotated(d, 11);
    return Math.imul(rotated(Math.imul(b, 5), 7), 9) >>> 0;
  }

  #seeded(): number {
    this.#mixed = (this.#mixed + 0x9e3779b9) | 0;
    let z = this.#mixed ^ (this.#mixed >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z ^= z >>> 15;
    z = Math.imul(z, 0x735a2d97);
    return (z ^ (z >>> 15)) | 0;
  }
}

function rotated(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
