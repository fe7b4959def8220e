/**
 * What `lockstep sim` was asked for: words of the command line to a task, or an error that says what, where and what to do.
 * Names are held to what there is: scenarios, faults, workloads, canaries. Mirrors no spec module.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { FAULT_KINDS, type FaultKind, type ReplicaCount, SEED_MAX, WORKLOADS, type Workload } from '../plan.ts';
import { SimError, type SimErrorCode } from '../sim-error.ts';
import type { RunSettings } from './messages.ts';
import { nearest } from './nearest.ts';
import type { SeedRange } from './seed-ranges.ts';

export const RUNS_BY_DEFAULT = 2_000;
const FIRST_SEED_BY_DEFAULT = 1;
const WORKERS_MAX = 256;
/** Of known names in a message. */
const NAMES_SHOWN_MAX = 30;
const ACTIONS = ['shrink', 'bisect', 'timeline', 'trace', 'regression', 'scenarios', 'canaries'] as const;

/** Names that exist, from the modules that define them. */
export interface KnownNames {
  readonly scenarios: readonly string[];
  readonly canaries: readonly string[];
}

export interface RunsTask {
  readonly kind: 'runs';
  readonly settings: RunSettings;
  readonly seeds: SeedRange;
  readonly workers: number;
  readonly coverage: boolean;
  readonly resume: boolean;
  /** Runs that TLC is asked about at the end. */
  readonly judge: number;
  readonly keep: string | undefined;
  readonly json: boolean;
}

export interface OneTask {
  readonly kind: 'one';
  readonly settings: RunSettings;
  readonly seed: number;
  readonly keep: string | undefined;
  readonly json: boolean;
}

/** Steered by what the runs reach. */
export interface GuidedTask {
  readonly kind: 'guided';
  readonly settings: RunSettings;
  readonly firstSeed: number;
  readonly runs: number;
  readonly keep: string | undefined;
  readonly json: boolean;
}

export interface TimelineTask {
  readonly kind: 'timeline';
  readonly file: string;
  readonly html: string | undefined;
  readonly mermaid: boolean;
}

export interface TraceTask {
  readonly kind: 'trace';
  readonly file: string;
  /** Where the trace goes; undefined: beside the bundles. */
  readonly out: string | undefined;
  readonly json: boolean;
}

export interface RegressionTask {
  readonly kind: 'regression';
  readonly file: string;
  readonly fixedBy: string;
  readonly name: string | undefined;
}

export type SimTask =
  | RunsTask
  | OneTask
  | GuidedTask
  | { readonly kind: 'replay' | 'shrink' | 'bisect'; readonly file: string; readonly json: boolean }
  | TimelineTask
  | TraceTask
  | RegressionTask
  | { readonly kind: 'scenarios' | 'canaries'; readonly json: boolean };

const OPTIONS = {
  seed: { type: 'string' },
  guided: { type: 'boolean' },
  runs: { type: 'string' },
  'first-seed': { type: 'string' },
  scenario: { type: 'string' },
  replicas: { type: 'string' },
  workload: { type: 'string' },
  beyond: { type: 'boolean' },
  without: { type: 'string' },
  canary: { type: 'string' },
  workers: { type: 'string' },
  keep: { type: 'string' },
  bundle: { type: 'string' },
  html: { type: 'string' },
  mermaid: { type: 'boolean' },
  out: { type: 'string' },
  'fixed-by': { type: 'string' },
  name: { type: 'string' },
  judge: { type: 'string' },
  'no-resume': { type: 'boolean' },
  'no-coverage': { type: 'boolean' },
  json: { type: 'boolean' },
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'];

export function simTaskOf(argv: readonly string[], known: KnownNames): SimTask {
  const { values, positionals } = parsed(argv);
  const json = values.json === true;
  const [action, file, ...more] = positionals;
  if (action === undefined) return values.bundle === undefined ? runsOrOne(values, known) : bundleTask(values, json);
  if (!isOneOf(action, ACTIONS))
    throw usage(`there is no \`lockstep sim ${action}\`${meant(action, ACTIONS)}: it has ${ACTIONS.join(', ')}`);
  if (more.length > 0) throw usage(`\`lockstep sim ${action}\` takes one bundle, and was given ${more.length + 1}`);
  if (action === 'scenarios' || action === 'canaries') {
    if (file !== undefined) throw usage(`\`lockstep sim ${action}\` takes nothing, and was given ${file}`);
    return { kind: action, json };
  }
  if (file === undefined)
    throw usage(`\`lockstep sim ${action}\` needs a bundle: a file of build/sim/failures, as a failing run prints it`);
  if (action === 'timeline') return { kind: action, file, html: values.html, mermaid: values.mermaid === true };
  if (action === 'trace') return { kind: action, file, out: values.out, json };
  if (action !== 'regression') return { kind: action, file, json };
  const fixedBy = values['fixed-by'];
  if (fixedBy === undefined || fixedBy === '')
    throw usage('`lockstep sim regression` needs --fixed-by: the first line of the commit that mended it');
  return { kind: action, file, fixedBy, name: values.name };
}

function parsed(argv: readonly string[]): { values: Values; positionals: readonly string[] } {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true });
  } catch (cause) {
    throw usage(`${cause instanceof Error ? cause.message : String(cause)}: see \`lockstep help sim\``);
  }
}

function bundleTask(values: Values, json: boolean): SimTask {
  const others = Object.keys(values).filter((name) => name !== 'bundle' && name !== 'json');
  if (others.length > 0)
    throw usage(`--bundle decides everything about the run: leave out ${others.map((name) => `--${name}`).join(', ')}`);
  return { kind: 'replay', file: values.bundle as string, json };
}

function runsOrOne(values: Values, known: KnownNames): SimTask {
  const settings = settingsOf(values, known);
  const { keep } = values;
  const json = values.json === true;
  if (values.seed !== undefined) {
    const others = (['runs', 'first-seed', 'guided', 'workers', 'judge', 'no-resume'] as const).filter(
      (name) => values[name] !== undefined,
    );
    if (others.length > 0)
      throw usage(
        `--seed is one run: leave out ${others.map((name) => `--${name}`).join(', ')}, or ask for --first-seed`,
      );
    return { kind: 'one', settings, seed: seedOf(values.seed, '--seed'), keep, json };
  }
  const runs = wholeNumber(values.runs ?? String(RUNS_BY_DEFAULT));
  if (runs === undefined || runs < 1)
    throw error(
      'SIM_NO_RUNS',
      `--runs ${values.runs} is no number of runs: it takes a whole number from 1`,
      values.runs,
    );
  const first = seedOf(values['first-seed'] ?? String(FIRST_SEED_BY_DEFAULT), '--first-seed');
  if (first + runs - 1 > SEED_MAX)
    throw error(
      'SIM_SEED_OUT_OF_RANGE',
      `${runs} runs from seed ${first} end at seed ${first + runs - 1}, and the last there is is ${SEED_MAX}: begin earlier, or ask for ${SEED_MAX - first + 1} runs`,
      first + runs - 1,
    );
  if (values.guided === true) return guidedTask(values, settings, first, runs);
  const seeds = { first, count: runs };
  const coverage = values['no-coverage'] !== true;
  return {
    kind: 'runs',
    settings,
    seeds,
    workers: workersOf(values),
    coverage,
    resume: values['no-resume'] !== true,
    judge: judgeOf(values, runs),
    keep,
    json,
  };
}

function guidedTask(values: Values, settings: RunSettings, firstSeed: number, runs: number): GuidedTask {
  const others = (['workers', 'judge', 'no-resume', 'no-coverage'] as const).filter(
    (name) => values[name] !== undefined,
  );
  if (others.length > 0)
    throw usage(
      `--guided is one process, from the beginning, steered by what it covers: leave out ${others.map((name) => `--${name}`).join(', ')}`,
    );
  return { kind: 'guided', settings, firstSeed, runs, keep: values.keep, json: values.json === true };
}

function settingsOf(values: Values, known: KnownNames): RunSettings {
  const { scenario, workload, canary, replicas, without, beyond } = values;
  return {
    ...(scenario === undefined ? {} : { name: oneOf(scenario, known.scenarios, 'SIM_UNKNOWN_SCENARIO', 'scenario') }),
    ...(replicas === undefined ? {} : { replicaCount: replicasOf(replicas) }),
    ...(workload === undefined
      ? {}
      : { workload: oneOf(workload, WORKLOADS, 'SIM_UNKNOWN_WORKLOAD', 'workload') as Workload }),
    ...(beyond === true ? { beyond } : {}),
    ...(canary === undefined ? {} : { canary: oneOf(canary, known.canaries, 'SIM_UNKNOWN_CANARY', 'canary') }),
    ...(without === undefined ? {} : { without: faultsOf(without) }),
  };
}

function faultsOf(list: string): readonly FaultKind[] {
  const names = list.split(',').map((name) => name.trim());
  return [...new Set(names.map((name) => oneOf(name, FAULT_KINDS, 'SIM_UNKNOWN_FAULT', 'kind of fault') as FaultKind))];
}

function replicasOf(text: string): ReplicaCount | 'swarm' {
  if (text === 'swarm') return text;
  const count = Number(text);
  if (count === 3 || count === 5 || count === 7) return count;
  throw usage(`--replicas ${text}: a simulated cluster has 3, 5 or 7 replicas; without it each seed draws its own`);
}

function workersOf({ workers }: Values): number {
  if (workers === undefined) return availableParallelism();
  const count = wholeNumber(workers);
  if (count === undefined || count < 1 || count > WORKERS_MAX)
    throw usage(`--workers ${workers}: it takes a whole number from 1 to ${WORKERS_MAX}`);
  return count;
}

function judgeOf({ judge, canary }: Values, runs: number): number {
  if (judge === undefined) return 0;
  if (canary !== undefined)
    throw usage('--judge asks whether the spec allows the runs, and --canary breaks them: leave out one of the two');
  const share = judge === 'all' ? runs : wholeNumber(judge);
  if (share === undefined) throw usage(`--judge ${judge}: it takes a whole number of runs, or all`);
  return Math.min(share, runs);
}

function seedOf(text: string, option: string): number {
  const seed = wholeNumber(text);
  if (seed === undefined || seed > SEED_MAX)
    throw error(
      'SIM_SEED_OUT_OF_RANGE',
      `${option} ${text} is no seed: seeds are whole numbers from 0 to ${SEED_MAX}`,
      text,
    );
  return seed;
}

function wholeNumber(text: string): number | undefined {
  const value = Number(text);
  return /^[0-9]+$/.test(text) && Number.isSafeInteger(value) ? value : undefined;
}

function oneOf(name: string, known: readonly string[], code: SimErrorCode, what: string): string {
  if (known.includes(name)) return name;
  const more = known.length > NAMES_SHOWN_MAX ? `, … ${known.length - NAMES_SHOWN_MAX} more` : '';
  const listed = `${known.slice(0, NAMES_SHOWN_MAX).join(', ')}${more}`;
  throw error(code, `there is no ${what} ${JSON.stringify(name)}${meant(name, known)}: there is ${listed}`, name);
}

function meant(name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  return near === undefined ? '' : ` (did you mean ${near}?)`;
}

function isOneOf<Name extends string>(name: string, known: readonly Name[]): name is Name {
  return (known as readonly string[]).includes(name);
}

function usage(message: string): SimError {
  return new SimError('SIM_USAGE', message);
}

function error(code: SimErrorCode, message: string, given: string | number | undefined): SimError {
  return new SimError(code, message, { given: given ?? null });
}
