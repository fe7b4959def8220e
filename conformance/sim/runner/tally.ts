/**
 * What many runs came to: sums, and failures by what they are. Merging is commutative and associative, so that the same
 * runs give the same tally however they were cut and whoever ran them. Plain JSON: it goes between processes and into the
 * state file. Mirrors no spec module.
 */
import { createHash } from 'node:crypto';
import type { FaultKind, Scenario } from '../plan.ts';
import type { Oracle, RunResult } from '../run-result.ts';

const HASH_BYTES = 32;

/** runner: the run threw, or took its worker with it. */
export type FailureSource = Oracle | 'runner';

export interface FailedRun {
  readonly seed: number;
  readonly oracle: FailureSource;
  readonly rule: string;
  readonly message: string;
  readonly step: number;
  readonly atUs: number;
}

/** All failures of one oracle and rule, told by the one of the lowest seed. */
export interface FailureGroup extends FailedRun {
  readonly count: number;
}

type Counts = Readonly<Record<string, number>>;

/** A run that counts as a whole one for the rate: so many steps, or so many operations of clients. */
export const WHOLE_RUN_STEPS_MIN = 2_000;
export const WHOLE_RUN_OPERATIONS_MIN = 200;

export interface Tally {
  readonly runs: number;
  /** Of them, runs with WHOLE_RUN_STEPS_MIN steps or WHOLE_RUN_OPERATIONS_MIN operations. */
  readonly wholeRuns: number;
  readonly failedRuns: number;
  readonly steps: number;
  readonly ticks: number;
  readonly machineEvents: number;
  readonly framesSent: number;
  readonly framesDelivered: number;
  readonly committedOps: number;
  readonly virtualUs: number;
  readonly viewMax: number;
  readonly applied: number;
  readonly refused: number;
  readonly unknown: number;
  /** Of each kind: events in the plans. */
  readonly planned: Counts;
  /** Of each kind: how often it happened. */
  readonly injected: Counts;
  /** Of each kind: in how many runs it happened. */
  readonly injectedRuns: Counts;
  /** Replicas that stopped loudly, by code. */
  readonly halts: Counts;
  /** Runs by number of replicas, and by workload. */
  readonly replicas: Counts;
  readonly workloads: Counts;
  /** The histories of all runs, whatever their order: SHA-256 of each seed with its hash, combined by exclusive or. */
  readonly hash: string;
  /** By seed. */
  readonly failures: readonly FailureGroup[];
}

export const EMPTY_TALLY: Tally = {
  runs: 0,
  wholeRuns: 0,
  failedRuns: 0,
  steps: 0,
  ticks: 0,
  machineEvents: 0,
  framesSent: 0,
  framesDelivered: 0,
  committedOps: 0,
  virtualUs: 0,
  viewMax: 0,
  applied: 0,
  refused: 0,
  unknown: 0,
  planned: {},
  injected: {},
  injectedRuns: {},
  halts: {},
  replicas: {},
  workloads: {},
  hash: '0'.repeat(HASH_BYTES * 2),
  failures: [],
};

export function tallyOfRun(scenario: Scenario, result: RunResult): Tally {
  const { operations, failure, injected } = result;
  const faults = scenario.plan.flatMap((event) => (event.type === 'fault' ? event.fault.kind : []));
  const asked = operations.applied + operations.refused + operations.unknown;
  const isWhole = result.steps >= WHOLE_RUN_STEPS_MIN || asked >= WHOLE_RUN_OPERATIONS_MIN;
  const kinds = (Object.entries(injected) as [FaultKind, number][]).filter(([, count]) => count > 0);
  return {
    runs: 1,
    wholeRuns: isWhole ? 1 : 0,
    failedRuns: failure === undefined ? 0 : 1,
    steps: result.steps,
    ticks: result.ticks,
    machineEvents: result.machineEvents,
    framesSent: result.framesSent,
    framesDelivered: result.framesDelivered,
    committedOps: result.committedOps,
    virtualUs: result.virtualUs,
    viewMax: result.viewMax,
    applied: operations.applied,
    refused: operations.refused,
    unknown: operations.unknown,
    planned: countsOf(faults),
    injected: Object.fromEntries(kinds),
    injectedRuns: Object.fromEntries(kinds.map(([kind]) => [kind, 1])),
    halts: countsOf(result.halts.map(({ code }) => code)),
    replicas: { [scenario.replicaCount]: 1 },
    workloads: { [scenario.workload]: 1 },
    hash: createHash('sha256').update(`${result.seed} ${result.hash}`).digest('hex'),
    failures: failure === undefined ? [] : [{ ...failure, seed: result.seed, count: 1 }],
  };
}

/** A run without a result: it threw, or its worker died. It is a run all the same. */
export function tallyOfLostRun(seed: number, rule: string, message: string): Tally {
  const failure = { seed, oracle: 'runner', rule, message, step: 0, atUs: 0, count: 1 } as const;
  return { ...EMPTY_TALLY, runs: 1, failedRuns: 1, failures: [failure] };
}

export function mergeTallies(left: Tally, right: Tally): Tally {
  return {
    runs: left.runs + right.runs,
    wholeRuns: left.wholeRuns + right.wholeRuns,
    failedRuns: left.failedRuns + right.failedRuns,
    steps: left.steps + right.steps,
    ticks: left.ticks + right.ticks,
    machineEvents: left.machineEvents + right.machineEvents,
    framesSent: left.framesSent + right.framesSent,
    framesDelivered: left.framesDelivered + right.framesDelivered,
    committedOps: left.committedOps + right.committedOps,
    virtualUs: left.virtualUs + right.virtualUs,
    viewMax: Math.max(left.viewMax, right.viewMax),
    applied: left.applied + right.applied,
    refused: left.refused + right.refused,
    unknown: left.unknown + right.unknown,
    planned: mergeCounts(left.planned, right.planned),
    injected: mergeCounts(left.injected, right.injected),
    injectedRuns: mergeCounts(left.injectedRuns, right.injectedRuns),
    halts: mergeCounts(left.halts, right.halts),
    replicas: mergeCounts(left.replicas, right.replicas),
    workloads: mergeCounts(left.workloads, right.workloads),
    hash: exclusiveOr(left.hash, right.hash),
    failures: mergeFailures(left.failures, right.failures),
  };
}

/** Of what is "the same failure": shrink goes by the same two words. */
export function failureKey({ oracle, rule }: Pick<FailedRun, 'oracle' | 'rule'>): string {
  return `${oracle}: ${rule}`;
}

function mergeFailures(left: readonly FailureGroup[], right: readonly FailureGroup[]): readonly FailureGroup[] {
  if (right.length === 0) return left;
  const groups = new Map<string, FailureGroup>();
  for (const failure of [...left, ...right]) {
    const key = failureKey(failure);
    const same = groups.get(key);
    const count = failure.count + (same?.count ?? 0);
    groups.set(key, { ...(same !== undefined && same.seed <= failure.seed ? same : failure), count });
  }
  return [...groups.values()].sort(
    (one, other) => one.seed - other.seed || (failureKey(one) < failureKey(other) ? -1 : 1),
  );
}

function countsOf(names: readonly string[]): Counts {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** Once a run and more: the order of the keys is left to inOrder(). */
function mergeCounts(left: Counts, right: Counts): Counts {
  const sums: Record<string, number> = { ...left };
  for (const name in right) sums[name] = (sums[name] ?? 0) + (right[name] as number);
  return sums;
}

/** The counts by name in alphabetical order, so that equal tallies are equal texts. */
export function inOrder(tally: Tally): Tally {
  const counts = ['planned', 'injected', 'injectedRuns', 'halts', 'replicas', 'workloads'] as const;
  const sorted = (of: Counts): Counts =>
    Object.fromEntries(Object.entries(of).sort(([left], [right]) => (left < right ? -1 : 1)));
  return { ...tally, ...Object.fromEntries(counts.map((name) => [name, sorted(tally[name])])) };
}

function exclusiveOr(left: string, right: string): string {
  const bytes = Buffer.from(left, 'hex');
  const other = Buffer.from(right, 'hex');
  for (let index = 0; index < HASH_BYTES; index++) bytes[index] = (bytes[index] as number) ^ (other[index] as number);
  return bytes.toString('hex');
}
