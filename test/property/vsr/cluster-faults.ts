/**
 * What happens to a simulated cluster, drawn by fast-check, and how a run ends: the faults stop, and all replicas agree
 * within a bounded time. A part of cluster.test.ts and of the canaries.
 */
import fc from 'fast-check';
import type { DiskFault } from '../../../impl/ports/simulated-disk.ts';
import type { Cluster, ClusterAction } from './cluster.ts';

/** Ticks of 10 ms from the end of all faults to agreement: the longest patience of a view change is 8 s. */
const AGREEMENT_TICKS_MAX = 1_600;
/** Ticks that one more request may take then. */
const REQUEST_TICKS_MAX = 100;

/** A run: the seed of everything that is left to chance, and what happens. */
export const runOf = (replicaCount: number): fc.Arbitrary<[number, ClusterAction[]]> =>
  fc.tuple(fc.nat(), fc.array(actionOf(replicaCount), { maxLength: 120, size: 'max' }));

/** Reads are left out: the invariants read the log too, and would meet the fault instead of the replica. */
const diskFault: fc.Arbitrary<DiskFault> = fc.oneof(
  fc.constant<DiskFault>({ operation: 'sync', kind: 'failed' }),
  fc.constant<DiskFault>({ operation: 'write', kind: 'full' }),
  fc.constant<DiskFault>({ operation: 'write', kind: 'io' }),
  fc.nat({ max: 600 }).map<DiskFault>((bytes) => ({ operation: 'write', kind: 'short', bytes })),
);

function actionOf(replicaCount: number): fc.Arbitrary<ClusterAction> {
  const replica = fc.nat({ max: replicaCount - 1 });
  const thousandth = fc.nat({ max: 1000 });
  return fc.oneof(
    { arbitrary: fc.record({ kind: fc.constant('run' as const), ticks: fc.integer({ min: 1, max: 60 }) }), weight: 10 },
    {
      arbitrary: fc.record({ kind: fc.constant('submit' as const), count: fc.integer({ min: 1, max: 4 }) }),
      weight: 8,
    },
    {
      arbitrary: fc.record({
        kind: fc.constant('crash' as const),
        replica,
        kept: thousandth,
        framesLost: fc.boolean(),
      }),
      weight: 3,
    },
    { arbitrary: fc.record({ kind: fc.constant('restart' as const), replica }), weight: 4 },
    {
      arbitrary: fc.record({ kind: fc.constant('pause' as const), replica, ticks: fc.integer({ min: 1, max: 250 }) }),
      weight: 1,
    },
    {
      arbitrary: fc.record({ kind: fc.constant('disk-fault' as const), replica, fault: diskFault, kept: thousandth }),
      weight: 1,
    },
    { arbitrary: fc.record({ kind: fc.constant('cut' as const), from: replica, to: replica }), weight: 1 },
    { arbitrary: fc.record({ kind: fc.constant('isolate' as const), replica }), weight: 1 },
    { arbitrary: fc.constant({ kind: 'heal' as const }), weight: 2 },
    {
      arbitrary: fc.record({
        kind: fc.constant('weather' as const),
        weather: fc.record({
          lost: fc.nat({ max: 400 }),
          doubled: fc.nat({ max: 300 }),
          delayMax: fc.nat({ max: 12 }),
        }),
      }),
      weight: 2,
    },
  );
}

/** Ends the faults. @returns ticks until all agree; one more request is among what they agree on. */
export function ticksToAgreement(cluster: Cluster): number {
  cluster.calm();
  const begin = cluster.ticks;
  while (!cluster.isAgreed) {
    if (cluster.ticks - begin > AGREEMENT_TICKS_MAX)
      cluster.fail(`no agreement ${AGREEMENT_TICKS_MAX} ticks after the faults`);
    cluster.tick();
  }
  const primary = cluster.nodes.find((node) => node.isPrimary);
  if (primary === undefined || cluster.submit(primary, 1) !== 1) cluster.fail('the primary refuses a request');
  const committed = cluster.committed.length;
  const submitted = cluster.ticks;
  while (!cluster.isAgreed) {
    if (cluster.ticks - submitted > REQUEST_TICKS_MAX) cluster.fail('a request is not committed');
    cluster.tick();
  }
  if (cluster.committed.length !== committed + 1) cluster.fail('one request is one op');
  return submitted - begin;
}
