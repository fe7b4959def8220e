/**
 * Why an op is committed here, or what is missing: QuorumOp of specs/Vsr.tla over the primary's count, and the guards of the
 * message that would move the commit, asked for each replica that owes one. Every answer is the machine's own.
 */
import type { ExplainedReplica } from '../../machines/explanation.ts';
import { primaryOf, quorumOf, quorumOp } from '../../machines/quorum.ts';
import {
  type Answer,
  ask,
  contextOf,
  failing,
  haltedAnswer,
  holds,
  named,
  opsText,
  quorumRule,
  replicasText,
  statusOf,
  whereItIs,
} from './explained-replica.ts';

/** @param asked op, from 1; undefined: the first that is not committed, or the last one */
export function explainCommit(replica: ExplainedReplica, asked: number | undefined): Answer {
  const { op, commit } = contextOf(replica);
  const wanted = asked ?? Math.min(commit + 1, Math.max(op, 1));
  const inputs = { commit_id: wanted, ...whereItIs(replica), entry: entryOf(replica, wanted) };
  if (wanted > op || wanted < 1) return unknownOp(replica, wanted, inputs);
  if (wanted <= commit) return committed(replica, wanted, inputs);
  if (replica.haltedBy !== undefined) return haltedAnswer(replica);
  if (statusOf(replica) !== 'normal') return suspended(replica, wanted, inputs);
  return holds(ask(replica, 'SendCommit'), 'IsPrimary')
    ? atPrimary(replica, wanted, inputs)
    : atBackup(replica, wanted, inputs);
}

type Inputs = Answer['inputs'];

function entryOf(replica: ExplainedReplica, op: number): unknown {
  const entry = op < 1 ? undefined : replica.entryAt(op);
  return entry === undefined ? undefined : { view: entry.view, hash: entry.hash, parent: entry.parent };
}

function unknownOp(replica: ExplainedReplica, wanted: number, inputs: Inputs): Answer {
  const { replica: index, view, op } = contextOf(replica);
  const end = op === 0 ? 'is empty' : `ends at op ${op}`;
  const rules = ask(replica, 'ReceiveRequestEntry', { from: index, to: index, view, op: wanted });
  return {
    inputs,
    rules,
    decidedBy: failing(rules),
    conclusion: `Whether op ${wanted} is committed cannot be said here: the log of replica ${index} ${end}.`,
    missing: [`the entry of op ${wanted}: ask the primary, or ask again when this replica has caught up`],
  };
}

function committed(replica: ExplainedReplica, wanted: number, inputs: Inputs): Answer {
  const { replica: index, replicaCount, view, commit } = contextOf(replica);
  const rules = ask(replica, 'ReceiveCommit', { from: primaryOf(view, replicaCount), view, commit: wanted });
  return {
    inputs,
    rules,
    decidedBy: failing(rules).filter(({ rule_id }) => !rule_id.endsWith('.IsBackup')),
    conclusion: `Op ${wanted} is committed: replica ${index} knows ops up to ${commit} committed, so a quorum holds them.`,
  };
}

function suspended(replica: ExplainedReplica, wanted: number, inputs: Inputs): Answer {
  const { replica: index, view } = contextOf(replica);
  const rules = [...ask(replica, 'ReceivePrepareOk'), ...ask(replica, 'ReceiveCommit')];
  return {
    inputs,
    rules,
    decidedBy: rules,
    conclusion: `Op ${wanted} is in the log of replica ${index} and not committed; nothing commits here while its status is ${statusOf(replica)} (view ${view}).`,
  };
}

function atPrimary(replica: ExplainedReplica, wanted: number, inputs: Inputs): Answer {
  const { replica: index, replicaCount, view, acked } = contextOf(replica);
  const others = [...acked.keys()].filter((from) => from !== index);
  const answers = others.map((from) => ({
    from,
    rules: ask(replica, 'ReceivePrepareOk', { from, view, op: wanted }),
  }));
  const owing = answers.filter(({ rules }) => holds(rules, 'NewAcknowledgement'));
  const holding = [...acked.keys()].filter((from) => (acked[from] ?? 0) >= wanted);
  const quorum = quorumRule(acked, wanted, quorumOp(acked));
  const sync = ask(replica, 'PrimaryFsync');
  const ownOwed = holding.includes(index) ? '' : ' Its own copy is not durable yet.';
  const needs = quorumOf(replicaCount);
  return {
    inputs: { ...inputs, acked },
    rules: [quorum, ...owing.flatMap(({ rules }) => rules), ...sync],
    decidedBy: [quorum, ...owing.map(({ rules }) => named(rules, 'NewAcknowledgement'))].filter(
      (rule) => rule !== undefined,
    ),
    conclusion: `Op ${wanted} is not committed: ${holding.length} of the ${needs} durable copies that a quorum needs are known (${replicasText(holding)}).${ownOwed} No PrepareOk for it has come from ${replicasText(owing.map(({ from }) => from))}.`,
  };
}

function atBackup(replica: ExplainedReplica, wanted: number, inputs: Inputs): Answer {
  const { replica: index, replicaCount, view, commit, op } = contextOf(replica);
  const primary = primaryOf(view, replicaCount);
  const rules = ask(replica, 'ReceiveCommit', { from: primary, view, commit: wanted });
  return {
    inputs,
    rules,
    decidedBy: [named(rules, 'CommitAdvances')].filter((rule) => rule !== undefined),
    conclusion: `Op ${wanted} is in the log of replica ${index} and not known committed: of ${opsText(commit + 1, op)} no Commit has come from replica ${primary}, the primary of view ${view}. A Commit of ${wanted} would be taken.`,
  };
}
