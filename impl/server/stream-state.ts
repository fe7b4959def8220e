/**
 * The kernel as requests see it: committed prepares in, results and pages out in the shapes of the wire. Mirrors no spec
 * module; decides nothing.
 */

import type { RequestSession } from '../kernel/command.ts';
import type { CommandResult } from '../kernel/command-result.ts';
import { Kernel } from '../kernel/kernel.ts';
import { type EventPlace, placeOfEvent, streamsByName } from '../kernel/read.ts';
import type { CommittedPrepare, KernelState, Stream } from '../kernel/state.ts';
import { assert } from '../ports/assert.ts';
import type { SessionBounds } from '../vsr/client-sessions.ts';
import type { SessionOptions } from '../vsr/session-rules.ts';
import type { KeyFacts, ReadAnswer, StreamFacts } from '../wire/answer.ts';
import type { Applied } from './offered-command.ts';

export interface EventRange {
  readonly stream: string;
  /** Offset of the first event, from 0; at or after the end nothing is read. */
  readonly from: number;
  readonly eventsMax: number;
  /** At least one event is read, however large. */
  readonly bytesMax: number;
}

export class StreamState {
  readonly #kernel: Kernel;
  readonly #prepareAt: (op: number) => CommittedPrepare | undefined;

  constructor(
    prepareAt: (op: number) => CommittedPrepare | undefined,
    sessionBounds?: SessionBounds,
    sessionOptions?: SessionOptions,
  ) {
    this.#prepareAt = prepareAt;
    this.#kernel = new Kernel(sessionBounds, sessionOptions);
  }

  /** The op up to which commands are applied, 0 at first. */
  get commit(): number {
    return this.#kernel.commitId;
  }

  get streamCount(): number {
    return this.#kernel.state.streams.size;
  }

  /** The offset that the next event of a stream gets; undefined: there is no such stream. */
  endOf(stream: string): number | undefined {
    return this.#kernel.state.streams.get(stream)?.nextOffset;
  }

  /** Sessions registered and not evicted. */
  get sessionCount(): number {
    return this.#kernel.state.sessions.size;
  }

  /** Replies kept of a session: how many requests it may have on their way. */
  get sessionWindow(): number {
    return this.#kernel.state.sessions.bounds.window;
  }

  /** The client table, for an explanation. */
  get sessions(): KernelState['sessions'] {
    return this.#kernel.state.sessions;
  }

  /** SHA-256 of the state at commit. */
  get stateHash(): Uint8Array {
    return this.#kernel.stateHash;
  }

  /** The next op, commit + 1. One result for each command, in order. */
  apply(prepare: CommittedPrepare): readonly CommandResult[] {
    return this.#kernel.apply(prepare);
  }

  /** undefined: there is no such stream. @throws what the log throws when its disk fails or lies */
  read({ stream, from, eventsMax, bytesMax }: EventRange): ReadAnswer | undefined {
    const read = this.#kernel.read(stream, { from, limit: eventsMax, bytesMax }, this.#prepareAt);
    if (read === undefined) return undefined;
    const events = read.events.map(({ data, offset, timestamp, commitId, hash, type = '', contentType = '' }) => {
      return { data, offset, timestamp, commitId, hash, type, contentType };
    });
    return { events, nextOffset: read.nextOffset, commitId: read.commitId };
  }

  /** undefined: there is no such event. @throws as read does */
  placeOf(stream: string, offset: number): EventPlace | undefined {
    return placeOfEvent(this.#kernel.state, stream, offset, this.#prepareAt);
  }

  /** What may be said of a session's request without an op, at this replica's commit; undefined: only the log can say. */
  answerNow(session: RequestSession): Applied | undefined {
    const result = this.#kernel.answerNow(session);
    if (result === undefined) return undefined;
    const { op, logHash: hash } = this.#kernel.state;
    return { op, hash, result };
  }

  /** What became of the append with this key. @throws what the log throws when its disk fails or lies */
  keyFacts(idempotencyKey: string): KeyFacts {
    const { answer, keptSinceCommitId } = this.#kernel.keyAnswer(idempotencyKey);
    if (answer === undefined) return { found: undefined, keptSinceCommitId };
    const { stream, firstOffset, count, commitId } = answer;
    const hash = this.#prepareAt(commitId)?.hash;
    assert(hash !== undefined, 'a committed op is in the log');
    const lastOffset = firstOffset + count - 1;
    return { found: { stream, firstOffset, lastOffset, count, commitId, hash }, keptSinceCommitId };
  }

  /** By name, at most limit. */
  streams(limit: number): readonly StreamFacts[] {
    return streamsByName(this.#kernel.state).slice(0, limit).map(factsOf);
  }
}

function factsOf({ name, dataClass, nextOffset, createdCommitId }: Stream): StreamFacts {
  return { name, dataClass, nextOffset, createdCommitId };
}
