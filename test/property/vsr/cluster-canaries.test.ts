/**
 * Vsr: that the cluster tests would notice. Each canary leaves out one effect or one rule of the replica; the same runs
 * that a whole replica passes must find it, and say so by an invariant, an assertion or the liveness bound.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { vsrInvariants } from '../../../machines/vsr-invariants.ts';
import { CANARIES } from './broken-replicas.ts';
import { Cluster } from './cluster.ts';
import { runOf, ticksToAgreement } from './cluster-faults.ts';
import type { NodeOptions } from './cluster-node.ts';

const RUNS_MAX = 20;
/** Many more are cluster.test.ts. */
const WHOLE_RUNS = 5;
/** Chosen once; the canaries are found with others too. */
const SEED = 5;

function firstFailure(node: NodeOptions, runs = RUNS_MAX): string | undefined {
  for (const replicaCount of [3, 5]) {
    for (const [seed, actions] of fc.sample(runOf(replicaCount), { seed: SEED, numRuns: runs })) {
      try {
        const cluster = new Cluster({ replicaCount, seed, node });
        for (const action of actions) cluster.act(action);
        ticksToAgreement(cluster);
      } catch (cause) {
        return cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
      }
    }
  }
  return undefined;
}

test.each(CANARIES)(`${RUNS_MAX} runs find %s`, (_, node) => {
  const failure = firstFailure(node) ?? 'nothing';
  const names = Object.keys(vsrInvariants).join('|');
  expect(failure).toMatch(new RegExp(`^(${names}|Agreement: .*|assertion failed|no agreement|a request|replica \\d)`));
});

test('a whole replica passes such runs', () => {
  expect(firstFailure({}, WHOLE_RUNS)).toBeUndefined();
});
