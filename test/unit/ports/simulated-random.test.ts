/**
 * Goal: the same seed is the same run, in every version of this program: saved failures name their seed only.
 * Method: known values, and a fork that goes on from the same point.
 */
import { describe, expect, test } from 'vitest';
import { SimulatedRandom } from '../../../impl/ports/simulated-random.ts';

const drawn = (random: SimulatedRandom, bound: number, count: number): readonly number[] =>
  Array.from({ length: count }, () => random.below(bound));

describe('SimulatedRandom', () => {
  test('a seed names a sequence that never changes', () => {
    const random = new SimulatedRandom(7);
    expect(drawn(random, 2 ** 32, 5)).toEqual([210494603, 711084892, 3993689120, 4089369890, 1706118055]);
    expect([...random.bytes(8)]).toEqual([66, 18, 78, 35, 192, 68, 5, 7]);
    expect(drawn(new SimulatedRandom(42), 1000, 8)).toEqual([221, 732, 526, 633, 756, 677, 64, 476]);
    expect(drawn(new SimulatedRandom(0xffff_ffff), 3_000_000_000, 3)).toEqual([1825856343, 1152209388, 2427537429]);
  });

  test('bytes are the draws below 256', () => {
    const [random, twin] = [new SimulatedRandom(3), new SimulatedRandom(3)];
    expect([...random.bytes(100)]).toEqual(drawn(twin, 256, 100));
    expect(random.below(1000)).toBe(twin.below(1000));
  });

  test('a fork goes on from the same point, apart', () => {
    const random = new SimulatedRandom(1);
    drawn(random, 10, 3);
    const fork = random.fork();
    const rest = drawn(random, 1000, 20);
    expect(drawn(fork, 1000, 20)).toEqual(rest);
  });

  test('chance is a draw below 1,000, and none when it is sure', () => {
    const [random, twin] = [new SimulatedRandom(5), new SimulatedRandom(5)];
    for (let round = 0; round < 50; round++) {
      const drawn = twin.below(1000);
      expect(random.chance(round % 2 === 0 ? drawn : drawn + 1)).toBe(round % 2 === 1);
    }
    expect([random.chance(0), random.chance(1000)]).toEqual([false, true]);
    expect(random.below(1000)).toBe(twin.below(1000));
  });
});
