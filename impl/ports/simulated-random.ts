/**
 * The Random port from a seed (xoshiro128**, Blackman and Vigna 2018; seeded by splitmix32): the same seed, the same run.
 * fork() continues from the same point. Mirrors no spec module.
 */
import { assert } from './assert.ts';
import type { Random } from './random.ts';

export class SimulatedRandom implements Random {
  #state: readonly [number, number, number, number];

  constructor(seed: number) {
    let mixed = seed | 0;
    const next = (): number => {
      mixed = (mixed + 0x9e3779b9) | 0;
      let z = mixed ^ (mixed >>> 16);
      z = Math.imul(z, 0x21f0aaad);
      z ^= z >>> 15;
      z = Math.imul(z, 0x735a2d97);
      return (z ^ (z >>> 15)) >>> 0;
    };
    this.#state = [next(), next(), next(), next()];
  }

  fork(): SimulatedRandom {
    const twin = new SimulatedRandom(0);
    twin.#state = this.#state;
    return twin;
  }

  below(boundExclusive: number): number {
    assert(boundExclusive >= 1 && boundExclusive <= 2 ** 32, 'the bound is from 1 to 2^32');
    const unbiased = 2 ** 32 - (2 ** 32 % boundExclusive);
    for (;;) {
      const drawn = this.#next();
      if (drawn < unbiased) return drawn % boundExclusive;
    }
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.below(256));
  }

  #next(): number {
    const [a, b, c, d] = this.#state;
    const result = Math.imul(rotated(Math.imul(b, 5), 7), 9) >>> 0;
    const c2 = c ^ a;
    const d2 = d ^ b;
    this.#state = [a ^ d2, b ^ c2, c2 ^ (b << 9), rotated(d2, 11)];
    return result;
  }
}

function rotated(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
