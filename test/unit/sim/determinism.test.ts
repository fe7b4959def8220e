/**
 * Goal: a seed decides every byte of its history, whatever ran before it in the process, and in every process.
 * Method: 200 seeds in one process in order, and in another one backwards; hash by hash. `make sim-nodes OTHER=path` does the
 * same between two versions of Node, which a machine of the tests need not have.
 */
import { describe, expect, test } from 'vitest';
import type { Answer, Job, RunSettings } from '../../../conformance/sim/runner/messages.ts';
import { WorkerProcess } from '../../../conformance/sim/runner/worker-process.ts';

const SEEDS = 200;
const TEST_MS_MAX = 600_000;
const WORLD = new URL('../../../conformance/sim/runner/simulated-world.ts', import.meta.url).href;
/** Clusters of 3, 5 and 7, all faults. */
const SETTINGS: RunSettings = { name: 'swarm-sizes' };

/** The hash of each seed, in the order in which they ran. */
function hashesOf(seeds: readonly number[]): Promise<ReadonlyMap<number, string>> {
  const left = [...seeds];
  const hashes = new Map<number, string>();
  return new Promise((done, fail) => {
    const next = (worker: WorkerProcess): void => {
      const seed = left.shift();
      if (seed === undefined) {
        worker.dismiss();
        done(hashes);
      } else worker.take({ kind: 'one', seed } satisfies Job);
    };
    new WorkerProcess(WORLD, SETTINGS, {
      onAnswer: (worker, answer: Answer) => {
        if (answer.kind === 'one') {
          const { result, tally } = answer;
          if (result === undefined) return fail(new Error(tally.failures[0]?.message));
          hashes.set(
            result.seed,
            `${result.hash} ${result.steps} ${result.machineEvents} ${result.failure?.rule ?? ''}`,
          );
        }
        next(worker);
      },
      onGone: (_worker, why) => fail(new Error(why)),
    });
  });
}

describe('a seed', () => {
  test(
    `has one history: ${SEEDS} of them, in two processes, forwards and backwards`,
    async () => {
      const seeds = Array.from({ length: SEEDS }, (_, index) => 1_000 + index);
      const [forwards, backwards] = await Promise.all([hashesOf(seeds), hashesOf(seeds.toReversed())]);
      expect(forwards.size).toBe(SEEDS);
      const differing = seeds.filter((seed) => forwards.get(seed) !== backwards.get(seed));
      expect(differing).toEqual([]);
      expect(new Set(forwards.values()).size).toBe(SEEDS);
    },
    TEST_MS_MAX,
  );
});
