/** Goal: the ledger that the endurance run rests on sees each way in which a client could be betrayed. Method: one lie at a time. */
import { expect, test } from 'vitest';
import { EnduranceLedger, percentile } from './endurance-ledger.ts';

function told(): EnduranceLedger {
  const ledger = new EnduranceLedger();
  ledger.applied({ appender: 1, index: 0, offset: 0 }, performance.now());
  ledger.applied({ appender: 2, index: 0, offset: 1 }, performance.now());
  ledger.applied({ appender: 1, index: 1, offset: 2 }, performance.now());
  ledger.unknown.add('2/1');
  return ledger;
}

test.each([
  ['all of it', ['1/0', '2/0', '1/1'], []],
  ['what nobody knows, too', ['1/0', '2/0', '1/1', '2/1'], []],
  ['one lost', ['1/0', '2/0'], [/1\/1, acknowledged at 2, is at no offset/]],
  [
    'one twice',
    ['1/0', '2/0', '1/1', '1/1'],
    [/1\/1 stands at 2 and again at 3/, /out of its client's order/, /is at 3/],
  ],
  ['another order of one client', ['1/1', '2/0', '1/0'], [/1\/0 stands behind 1\/1/, /./, /./]],
  ['one that nobody sent', ['1/0', '2/0', '1/1', '7/7'], [/7\/7 was never sent/]],
] as const)('a log with %s', (_, texts, expected) => {
  const faults = told().faultsOf(texts);
  expect(faults).toHaveLength(expected.length);
  for (const [at, pattern] of expected.entries()) expect(faults[at]).toMatch(pattern);
});

test('an operation that a death has held up counts as made in its shadow', () => {
  const ledger = new EnduranceLedger();
  ledger.deathsMs.push(1_000, 9_000);
  const at = (startedMs: number, tookMs: number): void => void ledger.samples.push({ startedMs, tookMs });
  at(900, 50); // over before
  at(900, 1_300); // waited through it
  at(2_900, 5); // still fresh
  at(3_100, 5);
  at(9_500, 7);
  expect(ledger.latencies).toEqual({ inShadow: [1_300, 5, 7], otherwise: [50, 5] });
  expect(percentile([3, 1, 2], 0.5)).toBe(2);
  expect(percentile([], 0.99)).toBe(0);
});
