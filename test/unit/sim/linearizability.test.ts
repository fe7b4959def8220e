/**
 * Goal: each way in which a history can be wrong is seen, and called by its name; what only looks wrong is not.
 * Method: one small history for each, written down as the clients would have seen it; commit id 1 creates the
 * stream. The brute-force search must say the same of each.
 */
import { describe, expect, test } from 'vitest';
import type { HistoryEntry } from '../../../conformance/sim/client-history.ts';
import { checkHistory } from '../../../conformance/sim/linearizability.ts';
import type { HistoryRule } from '../../../conformance/sim/linearizability-problem.ts';
import { isLinearizable } from '../../property/sim/brute-force-linearizability.ts';

type Entry = HistoryEntry extends infer E ? (E extends HistoryEntry ? Omit<E, 'operation' | 'client'> : never) : never;
type Interval = readonly [callUs: number, returnUs?: number];

const during = ([callUs, returnUs]: Interval) => ({ callUs, returnUs, stream: 's0' });

const unknown = { kind: 'unknown' } as const;
const refusedBy = (rule: string) => ({ kind: 'refused', rule }) as const;
const at = (commitId: number) => ({ kind: 'applied', commitId }) as const;
const from = (firstOffset: number, commitId: number) => ({ kind: 'applied', firstOffset, commitId }) as const;

const created = (interval: Interval, outcome: ReturnType<typeof at | typeof refusedBy> | typeof unknown): Entry => ({
  ...during(interval),
  kind: 'create-stream',
  outcome,
});
const deleted = (interval: Interval, outcome: ReturnType<typeof at | typeof refusedBy> | typeof unknown): Entry => ({
  ...during(interval),
  kind: 'delete-stream',
  outcome,
});
const append = (
  value: number,
  interval: Interval,
  outcome: ReturnType<typeof from | typeof refusedBy> | typeof unknown,
  fields: { count?: number; expectedOffset?: number } = {},
): Entry => ({
  ...during(interval),
  kind: 'append',
  value,
  count: fields.count ?? 1,
  expectedOffset: fields.expectedOffset,
  outcome,
});
/** Reads from offset 0; values of one part each. */
const read = (
  values: readonly number[],
  interval: Interval,
  commitId: number,
  fields: { consistency?: 'linearizable' | 'committed'; limit?: number } = {},
): Entry => ({
  ...during(interval),
  kind: 'read',
  consistency: fields.consistency ?? 'linearizable',
  from: 0,
  limit: fields.limit ?? 10,
  outcome: {
    kind: 'applied',
    events: values.map((value, offset) => ({ offset, value, part: 0 })),
    nextOffset: values.length,
    commitId,
  },
});
const noStream = (interval: Interval, consistency: 'linearizable' | 'committed' = 'linearizable'): Entry => ({
  ...during(interval),
  kind: 'read',
  consistency,
  from: 0,
  limit: 10,
  outcome: { kind: 'no-stream' },
});

const begin = created([0, 1], at(1));
const history = (...entries: readonly Entry[]): readonly HistoryEntry[] =>
  [begin, ...entries].map((entry, operation) => ({ ...entry, operation, client: operation }));
const whatIsWrong = (...entries: readonly Entry[]) => checkHistory(history(...entries));

const elsewhere = (entry: Entry): Entry => ({ ...entry, stream: 's1' });

/** Operation numbers are those of the entries, from 1: 0 creates the stream. */
const WRONG: readonly (readonly [name: string, rule: HistoryRule, operation: number, ...entries: Entry[]])[] = [
  [
    'a stale read after a failover: the old primary answers from before the acknowledged append',
    ...(['NoStaleRead', 2] as const),
    append(7, [10, 20], from(0, 2)),
    read([], [30, 40], 1),
  ],
  [
    'reads go back: one client saw the append, another one, later, did not',
    ...(['NoStaleRead', 3] as const),
    append(7, [10, 90], from(0, 2)),
    read([7], [20, 30], 2),
    read([], [40, 50], 1),
  ],
  [
    'a stale read that says a new commit id',
    ...(['AcknowledgedIsKept', 2] as const),
    append(7, [10, 20], from(0, 2)),
    read([], [30, 40], 3),
  ],
  [
    'a lost update: two appends were acknowledged at one offset',
    ...(['OffsetsAreDense', 2] as const),
    append(7, [10, 20], from(0, 2)),
    append(8, [15, 25], from(0, 3)),
  ],
  [
    'an acknowledged append is gone, and another one lies there',
    ...(['AcknowledgedIsKept', 3] as const),
    append(7, [10, 20], from(0, 2)),
    append(8, [15], unknown),
    read([8], [30, 40], 3, { consistency: 'committed' }),
  ],
  [
    'a duplicate after a retry, in one read',
    ...(['AppendedOnce', 2] as const),
    append(7, [10, 20], from(0, 2)),
    read([7, 7], [30, 40], 3),
  ],
  [
    'a duplicate after a retry, behind another append',
    ...(['AppendedOnce', 3] as const),
    append(7, [10, 20], from(0, 2)),
    append(8, [10, 20], from(1, 3)),
    read([7, 8, 7], [30, 40], 4),
  ],
  [
    'a late retry is applied again, to the next stream of the name',
    ...(['AppendedOnce', 5] as const),
    append(7, [10, 20], from(1, 2)),
    append(8, [10, 20], from(0, 2)),
    deleted([30, 40], at(3)),
    created([50, 60], at(4)),
    read([7], [70, 80], 5),
  ],
  [
    'a retry is applied twice, and told the second place',
    ...(['AppendedOnce', 2] as const),
    append(7, [10, 50], from(1, 4)),
    read([7], [30, 40], 3, { consistency: 'committed' }),
  ],
  [
    'a value that nobody acknowledged is read, and disappears',
    ...(['OneStateACommitId', 3] as const),
    append(7, [10], unknown),
    read([7], [20, 30], 2),
    read([], [40, 50], 3),
  ],
  [
    'a value that nobody acknowledged is read, and another one takes its offset',
    ...(['OffsetsAreDense', 3] as const),
    append(7, [10], unknown),
    read([7], [20, 30], 2, { consistency: 'committed' }),
    append(8, [40, 50], from(0, 3)),
  ],
  [
    'two replicas have two states at one commit id',
    ...(['OneStateACommitId', 4] as const),
    append(7, [10], unknown),
    append(8, [10], unknown),
    read([7], [20, 30], 2, { consistency: 'committed' }),
    read([8], [20, 30], 2, { consistency: 'committed' }),
  ],
  [
    'a read from the future: an append is read before it was called',
    ...(['NoReadFromTheFuture', 2] as const),
    append(7, [30], unknown),
    read([7], [10, 20], 2, { consistency: 'committed' }),
  ],
  [
    'a committed read says a commit id that was reached later',
    ...(['NoReadFromTheFuture', 1] as const),
    read([], [10, 20], 2, { consistency: 'committed' }),
    created([30, 40], refusedBy('STREAM_EXISTS')),
    append(7, [30, 40], from(0, 2)),
  ],
  [
    'a read shows an append of a later commit id',
    ...(['NoReadFromTheFuture', 2] as const),
    append(7, [10, 50], from(0, 3)),
    read([7], [20, 30], 2),
  ],
  [
    'a refused append is read',
    ...(['RefusedIsNotApplied', 2] as const),
    append(7, [10, 20], refusedBy('NO_QUORUM')),
    read([7], [30, 40], 2),
  ],
  [
    'commit ids against the clock: what returned first has the higher one',
    ...(['RealTimeOrder', 2] as const),
    append(7, [10, 20], from(1, 3)),
    append(8, [30, 40], from(0, 2)),
  ],
  [
    'one op for two commands of which one returned before the other was called',
    ...(['OneMomentAnOp', 2] as const),
    append(7, [10, 20], from(0, 2)),
    append(8, [30, 40], from(1, 2)),
  ],
  ['an append begins behind a hole', 'OffsetsAreDense', 1, append(7, [10, 20], from(1, 2))],
  [
    'a hole that no append without an answer can have filled: it was called too late',
    ...(['OffsetsAreDense', 1] as const),
    append(7, [10, 20], from(1, 2)),
    append(8, [30], unknown),
  ],
  [
    'a hole that is too small for what may have filled it',
    ...(['OffsetsAreDense', 1] as const),
    append(7, [10, 20], from(1, 2)),
    append(8, [10], unknown, { count: 2 }),
  ],
  [
    'half of an append',
    ...(['OneStateACommitId', 2] as const),
    append(7, [10], unknown, { count: 2 }),
    read([7], [20, 30], 2),
  ],
  [
    'half of an append before another one',
    ...(['AppendIsWhole', 3] as const),
    append(7, [10], unknown, { count: 2 }),
    append(8, [10], unknown),
    read([7, 8], [20, 30], 2),
  ],
  ['a value from nowhere', 'ValueWasAppended', 1, read([99], [20, 30], 2)],
  [
    'more events than asked for',
    ...(['ReadIsARange', 3] as const),
    append(7, [10, 20], from(0, 2)),
    append(8, [10, 20], from(1, 3)),
    read([7, 8], [30, 40], 3, { limit: 1 }),
  ],
  [
    'fewer events than there are and than were asked for',
    ...(['AcknowledgedIsKept', 3] as const),
    append(7, [10, 20], from(0, 2)),
    append(8, [10, 20], from(1, 3)),
    read([7], [30, 40], 3, { limit: 5 }),
  ],
  [
    'another offset than the expected one',
    ...(['ExpectedOffsetKept', 2] as const),
    append(7, [10, 20], from(0, 2)),
    append(8, [30, 40], from(1, 3), { expectedOffset: 0 }),
  ],
  [
    'refused for an offset that was the next one all the time',
    ...(['RefusalIsJustified', 2] as const),
    append(7, [10, 20], from(0, 2)),
    append(8, [30, 40], refusedBy('OFFSET_MISMATCH'), { expectedOffset: 1 }),
    append(9, [50, 60], from(1, 3)),
  ],
  [
    'refused for no stream, which was there all the time',
    ...(['RefusalIsJustified', 1] as const),
    append(7, [10, 20], refusedBy('STREAM_NOT_FOUND')),
  ],
  [
    'refused for a rule that refuses no such request',
    ...(['RefusalIsJustified', 1] as const),
    append(7, [10, 20], refusedBy('OFFSET_MISMATCH')),
  ],
  ['no stream, which was there all the time', 'NoStreamIsJustified', 1, noStream([10, 20])],
  ['created twice', 'NameIsFree', 1, created([10, 20], at(2))],
  [
    'an append to a stream that is deleted',
    ...(['StreamExists', 2] as const),
    deleted([10, 20], at(2)),
    append(7, [30, 40], from(0, 3)),
  ],
  [
    'a stream that was created again goes on with its old offsets',
    ...(['OffsetsAreDense', 4] as const),
    append(7, [10, 20], from(0, 2)),
    deleted([30, 40], at(3)),
    created([50, 60], at(4)),
    append(8, [70, 80], from(1, 5)),
  ],
  [
    'a stream that was created again has an event of the one before',
    ...(['OneStateACommitId', 4] as const),
    append(7, [10, 20], from(0, 2)),
    deleted([30, 40], at(3)),
    created([50, 60], at(4)),
    read([7], [70, 80], 4),
  ],
  [
    'an append without a key is in two streams of one name',
    ...(['AppendedOnce', 6] as const),
    append(6, [10, 15], from(0, 2)),
    append(7, [10], unknown),
    read([6, 7], [20, 25], 3),
    deleted([30, 40], at(4)),
    created([50, 60], at(5)),
    read([7], [70, 80], 6),
  ],
  [
    'a stale read that saw no stream, before two appends of one op',
    ...(['NoStreamIsJustified', 2] as const),
    append(7, [10, 20], from(0, 2)),
    noStream([30, 40]),
    append(8, [50, 60], from(1, 3)),
    append(9, [50, 60], from(2, 3)),
  ],
  [
    'no stream between two reads of one state, however it may be deleted behind them',
    ...(['RefusalIsJustified', 1] as const),
    append(7, [3, 4], refusedBy('STREAM_NOT_FOUND')),
    read([], [1, 2], 1),
    read([], [8, 9], 1),
    deleted([0], unknown),
  ],
  [
    'two streams, each right by itself, of which one must be late and the other early',
    ...(['OffsetsAreDense', 1] as const),
    append(7, [10, 200], from(1, 2)),
    append(8, [100], unknown),
    elsewhere(created([10, 200], at(3))),
    elsewhere(created([40, 50], refusedBy('STREAM_EXISTS'))),
  ],
];

const RIGHT: readonly (readonly [name: string, ...entries: Entry[]])[] = [
  [
    'a committed read of an old state',
    append(7, [10, 20], from(0, 2)),
    read([], [30, 40], 1, { consistency: 'committed' }),
  ],
  ['a committed read of a replica that has no stream yet', noStream([10, 20], 'committed')],
  [
    'an append without an answer is applied after everything else',
    append(7, [10], unknown),
    append(8, [20, 30], from(0, 2)),
    read([8], [40, 50], 2),
    read([8, 7], [60, 70], 3),
  ],
  [
    'an append without an answer fills a hole that nobody reads',
    append(7, [10], unknown, { count: 2 }),
    append(8, [10, 20], from(2, 3)),
  ],
  [
    'a stream that was created again begins at 0',
    append(7, [10, 20], from(0, 2)),
    deleted([30, 40], at(3)),
    created([50, 60], at(4)),
    append(8, [70, 80], from(0, 5)),
  ],
  [
    'deleted and created in one op, and appended to before and behind',
    append(7, [10, 20], from(0, 2)),
    deleted([10, 20], at(2)),
    created([10, 20], at(2)),
    append(8, [10, 20], from(0, 2)),
    read([8], [30, 40], 2),
  ],
  [
    'nobody knows of the delete and the create between',
    append(7, [10, 20], from(0, 2)),
    deleted([30], unknown),
    created([30], unknown),
    append(8, [70, 80], from(0, 5)),
  ],
  [
    'refused for an offset that another append took meanwhile',
    append(7, [10, 30], from(0, 2)),
    append(8, [10, 30], refusedBy('OFFSET_MISMATCH'), { expectedOffset: 1 }),
  ],
  [
    'refused for an offset that an append without an answer took',
    append(7, [10], unknown),
    append(8, [20, 30], refusedBy('OFFSET_MISMATCH'), { expectedOffset: 0 }),
  ],
  ['no stream while it is deleted', deleted([10, 50], at(2)), noStream([20, 30])],
  ['known not to be applied', append(7, [10, 20], refusedBy('BUSY')), read([], [30, 40], 1)],
  ['one microsecond is both', append(7, [10, 20], from(0, 2)), read([], [20, 30], 1)],
];

describe('Linearizability: histories that are wrong', () => {
  for (const [name, rule, operation, ...entries] of WRONG)
    test(name, () => {
      const problem = whatIsWrong(...entries);
      expect(problem).toMatchObject({ rule, operation });
      expect(isLinearizable(history(...entries))).toBe(false);
      expect(problem?.message).toMatch(/^operation \d+ \(.+\).* \S+$/);
      for (const related of problem?.related ?? []) expect(related).toBeLessThanOrEqual(entries.length);
    });
});

describe('Linearizability: histories that only look wrong', () => {
  for (const [name, ...entries] of RIGHT)
    test(name, () => {
      expect(whatIsWrong(...entries)).toBeUndefined();
      expect(isLinearizable(history(...entries))).toBe(true);
    });
});
