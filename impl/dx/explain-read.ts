/**
 * How a read would be answered here now: the round of StartReadRound, ReceiveReadRoundOk and CompleteRead of specs/Vsr.tla at a
 * primary, or what keeps it from beginning one. Every answer is the machine's own. What a committed read may see is the commit.
 */
import type { ExplainedReplica } from '../../machines/explanation.ts';
import { primaryOf, quorumOf } from '../../machines/quorum.ts';
import {
  type Answer,
  ask,
  contextOf,
  failing,
  haltedAnswer,
  holds,
  named,
  replicasText,
  statusOf,
  whereItIs,
} from './explained-replica.ts';

/** @param minCommitId what a committed read asks for; undefined: the read is linearizable */
export function explainRead(replica: ExplainedReplica, minCommitId?: number): Answer {
  if (replica.haltedBy !== undefined) return haltedAnswer(replica);
  if (minCommitId !== undefined) return committedRead(replica, minCommitId);
  const { replica: index, replicaCount, view, reading, commit } = contextOf(replica);
  const start = ask(replica, 'StartReadRound');
  const inputs = { ...whereItIs(replica), consistency: 'linearizable', reading, quorum: quorumOf(replicaCount) };
  const primary = primaryOf(view, replicaCount);
  if (statusOf(replica) !== 'normal')
    return {
      inputs,
      rules: start,
      decidedBy: failing(start),
      conclusion: `A linearizable read waits: replica ${index} is in status ${statusOf(replica)}, and only the primary of a normal view reads for others. A committed read is answered at commit ${commit}.`,
    };
  if (!holds(start, 'IsPrimary')) {
    const asked = ask(replica, 'ReceiveReadRound', { from: primary, view });
    return {
      inputs,
      rules: [...start, ...asked],
      decidedBy: [named(start, 'IsPrimary'), named(asked, 'SameView')].filter((rule) => rule !== undefined),
      conclusion: `Replica ${index} asks replica ${primary}, the primary of view ${view}, up to which commit a linearizable read may be answered, and answers when it has applied that. Rounds of view ${view} it confirms.`,
    };
  }
  if (holds(start, 'NoReadRound')) return atIdlePrimary(replica, inputs, start);
  const complete = ask(replica, 'CompleteRead');
  const others = Array.from({ length: replicaCount }, (_, other) => other).filter((other) => other !== index);
  const answers = others.map((from) => ({
    from,
    rules: ask(replica, 'ReceiveReadRoundOk', { from, view, round: reading.round }),
  }));
  const owing = answers.filter(({ rules }) => holds(rules, 'ReadOkNeeded'));
  return {
    inputs,
    rules: [...start, ...complete, ...answers.flatMap(({ rules }) => rules)],
    decidedBy: [
      named(complete, 'ReadQuorum'),
      ...owing.map(({ rules }) => named(rules, 'ReadOkNeeded')),
      named(start, 'NoReadRound'),
    ].filter((rule) => rule !== undefined),
    conclusion: `Round ${reading.round} of reads is open at replica ${index}, at commit ${reading.commit}: ${reading.oks.length} of the ${quorumOf(replicaCount)} that a quorum needs have confirmed view ${view} (${replicasText(reading.oks)}), and ${replicasText(owing.map(({ from }) => from))} could. Reads that come now share the next round.`,
  };
}

function atIdlePrimary(replica: ExplainedReplica, inputs: Answer['inputs'], rules: Answer['rules']): Answer {
  const { replica: index, view, commit } = contextOf(replica);
  const said = failing(rules);
  return {
    inputs,
    rules,
    decidedBy: said.length > 0 ? said : rules,
    conclusion:
      said.length > 0
        ? `A linearizable read waits at replica ${index}: of the log with which view ${view} began not everything is committed yet, so commit ${commit} may lack what was acknowledged before.`
        : `A linearizable read is answered here as soon as a quorum has confirmed that view ${view} is the newest: at commit ${commit}, or later. No clock is asked, and nothing is written.`,
  };
}

function committedRead(replica: ExplainedReplica, minCommitId: number): Answer {
  const { replica: index, replicaCount, view, commit } = contextOf(replica);
  const inputs = { ...whereItIs(replica), consistency: 'committed', min_commit_id: minCommitId };
  const rules = ask(replica, 'ReceiveCommit', { from: primaryOf(view, replicaCount), view, commit: minCommitId });
  const advances = named(rules, 'CommitAdvances');
  return {
    inputs,
    rules,
    decidedBy: advances === undefined ? rules : [advances],
    conclusion:
      minCommitId > commit
        ? `A committed read that asks for commit ${minCommitId} waits at replica ${index}: it knows ops up to ${commit} committed.`
        : `A committed read that asks for commit ${minCommitId} is answered at once: replica ${index} knows ops up to ${commit} committed.`,
  };
}
