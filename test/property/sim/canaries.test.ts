/**
 * Simulation: a dozen and more broken implementations, of every part and for every oracle, are each found within the stated number of
 * runs from seed 0, and the whole implementation passes the same runs. All of them, over ten ranges of seeds: `make sim-canaries`.
 */
import { expect, test } from 'vitest';
import { canaryNamed } from '../../../conformance/sim/canaries.ts';
import { runsMaxOf } from '../../../conformance/sim/canary-limits.ts';
import { searchCanary } from '../../../conformance/sim/canary-search.ts';
import { makeScenario } from '../../../conformance/sim/make-plan.ts';
import { runScenario } from '../../../conformance/sim/run.ts';
import { ORACLES, type Oracle } from '../../../conformance/sim/run-result.ts';

/** The oracle that speaks, and whether it alone does: then the canary is missed without it. */
const CHOSEN: readonly (readonly [name: string, oracle: Oracle, alone: boolean])[] = [
  ['Vsr.vote-before-view-durable', 'invariants', false],
  ['Vsr.acknowledge-before-fsync', 'invariants', false],
  ['Vsr.acknowledge-before-log-view-durable', 'invariants', false],
  ['Vsr.shortest-log', 'assertions', false],
  ['Vsr.omit-ClientRequest.sendPrepare', 'promptness', true],
  ['Vsr.omit-StartView.sendStartView', 'promptness', true],
  ['Vsr.omit-SendCommit.sendCommit', 'promptness', true],
  ['Vsr.drop-CommitAdvances', 'invariants', true],
  ['Vsr.omit-ReceiveCommit.deliverCommitted', 'liveness', false],
  ['Vsr.nobody-steps-aside', 'liveness', false],
  ['Client.follows-highest-view', 'liveness', true],
  ['Client.forgets-lost-request', 'liveness', false],
  ['Superblock.parent-not-linked', 'assertions', false],
  ['Superblock.sync-skipped', 'durability', false],
  ['Server.stale-read', 'linearizability', true],
  ['Server.key-is-lost', 'acknowledged', false],
  ['ClientSessions.replies-forgotten', 'assertions', false],
  ['ClientSessions.later-answer-now', 'sessions', true],
  ['Kernel.state-differs', 'agreement', true],
  ['Kernel.page-loses-event', 'acknowledged', true],
];
/** With its oracle off: as many runs find nothing. */
const RUNS_WITHOUT = 12;

test.each(CHOSEN)('%s is found by %s, and the whole implementation passes the same runs', (name, oracle, alone) => {
  const { runs, found } = searchCanary({ canary: name, firstSeed: 0, runsMax: runsMaxOf(name) });
  expect(found?.oracle).toBe(oracle);
  const { plan = {} } = canaryNamed(name);
  for (let seed = 0; seed < runs; seed++) expect(runScenario(makeScenario(seed, plan)).failure).toBeUndefined();
  if (!alone) return;
  const without = searchCanary({ canary: name, firstSeed: 0, runsMax: RUNS_WITHOUT, without: [oracle] });
  expect(without.found).toBeUndefined();
});

test('every oracle is asked for', () => {
  expect([...new Set(CHOSEN.map(([, oracle]) => oracle))].sort()).toEqual([...ORACLES].sort());
});
