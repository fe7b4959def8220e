/**
 * Goal: the ledger that the kill tests rest on sees each way in which a cluster could betray a client.
 * Method: a true ledger, then one falsehood at a time.
 */
import { describe, expect, it } from 'vitest';
import { type Acknowledged, ledgerFaults, type StoredEvent } from './load.ts';

const stored = (offset: number, data = `entry ${offset}`, commitId = offset + 2): StoredEvent => ({
  ...{ offset, data, commitId },
  ...{ timestamp: 1, hash: `hash of ${data}` },
});
const good = [0, 1, 2, 3].map((offset) => stored(offset));
const told: Acknowledged[] = [0, 1, 3].map((offset) => ({
  ...{ offset, data: `entry ${offset}`, commitId: `${offset + 2}` },
}));
const sent = new Set(good.map(({ data }) => data));
const faultsOf = (first: readonly StoredEvent[], second = first, acknowledged = told): string[] =>
  ledgerFaults(acknowledged, sent, [first, second]);

describe('the ledger', () => {
  it('finds nothing when everything acknowledged is there, and an entry without an answer too', () => {
    expect(faultsOf(good)).toEqual([]);
  });

  it.each([
    ['an acknowledged entry at the end is lost', good.slice(0, 3), /offset 3, acknowledged as commit 5.*is lost/],
    [
      'another entry in its place',
      [...good.slice(0, 3), stored(3, 'entry 2')],
      /offset 3, acknowledged.*is commit 5 "entry 2"/,
    ],
    ['another commit', [...good.slice(0, 3), stored(3, 'entry 3', 9)], /offset 3.*is commit 9/],
    ['an entry applied twice', [...good, stored(4, 'entry 1')], /offset 4 "entry 1" stands twice/],
    ['an entry that nobody sent', [...good, stored(4, 'ghost')], /offset 4 "ghost" was never sent/],
    ['a gap', [...good, stored(5)], /offset 5 stands in place 4/],
  ])('sees %s', (_, events, fault) => {
    expect(faultsOf(events).join('\n')).toMatch(fault);
  });

  it('sees replicas that differ, in one byte of a hash and in length', () => {
    const other = good.map((event, index) => (index === 2 ? { ...event, hash: 'other' } : event));
    expect(faultsOf(good, other)).toEqual(['offset 2 differs between replica 0 and replica 1']);
    expect(faultsOf(good, good.slice(0, 3))).toEqual(['offset 3 differs between replica 0 and replica 1']);
  });
});
