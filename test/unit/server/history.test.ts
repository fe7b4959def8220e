/** Goal: the history keeps the last events in order, and the latest refusal of each event for good. Method: a small ring, filled. */
import { expect, test } from 'vitest';
import type { HistoryRecord } from '../../../impl/server/dx-source.ts';
import { History } from '../../../impl/server/history.ts';

function record(event: string, taken: boolean, machine = 'Vsr'): Omit<HistoryRecord, 'sequence'> {
  const place = { view: 0, op: 0, commit: 0, atMs: 0, peer: undefined, from: 'normal', to: 'normal' };
  return { machine, event, taken, ...place, guards: () => [] };
}

test('the ring holds the newest, oldest first, of one machine or of all', () => {
  const history = new History(3);
  for (const event of ['A', 'B', 'C', 'D']) history.record(record(event, true));
  history.record(record('E', true, 'AppendLog'));
  expect(history.last(undefined, 10).map(({ event, sequence }) => [event, sequence])).toEqual([
    ['C', 3],
    ['D', 4],
    ['E', 5],
  ]);
  expect(history.last('Vsr', 1).map(({ event }) => event)).toEqual(['D']);
  expect(history.countsOf('Vsr')).toEqual({ taken: 4, refused: 0 });
});

test('a refusal outlives the ring, the latest of each event', () => {
  const history = new History(2);
  history.record(record('ClientRequest', false));
  history.record(record('ClientRequest', false));
  for (let heartbeat = 0; heartbeat < 10; heartbeat++) history.record(record('SendCommit', true));
  expect(history.last('Vsr', 10).map(({ event }) => event)).toEqual(['SendCommit', 'SendCommit']);
  expect(history.lastRefusal('Vsr', 'ClientRequest')?.sequence).toBe(2);
  expect(history.lastRefusal('Vsr', 'SendCommit')).toBeUndefined();
  expect(history.lastRefusal('AppendLog', 'ClientRequest')).toBeUndefined();
});
