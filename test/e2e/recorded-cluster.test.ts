/**
 * Goal: what three real processes do under kill -9 is a behaviour of specs/Vsr.tla, step by step; and a run in which one
 * record is not true is refused. Method: each replica records itself (impl/server/recorder.ts); the recordings are merged and
 * TLC decides. KEEP=1 keeps them for `make validate R=…`.
 */
import { expect, test } from 'vitest';
import { findTlc } from '../../conformance/engines/find-tlc.ts';
import type { Recording } from '../../conformance/validate-cluster/recording.ts';
import { recordClusterRun } from '../../conformance/validate-cluster/run-cluster.ts';
import { validateCluster } from '../../conformance/validate-cluster/validate-cluster.ts';

const KILLS = 4;
const REQUESTS_PER_KILL = 8;

const engine = findTlc(undefined);

// Without Java there is no TLC, and nobody to decide.
test.skipIf('missing' in engine)(
  `Validation: a real cluster with ${KILLS} kill -9 does what Vsr allows, and a false record is refused`,
  async () => {
    if ('missing' in engine) return;
    const recordings = await recordClusterRun('.', { kills: KILLS, requestsPerKill: REQUESTS_PER_KILL });
    const result = await validateCluster(engine.found, '.', recordings);
    expect(result.refused?.why).toBeUndefined();
    expect(result.violated).toBeUndefined();
    expect(result.crashes).toBe(KILLS);
    expect(result.requests).toBeGreaterThan(KILLS * REQUESTS_PER_KILL);
    console.log(`${result.steps} steps, ${result.requests} requests, views up to ${result.views}`);

    const { refused } = await validateCluster(engine.found, '.', recordings.map(withFalseCommit));
    expect(refused?.why).toMatch(/commit is \d+, by the spec \d+/);
    expect(refused?.at).toMatch(/replica-\d\.jsonl, line \d+/);
  },
  240_000,
);

/** The last commit of each replica's last life, one too high. */
function withFalseCommit(recording: Recording): Recording {
  const lives = recording.lives.map((life) => {
    const at = life.steps.findLastIndex(({ action }) => action === 'ReceiveCommit');
    const step = life.steps[at];
    if (step === undefined) return life;
    const untrue = { ...step, after: { ...step.after, commit: step.after.commit + 1 } };
    return { ...life, steps: life.steps.with(at, untrue) };
  });
  return { ...recording, lives };
}
