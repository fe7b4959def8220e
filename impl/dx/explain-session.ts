/**
 * What a request of a session would be answered here, and by which rule: the guards of machines/client-sessions.ts, asked of
 * the table as it is now. Every replica that has applied the same ops says the same. Mirrors specs/ClientSessions.tla in its
 * names; decides nothing.
 */
import type { ClientSessionsEvent } from '../../machines/client-sessions.ts';
import { evaluateWithEvidence } from '../../machines/evidence.ts';
import type { AppliedRule } from '../../machines/explanation.ts';
import { COMMANDS_MAX } from '../kernel/limits.ts';
import type { SessionFacts } from '../server/dx-source.ts';
import { appliedRule } from './applied-rules.ts';
import type { Answer } from './explained-replica.ts';

type Action = 'AnswerRepeated' | 'AnswerStale' | 'AnswerEvicted' | 'ApplyNew' | 'ApplyNewEvicting';
const COMPONENT = 'ClientSessions';

export function explainSession(facts: SessionFacts): Answer {
  const { request, room, bounds, session } = facts;
  const asked: Readonly<Record<Action, readonly AppliedRule[]>> = {
    AnswerRepeated: ask(facts, { type: 'AnswerRepeated', request }),
    AnswerStale: ask(facts, { type: 'AnswerStale', request }),
    AnswerEvicted: ask(facts, { type: 'AnswerEvicted', request }),
    ApplyNew: ask(facts, { type: 'ApplyNew', entry: 'Request', request, room }),
    ApplyNewEvicting: ask(facts, { type: 'ApplyNewEvicting', entry: 'Request', request, room }),
  };
  const actions = Object.keys(asked) as readonly Action[];
  const taken = actions.find((action) => asked[action].every(({ evaluation }) => evaluation));
  const rules = taken === undefined ? actions.flatMap((action) => asked[action]) : asked[taken];
  return {
    inputs: {
      client_id: request.clientId,
      request_number: request.requestNumber,
      registered_at_op: Math.floor(request.clientId / COMMANDS_MAX),
      highest: session?.highest,
      replies_kept: session?.numbers,
      last_used_ms: session?.lastUsedMs,
      sessions: room.sessions,
      slots: room.slots,
      window: bounds.window,
      sessions_max: bounds.sessionsMax,
      slots_max: bounds.slotsMax,
    },
    rules,
    decidedBy: taken === undefined ? asked.AnswerEvicted.filter(({ evaluation }) => !evaluation) : rules,
    conclusion: conclusionOf(taken, facts),
    ...(taken === undefined ? { missing: [`the op that registered session ${request.clientId}`] } : {}),
  };
}

function conclusionOf(taken: Action | undefined, { request, room, bounds, session }: SessionFacts): string {
  const { clientId, requestNumber, newestId } = request;
  const which = `Request ${requestNumber} of session ${clientId}`;
  switch (taken) {
    case 'AnswerRepeated':
      return `${which} was executed in op ${session?.executedInOp ?? 'unknown'}: a retry gets that first reply again, and nothing is applied.`;
    case 'AnswerStale':
      return `${which} is refused as too old: number ${session?.highest} was executed since, and the replies to the last ${bounds.window} numbers are kept. A client that keeps to its window has had its answer.`;
    case 'AnswerEvicted':
      return `${which} is refused: the session is not among the ${room.sessions} that are kept. It was evicted, since ${bounds.sessionsMax} sessions or ${bounds.slotsMax} sessions and replies are the most, or there never was one of this id. The client registers anew; whether requests without an answer were executed, only their idempotency keys can say.`;
    case 'ApplyNew':
      return `${which} has no reply yet: it goes into the log, and is executed when that is applied.`;
    case 'ApplyNewEvicting':
      return `${which} has no reply yet: it goes into the log, is executed when that is applied, and the session that was not used for longest goes, to make room for its reply.`;
    default:
      return `${which} cannot be judged here: this replica has applied registrations up to session ${newestId}, and that one is above. It goes into the log, and what is applied before it decides.`;
  }
}

function ask({ machine, snapshot }: SessionFacts, event: ClientSessionsEvent): readonly AppliedRule[] {
  return evaluateWithEvidence(machine, snapshot, event).map((answer) => appliedRule(COMPONENT, event.type, answer));
}
