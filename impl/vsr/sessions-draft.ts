/**
 * The table of client sessions while an op is applied: the Apply actions of specs/ClientSessions.tla in the order of the op's
 * commands, over a persistent table that stays as it was. session-rules.ts asks the machine what becomes of each. No I/O.
 */
import type { RequestApplied, RoomFacts } from '../../machines/client-sessions.ts';
import { assert } from '../ports/assert.ts';
import { addSession, subtractSession } from './session-hash.ts';
import type { SessionOrder, Turn } from './session-order.ts';
import { keptReply, ReplyWindow } from './session-replies.ts';
import {
  REQUEST_NUMBER_MAX,
  requestFacts,
  type Session,
  type SessionOutcome,
  type SessionTable,
} from './session-table.ts';

/** A session that this op registered or used. */
interface Used<Reply> {
  /** As the table has it; undefined when this op registered it. */
  readonly before: Session<Reply> | undefined;
  /** Evicted by this op. */
  isGone: boolean;
  lastUsedMs: number;
  replies: ReplyWindow<Reply>;
}

/** Seal it once, and use it no more then. */
export class SessionsDraft<Reply, Sessions> {
  readonly #before: Sessions;
  readonly #table: SessionTable<Reply>;
  readonly #nowMs: number;
  readonly #made: (table: SessionTable<Reply>) => Sessions;
  readonly #touched = new Map<number, Used<Reply>>();
  #order: SessionOrder | undefined;
  #size: number;
  #replyCount: number;
  #newestId: number;

  constructor(
    before: Sessions,
    table: SessionTable<Reply>,
    nowMs: number,
    made: (table: SessionTable<Reply>) => Sessions,
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
    const replies = ReplyWindow.empty<Reply>(bounds.window);
    this.#touched.set(id, { before: undefined, isGone: false, lastUsedMs: this.#nowMs, replies });
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
    const used = this.#touched.get(clientId) ?? this.#table.sessions.get(clientId);
    const replies = used === undefined || ('isGone' in used && used.isGone) ? undefined : used.replies;
    const request = requestFacts({ newestId: this.#newestId }, clientId, requestNumber, replies);
    const added = replies === undefined || request.replyKept ? 0 : replies.addedBy(requestNumber);
    const action = this.#table.rules.ofRequest(request, this.#room(added));
    if (used === undefined || replies === undefined || action === 'ApplyEvicted') return { kind: 'Evicted' };
    const session = 'isGone' in used ? used : this.#use(used);
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

  sealed(): Sessions {
    if (this.#touched.size === 0) return this.#before;
    const { bounds, rules } = this.#table;
    const sum = this.#table.sum.slice();
    let { sessions } = this.#table;
    if (this.#touched.size > 1) sessions = sessions.asMutable();
    for (const [id, { before, isGone, lastUsedMs, replies }] of this.#touched) {
      if (before !== undefined) subtractSession(sum, before);
      if (isGone) {
        sessions = sessions.delete(id);
        continue;
      }
      const session: Session<Reply> = { id, lastUsedMs, replies };
      addSession(sum, session);
      sessions = sessions.set(id, session);
    }
    sessions = sessions.asImmutable();
    const order = this.#order ?? this.#table.order;
    assert(sessions.size === this.#size && order.size === this.#size, 'each session has its turn to be evicted');
    const replyCount = this.#replyCount;
    const newestId = this.#newestId;
    return this.#made({ bounds, rules, sessions, order, replyCount, newestId, sum });
  }

  #room(added: number): RoomFacts {
    return { sessions: this.#size, slots: this.#size + this.#replyCount, added };
  }

  /** The session as this op changes it, moved to the end of the order of eviction. */
  #use(before: Session<Reply>): Used<Reply> {
    const { id, replies } = before;
    const isNoted = !this.#table.rules.faults.has('use-not-noted');
    const lastUsedMs = isNoted ? this.#nowMs : before.lastUsedMs;
    const used = { before, isGone: false, lastUsedMs, replies };
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
    const session = this.#touched.get(turn.id) ?? this.#use(this.#table.sessions.get(turn.id) as Session<Reply>);
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
    const touched = this.#touched.get(id);
    const before = touched === undefined ? this.#table.sessions.get(id) : touched.before;
    const session = touched ?? before;
    assert(session !== undefined, 'what has a turn is registered');
    this.#ordered().remove(turn);
    this.#replyCount -= session.replies.size;
    this.#size--;
    const { lastUsedMs, replies } = session;
    if (before === undefined)
      this.#touched.delete(id); // registered by this very op
    else this.#touched.set(id, { before, isGone: true, lastUsedMs, replies });
    return id;
  }

  #ordered(): SessionOrder {
    this.#order ??= this.#table.order.fork();
    return this.#order;
  }
}
