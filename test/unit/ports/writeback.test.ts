/**
 * Goal: each writeback has its order, chooses only among the requests in flight, and never turns the writes of a page around.
 * Method: short queues whose order can be read off.
 */
import { describe, expect, test } from 'vitest';
import { SimulatedRandom } from '../../../impl/ports/simulated-random.ts';
import {
  IN_FLIGHT_REQUESTS_MAX,
  WRITEBACK_PAGE_BYTES,
  type Writeback,
  writebackOrder,
} from '../../../impl/ports/writeback.ts';

interface Request {
  readonly name: number;
  readonly file: number;
  readonly position: number;
}

/** One request a page, of file 0, at these pages. */
const queue = (...pages: readonly number[]): readonly Request[] =>
  pages.map((page, name) => ({ name, file: 0, position: page * WRITEBACK_PAGE_BYTES }));

const namesOf = (requests: readonly Request[], writeback: Writeback, seed = 1): readonly number[] =>
  writebackOrder(requests, writeback, new SimulatedRandom(seed)).map(({ name }) => name);

describe('writeback', () => {
  test('fifo: as written', () => expect(namesOf(queue(5, 1, 9, 0), 'fifo')).toEqual([0, 1, 2, 3]));

  test('elevator: by position, file after file', () => {
    expect(namesOf(queue(5, 1, 9, 0), 'elevator')).toEqual([3, 1, 0, 2]);
    const files = queue(5, 1, 9, 0).map((request) => ({ ...request, file: request.name < 2 ? 1 : 0 }));
    expect(namesOf(files, 'elevator')).toEqual([3, 2, 1, 0]);
  });

  test('elevator: what comes in behind the head waits for the next round', () => {
    const pages = Array.from({ length: IN_FLIGHT_REQUESTS_MAX }, (_, at) => at + 10);
    // The head is at page 10 when pages 3 and 50 come in.
    const order = namesOf(queue(...pages, 3, 50), 'elevator');
    expect(order.slice(-2)).toEqual([33, 32]);
  });

  test('deadline: the oldest eight first, by position among themselves', () => {
    expect(namesOf(queue(9, 8, 7, 6, 5, 4, 3, 2, 1, 0), 'deadline')).toEqual([7, 6, 5, 4, 3, 2, 1, 0, 9, 8]);
  });

  test.each(['random', 'elevator'] as const)('%s: chooses only among the requests in flight', (writeback) => {
    const pages = Array.from({ length: 100 }, (_, at) => 100 - at);
    for (let seed = 0; seed < 20; seed++) {
      const order = namesOf(queue(...pages), writeback, seed);
      expect([...order].sort((a, b) => a - b)).toEqual(pages.map((_, at) => at));
      for (const [at, name] of order.entries()) expect(name).toBeLessThan(at + IN_FLIGHT_REQUESTS_MAX);
    }
  });

  test('random: another seed, another order; the same seed, the same', () => {
    const requests = queue(0, 1, 2, 3, 4, 5, 6, 7);
    const orders = Array.from({ length: 20 }, (_, seed) => namesOf(requests, 'random', seed).join());
    expect(new Set(orders).size).toBeGreaterThan(15);
    expect(namesOf(requests, 'random', 3).join()).toBe(orders[3]);
  });

  test.each(['random', 'elevator', 'deadline'] as const)('%s: the writes of one page keep their order', (writeback) => {
    const requests = [900, 5000, 20, 300, 4096, 0].map((position, name) => ({ name, file: 0, position }));
    for (let seed = 0; seed < 20; seed++) {
      const order = namesOf(requests, writeback, seed);
      expect(order.filter((name) => name === 1 || name === 4)).toEqual([1, 4]);
      expect(order.filter((name) => name !== 1 && name !== 4)).toEqual([0, 2, 3, 5]);
    }
  });
});
