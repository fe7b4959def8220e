/**
 * What the table of client sessions is made of, and how large it may grow (specs/ClientSessions.tla: sessions, replies,
 * SessionsMax, SlotsMax, Window). The table itself is client-sessions.ts.
 */
import type { Map as PersistentMap } from 'immutable';
import type { RequestFacts } from '../../machines/client-sessions.ts';
import { assert } from '../ports/assert.ts';
import { SESSION_REPLIES_MAX } from '../wire/session-numbers.ts';
import type { SessionOrder } from './session-order.ts';
import type { ReplyWindow } from './session-replies.ts';
import type { SessionRules } from './session-rules.ts';

/** Sessions at once; at it a registration evicts the session that was not used for longest. Each costs 400 bytes. */
export const SESSIONS_MAX = 100_000;
/**
 * Slots of the table: a session takes one, each kept reply another, 200 bytes (bench/memory.ts). At it a session goes as at SESSIONS_MAX.
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

export interface Session<Reply> {
  readonly id: number;
  readonly lastUsedMs: number;
  readonly replies: ReplyWindow<Reply>;
}

/** What a table holds: for sessions-draft.ts and session-hash.ts. */
export interface SessionTable<Reply> {
  readonly bounds: SessionBounds;
  readonly rules: SessionRules;
  readonly sessions: PersistentMap<number, Session<Reply>>;
  /** By last use, then by id: the order in which they are evicted. */
  readonly order: SessionOrder;
  readonly replyCount: number;
  /** Id of the newest session that ever was. */
  readonly newestId: number;
  /** Of all sessions: session-hash.ts. */
  readonly sum: Uint32Array;
}

/** @param replies of the session; undefined when there is none */
export function requestFacts(
  { newestId }: { readonly newestId: number },
  clientId: number,
  requestNumber: number,
  replies: ReplyWindow<unknown> | undefined,
): RequestFacts {
  const replyKept = replies?.at(requestNumber) !== undefined;
  return { clientId, requestNumber, highest: replies?.highest, replyKept, newestId };
}
