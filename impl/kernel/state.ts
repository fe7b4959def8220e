/**
 * The state of the kernel after an op: which streams there are, where their events lie in the log, and the answers kept by
 * idempotency key. Persistent values (package immutable): an older state stays as it was. The events' data is not here:
 * it is read from the log by op and command. Mirrors no spec module yet (component Kernel of the design).
 */
import { Map as PersistentMap } from 'immutable';
import { GENESIS_HASH } from '../crypto/hash.ts';
import { assert } from '../ports/assert.ts';
import { ClientSessions } from '../vsr/client-sessions.ts';
import type { FirstResult } from './command-result.ts';
import { emptySum, type HashSum } from './hash-sum.ts';
import { type KeyedAnswers, NO_KEYS } from './keyed-answers.ts';
import { COMMANDS_MAX } from './limits.ts';
import type { RunList } from './run-list.ts';

export interface Stream {
  readonly name: string;
  /** Empty when there is none. */
  readonly dataClass: string;
  /** Place of the command that created it: never used again, so a stream of the same name later is another one. */
  readonly id: number;
  readonly createdCommitId: number;
  /** Offset that the next event gets; also the count of events. */
  readonly nextOffset: number;
  readonly runs: RunList;
  /** Chain over creation and runs: state-hash.ts. */
  readonly hash: Uint8Array;
}

/** What was said to the first request with a number: a retry gets it again, a refusal too. */
export interface SessionReply {
  readonly commitId: number;
  readonly result: FirstResult;
}

export interface KernelState {
  /** Ops applied; the commit id of this state. */
  readonly op: number;
  /** Hash of the prepare at op: the chain over the whole log. */
  readonly logHash: Uint8Array;
  readonly streams: PersistentMap<string, Stream>;
  readonly keys: KeyedAnswers;
  readonly sessions: ClientSessions<SessionReply>;
  /** Sum of the hashes of all streams and keyed answers: state-hash.ts. */
  readonly sum: HashSum;
}

/** A committed prepare as the kernel needs it (impl/vsr/prepare.ts has one). */
export interface CommittedPrepare {
  readonly op: number;
  readonly hash: Uint8Array;
  /** Milliseconds since the epoch, by the primary that made it. */
  readonly timestamp: number;
  /** A batch of commands (command-codec.ts). */
  readonly body: Uint8Array;
}

/** Before op 1. */
export function emptyState(sessions: ClientSessions<SessionReply>): KernelState {
  const nothing = { streams: PersistentMap<string, Stream>(), keys: NO_KEYS, sum: emptySum() };
  return { op: 0, logHash: GENESIS_HASH, sessions, ...nothing };
}

export const EMPTY_STATE: KernelState = emptyState(ClientSessions.empty());

/** Exact in a number up to op 2^41, seventy years at a thousand ops a second. */
export function placeOf(op: number, command: number): number {
  assert(command < COMMANDS_MAX, 'a command has its place in a batch');
  return op * COMMANDS_MAX + command;
}
