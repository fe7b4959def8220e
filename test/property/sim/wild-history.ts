/** Histories that no object made: every answer drawn by itself from few values, so that chance makes some of them right. */
import fc from 'fast-check';
import type { HistoryEntry } from '../../../conformance/sim/client-history.ts';

const OPERATIONS_MAX = 7;

interface Wild {
  readonly kind: HistoryEntry['kind'];
  readonly stream: string;
  readonly callUs: number;
  readonly lasts: number;
  readonly commitId: number;
  readonly offset: number;
  readonly count: number;
  readonly expectedOffset: number | undefined;
  readonly consistency: 'linearizable' | 'committed';
  readonly limit: number;
  readonly shown: readonly number[];
  readonly answer: 'applied' | 'refused' | 'unknown';
}

const wild: fc.Arbitrary<Wild> = fc.record({
  kind: fc.constantFrom(
    ...(['append', 'append', 'append', 'append', 'read', 'read', 'read', 'create-stream', 'delete-stream'] as const),
  ),
  stream: fc.constantFrom('s0', 's0', 's0', 's1'),
  callUs: fc.integer({ min: 0, max: 12 }),
  lasts: fc.integer({ min: 0, max: 12 }),
  commitId: fc.integer({ min: 2, max: 5 }),
  offset: fc.constantFrom(0, 0, 1, 2),
  count: fc.constantFrom(1, 1, 2),
  expectedOffset: fc.constantFrom(undefined, undefined, 0, 1),
  consistency: fc.constantFrom('linearizable', 'committed'),
  limit: fc.integer({ min: 1, max: 3 }),
  shown: fc.array(fc.nat({ max: OPERATIONS_MAX }), { maxLength: 2 }),
  answer: fc.constantFrom('applied', 'applied', 'unknown', 'unknown', 'refused'),
});

export const wildHistories: fc.Arbitrary<readonly HistoryEntry[]> = fc
  .array(wild, { minLength: 2, maxLength: OPERATIONS_MAX })
  .map((all) => [FIRST, ...all.map((one, index) => entryOf(one, index + 1, all))]);

const FIRST: HistoryEntry = {
  operation: 0,
  client: 0,
  callUs: 0,
  returnUs: 4,
  stream: 's0',
  kind: 'create-stream',
  outcome: { kind: 'applied', commitId: 1 },
};

function entryOf(one: Wild, operation: number, all: readonly Wild[]): HistoryEntry {
  const { kind, stream, callUs, answer, commitId, expectedOffset } = one;
  const returnUs = answer === 'unknown' ? undefined : callUs + one.lasts;
  const call = { operation, client: operation, callUs, returnUs, stream };
  if (kind === 'append') {
    const { count } = one;
    const fields = { ...call, kind, value: operation, count, expectedOffset };
    if (answer === 'applied') {
      const firstOffset = expectedOffset ?? one.offset;
      return { ...fields, outcome: { kind: 'applied', firstOffset, commitId } };
    }
    if (answer === 'unknown') return { ...fields, outcome: { kind: 'unknown' } };
    const rule = expectedOffset === undefined ? 'STREAM_NOT_FOUND' : 'OFFSET_MISMATCH';
    return { ...fields, outcome: { kind: 'refused', rule } };
  }
  if (kind === 'read') {
    const fields = { ...call, kind, consistency: one.consistency, from: 0, limit: one.limit };
    if (answer === 'unknown') return { ...fields, outcome: { kind: 'unknown' } };
    if (answer === 'refused') return { ...fields, outcome: { kind: 'no-stream' } };
    const events = shownBy(one, all);
    return { ...fields, outcome: { kind: 'applied', events, nextOffset: events.length, commitId } };
  }
  if (answer === 'applied') return { ...call, kind, outcome: { kind: 'applied', commitId } };
  if (answer === 'unknown') return { ...call, kind, outcome: { kind: 'unknown' } };
  return {
    ...call,
    kind,
    outcome: { kind: 'refused', rule: kind === 'create-stream' ? 'STREAM_EXISTS' : 'STREAM_NOT_FOUND' },
  };
}

/** Whole appends of this stream, cut off at the limit. */
function shownBy({ shown, stream, limit }: Wild, all: readonly Wild[]) {
  const events: { readonly offset: number; readonly value: number; readonly part: number }[] = [];
  for (const index of new Set(shown)) {
    const append = all[index];
    if (append?.kind !== 'append' || append.stream !== stream) continue;
    for (let part = 0; part < append.count && events.length < limit; part++)
      events.push({ offset: events.length, value: index + 1, part });
  }
  return events;
}
