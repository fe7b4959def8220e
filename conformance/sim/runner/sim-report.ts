/** What `lockstep sim` says at the end, for people and as build/report/sim.json. Pure. Mirrors no spec module. */
import Table from 'cli-table3';
import { grouped } from '../../report/html.ts';
import type { CoverageRow } from '../coverage.ts';
import { FAULT_KINDS, type FaultKind } from '../plan.ts';
import type { RunResult } from '../run-result.ts';
import { scenarioNamed } from '../scenarios.ts';
import type { JudgedShare } from './judged-share.ts';
import type { MemoryPart } from './memory-trend.ts';
import type { RunSettings } from './messages.ts';
import { rateText, timeText } from './progress.ts';
import type { SeedRange } from './seed-ranges.ts';
import { type Tally, WHOLE_RUN_OPERATIONS_MIN, WHOLE_RUN_STEPS_MIN } from './tally.ts';

/** Fewer runs need not meet every kind of fault. */
const ALL_KINDS_RUNS_MIN = 500;
/** Of what a machine never did; build/report/sim.json has all of it. */
const MISSING_SHOWN_MAX = 6;
const MIB = 1024 ** 2;
const FACT_NAME_COLUMNS = 12;
const US_PER_S = 1_000_000;

export interface SimReport {
  readonly schema: 1;
  readonly settings: RunSettings;
  readonly seeds: SeedRange;
  /** All of them, or stopped before. */
  readonly complete: boolean;
  /** The same for the same runs, whoever ran them. */
  readonly result: {
    readonly tally: Tally;
    /** Kinds that should have happened, and did not. */
    readonly neverInjected: readonly FaultKind[];
    readonly coverage?: { readonly seen: number; readonly machines: readonly CoverageRow[] };
  };
  /** What TLC said of a share of the runs. */
  readonly judged?: JudgedShare;
  readonly outsideBudget: readonly OutsideBudget[];
  /** Of this machine, since the last start. */
  readonly measured: {
    readonly runs: number;
    readonly seconds: number;
    /** Without the start of the workers: what rates are made of. */
    readonly workingSeconds: number;
    /** Of this start; absent when one worker took all of it at once. */
    readonly secondHalf?: { readonly runs: number; readonly seconds: number };
    readonly workers: number;
    readonly steps: number;
    readonly machineEvents: number;
    /** Of clients. */
    readonly operations: number;
    readonly memory: readonly MemoryPart[];
    /** Of each worker, the most that it ever had. */
    readonly residentBytesPeaks: readonly number[];
  };
}

export interface OutsideBudget {
  readonly what: string;
  readonly until: string;
}

/** Kinds that are switched on, and that so many runs should have met. A scenario of its own may plan only some. */
export function neverInjected(tally: Tally, settings: RunSettings): readonly FaultKind[] {
  if (tally.runs < ALL_KINDS_RUNS_MIN) return [];
  const off = new Set(settings.without);
  const swarm = scenarioNamed(settings.name ?? 'swarm').faults === 'all';
  return FAULT_KINDS.filter((kind) => {
    const expected = !off.has(kind) && (swarm || (tally.planned[kind] ?? 0) > 0);
    return expected && (tally.injected[kind] ?? 0) === 0;
  });
}

export function reportText(report: SimReport): string {
  const { tally } = report.result;
  const parts = [faultTable(report), ...factLines(report), ...coverageLines(report)];
  if (report.outsideBudget.length > 0) {
    const rows = report.outsideBudget.map(
      ({ what, until }) => `  ${what}: ${until.startsWith('none') ? '' : 'until '}${until}`,
    );
    parts.push(
      ['Outside of the fault budget (--beyond allows it, and then asks for a loud stop):', ...rows].join('\n'),
    );
  }
  if (report.judged !== undefined) parts.push(...judgedLines(report.judged));
  parts.push(`History of all runs: ${tally.hash}`, verdictText(report));
  return parts.join('\n');
}

function judgedLines({ runs, steps, stepsPerSecond, wrong, notJudged }: JudgedShare): readonly string[] {
  const lines: string[] = [];
  if (runs > 0) {
    const verdict =
      wrong.length === 0 ? 'the spec allows every step' : `${grouped(wrong.length)} the spec does not allow`;
    lines.push(
      `TLC judged ${grouped(runs)} of the runs by specs/Vsr.tla: ${grouped(steps)} steps, ${grouped(stepsPerSecond)} a second; ${verdict}`,
    );
  }
  if (notJudged !== undefined) lines.push(`TLC did not judge ${runs === 0 ? 'any run' : 'the rest'}: ${notJudged}`);
  return [...lines, ...wrong.map((told) => `  ${told}`)];
}

/** One run. */
export function runText(result: Omit<RunResult, 'coverage'>, tally: Tally): string {
  const { seed, hash, steps, ticks, machineEvents, operations, committedOps, viewMax, halts, virtualUs } = result;
  const faults = FAULT_KINDS.filter((kind) => (tally.injected[kind] ?? 0) > 0);
  const { applied, refused, unknown } = operations;
  return [
    `seed ${seed}: ${grouped(steps)} steps, ${grouped(ticks)} of them ticks, ${grouped(machineEvents)} machine events, ${timeText(virtualUs / US_PER_S)} of virtual time`,
    `  clients   ${grouped(applied)} applied, ${grouped(refused)} refused, ${grouped(unknown)} unknown`,
    `  cluster   ${Object.keys(tally.replicas)[0]} replicas, ${grouped(committedOps)} ops committed, highest view ${viewMax}`,
    `  faults    ${faults.map((kind) => `${kind} ${grouped(tally.injected[kind] as number)}`).join(', ') || 'none'}`,
    `  halts     ${halts.map(({ replica, code }) => `replica ${replica} ${code}`).join(', ') || 'none'}`,
    `  history   ${hash}`,
  ].join('\n');
}

function faultTable({ result: { tally, neverInjected: missing }, settings }: SimReport): string {
  const table = new Table({
    head: ['fault', 'planned', 'injected', 'in runs', ''],
    style: { head: [], border: [], compact: true },
    colAligns: ['left', 'right', 'right', 'right', 'left'],
  });
  const off = new Set(settings.without);
  for (const kind of FAULT_KINDS) {
    const counts = [tally.planned[kind] ?? 0, tally.injected[kind] ?? 0, tally.injectedRuns[kind] ?? 0].map(grouped);
    table.push([kind, ...counts, off.has(kind) ? 'switched off' : missing.includes(kind) ? 'NEVER INJECTED' : '']);
  }
  return table.toString();
}

function factLines({ result: { tally }, measured }: SimReport): readonly string[] {
  const listed = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .map(([name, count]) => `${name} ${grouped(count)}`)
      .join(', ') || 'none';
  const eachRun = (count: number): string => `${grouped(Math.round(count / Math.max(1, tally.runs)))} a run`;
  const { applied, refused, unknown, replicas } = tally;
  const operations = `${grouped(applied)} applied, ${grouped(refused)} refused, ${grouped(unknown)} unknown`;
  const sizes = Object.entries(replicas).map(([size, runs]) => `${grouped(runs)} of ${size} replicas`);
  const facts: [name: string, text: string][] = [
    ['operations', `${operations}; ${eachRun(applied + refused + unknown)}`],
    ['committed', `${grouped(tally.committedOps)} ops; highest view ${tally.viewMax}`],
    ['halts', listed(tally.halts)],
    ['clusters', sizes.join(', ')],
    ['workloads', listed(tally.workloads)],
    [
      'steps',
      `${grouped(tally.steps)}; ${eachRun(tally.steps)}; ${grouped(tally.wholeRuns)} runs with ${grouped(WHOLE_RUN_STEPS_MIN)} of them or ${WHOLE_RUN_OPERATIONS_MIN} operations`,
    ],
    ['machines', `${grouped(tally.machineEvents)} events; ${eachRun(tally.machineEvents)}`],
    ['frames', `${grouped(tally.framesSent)} sent, ${grouped(tally.framesDelivered)} delivered`],
    ['time', `${timeText(tally.virtualUs / US_PER_S)}, virtual`],
  ];
  if (measured.runs > 0) {
    const perSecond = (count: number): string => rateText(count / measured.workingSeconds);
    const rates = `${perSecond(measured.runs)} runs, ${perSecond(measured.steps)} steps, ${perSecond(measured.machineEvents)} machine events, ${perSecond(measured.operations)} operations`;
    const { secondHalf: half } = measured;
    const warm = half === undefined ? '' : `; ${rateText(half.runs / half.seconds)} runs in the second half`;
    facts.push(['rate', `${rates} a second, ${measured.workers} worker(s)${warm}`]);
  }
  const [first, last] = [measured.memory[0], measured.memory.at(-1)];
  if (first !== undefined && last !== undefined) {
    const peaks = measured.residentBytesPeaks.map(mib).join(', ');
    const resident = `resident ${mib(first.residentBytesMax)} in the first tenth, ${mib(last.residentBytesMax)} in the last, peaks ${peaks}`;
    facts.push(['memory', `of a worker: ${resident}; heap ${mib(first.heapBytesMin)}, ${mib(last.heapBytesMin)}`]);
  }
  return facts.map(([name, text]) => `${name.padEnd(FACT_NAME_COLUMNS)}${text}`);
}

/** Seen of possible, a machine a line, and some of what never happened. */
function coverageLines({ result: { coverage } }: SimReport): readonly string[] {
  const lines = (coverage?.machines ?? []).map(({ component, seen, possible, missing, surprising }) => {
    const some = missing.slice(0, MISSING_SHOWN_MAX).map((key) => key.slice(component.length + 1));
    const more = missing.length > some.length ? `, … ${missing.length - some.length} more` : '';
    const never = some.length === 0 ? '' : `; never: ${some.join(', ')}${more}`;
    const wrong = surprising.length === 0 ? '' : `; said to be impossible: ${surprising.join(', ')}`;
    return `  ${component}: ${grouped(seen)} of ${grouped(possible)}${never}${wrong}`;
  });
  return lines.length === 0 ? [] : ['Coverage, (state, event, outcome) of the machines:', ...lines];
}

function verdictText({ result, seeds, complete, measured, judged }: SimReport): string {
  const { tally, neverInjected: missing } = result;
  const runs = complete ? `${grouped(tally.runs)} runs` : `${grouped(tally.runs)} of ${grouped(seeds.count)} runs`;
  const found: string[] = [];
  if (tally.failedRuns > 0)
    found.push(`${grouped(tally.failedRuns)} failed, in ${grouped(tally.failures.length)} way(s)`);
  if (missing.length > 0) found.push(`never injected: ${missing.join(', ')}`);
  const wrong = judged?.wrong.length ?? 0;
  if (wrong > 0) found.push(`${grouped(wrong)} that the spec does not allow`);
  const words = found.length === 0 ? '0 violations' : found.join('; ');
  return `${runs}, seeds ${seeds.first} to ${seeds.first + seeds.count - 1}: ${words}, in ${timeText(measured.seconds)}; build/report/sim.json`;
}

function mib(bytes: number): string {
  return `${grouped(Math.round(bytes / MIB))} MiB`;
}
