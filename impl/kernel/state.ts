/**
 * The state of the kernel after an op: which streams there are, where their events lie in the log, and the answers kept by
 * idempotency key. Persistent values (package immutable): an older state stays as it was. The events' data is not here:
 * it is read from the log by op and command. Mirrors no spec module yet (component Kernel of the design).
 */
import { List, Map as PersistentMap } from 'immutable';
import { GENESIS_HASH } from '../crypto/hash.ts';
import { assert } from '../ports/assert.ts';
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

/** The answer to the first append with a key. */
export interface KeyedAnswer {
  /** SHA-256 of the encoded command: the same key with another command is refused. */
  readonly fingerprint: Uint8Array;
  readonly commitId: number;
  readonly firstOffset: number;
  readonly count: number;
}

export interface KernelState {
  /** Ops applied; the commit id of this state. */
  readonly op: number;
  /** Hash of the prepare at op: the chain over the whole log. */
  readonly logHash: Uint8Array;
  readonly streams: PersistentMap<string, Stream>;
  /** By keyOf(). */
  readonly keys: PersistentMap<string, KeyedAnswer>;
  /** The keys, oldest first: the order in which they are forgotten. */
  readonly keyOrder: List<string>;
  /** Sum of the hashes of all streams and keyed answers: state-hash.ts. */
  readonly sum: Uint32Array;
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

export const SUM_LANES = 8;

export const EMPTY_STATE: KernelState = {
  op: 0,
  logHash: GENESIS_HASH,
  streams: PersistentMap(),
  keys: PersistentMap(),
  keyOrder: List(),
  sum: new Uint32Array(SUM_LANES),
};

/** Exact in a number up to op 2^41, seventy years at a thousand ops a second. */
export function placeOf(op: number, command: number): number {
  assert(command < COMMANDS_MAX, 'a command has its place in a batch');
  return op * COMMANDS_MAX + command;
}

/**
 * A key names one append to a stream of this name, also when the stream is deleted, and made again: a retry whose first try
 * was applied must hear so, whatever happened to the stream since. No name holds a space.
 */
export function keyOf(stream: string, idempotencyKey: string): string {
  return `${stream} ${idempotencyKey}`;
}
