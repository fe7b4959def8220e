/**
 * A simulated run with its steps, TLC's verdict on it, and what the whole code makes of its trace: for `lockstep sim trace`.
 * Mirrors no spec module.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { vsrDriver } from '../../drivers/vsr.ts';
import { parseCfg } from '../../engines/cfg.ts';
import type { Tlc } from '../../engines/find-tlc.ts';
import { type ReplayResult, replay } from '../../replay/replay.ts';
import type { Run } from '../bundle.ts';
import type { Scenario } from '../plan.ts';
import type { RunResult } from '../run-result.ts';
import { type SimTrace, simTrace } from './itf-trace.ts';
import { judge, type Verdict, verdictText } from './judge.ts';
import { type RunSteps, RunStepsReader } from './run-steps.ts';

export interface RecordedRun {
  readonly steps: RunSteps;
  readonly result: RunResult;
}

/** Runs the scenario again and keeps the steps of the spec that it takes. */
export function recordRun(run: Run, scenario: Scenario): RecordedRun {
  const reader = new RunStepsReader(scenario.replicaCount);
  const result = run(scenario, { onEvent: (event) => reader.take(event) });
  return { steps: reader.steps, result };
}

export interface JudgedRun extends RecordedRun {
  /** Undefined without TLC. */
  readonly verdict: Verdict | undefined;
  /** Up to the step that TLC refuses, or the whole run. */
  readonly trace: SimTrace;
  /** The trace on the whole code. */
  readonly replayed: ReplayResult;
}

/** @param root of the repository. @throws EngineError when TLC cannot decide */
export async function judgedRun(tlc: Tlc | undefined, root: string, run: Run, scenario: Scenario): Promise<JudgedRun> {
  const recorded = recordRun(run, scenario);
  const verdict = tlc === undefined ? undefined : (await judge(tlc, root, [recorded.steps]))[0];
  const failure = recorded.result.failure;
  const judged = verdict === undefined ? 'not judged: TLC is not here' : verdictText(verdict);
  const { seed, name, canary } = scenario;
  const broken = canary === undefined ? '' : ` of canary ${canary}`;
  const ended = failure === undefined ? 'ended well' : `failed: ${failure.rule}`;
  const about = `simulated run ${name} ${seed}${broken}, which ${ended}; ${judged}`;
  const trace = simTrace(recorded.steps, about, verdict?.refused?.step);
  return { ...recorded, verdict, trace, replayed: replayed(root, trace) };
}

/** One sentence for a person. */
export function replayedText({ steps, failure }: ReplayResult): string {
  if (failure === undefined) return `the whole code does the same (${steps} steps)`;
  const rules = failure.guards.filter(({ holds }) => !holds).map(({ rule }) => rule);
  const refusing = rules.length === 0 ? '' : `: ${rules.join(', ')}`;
  return `the whole code differs at step ${failure.at}: ${failure.message}${refusing}`;
}

function replayed(root: string, { trace }: SimTrace): ReplayResult {
  const { constants } = parseCfg(readFileSync(join(root, 'specs', trace.cfg), 'utf8'));
  return replay(trace, vsrDriver, constants);
}
