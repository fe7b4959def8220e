/**
 * Goal: TLC's verdict on simulated runs is right: a whole run is allowed, a broken implementation is refused with its rule or
 * the field that is wrong, and a tampered record at exactly the tampered step. What is refused, the whole code does otherwise.
 * Method: runs of the simulator, whole, with a canary, or with one record changed; many go to one TLC.
 */

import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { vsrDriver } from '../../../conformance/drivers/vsr.ts';
import { parseCfg } from '../../../conformance/engines/cfg.ts';
import { EngineError } from '../../../conformance/engines/engine.ts';
import { findTlc, type Tlc } from '../../../conformance/engines/find-tlc.ts';
import { readItf, writeItf } from '../../../conformance/replay/itf.ts';
import { type ReplayResult, replay } from '../../../conformance/replay/replay.ts';
import { simTrace, TRACE_STEPS_MAX } from '../../../conformance/sim/judge/itf-trace.ts';
import { JUDGED_STEPS_MAX, judge, type Verdict, verdictText } from '../../../conformance/sim/judge/judge.ts';
import { judgeModule } from '../../../conformance/sim/judge/judge-module.ts';
import { judgedRun, recordRun, replayedText } from '../../../conformance/sim/judge/judged-run.ts';
import { type RunStep, type RunSteps, runSteps, WRITEBACK } from '../../../conformance/sim/judge/run-steps.ts';
import { SpecValues } from '../../../conformance/sim/judge/spec-values.ts';
import { makeScenario, type PlanSettings } from '../../../conformance/sim/make-plan.ts';
import { runScenario } from '../../../conformance/sim/run.ts';
import type { SimEvent } from '../../../conformance/sim/sim-event.ts';

/** TLC takes seconds, and minutes on a machine that has other things to do. */
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const engine = findTlc(undefined);
const tlc = ('found' in engine ? engine.found : undefined) as Tlc;
const withoutTlc = 'missing' in engine;

const recorded = (seed: number, settings: PlanSettings = {}): RunSteps =>
  recordRun(runScenario, makeScenario(seed, settings)).steps;

/** Runs of the first seeds that a canary fails, or ends otherwise in. */
function brokenRuns(canary: string): readonly RunSteps[] {
  const runs: RunSteps[] = [];
  for (let seed = 1; seed <= SEEDS_MAX && runs.length < RUNS_A_CANARY; seed++) {
    const { steps, result } = recordRun(runScenario, makeScenario(seed, { canary }));
    if (result.failure !== undefined && steps.steps.length > 0) runs.push(steps);
  }
  return runs;
}
const SEEDS_MAX = 120;
const RUNS_A_CANARY = 2;

function replayed(run: RunSteps, upTo?: number): ReplayResult {
  const { trace } = simTrace(run, 'a test', upTo);
  const { constants } = parseCfg(readFileSync(`specs/${trace.cfg}`, 'utf8'));
  return replay(readItf(writeItf(trace)), vsrDriver, constants);
}

/** By canary, what the refusal must name. */
const BROKEN: readonly (readonly [canary: string, why: RegExp])[] = [
  ['Vsr.omit-BackupFsync.syncLog', /opDurable is \d+, by the spec \d+/],
  ['Vsr.omit-PersistView.writeSuperblock', /viewDurable is \d+, by the spec \d+/],
  ['Vsr.acknowledge-before-log-view-durable', /logViewDurable is \d+, by the spec \d+/],
  ['Vsr.drop-LogAdopted', /Vsr\.(?:EnterView|StartView)\.LogAdopted/],
  ['Vsr.drop-ViewIsVolatile', /Vsr\.PersistView\.ViewIsVolatile/],
  ['Vsr.shortest-log', /target is \[.*, by the spec \[/],
];

// Without Java there is no TLC, and nobody to decide.
describe.skipIf(withoutTlc)('TLC', () => {
  test('allows what whole replicas do under every fault, three, five and seven of them, crashes in the middle of a step included', async () => {
    const runs = [
      ...Array.from({ length: 5 }, (_, at) => recorded(505 + at)),
      recorded(500, { replicaCount: 5 }),
      recorded(500, { replicaCount: 7 }),
    ];
    const verdicts = await judge(tlc, '.', runs);
    expect(verdicts.map(verdictText).filter((text) => !text.startsWith('the spec allows this'))).toEqual([]);
    expect(verdicts.map(({ steps }) => steps)).toEqual(runs.map(({ steps }) => steps.length));
    const sum = (of: (verdict: Verdict) => number): number => verdicts.reduce((total, one) => total + of(one), 0);
    expect(sum(({ crashes }) => crashes)).toBeGreaterThan(3);
    expect(sum(({ inferred }) => inferred)).toBeGreaterThan(0);
    expect(sum(({ requests }) => requests)).toBeGreaterThan(100);
  });

  describe('refuses', () => {
    const found = new Map<string, { readonly run: RunSteps; readonly verdict: Verdict }[]>();
    beforeAll(async () => {
      const runs = BROKEN.flatMap(([canary]) => brokenRuns(canary).map((run) => ({ canary, run })));
      const verdicts = await judge(
        tlc,
        '.',
        runs.map(({ run }) => run),
      );
      for (const [at, { canary, run }] of runs.entries())
        found.set(canary, [...(found.get(canary) ?? []), { run, verdict: verdicts[at] as Verdict }]);
    });

    test.each(BROKEN)('%s by what is wrong in it, and the whole code does that step otherwise', (canary, why) => {
      const refused = (found.get(canary) ?? []).filter(({ verdict }) => verdict.refused !== undefined);
      expect(refused.length, 'runs that are refused').toBeGreaterThan(0);
      for (const { run, verdict } of refused) {
        expect(verdict.refused?.why).toMatch(why);
        const step = verdict.refused?.step as number;
        expect(replayed(run, step).failure?.at).toBe(step);
      }
    });
  });

  describe('refuses at its step', () => {
    const whole = recorded(511);
    const nth = (action: string, count: number): number => {
      const indices = [...whole.steps.entries()].filter(([, step]) => step.action === action).map(([index]) => index);
      return indices[Math.min(count, indices.length - 1)] as number;
    };
    const state = (change: object) => (step: RunStep) => ({ ...step, after: { ...step.after, ...change } });
    const tampered: readonly (readonly [what: string, at: number, change: (step: RunStep) => RunStep, why: RegExp])[] =
      [
        [
          'a commit that is too high',
          nth('ReceiveCommit', 3),
          (step) => state({ commit: step.after.commit + 1 })(step),
          /commit is \d+, by the spec \d+/,
        ],
        [
          'an entry that nobody proposed',
          nth('ReceivePrepare', 5),
          state({ headHash: 'f'.repeat(64) }),
          /head is -1, by the spec/,
        ],
        [
          'an acknowledgement that nobody sent',
          nth('ReceivePrepareOk', 4),
          (step) => ({ ...step, message: { ...(step.message as NonNullable<RunStep['message']>), op: 9_999 } }),
          /nobody had sent: .*op \|-> 9999/,
        ],
        [
          'a view out of nothing',
          nth('BackupFsync', 6),
          (step) => state({ view: step.after.view + 1 })(step),
          /view is \d+, by the spec \d+/,
        ],
        [
          'another action',
          nth('SendCommit', 2),
          (step) => ({ ...step, action: 'EnterView', event: { type: 'EnterView' } }),
          /Vsr\.EnterView\./,
        ],
      ];

    test('each of five records that are not true', async () => {
      const runs = tampered.map(([, at, change]) => ({
        ...whole,
        steps: whole.steps.with(at, change(whole.steps[at] as RunStep)),
      }));
      const verdicts = await judge(tlc, '.', runs);
      for (const [index, [what, at, , why]] of tampered.entries()) {
        expect(verdicts[index]?.refused?.step, what).toBe(at + 1);
        expect(verdicts[index]?.refused?.why, what).toMatch(why);
      }
    });

    test('what a disk lost that was synced', async () => {
      const { verdict } = await crashed(({ op }) => ({ op: op - 1, opDurable: op - 1 }));
      expect(verdict.refused).toMatchObject({ action: 'Crash' });
      expect(verdict.refused?.why).toMatch(/op is \d+, by the spec \d+/);
    });

    test('nothing, when a disk wrote back a part of what was not synced; that is counted', async () => {
      const { verdict, run } = await crashed((last) => last, true);
      expect(verdict.refused?.why).toBeUndefined();
      expect(verdict.writebacks).toBe(1);
      const [writeback] = run.steps.filter(({ action }) => action === WRITEBACK) as [RunStep];
      const { view, opDurable: op } = writeback.after;
      const isBackup = view % run.replicaCount !== writeback.replica;
      // A backup that finds an entry on its disk again may acknowledge it again: it is an fsync whose messages are lost.
      const sent = new SpecValues(run.steps).sent(writeback)?.text;
      expect(sent).toBe(isBackup ? prepareOk(writeback.replica, view, op) : undefined);
      expect(simTrace(run, 'a test')).toMatchObject({ cut: expect.stringMatching(/written back/) });
    });
  });

  test('says of one run what lockstep sim prints: verdict, trace and what the whole code does', async () => {
    const scenario = makeScenario(502, { canary: 'Vsr.omit-BackupFsync.syncLog' });
    const { verdict, trace, replayed: again } = await judgedRun(tlc, '.', runScenario, scenario);
    const step = verdict?.refused?.step as number;
    expect(trace.steps).toBe(step);
    expect(trace.trace.about).toMatch(/refused at step \d+ of \d+, BackupFsync/);
    expect(replayedText(again)).toMatch(new RegExp(`^the whole code differs at step ${step}: after BackupFsync`));
  });
});

describe('a run', () => {
  test('in a module is written with the same room for a step wherever it stands', () => {
    const [short, long] = [1, 4].map((times) => {
      const { steps } = recorded(503);
      const part = steps.slice(0, Math.floor((steps.length * times) / 4));
      return judgeModule('MCVsr', [{ steps: part, values: new SpecValues(steps) }], []).text.length / part.length;
    });
    expect(long).toBeLessThan((short as number) * 1.5);
  });

  test('of whole replicas is replayed by the real code, every variable after every step', () => {
    for (const [seed, replicaCount] of [
      [504, 3],
      [505, 5],
    ] as const) {
      const run = recorded(seed, { replicaCount });
      const { steps, failure } = replayed(run);
      expect(failure?.message).toBeUndefined();
      expect(steps).toBe(Math.min(run.steps.length, TRACE_STEPS_MAX));
    }
  });

  test('that is too long for TLC, or of a cluster of another size, is a clear error', async () => {
    const run = recorded(506);
    const long = Array.from({ length: JUDGED_STEPS_MAX + 1 }, () => run.steps[0] as RunStep);
    await expect(judge(tlc, '.', [{ ...run, steps: long }])).rejects.toThrow(EngineError);
    await expect(judge(tlc, '.', [{ ...run, replicaCount: 4 }])).rejects.toThrow(/4 simulated replicas/);
  });
});

const prepareOk = (from: number, view: number, op: number): string =>
  `[from |-> ${from}, op |-> ${op}, type |-> "PrepareOk", view |-> ${view}]`;

type Machine = SimEvent & { readonly kind: 'machine' };

/**
 * A replica that has written two entries since its last fsync loses power, and its disk holds what `opened` makes of what was
 * durable, or the first of the two beside it.
 */
async function crashed(
  opened: (durable: Machine['state']) => Partial<Machine['state']>,
  isPart = false,
): Promise<{ verdict: Verdict; run: RunSteps }> {
  const { taken, at, first } = twoUnsynced();
  const { state, replica, step, atUs } = taken[at] as Machine;
  const held = isPart
    ? { op: first.state.op, headHash: first.state.headHash }
    : { op: state.opDurable, headHash: state.headHashDurable };
  const volatile = { commit: state.commitDurable, acked: state.acked.map(() => 0), status: 'recovering' };
  const up = { ...state, ...volatile, ...held, opDurable: held.op, headHashDurable: held.headHash };
  const stopped: SimEvent[] = [
    { kind: 'down', replica, why: 'power-loss', step, atUs },
    { kind: 'up', replica, state: { ...up, ...opened(up) }, step, atUs },
  ];
  const run = runSteps(3, [...taken.slice(0, at + 1), ...stopped]);
  const [verdict] = await judge(tlc, '.', [run]);
  return { verdict: verdict as Verdict, run };
}

/** A run up to the second of two entries that one replica has written and not synced, with something synced before. */
function twoUnsynced(): { readonly taken: readonly Machine[]; readonly at: number; readonly first: Machine } {
  for (let seed = 1; seed <= SEEDS_MAX; seed++) {
    const taken: Machine[] = [];
    runScenario(makeScenario(seed, { name: 'calm' }), {
      onEvent: (event) => void (event.kind === 'machine' && event.taken && taken.push(event)),
    });
    const at = taken.findIndex(({ state: { status, op, opDurable } }) => {
      return status === 'normal' && opDurable > 0 && op === opDurable + 2;
    });
    const { replica, state } = taken[at] ?? {};
    const first = taken.slice(0, Math.max(at, 0)).findLast((event) => {
      return event.replica === replica && event.state.op === (state?.op ?? 0) - 1;
    });
    if (first !== undefined) return { taken, at, first };
  }
  throw new Error(`no run of ${SEEDS_MAX} has two entries unsynced`);
}
