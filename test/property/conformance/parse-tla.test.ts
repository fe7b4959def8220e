/**
 * Goal: equal TLA+ values have one text, whatever the order and layout in which an engine prints them.
 * Method: random nested values; print, parse, compare; shuffle sets and functions and compare again.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseState, parseTla } from '../../../conformance/values/parse-tla.ts';
import {
  type TlaValue,
  tlaBoolean,
  tlaFunction,
  tlaInteger,
  tlaModelValue,
  tlaSequence,
  tlaSet,
  tlaString,
} from '../../../conformance/values/tla-value.ts';

const { value: anyValue } = fc.letrec<{ value: TlaValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map(tlaInteger),
    fc.boolean().map(tlaBoolean),
    fc.string({ unit: 'grapheme-ascii' }).map(tlaString),
    fc.constantFrom('v1', 'NoOne', 'a_b').map(tlaModelValue),
    fc.array(tie('value'), { maxLength: 4 }).map(tlaSet),
    fc.array(tie('value'), { maxLength: 4 }).map(tlaSequence),
    fc
      .uniqueArray(fc.tuple(tie('value'), tie('value')), { maxLength: 4, selector: ([key]) => key.text })
      .map(tlaFunction),
  ),
}));

describe('TLA+ values', () => {
  test('print and parse is the identity', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        expect(parseTla(value.text)).toEqual(value);
      }),
    );
  });

  test('layout does not matter', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), (items) => {
        const spread = `{ ${items.join(' ,\n  ')} }`;
        expect(parseTla(spread).text).toBe(tlaSet(items.map(tlaInteger)).text);
      }),
    );
  });

  test('the order of set members and function entries does not matter, and duplicates fall away', () => {
    fc.assert(
      fc.property(fc.array(anyValue, { maxLength: 6 }), fc.infiniteStream(fc.nat()), (values, keys) => {
        const shuffled = [...values, ...values]
          .map((value) => [keys.next().value as number, value] as const)
          .sort((a, b) => a[0] - b[0])
          .map(([, value]) => value);
        expect(parseTla(`{${shuffled.map((value) => value.text).join(', ')}}`).text).toBe(tlaSet(values).text);
        const unique = [...new Map(values.map((value) => [value.text, value])).values()];
        const reversed = unique.toReversed().map((value) => `${value.text} :> ${value.text}`);
        if (reversed.length === 0) return;
        expect(parseTla(`(${reversed.join(' @@ ')})`).text).toBe(
          tlaFunction(unique.map((value) => [value, value] as const)).text,
        );
      }),
    );
  });

  test('sets of records and of functions as the engines print them', () => {
    const set =
      '{[type |-> "Prepare", op |-> 1], [op |-> 1, type |-> "Prepare"], (2 :> {} @@ 1 :> <<>>), << <<>>, {} >>}';
    expect(parseTla(set).text).toBe('{<<<<>>, {}>>, [op |-> 1, type |-> "Prepare"]}');
    expect(parseTla('1..3').text).toBe('{1, 2, 3}');
    expect(parseTla('(0 :> -1 @@ 1 :> "a\\"b")').text).toBe('(0 :> -1 @@ 1 :> "a\\"b")');
  });

  test('a state is its variables', () => {
    const state = parseState('/\\ log = << [a |-> 1],\n   [a |-> 2] >>\n/\\ x = {"}"}');
    expect([...state].map(([name, value]) => `${name}=${value.text}`)).toEqual([
      'log=<<[a |-> 1], [a |-> 2]>>',
      'x={"}"}',
    ]);
    expect(() => parseTla('{1, 2')).toThrow(/wanted "}"/);
    expect(() => parseTla('1 2')).toThrow(/the end/);
  });
});
