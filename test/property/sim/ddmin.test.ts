/**
 * Goal: delta debugging finds exactly the core of a monotone failure, in few questions, and of any other failure something
 * that fails and from which no single one can go. Method: random cores and random predicates.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ddmin } from '../../../conformance/sim/ddmin.ts';

const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);

describe('ddmin', () => {
  test('of a failure that needs a core: the core, in order, in few questions', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2000 }), fc.array(fc.nat(1999), { maxLength: 8 }), (count, wanted) => {
        const core = [...new Set(wanted.filter((one) => one < count))].sort((a, b) => a - b);
        let asked = 0;
        const fails = (kept: readonly number[]): boolean => {
          asked += 1;
          const there = new Set(kept);
          return core.every((one) => there.has(one));
        };
        expect(ddmin(numbers(count), fails)).toEqual(core);
        // Two sweeps of chunks for each needed one at each size, and the last rounds of singles.
        expect(asked).toBeLessThanOrEqual(
          (2 * core.length + 3) * (Math.log2(count) + 2) + core.length * core.length + 8,
        );
      }),
      { numRuns: 300 },
    );
  });

  test('of any failure: a part that fails, in order, of which none can go', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.integer(), (count, salt) => {
        const whole = numbers(count);
        const fails = (kept: readonly number[]): boolean =>
          kept.length === whole.length ||
          (Math.imul(
            kept.reduce((sum, one) => sum * 31 + one + 1, salt),
            0x9e3779b1,
          ) >>>
            16) %
            3 ===
            0;
        const kept = ddmin(whole, fails);
        expect(fails(kept)).toBe(true);
        expect(kept).toEqual([...kept].sort((a, b) => a - b));
        for (const one of kept)
          expect(fails(kept.filter((other) => other !== one))).toBe(kept.length === whole.length + 1);
      }),
      { numRuns: 500 },
    );
  });

  test('of one that always fails: nothing', () => {
    expect(ddmin(numbers(100), () => true)).toEqual([]);
    expect(ddmin([], () => true)).toEqual([]);
    expect(ddmin([1], () => false)).toEqual([1]);
  });
});
