/**
 * The table of client sessions that every replica keeps at apply (specs/ClientSessions.tla; VRR 4.1, the client table): who is
 * registered, and the first replies to the last SESSION_REPLIES_MAX request numbers of each. A function of the committed log
 * and of nothing else. Persistent: an older table stays as it was. machines/client-sessions.ts decides.
 *
 * Of an op, in the order of its commands:
 *   const draft = sessions.begin(prepare.timestamp);       // timestamps of the log never go back
 *   draft.register(placeOf(op, command));                  // a new session, never an old one; evicts when there is no room
 *   draft.take(clientId, requestNumber, () => execute());  // New: executes and keeps the reply, refusals of the kernel too;
 *                                                          // Repeated: the first reply; Stale and Evicted: refused
 *   const after = draft.sealed();                          // after.hash goes into the hash of the kernel's state
 * Before the log, at a primary: sessions.answerNow(clientId, requestNumber) says what may be answered without an op, from a
 * table however old. undefined: submit it. What waits in the log already is volatile: sessions-in-flight.ts.
 * Does not: execute, send, number requests (impl/wire/session-numbers.ts does), or know what a reply says.
 */
import { Map as PersistentMap } from 'immutable';
import type { RequestFacts, RoomFacts } from '../../machines/client-sessions.ts';
import { assert } from '../ports/assert.ts';
import { addSession, emptySum, tableHash } from './session-hash.ts';
import { SessionOrder } from './session-order.ts';
import { type SessionOptions, SessionRules } from './session-rules.ts';
import {
  type AnswerNow,
  requestFacts,
  SESSION_BOUNDS,
  type Session,
  type SessionBounds,
  type SessionFacts,
  type SessionTable,
} from './session-table.ts';
import { SessionsDraft as Draft } from './sessions-draft.ts';

export { SESSION_REPLIES_MAX } from '../wire/session-numbers.ts';
export {
  type AnswerNow,
  REQUEST_NUMBER_MAX,
  SESSION_BOUNDS,
  SESSION_SLOTS_MAX,
  SESSIONS_MAX,
  type Session,
  type SessionBounds,
  type SessionFacts,
  type SessionOutcome,
  type SessionTable,
} from './session-table.ts';
export type SessionsDraft<Reply> = Draft<Reply, ClientSessions<Reply>>;

export class ClientSessions<Reply> {
  readonly #table: SessionTable<Reply>;
  #hash: Uint8Array | undefined;

  private constructor(table: SessionTable<Reply>) {
    this.#table = table;
  }

  static empty<Reply>(bounds: SessionBounds = SESSION_BOUNDS, options: SessionOptions = {}): ClientSessions<Reply> {
    assert(bounds.sessionsMax > 0 && bounds.window > 0, 'there is room for a session and a reply');
    assert(bounds.slotsMax > bounds.window, 'the table holds at least one whole session');
    const rules = new SessionRules(bounds, options);
    const [sessions, order] = [PersistentMap<number, Session<Reply>>(), SessionOrder.empty(options.compare)];
    return new ClientSessions({ bounds, rules, sessions, order, replyCount: 0, newestId: 0, sum: emptySum() });
  }

  /** Sessions registered and not evicted. */
  get size(): number {
    return this.#table.sessions.size;
  }

  get replyCount(): number {
    return this.#table.replyCount;
  }

  get newestId(): number {
    return this.#table.newestId;
  }

  get bounds(): SessionBounds {
    return this.#table.bounds;
  }

  get rules(): SessionRules {
    return this.#table.rules;
  }

  /** SHA-256 over what the table holds, however it came to hold it. */
  get hash(): Uint8Array {
    this.#hash ??= tableHash(this.#table);
    return this.#hash;
  }

  /** As hash, with everything computed anew: what the incremental one is held to. Slow. */
  hashFromScratch(): Uint8Array {
    const sum = emptySum();
    for (const { id, lastUsedMs, replies } of this.#table.sessions.values())
      addSession(sum, { id, lastUsedMs, replies: replies.fromScratch() });
    return tableHash({ ...this.#table, sum });
  }

  /**
   * What a primary may answer without an op, whatever it has applied: replies kept are committed, and a number that is stale
   * and a session that is gone stay so. undefined: only the log can say, a session that is registered further on among them.
   */
  answerNow(clientId: number, requestNumber: number): AnswerNow<Reply> | undefined {
    const replies = this.#table.sessions.get(clientId)?.replies;
    const request = requestFacts(this.#table, clientId, requestNumber, replies);
    switch (this.#table.rules.answerNow(request)) {
      case 'AnswerRepeated':
        return { kind: 'Repeated', reply: replies?.at(requestNumber)?.reply as Reply };
      case 'AnswerStale':
        return { kind: 'Stale', highest: request.highest ?? 0 };
      case 'AnswerEvicted':
        return { kind: 'Evicted' };
      default:
        return undefined;
    }
  }

  /** What the rules ask about a request. */
  requestFacts(clientId: number, requestNumber: number): RequestFacts {
    return requestFacts(this.#table, clientId, requestNumber, this.#table.sessions.get(clientId)?.replies);
  }

  /** What the rules ask about the room. Without a request: of a registration. */
  roomFacts(request?: RequestFacts): RoomFacts {
    const { sessions, replyCount } = this.#table;
    const replies = request === undefined ? undefined : sessions.get(request.clientId)?.replies;
    const added = request === undefined || request.replyKept ? 0 : replies?.addedBy(request.requestNumber);
    return { sessions: sessions.size, slots: sessions.size + replyCount, added: added ?? 0 };
  }

  /** undefined when there is no such session. */
  sessionOf(clientId: number): SessionFacts<Reply> | undefined {
    const session = this.#table.sessions.get(clientId);
    return session === undefined ? undefined : factsOf(session);
  }

  /** In the order of eviction. */
  *[Symbol.iterator](): Iterator<SessionFacts<Reply>> {
    for (const { id } of this.#table.order.keys()) {
      const session = this.#table.sessions.get(id);
      assert(session !== undefined, 'what has a turn is registered');
      yield factsOf(session);
    }
  }

  /** @param timestampMs of the op; not less than that of the op before */
  begin(timestampMs: number): SessionsDraft<Reply> {
    return new Draft(this, this.#table, timestampMs, (table) => new ClientSessions(table));
  }

  toJSON(): unknown {
    const { bounds, newestId, replyCount } = this.#table;
    return { bounds, newestId, replyCount, sessions: [...this] };
  }
}

function factsOf<Reply>({ id, lastUsedMs, replies }: Session<Reply>): SessionFacts<Reply> {
  const kept = [...replies].map(({ requestNumber, reply }) => ({ requestNumber, reply }));
  return { clientId: id, lastUsedMs, highest: replies.highest, replies: kept };
}
