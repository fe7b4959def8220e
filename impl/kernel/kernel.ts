/**
 * The kernel as a server holds it: the newest state, and the state hashes of the last commit ids. All that decides is in
 * apply.ts; this is the one place that moves. Mirrors no spec module yet.
 */
import { ClientSessions, SESSION_BOUNDS, type SessionBounds } from '../vsr/client-sessions.ts';
import type { SessionOptions } from '../vsr/session-rules.ts';
import { answerNow, apply } from './apply.ts';
import type { RequestSession } from './command.ts';
import type { CommandResult } from './command-result.ts';
import { answerTo, type KeyedAnswer } from './keyed-answers.ts';
import { type EventsRead, type ReadRange, readEvents } from './read.ts';
import { type CommittedPrepare, emptyState, type KernelState } from './state.ts';
import { StateHashes, stateHashOf } from './state-hash.ts';

export class Kernel {
  #state: KernelState;
  readonly #hashes = new StateHashes();

  /** Only the harness gives something: bounds that are smaller, the same on every replica, or a table that is broken. */
  constructor(sessionBounds: SessionBounds = SESSION_BOUNDS, sessionOptions: SessionOptions = {}) {
    this.#state = emptyState(ClientSessions.empty(sessionBounds, sessionOptions));
  }

  get state(): KernelState {
    return this.#state;
  }

  /** Ops applied. */
  get commitId(): number {
    return this.#state.op;
  }

  /** SHA-256 of the state now, 32 bytes; zeros before op 1. */
  get stateHash(): Uint8Array {
    return this.#hashes.at(this.#state.op) as Uint8Array;
  }

  /** Of an earlier commit id; undefined when it is not reached or forgotten. */
  stateHashAt(op: number): Uint8Array | undefined {
    return this.#hashes.at(op);
  }

  /** Takes the prepare after the last one. @returns one result a command, in order */
  apply(prepare: CommittedPrepare): readonly CommandResult[] {
    const { state, results } = apply(this.#state, prepare);
    this.#state = state;
    this.#hashes.push(state.op, stateHashOf(state));
    return results;
  }

  /** @returns undefined when there is no such stream */
  read(
    stream: string,
    range: ReadRange,
    prepareAt: (op: number) => CommittedPrepare | undefined,
  ): EventsRead | undefined {
    return readEvents(this.#state, stream, range, prepareAt);
  }

  /** What is known of a request of a session without asking the log; undefined: only the log can say. */
  answerNow(session: RequestSession): CommandResult | undefined {
    return answerNow(this.#state, session);
  }

  /** What became of the append with this key; without an answer it is in no op from keptSinceCommitId on. */
  keyAnswer(idempotencyKey: string): {
    readonly answer: KeyedAnswer | undefined;
    readonly keptSinceCommitId: number;
  } {
    const { keys } = this.#state;
    return { answer: answerTo(keys, idempotencyKey), keptSinceCommitId: keys.keptSinceOp };
  }
}
