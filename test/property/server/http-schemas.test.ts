/**
 * Goal: what the schemas of the HTTP API let through has the form that the kernel wants, and they refuse nothing that it
 * takes. Method: texts near the border, asked of both.
 */
import { Value } from '@sinclair/typebox/value';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkCommand, checkIdempotencyKey } from '../../../impl/kernel/command.ts';
import { KeyParams, NewStream } from '../../../impl/server/http-schemas.ts';

function passes(check: () => void): boolean {
  try {
    check();
    return true;
  } catch {
    return false;
  }
}

const character = fc.constantFrom('a', 'Z', '0', '.', '_', ':', '-', '/', ' ', '\u0000', '~', 'é', '\n', '%');
const text = fc.oneof(
  fc.array(character, { maxLength: 6 }).map((characters) => characters.join('')),
  fc.constantFrom(...[63, 64, 65, 127, 128, 129].map((length) => 'a'.repeat(length))),
);

test('names of streams and data classes: schema and kernel agree', () => {
  fc.assert(
    fc.property(text, text, (stream, dataClass) => {
      const taken = passes(() => checkCommand({ kind: 'CreateStream', stream, dataClass }));
      expect(Value.Check(NewStream, { name: stream, dataClass })).toBe(taken);
    }),
    { numRuns: 2_000 },
  );
});

test('keys: the kernel takes what the schema takes, and more only with a space at an end, which no header carries', () => {
  fc.assert(
    fc.property(text, (key) => {
      const taken = passes(() => checkIdempotencyKey(key));
      expect(Value.Check(KeyParams, { key })).toBe(taken && key.trim() === key);
    }),
    { numRuns: 2_000 },
  );
});
