/**
 * Goal: the fast check of histories and a brute-force search over all orders say the same, of right histories and of others.
 * Method: small random histories of a sequential object with random intervals, lost answers, late attempts and old reads; the
 * same ones bent; and histories of which each answer is drawn by itself.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkHistory } from '../../../conformance/sim/linearizability.ts';
import { isLinearizable } from './brute-force-linearizability.ts';
import { bentHistories, validHistories } from './random-history.ts';
import { wildHistories } from './wild-history.ts';

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

  test.each([
    ['what was bent', bentHistories, 0.1, 0.9],
    ['what no object made', wildHistories, 0.5, 0.9],
  ])('both say the same of %s, and neither always', (_, histories, leastShare, mostShare) => {
    let wrong = 0;
    fc.assert(
      fc.property(histories, (history) => {
        const problem = checkHistory(history);
        const linearizable = isLinearizable(history);
        expect({ problem, linearizable }).toEqual({ problem, linearizable: problem === undefined });
        if (problem !== undefined) wrong++;
      }),
      { numRuns },
    );
    expect(wrong / numRuns).toBeGreaterThan(leastShare);
    expect(wrong / numRuns).toBeLessThan(mostShare);
  });
});
