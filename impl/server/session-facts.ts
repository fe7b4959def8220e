/** A request of a session against the table as it is now, as impl/dx reads it. Mirrors specs/ClientSessions.tla in its names. */
import type { SessionReply } from '../kernel/state.ts';
import type { ClientSessions } from '../vsr/client-sessions.ts';
import type { SessionFacts } from './dx-source.ts';

/** What the table of sessions says of a request now. */
export function sessionFactsOf(
  sessions: ClientSessions<SessionReply>,
  clientId: number,
  requestNumber: number | undefined,
): SessionFacts {
  const session = sessions.sessionOf(clientId);
  const request = sessions.requestFacts(clientId, requestNumber ?? (session?.highest ?? 0) + 1);
  const { bounds, rules } = sessions;
  const facts = {
    machine: rules.machine,
    snapshot: rules.snapshot,
    bounds,
    request,
    room: sessions.roomFacts(request),
  };
  if (session === undefined) return { ...facts, session };
  const { highest, lastUsedMs, replies } = session;
  const executedInOp = replies.find((kept) => kept.requestNumber === request.requestNumber)?.reply.commitId;
  const numbers = replies.map((kept) => kept.requestNumber);
  return { ...facts, session: { highest, lastUsedMs, numbers, executedInOp } };
}
