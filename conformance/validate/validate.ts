/**
 * Validation, the other way round: runs of the code become one generated TLA+ module, and TLC decides whether the spec allows
 * them. A run is a list of observed states; a variable that was not observed is left to the spec, and a step may name the
 * spec's action. All runs go to TLC at once; it prints how far it could follow each.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError, type ModelFiles } from '../engines/engine.ts';
import type { Tlc } from '../engines/find-tlc.ts';
import { withTlc } from '../engines/tlc.ts';

export interface ObservedStep {
  /** A person's words for the step. */
  readonly label: string;
  /** TLA+ text of the step, such as `ReceivePrepare(1, [op |-> 1])`; undefined: any step of Next. */
  readonly action?: string;
  /** TLA+ text by variable after the step; variables that were not observed are absent. */
  readonly after: Readonly<Record<string, string>>;
}

/** The first element is the initial state. */
export type ObservedRun = readonly ObservedStep[];

export interface ValidateOptions {
  /** Names of Init and Next in the root module. */
  readonly init?: string;
  readonly next?: string;
  /** Steps of the spec that leave no record, as TLA+ text; TLC may take up to `silentMax` of them between two observed ones. */
  readonly silent?: string;
  readonly silentMax?: number;
}

export interface Validation {
  readonly runs: number;
  readonly steps: number;
  /** Runs that the spec does not allow, with the first step that it cannot take (0: the initial state). */
  readonly refused: readonly { readonly run: number; readonly step: number; readonly label: string }[];
  /** An invariant that a validated run breaks. */
  readonly violated?: string;
}

const MODULE = 'LockstepObserved';
/** Silent steps between two observed ones: enough for a burst of internal work, few enough to stay quick. */
const SILENT_STEPS_MAX = 4;

export async function validate(
  tlc: Tlc,
  files: ModelFiles,
  runs: readonly ObservedRun[],
  options: ValidateOptions = {},
): Promise<Validation> {
  if (runs.length === 0 || runs.some((run) => run.length === 0)) throw new Error('validation of nothing');
  const cfg = readFileSync(join(files.folder, files.cfg), 'utf8');
  const overlay = { [`${MODULE}.tla`]: observedModule(files.module, runs, options), [files.cfg]: observedCfg(cfg) };
  const { run, collected } = await withTlc(tlc, { ...files, module: MODULE }, { overlay, keepGoing: true }, (folder) =>
    readFileSync(join(folder, 'tlc.out'), 'utf8'),
  );
  const reached = new Map<number, number>();
  for (const [, which, step] of collected.matchAll(/<<"lockstep", (\d+), (\d+)>>/g)) {
    const index = Number(which);
    reached.set(index, Math.max(reached.get(index) ?? 0, Number(step)));
  }
  const kind = run.failure?.kind;
  if (run.failure !== undefined && kind !== 'invariant' && kind !== 'deadlock')
    throw new EngineError(`validation of ${files.module}: ${run.failure.message.slice(0, 400)}`);
  const refused = runs.flatMap((observed, index) => {
    const step = reached.get(index + 1) ?? 0;
    return step >= observed.length ? [] : [{ run: index, step, label: observed[step]?.label ?? '' }];
  });
  const steps = runs.reduce((sum, observed) => sum + observed.length - 1, 0);
  const violated = kind === 'invariant' ? (run.failure?.name ?? 'an invariant') : undefined;
  return { runs: runs.length, steps, refused, ...(violated === undefined ? {} : { violated }) };
}

export function observedModule(root: string, runs: readonly ObservedRun[], options: ValidateOptions): string {
  const { init = 'Init', next = 'Next', silent, silentMax = SILENT_STEPS_MAX } = options;
  const variables = [...new Set(runs.flat().flatMap(({ after }) => Object.keys(after)))].toSorted();
  const actions = [...new Set(runs.flat().flatMap(({ action }) => action ?? []))];
  const observed = runs.map((run) => `<<\n${run.map((step) => stepText(step, actions)).join(',\n')}>>`).join(',\n');
  const matches = (prime: string): string =>
    variables
      .map((name) => `    /\\ ("${name}" \\in DOMAIN step.after => ${name}${prime} = step.after["${name}"])`)
      .join('\n');
  const byAction = [
    `step.action = 0 /\\ ${next}`,
    ...actions.map((text, index) => `step.action = ${index + 1} /\\ (${text})`),
  ];
  return `---- MODULE ${MODULE} ----
EXTENDS ${root}, TLC, Sequences, Naturals
VARIABLES lockstepRun, lockstepStep, lockstepSilent
LockstepObservedRuns == <<${observed}>>
LockstepInit ==
    /\\ ${init}
    /\\ lockstepRun \\in 1..Len(LockstepObservedRuns)
    /\\ lockstepStep = 1
    /\\ lockstepSilent = 0
    /\\ LET step == LockstepObservedRuns[lockstepRun][1] IN
${matches('').replace(/^/gm, '    ')}
    /\\ PrintT(<<"lockstep", lockstepRun, 1>>)
LockstepNext ==
    \\/ /\\ lockstepStep < Len(LockstepObservedRuns[lockstepRun])
       /\\ LET step == LockstepObservedRuns[lockstepRun][lockstepStep + 1] IN
            /\\ (${byAction.map((text) => `\\/ (${text})`).join(' ')})
${matches("'").replace(/^/gm, '        ')}
       /\\ lockstepStep' = lockstepStep + 1
       /\\ lockstepSilent' = 0
       /\\ UNCHANGED lockstepRun
       /\\ PrintT(<<"lockstep", lockstepRun, lockstepStep + 1>>)
${
  silent === undefined
    ? ''
    : `    \\/ /\\ lockstepSilent < ${silentMax}
       /\\ (${silent})
       /\\ lockstepSilent' = lockstepSilent + 1
       /\\ UNCHANGED <<lockstepRun, lockstepStep>>
`
}====
`;
}

function stepText(step: ObservedStep, actions: readonly string[]): string {
  const fields = Object.entries(step.after).map(([name, text]) => `${name} |-> ${text}`);
  const after = fields.length === 0 ? '<<>>' : `[${fields.join(', ')}]`;
  return `[action |-> ${step.action === undefined ? 0 : actions.indexOf(step.action) + 1}, after |-> ${after}]`;
}

/** The model's constants and invariants, without its behaviour, properties and deadlock check. */
function observedCfg(cfg: string): string {
  const kept = cfg
    .replace(/\\\*.*$/gm, '')
    .replace(
      /^\s*(?:PROPERT(?:Y|IES)|SPECIFICATION|INIT|NEXT|CHECK_DEADLOCK|CONSTRAINTS?|SYMMETRY|VIEW)\b[\s\S]*?(?=^\s*[A-Z_]{4,}\b|(?![\s\S]))/gm,
      '',
    );
  return `${kept}\nINIT LockstepInit\nNEXT LockstepNext\nCHECK_DEADLOCK FALSE\n`;
}
