/** Runs of a stream against an array: every version stays as it was, whichever of them goes on, and finds its offsets. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Run, RunList } from '../../../impl/kernel/run-list.ts';

test('versions that go on from any earlier one are those of an array', () => {
  const step = fc.record({
    from: fc.nat(),
    count: fc.integer({ min: 1, max: 9 }),
    times: fc.integer({ min: 1, max: 70 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 8 }), fc.nat(), (steps, pick) => {
      const versions: [RunList, readonly Run[], number][] = [[RunList.empty, [], 0]];
      for (const { from, count, times } of steps) {
        let [list, array, next] = versions[from % versions.length] as [RunList, readonly Run[], number];
        for (let time = 0; time < times; time++) {
          const without = (time + count) % 5 === 0 ? [count, time + 10] : [];
          const run = { firstOffset: next, op: array.length * count + 1, command: count, without };
          [list, array, next] = [list.push(run), [...array, run], next + count];
        }
        versions.push([list, array, next]);
      }
      for (const [list, array, next] of versions) {
        expect([...list]).toEqual(array);
        if (next === 0) continue;
        const offset = pick % next;
        const index = list.indexAt(offset);
        expect(list.at(index).firstOffset).toBeLessThanOrEqual(offset);
        expect(array[index + 1]?.firstOffset ?? next).toBeGreaterThan(offset);
      }
    }),
    { numRuns: 200 },
  );
});
