/**
 * Is what three real processes did a behaviour of specs/Vsr.tla? Their recordings, completed at the crashes and merged by
 * messages, become one TLA+ module (trace-module.ts), and TLC decides, the invariants of the cfg in every state included.
 * A run that the spec does not allow is told by its first wrong step, the rules that refuse it or the fields that differ.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../engines/engine.ts';
import type { Tlc } from '../engines/find-tlc.ts';
import { withTlc } from '../engines/tlc.ts';
import { parseTla } from '../values/parse-tla.ts';
import type { TlaValue } from '../values/tla-value.ts';
import { completed, type SendingStep } from './crashes.ts';
import { merge } from './merge.ts';
import type { Recording } from './recording.ts';
import { eventOf, refusedBy } from './replica-run.ts';
import { AFTER_MARK, entryValues, STEP_MARK, stateText, TRACE_MODULE, traceModule } from './trace-module.ts';

const MODULE = 'Vsr';
const CFG = 'Vsr_cluster.cfg';
const FOLDER = 'specs';

export interface RefusedStep {
  /** From 1, in the merged run. */
  readonly step: number;
  readonly action: string;
  readonly replica: number;
  /** File and line of the record. */
  readonly at: string;
  /** Rules of the machine, equal in name to the spec's, that refuse the event here; empty when it is allowed and ends elsewhere. */
  readonly rules: readonly string[];
  /** One sentence: what is wrong. */
  readonly why: string;
}

export interface ClusterValidation {
  readonly steps: number;
  readonly crashes: number;
  readonly requests: number;
  readonly views: number;
  readonly refused?: RefusedStep;
  /** An invariant that the run breaks. */
  readonly violated?: string;
}

/** @param root of the repository. @throws RecordingError, EngineError */
export async function validateCluster(
  tlc: Tlc,
  root: string,
  recordings: readonly Recording[],
): Promise<ClusterValidation> {
  const runs = completed(recordings);
  const { steps, stuck } = merge(runs);
  const numbers = {
    steps: runs.flat().length,
    crashes: steps.filter(({ action }) => action === 'Crash').length,
    requests: steps.filter(({ action }) => action === 'ClientRequest').length,
    views: Math.max(0, ...steps.map(({ after }) => after.view)),
  };
  if (steps.length === 0) throw new EngineError('a run without a step: nothing to validate');
  const values = entryValues(steps);
  const folder = join(root, FOLDER);
  const overlay = { [`${TRACE_MODULE}.tla`]: traceModule(MODULE, steps, values), [CFG]: traceCfg(join(folder, CFG)) };
  const files = { folder, module: TRACE_MODULE, cfg: CFG };
  const { run, collected } = await withTlc(tlc, files, { overlay }, (work) =>
    readFileSync(join(work, 'tlc.out'), 'utf8'),
  );
  const reached = Math.max(
    0,
    ...[...collected.matchAll(new RegExp(`<<"${STEP_MARK}", (\\d+)>>`, 'g'))].map((match) => Number(match[1])),
  );
  const { failure } = run;
  if (failure?.kind === 'invariant') return { ...numbers, violated: failure.name ?? 'an invariant' };
  if (failure !== undefined) throw new EngineError(`validation of the cluster's run: ${failure.message.slice(0, 400)}`);
  const wrong = steps[reached];
  if (wrong !== undefined)
    return { ...numbers, refused: refusalOf(reached + 1, wrong, afterOf(collected, reached + 1), values) };
  const waiting = stuck[0];
  if (waiting === undefined) return numbers;
  const { action, replica, at } = waiting.step;
  const why = `takes a message that nobody had sent: ${waiting.message}`;
  return { ...numbers, refused: { step: reached + 1, action, replica, at, rules: [], why } };
}

/** What the spec would have had after the step; undefined when it does not allow the action at all. */
function afterOf(output: string, step: number): string | undefined {
  const start = output.search(new RegExp(`<<\\s*"${AFTER_MARK}",\\s*${step},`));
  if (start < 0) return undefined;
  const end = /\n(?:<<\s*"|@!@!@)/.exec(output.slice(start));
  return output.slice(start, end === null ? undefined : start + end.index);
}

function refusalOf(
  step: number,
  wrong: SendingStep,
  expected: string | undefined,
  values: ReadonlyMap<string, number>,
): RefusedStep {
  const { action, replica, at, before, logBefore } = wrong;
  const told = { step, action, replica, at };
  if (expected !== undefined) {
    const differing = differences(expected, stateText(wrong.after, values));
    return { ...told, rules: [], why: `ends elsewhere than the spec: ${differing.join('; ')}` };
  }
  const rules = action === 'Crash' ? [] : refusedBy(replica, before, eventOf(wrong, before, logBefore));
  const why =
    rules.length > 0
      ? `is refused by ${rules.join(', ')}`
      : 'is a step that the spec does not allow here: its message, or the log that it was taken on, is not what was recorded';
  return { ...told, rules, why };
}

/** @param expected what PrintT wrote: the replica by the spec, last in its tuple; @param recorded its stateText */
export function differences(expected: string, recorded: string): readonly string[] {
  const byName = (value: TlaValue | undefined): ReadonlyMap<string, string> =>
    new Map(value?.pairs?.map(([name, field]) => [JSON.parse(name.text) as string, field.text]));
  const spec = byName(parseTla(expected.replace(/\s+/g, ' ')).pairs?.at(-1)?.[1]);
  return [...byName(parseTla(recorded))]
    .filter(([name, text]) => spec.get(name) !== text)
    .map(([name, text]) => `${name} is ${text}, by the spec ${spec.get(name) ?? 'nothing'}`);
}

/** The constants and invariants of the cfg, over the module of the run. */
function traceCfg(path: string): string {
  const kept = readFileSync(path, 'utf8').replace(/^\s*(?:SPECIFICATION|CHECK_DEADLOCK).*$/gm, '');
  return `${kept}\nINIT LockstepInit\nNEXT LockstepNext\nCHECK_DEADLOCK FALSE\n`;
}
