/**
 * The table of client sessions while an op is applied: the Apply actions of specs/ClientSessions.tla in the order of the op's
 * commands, over a persistent table that stays as it was. session-rules.ts asks the machine what becomes of each. No I/O.
 */
import type { RequestApplied, RoomFacts } from '../../machines/client-sessions.ts';
import { assert } from '../ports/assert.ts';
import {
  type ClientSessions,
  REQUEST_NUMBER_MAX,
  requestFacts,
  type Session,
  type SessionOutcome,
  type SessionTable,
} from './client-sessions.ts';
import { addHash, sessionHash, subtractHash } from './session-hash.ts';
import type { SessionOrder, Turn } from './session-order.ts';
import { keptReply, ReplyWindow } from './session-replies.ts';

/** A session that this op registered or used. */
interface Used<Reply> {
  lastUsedMs: number;
  replies: ReplyWindow<Reply>;
}

/** Seal it once, and use it no more then. */
export class SessionsDraft<Reply> {
  readonly #before: ClientSessions<Reply>;
  readonly #table: SessionTable<Reply>;
  readonly #nowMs: number;
  readonly #made: (table: SessionTable<Reply>) => ClientSessions<Reply>;
  /** Undefined: evicted by this op. */
  readonly #touched = new Map<number, Used<Reply> | undefined>();
  #order: SessionOrder | undefined;
  #size: number;
  #replyCount: number;
  #newestId: number;

  constructor(
    before: ClientSessions<Reply>,
    table: SessionTable<Reply>,
    nowMs: number,
    made: (table: SessionTable<Reply>) => ClientSessions<Reply>,
  ) {
    this.#before = before;
    this.#table = table;
    this.#nowMs = nowMs;
    this.#made = made;
    this.#size = table.sessions.size;
    this.#replyCount = table.replyCount;
    this.#newestId = table.newestId;
  }

  /**
   * ClientSessions!ApplyRegister, ApplyRegisterEvicting.
   * @param id place of the command in the log: above every earlier one, so no session ever comes back
   * @returns the session that was evicted for it
   */
  register(id: number): number | undefined {
    assert(id > this.#newestId, 'a session takes its id from its place in the log');
    const { rules, bounds } = this.#table;
    const action = rules.ofRegister(this.#room(0));
    const evicted = action === 'ApplyRegisterEvicting' ? this.#evict(this.#oldestBut(id)) : undefined;
    this.#touched.set(id, { lastUsedMs: this.#nowMs, replies: ReplyWindow.empty<Reply>(bounds.window) });
    this.#ordered().add(this.#nowMs, id);
    this.#size++;
    this.#newestId = id;
    assert(this.#size <= bounds.sessionsMax, 'one session that goes makes room for one');
    return evicted;
  }

  /**
   * ClientSessions!ApplyNew, ApplyNewEvicting, ApplyRepeated, ApplyStale, ApplyEvicted.
   * @param requestNumber from 1
   * @param execute called when it is new, and then once
   */
  take(clientId: number, requestNumber: number, execute: () => Reply): SessionOutcome<Reply> {
    assert(requestNumber >= 1 && requestNumber <= REQUEST_NUMBER_MAX, 'requests are numbered from 1');
    const used = this.#touched.has(clientId) ? this.#touched.get(clientId) : this.#table.sessions.get(clientId);
    const replies = used?.replies;
    const request = requestFacts({ newestId: this.#newestId }, clientId, requestNumber, replies);
    const added = replies === undefined || request.replyKept ? 0 : replies.addedBy(requestNumber);
    const action = this.#table.rules.ofRequest(request, this.#room(added));
    if (replies === undefined || action === 'ApplyEvicted') return { kind: 'Evicted' };
    const session = this.#use(clientId);
    const first = ({ replies }: Used<Reply>): Reply => replies.at(requestNumber)?.reply as Reply;
    switch (action) {
      case 'ApplyRepeated':
        return { kind: 'Repeated', reply: this.#table.rules.faults.has('answered-anew') ? execute() : first(session) };
      case 'ApplyStale':
        return { kind: 'Stale', highest: replies.highest };
      default:
        return this.#executed(session, clientId, requestNumber, action, execute());
    }
  }

  sealed(): ClientSessions<Reply> {
    if (this.#touched.size === 0) return this.#before;
    const { bounds, rules } = this.#table;
    const sum = this.#table.sum.slice();
    let { sessions } = this.#table;
    if (this.#touched.size > 1) sessions = sessions.asMutable();
    for (const [id, used] of this.#touched) {
      const before = this.#table.sessions.get(id);
      if (before !== undefined) subtractHash(sum, before.hash);
      if (used === undefined) {
        sessions = sessions.delete(id);
        continue;
      }
      const { lastUsedMs, replies } = used;
      const session: Session<Reply> = { id, lastUsedMs, replies, hash: sessionHash(id, lastUsedMs, replies) };
      addHash(sum, session.hash);
      sessions = sessions.set(id, session);
    }
    sessions = sessions.asImmutable();
    const order = this.#order ?? this.#table.order;
    assert(sessions.size === this.#size && order.size === this.#size, 'each session has its turn to be evicted');
    const counts = { replyCount: this.#replyCount, newestId: this.#newestId };
    return this.#made({ bounds, rules, sessions, order, ...counts, sum });
  }

  #room(added: number): RoomFacts {
    return { sessions: this.#size, slots: this.#size + this.#replyCount, added };
  }

  /** The session as this op changes it, moved to the end of the order of eviction. */
  #use(id: number): Used<Reply> {
    const touched = this.#touched.get(id);
    if (touched !== undefined) return touched;
    const before = this.#table.sessions.get(id);
    assert(before !== undefined, 'only a session that is registered is used');
    const isNoted = !this.#table.rules.faults.has('use-not-noted');
    const lastUsedMs = isNoted ? this.#nowMs : before.lastUsedMs;
    const used = { lastUsedMs, replies: before.replies };
    this.#touched.set(id, used);
    if (before.lastUsedMs !== lastUsedMs) this.#ordered().move(id, before.lastUsedMs, lastUsedMs);
    return used;
  }

  #executed(
    session: Used<Reply>,
    clientId: number,
    requestNumber: number,
    action: RequestApplied,
    reply: Reply,
  ): SessionOutcome<Reply> {
    const evicted = action === 'ApplyNewEvicting' ? this.#makeRoom(clientId) : undefined;
    if (evicted === clientId) return { kind: 'New', reply, evicted }; // in a broken table only
    const { size } = session.replies;
    session.replies = session.replies.with(keptReply(requestNumber, reply));
    this.#replyCount += session.replies.size - size;
    assert(
      this.#size + this.#replyCount <= this.#table.bounds.slotsMax,
      'one session that goes makes room for one reply',
    );
    return { kind: 'New', reply, evicted };
  }

  /** @returns the session that went */
  #makeRoom(spared: number): number | undefined {
    const { faults } = this.#table.rules;
    const turn = this.#oldestBut(faults.has('evict-own-session') ? 0 : spared);
    if (!faults.has('replies-forgotten')) return this.#evict(turn);
    const session = this.#use(turn.id);
    this.#replyCount -= session.replies.size;
    session.replies = ReplyWindow.empty(session.replies.window);
    return undefined;
  }

  #oldestBut(spared: number): Turn {
    const oldest = this.#ordered().oldestBut(spared);
    assert(oldest !== undefined, 'there is another session: one alone always fits');
    return oldest;
  }

  #evict(turn: Turn): number {
    const { id } = turn;
    const session = this.#touched.get(id) ?? this.#table.sessions.get(id);
    assert(session !== undefined, 'what has a turn is registered');
    this.#ordered().remove(turn);
    this.#replyCount -= session.replies.size;
    this.#size--;
    if (this.#table.sessions.has(id)) this.#touched.set(id, undefined);
    else this.#touched.delete(id); // registered by this very op
    return id;
  }

  #ordered(): SessionOrder {
    this.#order ??= this.#table.order.fork();
    return this.#order;
  }
}
