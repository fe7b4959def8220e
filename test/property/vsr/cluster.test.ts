/**
 * Vsr: clusters of 3 and 5 real replicas under loss, duplication, reordering, cut lines, pauses, power losses and failing disks keep every
 * invariant of specs/Vsr.tla after every tick; when the faults end, all of them commit everything within a bounded time.
 * Repeat a failure with the seed that it prints.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Cluster } from './cluster.ts';
import { runOf, ticksToAgreement } from './cluster-faults.ts';

/** Runs of each size; LOCKSTEP_RUNS=1000 for a longer look. */
const RUNS = Number(process.env.LOCKSTEP_RUNS ?? 25);
/** On a busy machine a run takes a second. */
const TEST_MS_MAX = 60_000 + RUNS * 1_000;
for (const replicaCount of [3, 5]) {
  test(
    `Vsr: every invariant holds under faults, and agreement comes when they end (R=${replicaCount})`,
    () => {
      let ticksMax = 0;
      let ticks = 0;
      let committed = 0;
      let halts = 0;
      fc.assert(
        fc.property(runOf(replicaCount), ([seed, actions]) => {
          const cluster = new Cluster({ replicaCount, seed });
          for (const action of actions) cluster.act(action);
          ticksMax = Math.max(ticksMax, ticksToAgreement(cluster));
          ticks += cluster.ticks;
          committed += cluster.committed.length;
          halts += cluster.halts;
        }),
        { numRuns: RUNS },
      );
      console.log(
        `R=${replicaCount}: ${RUNS} runs, ${ticks} ticks, ${committed} ops, ${halts} halts; agreement after ${ticksMax} ticks at most`,
      );
      expect(committed).toBeGreaterThan(RUNS);
    },
    TEST_MS_MAX,
  );
}
