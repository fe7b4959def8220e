/**
 * Vsr: a backup far behind that takes the log of a new view entry by entry gets there, however long that takes: the primary
 * that waits for it does not give its view up while the backup gets on (found by simulation: it did, for ever).
 */
import { expect, test } from 'vitest';
import { Cluster } from './cluster.ts';

/** Round trips at two ticks and more each: several times as long as a stall of commits is waited for. */
const OPS_BEHIND = 800;
const TICKS_MAX = 20_000;

test('Vsr: the only backup of a new primary may need longer for its log than a commit may stall', () => {
  const cluster = new Cluster({ replicaCount: 3, seed: 1, invariants: false });
  const submit = (count: number): void => cluster.act({ kind: 'submit', count });
  for (let tick = 0; tick < 50; tick++) {
    submit(1);
    cluster.tick();
  }
  cluster.act({ kind: 'isolate', replica: 1 });
  for (let tick = 0; cluster.committed.length < OPS_BEHIND; tick++) {
    expect(tick).toBeLessThan(TICKS_MAX);
    submit(2);
    cluster.tick();
  }
  cluster.act({ kind: 'heal' });
  cluster.act({ kind: 'crash', replica: 0, kept: 1000, framesLost: true });
  const before = cluster.committed.length;
  for (let tick = 0; cluster.committed.length <= before; tick++) {
    if (tick > TICKS_MAX) cluster.fail('nothing is committed without the old primary');
    submit(1);
    cluster.tick();
  }
});
