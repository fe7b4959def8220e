/** Why a replica is in the state it is in, and what it would take now. Mirrors specs/Vsr.tla; every answer is the machine's own. */
import type { ExplainedReplica } from '../../machines/explanation.ts';
import { explainViewChange } from './explain-view-change.ts';
import { type Answer, ask, contextOf, holds, named, opsText, statusOf, whereItIs } from './explained-replica.ts';
import { localInvariants } from './local-invariants.ts';

export function explainReplica(replica: ExplainedReplica): Answer {
  if (statusOf(replica) !== 'normal') return explainViewChange(replica);
  const { replica: index, replicaCount, view, op, opDurable, commit } = contextOf(replica);
  const request = ask(replica, 'ClientRequest');
  const leads = holds(request, 'IsPrimary');
  const sync = ask(replica, leads ? 'PrimaryFsync' : 'BackupFsync');
  const give = ask(replica, leads ? 'Abdicate' : 'HeartbeatTimeout');
  const role = leads
    ? `the primary of view ${view}`
    : `a backup of view ${view}, whose primary is replica ${view % replicaCount}`;
  const log =
    op === 0 ? 'Its log is empty.' : `Its log ends at op ${op}; ops up to ${commit} are known committed here.`;
  const volatile = holds(sync, 'LogIsVolatile')
    ? ` ${capital(opsText(Math.min(opDurable + 1, op), op))} would be lost by a crash.`
    : '';
  const full = leads && !holds(request, 'PipelineHasRoom');
  const takes = leads
    ? full
      ? ' It refuses client requests: its pipeline is full.'
      : ' It takes client requests.'
    : ' It takes no client request itself: the server forwards them to the primary.';
  return {
    inputs: whereItIs(replica),
    rules: [...request, ...sync, ...give, ...localInvariants(replica)],
    decidedBy: [named(request, 'IsPrimary'), full ? named(request, 'PipelineHasRoom') : undefined].filter(
      (rule) => rule !== undefined,
    ),
    conclusion: `Replica ${index} is normal and ${role}. ${log}${volatile}${takes}`,
  };
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
