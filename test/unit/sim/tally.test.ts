/**
 * Goal: the same runs come to the same tally, however they were cut and in whatever order they came.
 * Method: made-up runs, some of which fail, folded in order, backwards, and in pieces that were folded before.
 */
import { expect, test } from 'vitest';
import {
  EMPTY_TALLY,
  inOrder,
  mergeTallies,
  type Tally,
  tallyOfLostRun,
  tallyOfRun,
} from '../../../conformance/sim/runner/tally.ts';
import { makeScenario, runScenario } from './made-up-world.ts';

const fold = (tallies: readonly Tally[]): Tally => tallies.reduce(mergeTallies, EMPTY_TALLY);
const tallies = Array.from({ length: 60 }, (_, seed) => {
  const scenario = makeScenario(seed, { canary: 'fails@3;fails@8;' });
  return seed === 31 ? tallyOfLostRun(seed, 'worker died', 'of it') : tallyOfRun(scenario, runScenario(scenario, {}));
});
const pieces = (size: number): readonly (readonly Tally[])[] =>
  Array.from({ length: Math.ceil(tallies.length / size) }, (_, index) =>
    tallies.slice(index * size, (index + 1) * size),
  );

test('in order, backwards, in pieces: one text', () => {
  const text = JSON.stringify(inOrder(fold(tallies)));
  for (const other of [
    tallies.toReversed(),
    pieces(7).map(fold),
    pieces(7).map(fold).toReversed(),
    pieces(1).toReversed().map(fold),
    pieces(13).map((piece) => fold(piece.toReversed())),
  ])
    expect(JSON.stringify(inOrder(fold(other)))).toBe(text);
});

test('counts every run, and tells each kind of failure by its lowest seed', () => {
  const { runs, failedRuns, failures, viewMax, unknown, hash } = fold(tallies.toReversed());
  expect({ runs, failedRuns, viewMax, unknown }).toEqual({ runs: 60, failedRuns: 13, viewMax: 6, unknown: 29 });
  expect(failures.map(({ seed, rule, count }) => [seed, rule, count])).toEqual([
    [3, 'Rule0', 4],
    [8, 'Rule2', 4],
    [13, 'Rule1', 4],
    [31, 'worker died', 1],
  ]);
  expect(hash).toMatch(/^[0-9a-f]{64}$/);
  expect(fold([...tallies, ...tallies.slice(0, 1)]).hash).not.toBe(hash);
});
