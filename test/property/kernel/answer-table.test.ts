/** A table of answers against an array: every version stays as it was, whichever goes on, forgets in order and finds by name. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AnswerName, AnswerTable, type KeyedAnswer } from '../../../impl/kernel/answer-table.ts';

interface Named extends KeyedAnswer {
  readonly name: string;
}

function answerOf(number: number): Named {
  const fingerprint = Uint8Array.from({ length: 32 }, (_, at) => (number >>> (at % 4)) & 255);
  const place = { commitId: 2 ** 40 + number, timestamp: 1.7e12 + number, firstOffset: 2 ** 47 + number };
  return { name: `key-${number}`, fingerprint, stream: `stream-${number % 7}`, ...place, count: 1 + (number % 5) };
}

function withoutName({ name: _, ...answer }: Named): KeyedAnswer {
  return answer;
}

const step = fc.record({
  from: fc.nat(),
  added: fc.oneof({ weight: 9, arbitrary: fc.nat(60) }, { weight: 1, arbitrary: fc.constant(700) }),
  kept: fc.nat(120),
});

test('versions that go on from any earlier one are those of an array', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 9 }), (steps) => {
      const versions: [AnswerTable, readonly Named[]][] = [[AnswerTable.empty(), []]];
      let number = 0;
      for (const { from, added, kept } of steps) {
        const [before, answers] = versions[from % versions.length] as [AnswerTable, readonly Named[]];
        let table = before;
        const array = [...answers];
        for (let count = 0; count < added; count++) {
          const answer = answerOf(++number);
          table = table.with(new AnswerName(answer.name), answer);
          array.push(answer);
        }
        for (; array.length > kept; array.shift()) table = table.withoutOldest();
        versions.push([table, array]);
      }
      for (const [table, array] of versions) {
        expect([...table]).toEqual(array.map(withoutName));
        expect(table.size).toBe(array.length);
        expect(table.oldest).toEqual(array[0] === undefined ? undefined : withoutName(array[0]));
        expect(table.oldestTimestamp).toBe(array[0]?.timestamp);
        const names = new Map(array.map((answer) => [answer.name, withoutName(answer)]));
        for (let wanted = 1; wanted <= number + 1; wanted++) {
          const name = `key-${wanted}`;
          expect(table.find(new AnswerName(name))).toEqual(names.get(name));
        }
      }
    }),
    { numRuns: 60 },
  );
});

test('a name that was forgotten may come back', () => {
  const [one, two] = [answerOf(1), answerOf(2)];
  const name = new AnswerName('again');
  const first = AnswerTable.empty().with(name, one);
  const second = first.withoutOldest().with(name, two);
  expect([first.find(name), second.find(name)]).toEqual([withoutName(one), withoutName(two)]);
  expect(second.withoutOldest().find(name)).toBeUndefined();
});
