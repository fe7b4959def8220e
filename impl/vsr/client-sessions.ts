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
import { sha256 } from '../crypto/hash.ts';
import { assert } from '../ports/assert.ts';
import { EMPTY_ORDER, type SessionOrder } from './session-order.ts';
import { keptReply, ReplyWindow } from './session-replies.ts';

/** Sessions at once; at it a registration evicts the session that was not used for longest. Each costs about 300 bytes. */
export const SESSIONS_MAX = 100_000;
/**
 * Replies kept of a session, and so the requests that a client may have on their way: it sends number n when n - this is
 * answered. More costs memory, fewer means more round trips.
 */
export const SESSION_REPLIES_MAX = 64;
/**
 * Slots of the table: a session takes one, each kept reply another, about 120 bytes. At it a session goes as at SESSIONS_MAX.
 * So 100,000 sessions may have 19 replies each, or 30,000 all that they may have.
 */
export const SESSION_SLOTS_MAX = 2_000_000;
/** Highest request number: exact in a number. */
export const REQUEST_NUMBER_MAX = Number.MAX_SAFE_INTEGER;

assert(SESSION_SLOTS_MAX > SESSION_REPLIES_MAX, 'the table holds at least one whole session');

/** Part of the state machine: all replicas have the same ones. Tests and models have smaller ones. */
export interface SessionBounds {
  readonly sessionsMax: number;
  readonly slotsMax: number;
  /** Replies kept of a session. */
  readonly window: number;
}

export const SESSION_BOUNDS: SessionBounds = {
  sessionsMax: SESSIONS_MAX,
  slotsMax: SESSION_SLOTS_MAX,
  window: SESSION_REPLIES_MAX,
};

/** What becomes of a committed request. Reply is JSON: its text goes into the hash. */
export type SessionOutcome<Reply> =
  /** Executed now, and kept. evicted: the session that had to go for it. */
  | { readonly kind: 'New'; readonly reply: Reply; readonly evicted: number | undefined }
  /** Executed before: nothing is applied. */
  | { readonly kind: 'Repeated'; readonly reply: Reply }
  /** So old that its reply is no longer kept; the client has had an answer to it, or gave up. */
  | { readonly kind: 'Stale'; readonly highest: number }
  /** No such session: evicted, or never registered. */
  | { readonly kind: 'Evicted' };

export type AnswerNow<Reply> = Exclude<SessionOutcome<Reply>, { readonly kind: 'New' }>;

/** A session as an explanation shows it. */
export interface SessionFacts<Reply> {
  readonly clientId: number;
  /** Timestamp of the op in which it was used last. */
  readonly lastUsedMs: number;
  /** Highest request number executed; 0 before the first. */
  readonly highest: number;
  readonly replies: readonly { readonly requestNumber: number; readonly reply: Reply }[];
}

interface Session<Reply> {
  readonly id: number;
  readonly lastUsedMs: number;
  readonly replies: ReplyWindow<Reply>;
  readonly hash: Uint8Array;
}

interface Table<Reply> {
  readonly bounds: SessionBounds;
  readonly sessions: PersistentMap<number, Session<Reply>>;
  /** By last use, then by id: the order in which they are evicted. */
  readonly order: SessionOrder;
  readonly replyCount: number;
  /** Id of the newest session that ever was. */
  readonly newestId: number;
  /** Sum of the hashes of the sessions. */
  readonly sum: Uint32Array;
}

const SUM_LANES = 8;
const TAG_TABLE = 6;
const TAG_SESSION = 7;
const U32_RANGE = 2 ** 32;

export class ClientSessions<Reply> {
  readonly #table: Table<Reply>;
  #hash: Uint8Array | undefined;

  private constructor(table: Table<Reply>) {
    this.#table = table;
  }

  static empty<Reply>(bounds: SessionBounds = SESSION_BOUNDS): ClientSessions<Reply> {
    assert(bounds.sessionsMax > 0 && bounds.window > 0, 'there is room for a session and a reply');
    assert(bounds.slotsMax > bounds.window, 'the table holds at least one whole session');
    const nothing = { sessions: PersistentMap<number, Session<Reply>>(), order: EMPTY_ORDER, replyCount: 0 };
    return new ClientSessions({ bounds, ...nothing, newestId: 0, sum: new Uint32Array(SUM_LANES) });
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

  /** SHA-256 over what the table holds, however it came to hold it. */
  get hash(): Uint8Array {
    this.#hash ??= tableHash(this.#table);
    return this.#hash;
  }

  /** As hash, with everything computed anew: what the incremental one is held to. Slow. */
  hashFromScratch(): Uint8Array {
    const sum = new Uint32Array(SUM_LANES);
    for (const { id, lastUsedMs, replies } of this.#table.sessions.values())
      addHash(sum, sessionHash(id, lastUsedMs, replies.fromScratch()));
    return tableHash({ ...this.#table, sum });
  }

  /**
   * What a primary may answer without an op, whatever it has applied: replies kept are committed, and a number that is stale
   * and a session that is gone stay so. undefined: only the log can say, a session that is registered further on among them.
   */
  answerNow(clientId: number, requestNumber: number): AnswerNow<Reply> | undefined {
    const session = this.#table.sessions.get(clientId);
    if (session === undefined) return clientId <= this.#table.newestId ? { kind: 'Evicted' } : undefined;
    return decided(session.replies, requestNumber);
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
    return new SessionsDraft(this, this.#table, timestampMs, (table) => new ClientSessions(table));
  }

  toJSON(): unknown {
    const { bounds, newestId, replyCount } = this.#table;
    return { bounds, newestId, replyCount, sessions: [...this] };
  }
}

/** A session that this op registered or used. */
class SessionDraft<Reply> {
  readonly id: number;
  /** As it was before this op; undefined when this op registered it. */
  readonly before: Session<Reply> | undefined;
  replies: ReplyWindow<Reply>;

  constructor(id: number, before: Session<Reply> | undefined, replies: ReplyWindow<Reply>) {
    this.id = id;
    this.before = before;
    this.replies = replies;
  }
}

/** The table while an op is applied. Seal it once, and use it no more then. */
export class SessionsDraft<Reply> {
  readonly #before: ClientSessions<Reply>;
  readonly #table: Table<Reply>;
  readonly #nowMs: number;
  readonly #made: (table: Table<Reply>) => ClientSessions<Reply>;
  /** Undefined: evicted by this op. */
  readonly #touched = new Map<number, SessionDraft<Reply> | undefined>();
  #order: SessionOrder | undefined;
  #size: number;
  #replyCount: number;
  #newestId: number;

  constructor(
    before: ClientSessions<Reply>,
    table: Table<Reply>,
    nowMs: number,
    made: (table: Table<Reply>) => ClientSessions<Reply>,
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
    const { sessionsMax, slotsMax, window } = this.#table.bounds;
    const hasRoom = this.#size < sessionsMax && this.#size + this.#replyCount < slotsMax;
    const evicted = hasRoom ? undefined : this.#evictOldest(id);
    this.#touched.set(id, new SessionDraft(id, undefined, ReplyWindow.empty<Reply>(window)));
    this.#ordered().add(this.#nowMs, id);
    this.#size++;
    this.#newestId = id;
    return evicted;
  }

  /**
   * ClientSessions!ApplyNew, ApplyNewEvicting, ApplyRepeated, ApplyStale, ApplyEvicted.
   * @param requestNumber from 1
   * @param execute called when it is new, and then once
   */
  take(clientId: number, requestNumber: number, execute: () => Reply): SessionOutcome<Reply> {
    assert(requestNumber >= 1 && requestNumber <= REQUEST_NUMBER_MAX, 'requests are numbered from 1');
    const session = this.#used(clientId);
    if (session === undefined) return { kind: 'Evicted' };
    const before = decided(session.replies, requestNumber);
    if (before !== undefined) return before;
    const reply = execute();
    const { slotsMax } = this.#table.bounds;
    const replies = session.replies.with(keptReply(requestNumber, reply));
    const added = replies.size - session.replies.size;
    const fits = this.#size + this.#replyCount + added <= slotsMax;
    const evicted = fits ? undefined : this.#evictOldest(clientId);
    session.replies = replies;
    this.#replyCount += added;
    assert(this.#size + this.#replyCount <= slotsMax, 'one session that goes makes room for one reply');
    return { kind: 'New', reply, evicted };
  }

  sealed(): ClientSessions<Reply> {
    if (this.#touched.size === 0) return this.#before;
    const sum = this.#table.sum.slice();
    let { sessions } = this.#table;
    if (this.#touched.size > 1) sessions = sessions.asMutable();
    for (const [id, draft] of this.#touched) {
      const before = this.#table.sessions.get(id);
      if (before !== undefined) subtractHash(sum, before.hash);
      if (draft === undefined) {
        sessions = sessions.delete(id);
        continue;
      }
      const hash = sessionHash(id, this.#nowMs, draft.replies);
      addHash(sum, hash);
      sessions = sessions.set(id, { id, lastUsedMs: this.#nowMs, replies: draft.replies, hash });
    }
    sessions = sessions.asImmutable();
    const order = this.#order ?? this.#table.order;
    assert(sessions.size === this.#size && order.size === this.#size, 'each session has its turn to be evicted');
    const { bounds } = this.#table;
    return this.#made({ bounds, sessions, order, replyCount: this.#replyCount, newestId: this.#newestId, sum });
  }

  /** The session, moved to the end of the order of eviction; undefined when there is none. */
  #used(id: number): SessionDraft<Reply> | undefined {
    if (this.#touched.has(id)) return this.#touched.get(id);
    const before = this.#table.sessions.get(id);
    if (before === undefined) return undefined;
    const draft = new SessionDraft(id, before, before.replies);
    this.#touched.set(id, draft);
    if (before.lastUsedMs !== this.#nowMs) this.#ordered().move(id, before.lastUsedMs, this.#nowMs);
    return draft;
  }

  /** @param spared the session that the room is for */
  #evictOldest(spared: number): number {
    const order = this.#ordered();
    const oldest = order.oldestBut(spared);
    assert(oldest !== undefined, 'there is another session: one alone always fits');
    const { id } = oldest;
    const session = this.#touched.get(id)?.replies ?? this.#table.sessions.get(id)?.replies;
    assert(session !== undefined, 'what has a turn is registered');
    order.remove(oldest);
    this.#replyCount -= session.size;
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

function decided<Reply>(
  replies: ReplyWindow<Reply>,
  requestNumber: number,
):
  | { readonly kind: 'Repeated'; readonly reply: Reply }
  | { readonly kind: 'Stale'; readonly highest: number }
  | undefined {
  const kept = replies.at(requestNumber);
  if (kept !== undefined) return { kind: 'Repeated', reply: kept.reply };
  const { highest } = replies;
  return requestNumber <= highest - replies.window ? { kind: 'Stale', highest } : undefined;
}

function factsOf<Reply>({ id, lastUsedMs, replies }: Session<Reply>): SessionFacts<Reply> {
  const kept = [...replies].map(({ requestNumber, reply }) => ({ requestNumber, reply }));
  return { clientId: id, lastUsedMs, highest: replies.highest, replies: kept };
}

const scratch = Buffer.allocUnsafeSlow(64);

function tableHash({ sessions, replyCount, newestId, sum }: Table<unknown>): Uint8Array {
  const bytes = scratch.subarray(0, 17 + SUM_LANES * 4);
  bytes[0] = TAG_TABLE;
  let at = bytes.writeUInt32LE(sessions.size, 1);
  at = bytes.writeUInt32LE(replyCount, at);
  at = writeU64(bytes, newestId, at);
  for (const lane of sum) at = bytes.writeUInt32LE(lane, at);
  return sha256(bytes);
}

function sessionHash(id: number, lastUsedMs: number, replies: ReplyWindow<unknown>): Uint8Array {
  const bytes = scratch.subarray(0, 37);
  bytes[0] = TAG_SESSION;
  let at = writeU64(bytes, id, 1);
  at = writeU64(bytes, lastUsedMs, at);
  at = writeU64(bytes, replies.highest, at);
  at = bytes.writeUInt32LE(replies.size, at);
  at = bytes.writeUInt32LE(replies.sums[0], at);
  bytes.writeUInt32LE(replies.sums[1], at);
  return sha256(bytes);
}

function addHash(sum: Uint32Array, hash: Uint8Array): void {
  for (let lane = 0; lane < SUM_LANES; lane++) sum[lane] = (sum[lane] as number) + laneOf(hash, lane);
}

function subtractHash(sum: Uint32Array, hash: Uint8Array): void {
  for (let lane = 0; lane < SUM_LANES; lane++) sum[lane] = (sum[lane] as number) - laneOf(hash, lane);
}

function laneOf(hash: Uint8Array, lane: number): number {
  const at = lane * 4;
  const [a, b, c, d] = [hash[at], hash[at + 1], hash[at + 2], hash[at + 3]] as [number, number, number, number];
  return a + (b << 8) + (c << 16) + (d << 24);
}

function writeU64(bytes: Buffer, value: number, at: number): number {
  bytes.writeUInt32LE(value % U32_RANGE, at);
  return bytes.writeUInt32LE(Math.floor(value / U32_RANGE), at + 4);
}
