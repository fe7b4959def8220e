/**
 * What every topic asks of a replica first: its context, the event of an action with the facts of its log, an explanation's
 * frame, words for lists of replicas. Mirrors specs/Vsr.tla in its names. Pure; decides nothing.
 */
import type { AppliedRule, ExplainedReplica, Explanation } from '../../machines/explanation.ts';
import { primaryOf, quorumOf } from '../../machines/quorum.ts';
import {
  type MessageFacts,
  NO_ENTRY_HASH,
  TARGET_ACTIONS,
  type VsrAction,
  type VsrContext,
  type VsrEvent,
} from '../../machines/vsr-context.ts';
import { operatorRule, rulesOf, specAction } from './applied-rules.ts';
import { snapshotId } from './canonical.ts';

/** Ids of the rules by which a halted replica and an unknown status answer: the design's word, outside the spec. */
const HALTED_RULE = 'Vsr.halted';

/** A topic's answer before it is framed. */
export interface Answer {
  readonly inputs: Explanation['inputs'];
  readonly rules: readonly AppliedRule[];
  readonly decidedBy: readonly AppliedRule[];
  readonly conclusion: string;
  readonly missing?: readonly string[];
}

export function contextOf(replica: ExplainedReplica): VsrContext {
  return replica.snapshot.context as VsrContext;
}

export function statusOf(replica: ExplainedReplica): string {
  return String(replica.snapshot.value);
}

/** `replica 1, status normal, view 0 ...`: what every explanation starts from. */
export function whereItIs(replica: ExplainedReplica): Readonly<Record<string, unknown>> {
  const { replica: index, replicaCount, view, logView, op, opDurable, commit } = contextOf(replica);
  const status = replica.haltedBy === undefined ? statusOf(replica) : 'halted';
  const primary = primaryOf(view, replicaCount);
  return {
    replica: index,
    replica_count: replicaCount,
    status,
    view,
    log_view: logView,
    primary,
    op,
    op_durable: opDurable,
    commit,
  };
}

export function explained(type: string, replica: ExplainedReplica, answer: Answer): Explanation {
  const { inputs, rules, decidedBy, conclusion, missing = [] } = answer;
  return {
    explanation_type: type,
    observed_snapshot: { snapshot_id: snapshotIdOf(replica), commit_id: contextOf(replica).commit },
    inputs,
    rules_applied: rules,
    decided_by: [...new Set(decidedBy.map(({ rule_id }) => rule_id))],
    conclusion,
    missing_facts: missing,
  };
}

function snapshotIdOf({ machine, snapshot, haltedBy }: ExplainedReplica): string {
  return snapshotId({ machine: machine.id, status: snapshot.value, context: snapshot.context, haltedBy });
}

/** The guards of an action in this state, with the facts that they ask of the log. */
export function ask(replica: ExplainedReplica, action: VsrAction, message?: MessageFacts): readonly AppliedRule[] {
  return rulesOf(replica, eventOf(replica, action, message));
}

export function eventOf(replica: ExplainedReplica, action: VsrAction, message?: MessageFacts): VsrEvent {
  if ((TARGET_ACTIONS as readonly string[]).includes(action))
    return { type: action, hashAtTarget: hashAt(replica, contextOf(replica).target.op) } as VsrEvent;
  if (action === 'ClientRequest') return { type: action, hash: '' };
  if (message === undefined) return { type: action } as VsrEvent;
  const hashAtOp = message.op === undefined ? undefined : hashAt(replica, message.op);
  return { type: action, message, hashAtOp } as VsrEvent;
}

function hashAt(replica: ExplainedReplica, op: number): string | undefined {
  return op === 0 ? NO_ENTRY_HASH : replica.entryAt(op)?.hash;
}

export function failing(rules: readonly AppliedRule[]): readonly AppliedRule[] {
  return rules.filter(({ evaluation }) => !evaluation);
}

/** The rule of this guard among those of one event. */
export function named(rules: readonly AppliedRule[], guard: string): AppliedRule | undefined {
  return rules.find(({ rule_id }) => rule_id.endsWith(`.${guard}`));
}

/** What the guard answered; false when this event has no such guard here. */
export function holds(rules: readonly AppliedRule[], guard: string): boolean {
  return named(rules, guard)?.evaluation === true;
}

/** A halted replica takes no event: outside the spec it is a crash without restart, and it still answers questions. */
export function haltedAnswer(replica: ExplainedReplica): Answer {
  const reason = replica.haltedBy ?? '';
  const crash = specAction('Vsr', 'Crash');
  const rule: AppliedRule = {
    rule_id: HALTED_RULE,
    description: 'A fault of the disk stopped this replica. In the spec it is a crash without restart.',
    evaluation: true,
    evidence: { reason },
    ...(crash === undefined ? {} : { spec: { file: crash.file, line: crash.line, text: crash.text } }),
  };
  const { replica: index, view } = contextOf(replica);
  return {
    inputs: whereItIs(replica),
    rules: [rule],
    decidedBy: [rule],
    conclusion: `Replica ${index} is halted in view ${view} and takes part in nothing: ${reason}`,
  };
}

/** The spec's QuorumOp of what this primary has counted, against an op. */
export function quorumRule(acked: readonly number[], op: number, reached: number): AppliedRule {
  const evidence = { acked, quorum: quorumOf(acked.length), quorumOp: reached, op };
  return operatorRule('Vsr', 'QuorumOp', reached >= op, evidence);
}

/** `replica 1`, `replicas 1 and 2`. */
export function replicasText(indices: readonly number[]): string {
  if (indices.length === 0) return 'no replica';
  if (indices.length === 1) return `replica ${indices[0]}`;
  return `replicas ${indices.slice(0, -1).join(', ')} and ${indices.at(-1)}`;
}

/** `op 3`, `ops 3 to 5`. */
export function opsText(first: number, last: number): string {
  return first === last ? `op ${first}` : `ops ${first} to ${last}`;
}
