/**
 * Goal: the fast check of histories and a brute-force search over all orders say the same, of right histories and of bent ones.
 * Method: small random histories of a sequential object with random intervals, lost answers, late attempts and old reads.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkHistory } from '../../../conformance/sim/linearizability.ts';
import { isLinearizable } from './brute-force-linearizability.ts';
import { bentHistories, validHistories } from './random-history.ts';

const numRuns = Number(process.env.LINEARIZABILITY_RUNS ?? 1_500);

describe('Linearizability: the fast check against all orders', () => {
  test('what a sequential object answered is linearizable', () => {
    fc.assert(
      fc.property(validHistories, (history) => {
        expect(checkHistory(history)).toBeUndefined();
        expect(isLinearizable(history)).toBe(true);
      }),
      { numRuns },
    );
  });

  test('both say the same of what was bent, and much of it is wrong', () => {
    let wrong = 0;
    fc.assert(
      fc.property(bentHistories, (history) => {
        const problem = checkHistory(history);
        expect({ problem, linearizable: problem === undefined }).toEqual({
          problem,
          linearizable: isLinearizable(history),
        });
        if (problem !== undefined) wrong++;
      }),
      { numRuns },
    );
    expect(wrong).toBeGreaterThan(numRuns / 10);
  });
});
