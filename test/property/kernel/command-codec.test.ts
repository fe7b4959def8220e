/**
 * Commands and batches as bytes: there and back, one encoding each, every cut and every flipped bit either another command or
 * a CommandError, never anything else.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Command, CommandError } from '../../../impl/kernel/command.ts';
import {
  commandAt,
  decodeBatch,
  decodeCommand,
  encodeBatch,
  encodeCommand,
} from '../../../impl/kernel/command-codec.ts';
import { command } from './arbitrary.ts';

const RUNS = 500;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

test('a batch comes back as it was, and each command alone', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 8 }), (commands) => {
      const body = encodeBatch(commands.map(encodeCommand));
      expect(decodeBatch(body).map(withText)).toEqual(commands.map(withText));
      for (const [index, one] of commands.entries()) expect(withText(commandAt(body, index))).toEqual(withText(one));
      expect(() => commandAt(body, commands.length)).toThrow(CommandError);
    }),
    { numRuns: RUNS },
  );
});

test('what decodes encodes to the same bytes: one encoding a command', () => {
  fc.assert(
    fc.property(command, fc.nat(), fc.nat({ max: 7 }), (one, at, bit) => {
      const bytes = Uint8Array.from(encodeCommand(one));
      expect(hex(encodeCommand(decodeCommand(bytes)))).toBe(hex(bytes));
      const flipped = bytes.slice();
      flipped[at % flipped.length] = (flipped[at % flipped.length] as number) ^ (1 << bit);
      expectCommandOrError(flipped);
    }),
    { numRuns: RUNS * 4 },
  );
});

test('every cut is refused', () => {
  fc.assert(
    fc.property(command, (one) => {
      const bytes = encodeCommand(one);
      for (let length = 0; length < bytes.byteLength; length++) {
        expect(() => decodeCommand(bytes.subarray(0, length))).toThrow(CommandError);
      }
      expect(() => decodeCommand(Buffer.concat([bytes, Buffer.from([0])]))).toThrow(CommandError);
    }),
    { numRuns: RUNS / 5 },
  );
});

test('100,000 arbitrary byte strings are a command, a batch or a CommandError', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      expectCommandOrError(bytes);
      try {
        decodeBatch(bytes);
      } catch (cause) {
        expect(cause).toBeInstanceOf(CommandError);
      }
    }),
    { numRuns: 100_000 },
  );
});

function expectCommandOrError(bytes: Uint8Array): void {
  try {
    expect(hex(encodeCommand(decodeCommand(bytes)))).toBe(hex(bytes));
  } catch (cause) {
    expect(cause).toBeInstanceOf(CommandError);
  }
}

/** Decoded data are Buffers, and toEqual tells them from a Uint8Array. */
function withText(of: Command): unknown {
  return of.kind === 'Append' ? { ...of, events: of.events.map((event) => ({ ...event, data: hex(event.data) })) } : of;
}
