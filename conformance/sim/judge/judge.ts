/**
 * The verdict of TLC on simulated runs: is what every replica did a behaviour of specs/Vsr.tla, step by step? Says of a run
 * that it is not its first wrong step, the rules that refuse it or the fields in which it ends elsewhere. Many runs go to one
 * TLC. A run is a proof of nothing but itself.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../../engines/engine.ts';
import type { Tlc } from '../../engines/find-tlc.ts';
import { withTlc } from '../../engines/tlc.ts';
import { refusedBy } from '../../validate-cluster/replica-run.ts';
import { stateFields } from '../../validate-cluster/trace-module.ts';
import { differences as differencesOf } from '../../validate-cluster/validate-cluster.ts';
import { JUDGE_MODULE, judgeModule, MARKS, type Rows } from './judge-module.ts';
import { type RunStep, type RunSteps, WRITEBACK } from './run-steps.ts';
import { cfgOf } from './simulated-cfg.ts';
import { SpecValues } from './spec-values.ts';

const FOLDER = 'specs';
const ROOT = 'MCVsr';
/** Longest run that is judged: TLC follows no behaviour beyond 65,535 states. */
export const JUDGED_STEPS_MAX = 60_000;

export interface RefusedStep {
  /** From 1, among the steps of the spec. */
  readonly step: number;
  /** The simulator's own count, and virtual microseconds. */
  readonly simStep: number;
  readonly atUs: number;
  readonly action: string;
  readonly replica: number;
  /** Rules of the machine, equal in name to the spec's, that refuse the event here; empty when it is allowed and ends elsewhere. */
  readonly rules: readonly string[];
  /** Fields that are not what the spec has, as `commit is 3, by the spec 2`. */
  readonly differences: readonly string[];
  /** One sentence: what is wrong. */
  readonly why: string;
}

export interface Verdict {
  readonly steps: number;
  readonly requests: number;
  readonly crashes: number;
  /** Stops after which a disk held part of what no fsync had covered: the one thing taken that is no action of the spec. */
  readonly writebacks: number;
  /** Steps that nobody saw, inferred from what a disk held after a stop. */
  readonly inferred: number;
  readonly views: number;
  readonly refused?: RefusedStep;
  /** An invariant of the cfg that the run breaks, and the first step after which it was asked and did not hold. */
  readonly violated?: { readonly invariant: string; readonly step: number };
}

/** @param root of the repository. @throws EngineError when TLC cannot decide */
export async function judge(tlc: Tlc, root: string, runs: readonly RunSteps[]): Promise<readonly Verdict[]> {
  const verdicts: (Verdict | undefined)[] = runs.map(() => undefined);
  for (const replicaCount of new Set(runs.map((run) => run.replicaCount))) {
    const group = [...runs.entries()].filter(([, run]) => run.replicaCount === replicaCount);
    const alike = group.map(([, run]) => run);
    const judged = await judgeAlike(tlc, root, replicaCount, alike);
    for (const [at, [index]] of group.entries()) verdicts[index] = judged[at];
  }
  return verdicts as readonly Verdict[];
}

/** One sentence for a person. */
export function verdictText({ steps, refused, violated, writebacks }: Verdict): string {
  if (refused !== undefined) {
    const { step, action, replica, why } = refused;
    return `refused at step ${step} of ${steps}, ${action} of replica ${replica}: ${why}`;
  }
  if (violated !== undefined) return `breaks ${violated.invariant} at step ${violated.step} of ${steps}`;
  const disks = writebacks === 0 ? '' : `, with ${writebacks} disks that had written back a part`;
  return `the spec allows this (${steps} steps${disks})`;
}

async function judgeAlike(
  tlc: Tlc,
  root: string,
  replicaCount: number,
  runs: readonly RunSteps[],
): Promise<readonly Verdict[]> {
  for (const { steps } of runs)
    if (steps.length > JUDGED_STEPS_MAX)
      throw new EngineError(`a run of ${steps.length} steps: TLC follows at most ${JUDGED_STEPS_MAX}`);
  const folder = join(root, FOLDER);
  const name = cfgOf(replicaCount);
  const cfg = readFileSync(join(folder, name), 'utf8');
  const named = runs.map(({ steps }) => ({ steps, values: new SpecValues(steps) }));
  const { text, rows } = judgeModule(ROOT, named, invariantsOf(cfg));
  const overlay = { [`${JUDGE_MODULE}.tla`]: text, [name]: judgeCfg(cfg) };
  const { run, collected } = await withTlc(
    tlc,
    { folder, module: JUDGE_MODULE, cfg: name },
    { overlay, isBrief: true },
    (work) => readFileSync(join(work, 'tlc.out'), 'utf8'),
  );
  if (run.failure !== undefined)
    throw new EngineError(`judging ${runs.length} simulated runs: ${run.failure.message.slice(0, 400)}`);
  const told = marksOf(collected);
  return named.map(({ steps, values }, index) => verdictOf(steps, values, rows[index] as Rows, told, index + 1));
}

interface Told {
  /** Last row taken, by run. */
  readonly reached: ReadonlyMap<number, number>;
  readonly unsent: ReadonlySet<string>;
  /** What the spec has after the action, in each way that it is allowed; by run and row. */
  readonly after: ReadonlyMap<string, readonly string[]>;
  readonly broken: ReadonlyMap<number, { readonly row: number; readonly invariant: string }>;
}

function marksOf(output: string): Told {
  const reached = new Map<number, number>();
  for (const [, run, row] of output.matchAll(new RegExp(`<<"${MARKS.taken}", (\\d+), (\\d+)>>`, 'g')))
    reached.set(Number(run), Math.max(reached.get(Number(run)) ?? 0, Number(row)));
  const unsent = new Set<string>();
  for (const [, run, row] of output.matchAll(new RegExp(`<<"${MARKS.unsent}", (\\d+), (\\d+)>>`, 'g')))
    unsent.add(`${run} ${row}`);
  const broken = new Map<number, { row: number; invariant: string }>();
  for (const [, run, row, name] of output.matchAll(new RegExp(`<<"${MARKS.broken}", (\\d+), (\\d+), "(\\w+)">>`, 'g')))
    if (Number(row) < (broken.get(Number(run))?.row ?? Infinity))
      broken.set(Number(run), { row: Number(row), invariant: name as string });
  const after = new Map<string, string[]>();
  const tuple = new RegExp(`<<\\s*"${MARKS.after}",\\s*(\\d+),\\s*(\\d+),[\\s\\S]*?\\n(?=<<\\s*"|@!@!@)`, 'g');
  for (const [text, run, row] of output.matchAll(tuple)) {
    const key = `${run} ${row}`;
    after.set(key, [...(after.get(key) ?? []), text]);
  }
  return { reached, unsent, after, broken };
}

function verdictOf(
  steps: readonly RunStep[],
  values: SpecValues,
  rows: Rows,
  { reached, unsent, after, broken }: Told,
  run: number,
): Verdict {
  const count = (action: string): number => steps.filter((step) => step.action === action).length;
  const numbers = {
    steps: steps.length,
    requests: count('ClientRequest'),
    crashes: count('Crash'),
    writebacks: count(WRITEBACK),
    inferred: steps.filter(({ inferred }) => inferred === true).length,
    views: steps.reduce((most, step) => Math.max(most, step.after.view), 0),
  };
  const stepOf = (row: number): number => (rows.slice(0, row).findLast((at) => at !== undefined) ?? -1) + 1;
  const first = broken.get(run);
  const violated = first === undefined ? {} : { violated: { invariant: first.invariant, step: stepOf(first.row) } };
  const row = reached.get(run) ?? 0;
  if (row === rows.length) return { ...numbers, ...violated };
  const wrong = steps[rows[row] as number] as RunStep;
  const key = `${run} ${row + 1}`;
  const refused = refusalOf(wrong, values, stepOf(row + 1), unsent.has(key), after.get(key) ?? []);
  return { ...numbers, ...violated, refused };
}

function refusalOf(
  wrong: RunStep,
  values: SpecValues,
  step: number,
  isUnsent: boolean,
  afters: readonly string[],
): RefusedStep {
  const { action, replica, simStep, atUs, before, event } = wrong;
  const told = { step, simStep, atUs, action, replica };
  if (isUnsent) {
    const why = `takes a message that nobody had sent: ${values.taken(wrong)?.text}`;
    return { ...told, rules: [], differences: [], why };
  }
  // Another message of the kind may be allowed too: the nearest is the one that was meant.
  const ways = afters.map((after) => differencesOf(after, recordText(wrong, values)));
  const [differences] = ways.toSorted((a, b) => a.length - b.length);
  if (differences !== undefined)
    return { ...told, rules: [], differences, why: `ends elsewhere than the spec: ${differences.join('; ')}` };
  const isAsked = action !== 'Crash' && action !== WRITEBACK;
  const rules = isAsked ? refusedBy(replica, before, event) : [];
  const why =
    rules.length > 0
      ? `is refused by ${rules.join(', ')}`
      : 'is a step that the spec does not allow here: the log that it was taken on is not what was recorded';
  return { ...told, rules, differences: [], why };
}

function recordText({ after }: RunStep, values: SpecValues): string {
  const fields = Object.entries(stateFields(after, (hash) => values.valueOf(hash)));
  return `[${fields.map(([name, text]) => `${name} |-> ${text}`).join(', ')}]`;
}

function invariantsOf(cfg: string): readonly string[] {
  return [...cfg.matchAll(/^INVARIANT (\w+)$/gm)].map(([, name]) => name as string);
}

/** The constants of the cfg, over the module of the runs. */
function judgeCfg(cfg: string): string {
  const constants = cfg.replace(/^(?:SPECIFICATION|INVARIANT|CHECK_DEADLOCK)\b.*$/gm, '');
  return `${constants}
INIT LockstepInit
NEXT LockstepNext
VIEW LockstepView
INVARIANT LockstepInvariants
CHECK_DEADLOCK FALSE
`;
}
