/** How a client numbers its requests: the client's rules of specs/ClientSessions.tla, one by one. */
import { expect, test } from 'vitest';
import { ClientSessions } from '../../../impl/vsr/client-sessions.ts';
import { SessionsInFlight } from '../../../impl/vsr/sessions-in-flight.ts';
import { SessionNumbers } from '../../../impl/wire/session-numbers.ts';

test('SendRequest: number n waits for the answer to n - W, in whatever order the answers come (W=2)', () => {
  const numbers = new SessionNumbers(2);
  expect(numbers.next()).toBeUndefined();
  expect(numbers.adopt(7)).toBe(true);
  expect([numbers.next(), numbers.next(), numbers.next()]).toEqual([1, 2, undefined]);
  expect(numbers.answered(7, 2)).toBe(true);
  expect(numbers.next()).toBeUndefined(); // 1 has no answer yet
  expect(numbers.answered(7, 1)).toBe(true);
  expect([numbers.next(), numbers.next(), numbers.next()]).toEqual([3, 4, undefined]);
});

test('ReceiveReply: an answer ends one wait, of the session that stands', () => {
  const numbers = new SessionNumbers(2);
  numbers.adopt(7);
  numbers.next();
  expect(numbers.answered(6, 1)).toBe(false);
  expect(numbers.answered(7, 1)).toBe(true);
  expect(numbers.answered(7, 1)).toBe(false);
});

test('ReceiveRegistered: one session at a time, and never an older one', () => {
  const numbers = new SessionNumbers(2);
  numbers.adopt(7);
  expect(numbers.adopt(9)).toBe(false);
  expect(numbers.evicted(7)).toEqual([]);
  expect(numbers.adopt(7)).toBe(false); // a late answer to the registration of before
  expect(numbers.adopt(9)).toBe(true);
  expect(numbers.next()).toBe(1);
});

test('ReceiveEvicted: what waits is in doubt, and waits no more', () => {
  const numbers = new SessionNumbers(3);
  numbers.adopt(7);
  numbers.next();
  numbers.next();
  numbers.answered(7, 1);
  expect(numbers.evicted(6)).toBeUndefined();
  expect(numbers.evicted(7)).toEqual([2]);
  expect(numbers.registered).toBe(false);
  expect(numbers.waiting).toEqual([]);
});

test('ReceiveRequest: once into the log in a view, and again after a view change', () => {
  const draft = ClientSessions.empty<string>().begin(1);
  draft.register(7);
  const table = draft.sealed();
  const inFlight = new SessionsInFlight();
  expect(inFlight.admit(table, 7, 1)).toBe('submit');
  inFlight.add(7, 1);
  expect(inFlight.admit(table, 7, 1)).toBe('in-flight');
  inFlight.clear();
  expect(inFlight.admit(table, 7, 1)).toBe('submit');
  expect(inFlight.admit(table, 8, 1)).toBe('submit'); // registered further on, perhaps
  expect(inFlight.admit(table, 6, 1)).toEqual({ kind: 'Evicted' });
});
