/** Runs of a stream against an array: every version stays as it was, whichever of them goes on, and finds its offsets. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Run, RunList } from '../../../impl/kernel/run-list.ts';

test('versions that go on from any earlier one are those of an array', () => {
  const step = fc.record({
    from: fc.nat(),
    count: fc.integer({ min: 1, max: 9 }),
    times: fc.oneof(
      { weight: 9, arbitrary: fc.integer({ min: 1, max: 140 }) },
      { weight: 1, arbitrary: fc.constant(9_000) },
    ),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 8 }), fc.nat(), (steps, pick) => {
      const versions: [RunList, readonly Run[], number][] = [[RunList.empty, [], 0]];
      for (const { from, count, times } of steps) {
        const [before, runs, end] = versions[from % versions.length] as [RunList, readonly Run[], number];
        let [list, next] = [before, end];
        const array = [...runs];
        for (let time = 0; time < times; time++) {
          const without = (time + count) % 5 === 0 ? leftOut(count, time) : [];
          // Steps of an op from one to what the bound of ops allows; a chunk is full after some thousand runs.
          const op = (array.at(-1)?.op ?? 0) + (time % 9 === 8 ? 2 ** (10 + 3 * count) : count);
          const command = count % 3 === 0 ? 0 : count * 400;
          const run = { firstOffset: next, count, op, command, without };
          array.push(run);
          [list, next] = [list.push(run), next + count];
        }
        versions.push([list, array, next]);
      }
      for (const [list, array, next] of versions) {
        expect([...list]).toEqual(array);
        if (next === 0) continue;
        const offset = pick % next;
        const index = list.indexAt(offset);
        expect(list.at(index)).toEqual(array[index]);
        expect(list.from(index).next().value).toEqual(array[index]);
        expect([...list.from(list.size)]).toEqual([]);
        expect(list.at(index).firstOffset).toBeLessThanOrEqual(offset);
        expect(array[index + 1]?.firstOffset ?? next).toBeGreaterThan(offset);
      }
    }),
    { numRuns: 100 },
  );
});

/** As many as one op may leave out, now and then. */
function leftOut(count: number, time: number): readonly number[] {
  const length = time % 700 === 0 ? 4_000 : 2;
  return Array.from({ length }, (_, at) => count + at + (at === length - 1 ? 80 : 0));
}
