/**
 * What an explanation is, and its text. Mirrors no spec module: it quotes them. An explanation is of one replica in one state,
 * and the state may be live, a step of a saved trace, or one that TLC found: the same state gives the same explanation, byte
 * for byte. impl/dx makes them; the command line and the replay print them. Evaluates nothing.
 */
import type { AnyMachineSnapshot, AnyStateMachine } from 'xstate';

/** A line of a file of the repository, from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

/** One rule as it was evaluated, by the machine's own guard. */
export interface AppliedRule {
  /** `Component.Event.Guard`. */
  readonly rule_id: string;
  /** The comment in the spec. */
  readonly description: string;
  /** What the guard returned. */
  readonly evaluation: boolean;
  /** What the guard read, by path: `context.op`, `event.message.view`. */
  readonly evidence: Readonly<Record<string, unknown>>;
  /** Facts that the guard asked for and that the event lacks. */
  readonly missing?: readonly string[];
  /** TLA+ text and its place. */
  readonly spec?: Place & { readonly text: string };
  readonly machine?: Place;
}

export interface Explanation {
  readonly explanation_type: string;
  /** snapshot_id: over status and context of the machine; equal for equal states wherever they come from. */
  readonly observed_snapshot: { readonly snapshot_id: string; readonly commit_id: number };
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly rules_applied: readonly AppliedRule[];
  /** Ids of the rules above that the conclusion rests on, the first one first. */
  readonly decided_by: readonly string[];
  readonly conclusion: string;
  /** What would have to be known to say more; empty for a complete explanation. */
  readonly missing_facts: readonly string[];
}

/** The entry of one op, as far as explanations show it. Hashes are lower-case hexadecimal. */
export interface EntryFacts {
  readonly op: number;
  readonly view: number;
  readonly hash: string;
  readonly parent: string;
}

/** A replica of specs/Vsr.tla in one state: running, replayed or read off the state graph. */
export interface ExplainedReplica {
  readonly machine: AnyStateMachine;
  readonly snapshot: Pick<AnyMachineSnapshot, 'value' | 'context'>;
  /** Code and sentence of the error that halted it; undefined when it runs. */
  readonly haltedBy: string | undefined;
  entryAt(op: number): EntryFacts | undefined;
}

/** How text is marked on a terminal; plain by default. */
export interface Paint {
  readonly strong: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly holds: (text: string) => string;
  readonly fails: (text: string) => string;
}

const asIs = (text: string): string => text;
const PLAIN: Paint = { strong: asIs, dim: asIs, holds: asIs, fails: asIs };
/** Hexadecimal digits of a hash that are printed in text; the JSON has them all. */
const HASH_DIGITS_SHOWN = 12;

/**
 * Conclusion first, then the rules that decide it, each with the values it read and both places; then the others, a line each.
 * @param all every rule with its values
 */
export function explanationText(explanation: Explanation, paint: Paint = PLAIN, all = false): string[] {
  const { snapshot_id, commit_id } = explanation.observed_snapshot;
  const lines = [
    paint.strong(explanation.conclusion),
    paint.dim(`${explanation.explanation_type}, at commit ${commit_id}, snapshot ${snapshot_id}`),
  ];
  for (const fact of explanation.missing_facts) lines.push(`missing: ${fact}`);
  const inputs = Object.entries(explanation.inputs).filter(([, value]) => value !== undefined);
  if (inputs.length > 0) lines.push('', ...columns(inputs.map(([name, value]) => [name, valueText(value)])));
  const decides = ({ rule_id }: AppliedRule): boolean => explanation.decided_by.includes(rule_id);
  const deciding = explanation.rules_applied.filter(decides);
  const others = explanation.rules_applied.filter((rule) => !decides(rule));
  if (deciding.length > 0) lines.push('', 'decided by');
  for (const rule of deciding) lines.push(...ruleText(rule, paint));
  if (others.length > 0) lines.push('', 'also asked');
  for (const rule of others) lines.push(...(all ? ruleText(rule, paint) : [ruleLine(rule, paint)]));
  return lines;
}

/** One rule with its sentence, the values that it read, and where spec and machine have it. */
export function ruleText(rule: AppliedRule, paint: Paint = PLAIN): string[] {
  const { description, evidence, missing = [], spec, machine } = rule;
  const lines = [ruleLine(rule, paint)];
  if (description !== '') lines.push(`         ${description}`);
  const facts = Object.entries(evidence).map(([name, value]) => [name, valueText(value)] as const);
  const absent = missing.map((name) => [name, '(not there)'] as const);
  lines.push(...columns([...facts, ...absent]).map((line) => `         ${line}`));
  if (spec !== undefined) lines.push(paint.dim(`         ${spec.file}:${spec.line}  ${oneLine(spec.text)}`));
  if (machine !== undefined) lines.push(paint.dim(`         ${machine.file}:${machine.line}`));
  return lines;
}

function ruleLine({ rule_id, evaluation }: AppliedRule, paint: Paint): string {
  return `  ${evaluation ? paint.holds('holds') : paint.fails('fails')}  ${paint.strong(rule_id)}`;
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
}

/** A value on one line; long hashes are cut and say so. */
function valueText(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '-');
  return text.replaceAll(/[0-9a-f]{64}/g, (hash) =>
    /^0+$/.test(hash) ? '(no entry)' : `${hash.slice(0, HASH_DIGITS_SHOWN)}...`,
  );
}

/** A definition's first line, and whether there is more. */
function oneLine(text: string): string {
  const [first = '', ...rest] = text.split('\n');
  return rest.length === 0 ? first : `${first} ...`;
}
