/** The Random port on node:crypto. Mirrors no spec module. */
import { randomBytes, randomInt } from 'node:crypto';
import { assert } from './assert.ts';
import type { Random } from './random.ts';

export class RealRandom implements Random {
  below(boundExclusive: number): number {
    assert(boundExclusive >= 1 && boundExclusive <= 2 ** 32, 'the bound is from 1 to 2^32');
    return randomInt(boundExclusive);
  }

  bytes(count: number): Uint8Array {
    return randomBytes(count);
  }
}
