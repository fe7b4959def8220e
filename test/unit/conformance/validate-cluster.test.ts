/**
 * Goal: a recorded run of real replicas, killed again and again, is a behaviour of specs/Vsr.tla, and one wrong field in it
 * is found with its step and its rule.
 * Method: seeded runs of the real code in one process (recorded-cluster.ts), merged, decided by TLC; then the same records
 * with one thing changed each.
 */
import { describe, expect, test, vi } from 'vitest';
import { findTlc } from '../../../conformance/engines/find-tlc.ts';
import { completed } from '../../../conformance/validate-cluster/crashes.ts';
import { merge } from '../../../conformance/validate-cluster/merge.ts';
import { RecordingError, readRecording } from '../../../conformance/validate-cluster/recording.ts';
import { validateCluster } from '../../../conformance/validate-cluster/validate-cluster.ts';
import type { StepLine } from '../../../impl/server/recorder.ts';
import { recordedRun } from './recorded-cluster.ts';

/** TLC takes seconds, and minutes on a machine that has other things to do. */
vi.setConfig({ testTimeout: 180_000 });

const engine = findTlc(undefined);
const tlc = 'found' in engine ? engine.found : undefined;
const read = (texts: readonly string[]) =>
  texts.map((text, replica) => readRecording(text, `replica-${replica}.jsonl`));

/** Changes the nth line of a replica's recording that is a step of this action. */
function changed(texts: readonly string[], replica: number, action: string, change: (line: StepLine) => object) {
  const lines = (texts[replica] ?? '').split('\n');
  const at = lines.findIndex((line) => line.includes(`"kind":"step","type":"${action}"`));
  expect(at, `a ${action} of replica ${replica}`).toBeGreaterThan(0);
  lines[at] = JSON.stringify(change(JSON.parse(lines[at] ?? '') as StepLine));
  return { texts: texts.with(replica, lines.join('\n')), line: at + 1 };
}

// Without Java there is no TLC, and nobody to decide.
describe.skipIf(tlc === undefined)('a recorded run', () => {
  const decide = (texts: readonly string[]) => validateCluster(tlc as NonNullable<typeof tlc>, '.', read(texts));

  test.each([1, 2, 3])('of replicas that are killed is a behaviour of the spec (seed %d)', async (seed) => {
    const { recordings } = recordedRun(seed, 2000, 6);
    const result = await decide(recordings);
    expect(result).toMatchObject({ crashes: 5 });
    expect(result.refused).toBeUndefined();
    expect(result.violated).toBeUndefined();
    expect(result.steps).toBeGreaterThan(300);
  });

  test('had events under way at its kills, which are inferred', () => {
    const inferred = [1, 2, 3, 4, 5].flatMap((seed) => {
      const steps = merge(completed(read(recordedRun(seed, 2000, 6).recordings))).steps;
      return steps.filter(({ at }) => at.includes('inferred')).map(({ action }) => action);
    });
    expect(new Set(inferred).size).toBeGreaterThan(3);
  });

  const { recordings } = recordedRun(1, 900, 4);
  const flips: readonly [string, number, string, (line: StepLine) => object, RegExp][] = [
    [
      'a commit too high',
      1,
      'ReceiveCommit',
      (line) => ({ ...line, state: { ...line.state, commit: line.state.commit + 1 } }),
      /commit is \d+, by the spec \d+/,
    ],
    [
      'durable without an fsync',
      1,
      'ReceivePrepare',
      (line) => ({ ...line, state: { ...line.state, opDurable: line.state.op } }),
      /opDurable is/,
    ],
    [
      'another entry',
      1,
      'ReceivePrepare',
      (line) => ({ ...line, state: { ...line.state, headHash: 'f'.repeat(64) } }),
      /head is -1/,
    ],
    [
      'another action',
      1,
      'ReceivePrepare',
      (line) => ({ ...line, type: 'ClientRequest', message: undefined }),
      /Vsr\.ClientRequest\.IsPrimary/,
    ],
    [
      'an acknowledgement that nobody sent',
      0,
      'ReceivePrepareOk',
      (line) => ({ ...line, message: { ...line.message, op: 99 } }),
      /nobody had sent: PrepareOk \d 0 99/,
    ],
    [
      'a message of another type',
      1,
      'ReceivePrepare',
      (line) => ({ ...line, type: 'ReceiveCommit' }),
      /nobody had sent: Commit 0 0 $/,
    ],
    [
      'a view gone back',
      2,
      'PersistView',
      (line) => ({ ...line, state: { ...line.state, view: 0 } }),
      /view is 0, by the spec/,
    ],
  ];
  test.each(flips)('with %s is refused at that step', async (_what, replica, action, change, why) => {
    const { texts, line } = changed(recordings, replica, action, change);
    const { refused } = await decide(texts);
    expect(refused).toMatchObject({ replica, at: `replica-${replica}.jsonl, line ${line}` });
    expect(refused?.why).toMatch(why);
  });
});

describe('a file that is no recording', () => {
  test.each([
    ['is empty', ''],
    ['is no JSON', 'hello\n'],
    ['has another version', '{"kind":"open","version":9,"state":{"view":0}}\n'],
    ['begins in the middle', '{"kind":"step","type":"SendCommit","state":{"view":0}}\n'],
  ])('%s: a clear error', (_what, text) => {
    expect(() => readRecording(text, 'replica-0.jsonl')).toThrow(RecordingError);
  });
});
