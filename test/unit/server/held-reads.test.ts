/**
 * Goal: a read that waits for an event is answered when it stands there, at its time, or at the end of the server, once. Method:
 * the real class on a clock that the test moves, and streams that are numbers.
 */
import { expect, it } from 'vitest';
import type { Connection } from '../../../impl/ports/connection.ts';
import { SimulatedClock } from '../../../impl/ports/simulated-clock.ts';
import { HeldReads } from '../../../impl/server/held-reads.ts';
import type { ReadRequest } from '../../../impl/wire/request.ts';

const client = {} as Connection;
const other = {} as Connection;

function opened() {
  const clock = new SimulatedClock();
  const ends = new Map([
    ['a', 3],
    ['b', 0],
  ]);
  const held = new HeldReads({ clock, endOf: (stream) => ends.get(stream), holdMsMax: 1_000 });
  const answered: string[] = [];
  const hold = (stream: string, from: number, change: Partial<ReadRequest> = {}, of = client): boolean => {
    const request = { operation: 'read', stream, from, limit: 1, linearizable: false, waitMs: 500, ...change } as const;
    return held.hold(of, request, () => answered.push(`${stream} ${from}`));
  };
  /** Something was applied, and what that woke has run. */
  const applied = async (): Promise<void> => {
    held.applied();
    await Promise.resolve();
  };
  return { clock, ends, held, answered, hold, applied };
}

it('a read at the end is held until an event stands there; others are not woken', async () => {
  const { ends, held, answered, hold, applied } = opened();
  expect([hold('a', 3), hold('a', 4), hold('b', 0)]).toEqual([true, true, true]);
  await applied();
  expect(answered).toEqual([]);
  ends.set('a', 4);
  await applied();
  expect(answered).toEqual(['a 3']);
  ends.set('a', 5);
  ends.delete('b');
  await applied();
  expect(answered).toEqual(['a 3', 'a 4', 'b 0']);
  expect(held.count).toBe(0);
});

it('what finds something, wants everything that is acknowledged, or does not wait, is not held', () => {
  const { hold } = opened();
  expect([hold('a', 2), hold('nowhere', 0), hold('a', 3, { waitMs: 0 }), hold('a', 3, { linearizable: true })]).toEqual(
    [false, false, false, false],
  );
});

it('its time is over: its own, or the longest that there is', () => {
  const { clock, answered, hold } = opened();
  hold('a', 3);
  hold('b', 0, { waitMs: 0xffff_ffff });
  clock.advance(499);
  expect(answered).toEqual([]);
  clock.advance(1);
  expect(answered).toEqual(['a 3']);
  clock.advance(500);
  expect(answered).toEqual(['a 3', 'b 0']);
});

it('a client that is gone is not answered; a server that stops answers all, and holds no other', async () => {
  const { clock, ends, held, answered, hold, applied } = opened();
  hold('a', 3);
  hold('b', 0, {}, other);
  held.closed(client);
  ends.set('a', 9);
  await applied();
  expect(answered).toEqual([]);
  held.drain();
  expect(answered).toEqual(['b 0']);
  expect(hold('b', 0)).toBe(false);
  clock.advance(5_000);
  expect(answered).toEqual(['b 0']);
});

it('there is a bound: the next one is answered at once', () => {
  const { held, hold } = opened();
  while (hold('a', 3)) expect(held.count).toBeLessThanOrEqual(4_096);
  expect(held.count).toBe(4_096);
});
