/**
 * Commands and batches as bytes: there and back, one encoding each, every cut and every flipped bit either another command or
 * a CommandError, never anything else.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Command, CommandError } from '../../../impl/kernel/command.ts';
import { decodeBatch, decodeCommand, encodeBatch, encodeCommand } from '../../../impl/kernel/command-codec.ts';
import { BatchOutline, type CommandOutline } from '../../../impl/kernel/command-outline.ts';
import { command } from './arbitrary.ts';

const RUNS = 500;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

test('a batch comes back as it was, command by command', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 8 }), (commands) => {
      const body = encodeBatch(commands.map(encodeCommand));
      const batch = new BatchOutline(body);
      expect(decodeBatch(body).map(withText)).toEqual(commands.map(withText));
      expect(batch.count).toBe(commands.length);
      for (const [index, one] of commands.entries()) {
        expect(withText(decodeCommand(batch.bytesAt(index)))).toEqual(withText(one));
        expect(batch.at(index)).toEqual(outlineOf(one));
      }
      expect(() => batch.at(commands.length)).toThrow(CommandError);
    }),
    { numRuns: RUNS },
  );
});

test('an outline is what decoding gives, or both refuse', () => {
  fc.assert(
    fc.property(fc.array(command, { minLength: 1, maxLength: 3 }), fc.nat(), fc.nat(), (commands, at, byte) => {
      const encoded = commands.map((one) => Uint8Array.from(encodeCommand(one)));
      const damaged = encoded[at % encoded.length] as Uint8Array;
      damaged[at % damaged.length] = byte % 256;
      const batch = new BatchOutline(encodeBatch(encoded));
      for (const [index, bytes] of encoded.entries()) {
        expect(outcomeOf(() => batch.at(index))).toEqual(outcomeOf(() => outlineOf(decodeCommand(bytes))));
      }
    }),
    { numRuns: 20_000 },
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
        const batch = new BatchOutline(bytes);
        for (let index = 0; index < batch.count; index++) expectOutlineOrError(batch, index);
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

function expectOutlineOrError(batch: BatchOutline, index: number): void {
  expect(outcomeOf(() => batch.at(index))).toEqual(outcomeOf(() => outlineOf(decodeCommand(batch.bytesAt(index)))));
}

function outlineOf(of: Command): CommandOutline {
  if (of.kind !== 'Append') return of;
  const { kind, stream, events, expectedOffset, idempotencyKey, session } = of;
  return { kind, stream, eventCount: events.length, expectedOffset, idempotencyKey, session };
}

function outcomeOf(act: () => CommandOutline): unknown {
  try {
    return act();
  } catch (cause) {
    if (cause instanceof CommandError) return 'refused';
    throw cause;
  }
}

/** Decoded data are Buffers, and toEqual tells them from a Uint8Array. */
function withText(of: Command): unknown {
  return of.kind === 'Append' ? { ...of, events: of.events.map((event) => ({ ...event, data: hex(event.data) })) } : of;
}
