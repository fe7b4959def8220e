/**
 * Goal: the JSON that is written and read by hand is that of JSON.stringify and JSON.parse. Method: both on any numbers, and on
 * every text that differs from a right one in a byte or ends early.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { appendedIn, appendedJson } from '../../../impl/server/appended-json.ts';

const numbers = fc.tuple(fc.nat(), fc.maxSafeNat(), fc.maxSafeNat());

function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'utf8'));
}

it('appendedJson: the bytes are those of JSON.stringify, and what is read is what was written', () => {
  fc.assert(
    fc.property(numbers, ([count, firstOffset, commitId]) => {
      const result = { kind: 'Appended', firstOffset, count, commitId, repeated: false } as const;
      expect(appendedJson(result)).toBe(JSON.stringify(result));
      const isShort = Math.max(firstOffset, commitId) < 10 ** 15;
      expect(appendedIn(bytesOf(JSON.stringify(result)))).toEqual(isShort ? result : undefined);
    }),
  );
});

it('appendedJson: every other result is left to JSON.stringify', () => {
  const repeated = { kind: 'Appended', firstOffset: 1, count: 1, commitId: 1, repeated: true };
  for (const other of [null, undefined, 'Appended', 7, {}, { kind: 'StreamCreated' }, repeated]) {
    expect(appendedJson(other)).toBeUndefined();
  }
});

it('appendedIn: what it takes from any bytes is what JSON.parse reads there', () => {
  const right = '{"kind":"Appended","firstOffset":10,"count":2,"commitId":30,"repeated":false}';
  for (let end = 0; end < right.length; end++) expect(appendedIn(bytesOf(right.slice(0, end)))).toBeUndefined();
  expect(appendedIn(bytesOf(`${right} `))).toBeUndefined();
  for (let at = 0; at < right.length; at++) {
    for (const other of [...' 0a-.e"}', 'ä']) {
      const bytes = bytesOf(right.slice(0, at) + other + right.slice(at + 1));
      const read = appendedIn(bytes);
      if (read !== undefined) expect(read).toEqual(JSON.parse(Buffer.from(bytes).toString('utf8')));
    }
  }
});
