/**
 * Why an event was refused, or would be now: the guards that said no, with what they read. A refusal that happened keeps its
 * own evidence; without one the event is put to the machine as a question. Mirrors specs/Vsr.tla.
 */
import type { AppliedRule, ExplainedReplica } from '../../machines/explanation.ts';
import type { VsrAction } from '../../machines/vsr-context.ts';
import { type Answer, ask, contextOf, failing, haltedAnswer, statusOf, whereItIs } from './explained-replica.ts';

/** A refusal out of the history. */
export interface PastRefusal {
  readonly sequence: number;
  readonly event: string;
  readonly from: number | undefined;
  readonly status: string;
  readonly rules: readonly AppliedRule[];
}

/** @param event asked of the machine as it is now, when there is no past refusal */
export function explainRefusal(replica: ExplainedReplica, event: VsrAction, past?: PastRefusal): Answer {
  if (replica.haltedBy !== undefined) return haltedAnswer(replica);
  const { replica: index } = contextOf(replica);
  const rules = past?.rules ?? ask(replica, event);
  const said = failing(rules);
  const sender = past?.from === undefined ? '' : ` from replica ${past.from}`;
  const place = `at replica ${index} in status ${past?.status ?? statusOf(replica)}`;
  const verb = past === undefined ? (said.length > 0 ? 'would be refused' : 'would be taken') : 'was refused';
  const why =
    said.length === 0
      ? 'every guard holds'
      : `${said.map(({ rule_id }) => rule_id).join(' and ')} ${said.length === 1 ? 'does' : 'do'} not hold`;
  const inputs = past === undefined ? {} : { sequence: past.sequence, from: past.from };
  return {
    inputs: { event: past?.event ?? event, ...inputs, ...whereItIs(replica) },
    rules,
    decidedBy: said.length > 0 ? said : rules,
    conclusion: `${past?.event ?? event}${sender} ${verb} ${place}: ${why}.`,
  };
}
