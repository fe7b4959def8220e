/**
 * The share of the runs of `lockstep sim --judge N` that TLC is asked about, after all of them have run: is what every replica
 * did a behaviour of specs/Vsr.tla? Spread evenly over the seeds, so the same command judges the same runs. Mirrors no spec module.
 */
import { EngineError } from '../../engines/engine.ts';
import { findTlc, type Tlc } from '../../engines/find-tlc.ts';
import { type JudgedScenarios, judgeScenarios } from '../judge/simulated-runs.ts';
import { makeScenario } from '../make-plan.ts';
import type { RunSettings } from './messages.ts';
import type { SeedRange } from './seed-ranges.ts';
import { guardedRun } from './simulated-world.ts';

/** Runs that one TLC is given: their recorded steps are in memory at once. */
const RUNS_AT_ONCE_MAX = 60;
/** Of what TLC refused, told in full. */
const WRONG_MAX = 20;

export interface JudgedShare {
  /** Runs that were judged, and steps of the spec that they took. */
  readonly runs: number;
  readonly steps: number;
  readonly stepsPerSecond: number;
  /** A sentence each, at most WRONG_MAX. */
  readonly wrong: readonly string[];
  /** Why none, or no more, were judged. */
  readonly notJudged?: string;
}

export interface JudgeOptions {
  readonly root: string;
  readonly stop: AbortSignal;
  readonly onProgress: (judged: number, of: number) => void;
  readonly findTlc?: typeof findTlc;
}

/** @param share runs to judge; more than there are is all of them */
export async function judgeShare(
  seeds: SeedRange,
  settings: RunSettings,
  share: number,
  { root, stop, onProgress, findTlc: find = findTlc }: JudgeOptions,
): Promise<JudgedShare> {
  const tlc = find(undefined);
  if ('missing' in tlc) return { runs: 0, steps: 0, stepsPerSecond: 0, wrong: [], notJudged: tlc.missing };
  const chosen = evenly(seeds, share);
  let judged: JudgedShare = { runs: 0, steps: 0, stepsPerSecond: 0, wrong: [] };
  let seconds = 0;
  for (let from = 0; from < chosen.length; from += RUNS_AT_ONCE_MAX) {
    onProgress(from, chosen.length);
    if (stop.aborted) return { ...judged, notJudged: `stopped after ${judged.runs} of ${chosen.length}` };
    const part = await judgePart(tlc.found, root, chosen.slice(from, from + RUNS_AT_ONCE_MAX), settings);
    if (typeof part === 'string') return { ...judged, wrong: [...judged.wrong, part].slice(0, WRONG_MAX) };
    const { traces, steps, stepsPerSecond } = part.numbers;
    seconds += steps / Math.max(1, stepsPerSecond);
    judged = {
      runs: judged.runs + traces,
      steps: judged.steps + steps,
      stepsPerSecond: Math.round((judged.steps + steps) / seconds),
      wrong: [...judged.wrong, ...part.wrong].slice(0, WRONG_MAX),
    };
  }
  return judged;
}

/** Some of the seeds, as far from each other as can be. */
export function evenly({ first, count }: SeedRange, share: number): readonly number[] {
  const some = Math.min(share, count);
  return Array.from({ length: some }, (_, at) => first + Math.floor((at * count) / some));
}

async function judgePart(
  tlc: Tlc,
  root: string,
  seeds: readonly number[],
  settings: RunSettings,
): Promise<JudgedScenarios | string> {
  const scenarios = seeds.map((seed) => makeScenario(seed, settings));
  try {
    return await judgeScenarios(tlc, root, guardedRun, scenarios);
  } catch (cause) {
    if (!(cause instanceof EngineError)) throw cause;
    return `TLC could not decide about seeds ${seeds[0]} to ${seeds.at(-1)}: ${cause.message}`;
  }
}
