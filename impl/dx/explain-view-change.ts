/**
 * Why a view change goes on, waits or is over: the steps of VRR 4.2 in order, each with its guards, and the first that does not
 * hold. Mirrors the view change of specs/Vsr.tla. Every answer is the machine's own.
 */
import type { AppliedRule, ExplainedReplica } from '../../machines/explanation.ts';
import { primaryOf, quorumOf } from '../../machines/quorum.ts';
import { type Answer, ask, contextOf, holds, named, replicasText, statusOf, whereItIs } from './explained-replica.ts';

export function explainViewChange(replica: ExplainedReplica): Answer {
  if (statusOf(replica) === 'view-change') return inViewChange(replica);
  if (statusOf(replica) === 'recovering') return inRecovery(replica);
  const { replica: index, view } = contextOf(replica);
  const give = ask(replica, isPrimary(replica) ? 'Abdicate' : 'HeartbeatTimeout');
  const silence = isPrimary(replica) ? 'not hearing from a quorum' : 'hearing nothing from its primary';
  return {
    inputs: whereItIs(replica),
    rules: give,
    decidedBy: give,
    conclusion: `No view change is in progress at replica ${index}: it is normal in view ${view}. It would ask for view ${view + 1} after ${silence} for a while.`,
  };
}

/** The role by the machine's own word: SendCommit asks IsPrimary and nothing else. */
function isPrimary(replica: ExplainedReplica): boolean {
  return holds(ask(replica, 'SendCommit'), 'IsPrimary');
}

/** A replica that has just opened its disk takes the one Restart whose guards hold. */
function inRecovery(replica: ExplainedReplica): Answer {
  const restarts = (['RestartAsBackup', 'RestartAsPrimary', 'RestartInViewChange'] as const).map(
    (action) => [action, ask(replica, action)] as const,
  );
  const next = restarts.find(([, rules]) => rules.every(({ evaluation }) => evaluation));
  const { replica: index, view } = contextOf(replica);
  const rules = restarts.flatMap(([, asked]) => asked);
  return {
    inputs: whereItIs(replica),
    rules,
    decidedBy: next?.[1] ?? rules,
    conclusion: `Replica ${index} has opened its disk in view ${view}; its next step is ${next?.[0] ?? 'none'}.`,
  };
}

function inViewChange(replica: ExplainedReplica): Answer {
  const context = contextOf(replica);
  const { replica: index, replicaCount, view, viewDurable, logView, target, startVotes, changeVotes } = context;
  const leader = primaryOf(view, replicaCount);
  const persist = ask(replica, 'PersistView');
  const adopt = ask(replica, 'AdoptLog');
  const fetch = ask(replica, 'RequestEntry');
  const lead = ask(replica, 'ChooseLog');
  const leads = holds(lead, 'IsPrimary');
  const vote = ask(replica, leads ? 'CastOwnChangeVote' : 'SendDoViewChange');
  const begin = ask(replica, leads ? 'StartView' : 'EnterView');
  const inputs = {
    ...whereItIs(replica),
    view_durable: viewDurable,
    start_votes: startVotes,
    ...(leads ? { change_votes: changeVotes.map(({ from, logView, op }) => ({ from, logView, op })) } : {}),
    ...(holds(adopt, 'HasTarget') ? { target } : {}),
    quorum: quorumOf(replicaCount),
  };
  const rules = [...persist, ...vote, ...(leads ? lead : []), ...fetch, ...adopt, ...begin];
  const waits = (deciding: readonly (AppliedRule | undefined)[], what: string): Answer => ({
    inputs,
    rules,
    decidedBy: deciding.filter((rule) => rule !== undefined),
    conclusion: `Replica ${index} is in the change to view ${view}, which replica ${leader} is to lead: ${what}`,
  });

  if (holds(persist, 'ViewIsVolatile'))
    return waits(
      [named(persist, 'ViewIsVolatile'), named(persist, 'LogIsDurable')],
      `the view is not durable yet, and nothing of it leaves before the superblock holds it.`,
    );
  if (holds(begin, 'LogAdopted'))
    return waits(
      [named(begin, 'LogAdopted'), named(begin, 'LogIsDurable')],
      holds(begin, 'LogIsDurable')
        ? `its log is that of the view and durable, so it begins the view.`
        : `its log is that of the view and is not durable yet.`,
    );
  if (holds(adopt, 'HasTarget')) {
    const where = `the view's log ends at op ${target.op}, named by replica ${target.from}`;
    return holds(adopt, 'TargetReached')
      ? waits([named(adopt, 'TargetReached'), named(adopt, 'ViewIsDurable')], `${where}, and the log holds that end.`)
      : waits([named(fetch, 'TargetNotReached')], `${where}; it fetches op ${target.next} from there.`);
  }
  if (!holds(vote, 'StartQuorum'))
    return waits(
      [named(vote, 'StartQuorum')],
      `${startVotes.length} of the ${quorumOf(replicaCount)} replicas that a quorum needs have asked for it (${replicasText(startVotes)}).`,
    );
  if (!leads)
    return waits(
      [named(vote, 'HasNoTarget')],
      `a quorum asks for it, this replica has told replica ${leader} what its log holds (op ${context.op} of view ${logView}) and waits for its StartView.`,
    );
  if (!holds(lead, 'ChangeQuorum')) {
    const heard = changeVotes.map(({ from }) => from);
    return waits(
      [named(lead, 'ChangeQuorum')],
      `a quorum asks for it, and ${heard.length} of the ${quorumOf(replicaCount)} needed have said what their logs hold (${replicasText(heard)}).`,
    );
  }
  return waits([named(lead, 'ChangeQuorum')], `a quorum has said what its logs hold, so the best log is chosen now.`);
}
