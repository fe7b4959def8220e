/**
 * Rules as a machine's own guards answered them, with the words of the spec and both places. Mirrors no spec module: it
 * looks names up in spec-index.ts. Never evaluates anything by itself.
 */
import { evaluateWithEvidence, type GuardEvidence } from '../../machines/evidence.ts';
import type { AppliedRule, ExplainedReplica } from '../../machines/explanation.ts';
import type { ComponentSpec, SpecRule } from '../../machines/spec-rule.ts';
import { specIndex } from './spec-index.ts';

interface IndexedSpec {
  readonly spec: ComponentSpec;
  readonly actions: ReadonlyMap<string, SpecRule>;
  readonly rules: ReadonlyMap<string, SpecRule>;
}

const indexed: ReadonlyMap<string, IndexedSpec> = new Map(
  specIndex.map((spec) => [
    spec.name,
    {
      spec,
      actions: new Map(spec.actions.map((rule) => [rule.name, rule])),
      rules: new Map([...spec.definitions, ...spec.invariants, ...spec.guards].map((rule) => [rule.name, rule])),
    },
  ]),
);

export function specOf(component: string): ComponentSpec | undefined {
  return indexed.get(component)?.spec;
}

export function specAction(component: string, name: string): SpecRule | undefined {
  return indexed.get(component)?.actions.get(name);
}

/** A guard, an invariant or an operator. */
export function specRule(component: string, name: string): SpecRule | undefined {
  return indexed.get(component)?.rules.get(name);
}

/** Every guard of this event, asked of the replica's machine in its state. */
export function rulesOf(replica: ExplainedReplica, event: { readonly type: string }): readonly AppliedRule[] {
  return evaluateWithEvidence(replica.machine, replica.snapshot as never, event).map((answer) =>
    appliedRule(replica.machine.id, event.type, answer),
  );
}

export function appliedRule(component: string, event: string, answer: GuardEvidence): AppliedRule {
  const { rule, guard, holds, facts, missing } = answer;
  const found = guard === 'status' ? statusRule(component, event) : ruleOf(specRule(component, guard));
  return { rule_id: rule, ...found, evaluation: holds, evidence: facts, ...(missing.length > 0 ? { missing } : {}) };
}

/** A rule that is no guard: an operator or an invariant, whose value the machine's own function gave. */
export function operatorRule(
  component: string,
  name: string,
  evaluation: boolean,
  evidence: AppliedRule['evidence'],
): AppliedRule {
  return { rule_id: `${component}.${name}`, ...ruleOf(specRule(component, name)), evaluation, evidence };
}

type Words = Pick<AppliedRule, 'description' | 'spec' | 'machine'>;

function ruleOf(rule: SpecRule | undefined): Words {
  if (rule === undefined) return { description: '' };
  const { comment, text, file, line, machine } = rule;
  return { description: comment, spec: { file, line, text }, ...(machine === undefined ? {} : { machine }) };
}

/** The conjunct on status has no name of its own: its place is the action's. */
function statusRule(component: string, event: string): Words {
  const action = specAction(component, event);
  const description = `${event} belongs to another status.`;
  if (action === undefined) return { description };
  const { file, line, text, machine } = action;
  return { description, spec: { file, line, text }, ...(machine === undefined ? {} : { machine }) };
}
