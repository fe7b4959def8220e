/**
 * Goal: the loops of short-fields.ts give what Node gives. Method: the same texts and bytes through both, with texts that
 * come again, and bytes before and after that must stay as they were.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { shortAsciiAt, writeBytes, writeShortAscii } from '../../../impl/ports/short-fields.ts';

const ASCII = /^\p{ASCII}*$/u;
const LONG = 49;
const text = fc.oneof(
  fc.string({ maxLength: 60 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('a', 'b'),
);

it('shortAsciiAt: the text of the bytes, or undefined for one that is long or not ASCII', () => {
  fc.assert(
    fc.property(text, fc.nat(9), (written, before) => {
      const bytes = Buffer.concat([Buffer.alloc(before, 0x61), Buffer.from(written), Buffer.alloc(3, 0x61)]);
      const length = bytes.length - before - 3;
      const isRead = length < LONG && ASCII.test(written);
      for (let time = 0; time < 2; time++) {
        expect(shortAsciiAt(bytes, before, length)).toBe(isRead ? written : undefined);
      }
    }),
  );
});

it('writeShortAscii: the bytes that Node writes, and none behind them', () => {
  fc.assert(
    fc.property(text, fc.nat(9), (written, at) => {
      const [bytes, expected] = [Buffer.alloc(300), Buffer.alloc(300)];
      const isWritten = written.length < LONG && ASCII.test(written);
      expect(writeShortAscii(bytes, at, written)).toBe(isWritten);
      if (!isWritten) return;
      expected.write(written, at, 'utf8');
      expect(bytes).toEqual(expected);
    }),
  );
});

it('writeBytes: as set, short and long', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(9), (from, at) => {
      const [bytes, expected] = [new Uint8Array(120), new Uint8Array(120)];
      writeBytes(bytes, at, from);
      expected.set(from, at);
      expect(bytes).toEqual(expected);
    }),
  );
});
