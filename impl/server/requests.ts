/**
 * What a client may ask, whatever protocol it speaks: checked against the limits, made a command or a read, put to
 * proposals.ts or reads.ts, and answered exactly once. A linearizable read waits for a commit number that a quorum stood by
 * after it came, then for this replica to have applied it; a committed one reads what is applied here. Mirrors no spec module.
 */

import { type Command, checkIdempotencyKey, type ReadBarrier, type RequestSession } from '../kernel/command.ts';
import { encodeCommand } from '../kernel/command-codec.ts';
import type { Appended, CommandResult, Repeated } from '../kernel/command-result.ts';
import { AssertionError, assert } from '../ports/assert.ts';
import { LockstepError } from '../ports/lockstep-error.ts';
import type { ReplicaPort } from '../vsr/replica-port.ts';
import type { AnswerOf, Failure, ReplicaFacts } from '../wire/answer.ts';
import type { AppendRequest, ListStreamsRequest, ReadRequest } from '../wire/request.ts';
import { CommitWaiters } from './commit-waiters.ts';
import { busy, failure, noQuorum, outcomeUnknown } from './failure.ts';
import type { Applied } from './offered-command.ts';
import type { Proposals } from './proposals.ts';
import type { Reads } from './reads.ts';
import { refusalOf, wellFormed } from './refusals.ts';
import type { RequestTrace } from './request-trace.ts';
import type { ServerLimits } from './server-limits.ts';
import type { StreamState } from './stream-state.ts';

const NO_BYTES: Uint8Array = new Uint8Array(0);

export type Outcome<Answer> = { readonly applied: Answer } | { readonly failure: Failure };
export type Done<Answer> = (outcome: Outcome<Answer>) => void;

export interface RequestsOptions {
  readonly replica: ReplicaPort;
  readonly proposals: Proposals;
  readonly reads: Reads;
  readonly state: StreamState;
  readonly limits: ServerLimits;
  readonly nowMs: () => number;
  /** Of the request that is taken now; undefined: it is not traced. */
  readonly currentTrace?: () => RequestTrace | undefined;
}

export class Requests {
  readonly waiters = new CommitWaiters();
  readonly #options: RequestsOptions;
  #draining = false;

  constructor(options: RequestsOptions) {
    this.#options = options;
  }

  /** From now on every request but status is refused. */
  drain(): void {
    this.#draining = true;
  }

  get isDraining(): boolean {
    return this.#draining;
  }

  /** @param withinMs how long the client waits; 0 is our own bound */
  append(request: AppendRequest, withinMs: number, done: Done<AnswerOf['append']>): void {
    const refusal = this.#refusalOfAppend(request);
    if (refusal !== undefined) {
      done({ failure: refusal });
      return;
    }
    const { stream, events, expectedOffset, idempotencyKey, session } = request;
    const command: Command = {
      kind: 'Append',
      stream,
      events: events.map(({ data, type, contentType }) => ({
        data,
        type: type === '' ? undefined : type,
        contentType: contentType === '' ? undefined : contentType,
      })),
      expectedOffset,
      idempotencyKey: idempotencyKey === '' ? undefined : idempotencyKey,
      session,
    };
    const withinBound = this.#bounded(withinMs);
    this.#command(
      command,
      idempotencyKey !== '' || session !== undefined,
      withinBound,
      done,
      (result, { op, hash }) => {
        if (result.kind !== 'Appended') return unexpected(done);
        if (result.commitId === op) done({ applied: appended(result, hash) });
        else this.#afterCommit(result.commitId, 0, withinBound, done, () => this.#repeated(result));
      },
    );
  }

  createStream(
    stream: string,
    dataClass: string,
    withinMs: number,
    done: Done<AnswerOf['create-stream']>,
    session?: RequestSession,
  ): void {
    const command: Command = {
      kind: 'CreateStream',
      stream,
      dataClass: dataClass === '' ? undefined : dataClass,
      session,
    };
    this.#command(command, session !== undefined, this.#bounded(withinMs), done, (_, { op, hash }) =>
      done({ applied: { commitId: op, hash } }),
    );
  }

  deleteStream(
    stream: string,
    withinMs: number,
    done: Done<AnswerOf['delete-stream']>,
    session?: RequestSession,
  ): void {
    const command: Command = { kind: 'DeleteStream', stream, session };
    this.#command(command, session !== undefined, this.#bounded(withinMs), done, (_, { op, hash }) =>
      done({ applied: { commitId: op, hash } }),
    );
  }

  /** A session that is registered twice for one that asked is one too many, and goes when nobody uses it. */
  registerSession(withinMs: number, done: Done<AnswerOf['register-session']>): void {
    const window = this.#options.state.sessionWindow;
    this.#command({ kind: 'RegisterSession' }, true, this.#bounded(withinMs), done, (result, { op, hash }) => {
      if (result.kind !== 'SessionRegistered') return unexpected(done);
      done({ applied: { clientId: result.clientId, window, commitId: op, hash } });
    });
  }

  read(request: ReadRequest, withinMs: number, done: Done<AnswerOf['read']>): void {
    const { stream, from, limit } = request;
    const { limits, state } = this.#options;
    if (limit < 1 || limit > limits.READ_EVENTS_MAX) {
      const message = `limit must be from 1 to ${limits.READ_EVENTS_MAX}, not ${limit}`;
      done({
        failure: failure('REQUEST_INVALID', message, { field: 'limit', limit, maximum: limits.READ_EVENTS_MAX }),
      });
      return;
    }
    this.#read(request, withinMs, done, () => {
      const answer = state.read({ stream, from, eventsMax: limit, bytesMax: limits.READ_BYTES_MAX });
      return answer === undefined ? { failure: noStream(stream) } : { applied: answer };
    });
  }

  listStreams(
    request: Pick<ListStreamsRequest, 'linearizable' | 'minCommitId'>,
    withinMs: number,
    done: Done<AnswerOf['list-streams']>,
  ): void {
    const { limits, state } = this.#options;
    this.#read(request, withinMs, done, () => ({
      applied: { streams: state.streams(limits.STREAMS_LISTED_MAX), commitId: state.commit },
    }));
  }

  /** What became of the append with this key, as linearizable as a read: asked after an append ended, it says how. */
  lookupKey(idempotencyKey: string, withinMs: number, done: Done<AnswerOf['lookup-key']>): void {
    const refusal = wellFormed(() => checkIdempotencyKey(idempotencyKey));
    if (refusal !== undefined) {
      done({ failure: refusal });
      return;
    }
    const { state } = this.#options;
    this.#read({ linearizable: true }, withinMs, done, () => ({ applied: state.keyFacts(idempotencyKey) }));
  }

  status(): ReplicaFacts {
    const { replica, replicaCount, status, view, op, commit, primary } = this.#options.replica;
    return { replica, replicaCount, status, view, op, commit, primary };
  }

  #refusalOfAppend({ events }: AppendRequest): Failure | undefined {
    const { EVENTS_PER_APPEND_MAX, EVENT_BYTES_MAX, APPEND_BYTES_MAX } = this.#options.limits;
    if (events.length > EVENTS_PER_APPEND_MAX) {
      const message = `an append has at most ${EVENTS_PER_APPEND_MAX} events, this one ${events.length}: send several`;
      return failure('TOO_LARGE', message, { field: 'events', count: events.length, maximum: EVENTS_PER_APPEND_MAX });
    }
    let bytes = 0;
    for (const [index, { data }] of events.entries()) {
      bytes += data.byteLength;
      if (data.byteLength <= EVENT_BYTES_MAX) continue;
      const message = `event ${index} has ${data.byteLength} bytes, at most ${EVENT_BYTES_MAX} go in one: split it`;
      const field = `events[${index}].data`;
      return failure('TOO_LARGE', message, { field, bytes: data.byteLength, maximum: EVENT_BYTES_MAX });
    }
    if (bytes <= APPEND_BYTES_MAX) return undefined;
    const message = `the events of one append have at most ${APPEND_BYTES_MAX} bytes together, these ${bytes}: send several`;
    return failure('TOO_LARGE', message, { field: 'events', bytes, maximum: APPEND_BYTES_MAX });
  }

  #command<Answer>(
    command: Exclude<Command, ReadBarrier>,
    retrySafe: boolean,
    deadlineMs: number,
    done: Done<Answer>,
    applied: (result: CommandResult, applied: Applied) => void,
  ): void {
    if (this.#refusedNow(done)) return;
    let bytes: Uint8Array = NO_BYTES;
    const refusal = wellFormed(() => {
      bytes = encodeCommand(command);
    });
    if (refusal !== undefined) {
      done({ failure: refusal });
      return;
    }
    const session = command.kind === 'RegisterSession' ? undefined : command.session;
    const ended = (result: CommandResult, outcome: Applied): void => {
      if (result.kind === 'Refused') done({ failure: refusalOf(result, outcome, session !== undefined) });
      else applied(result, outcome);
    };
    const trace = this.#options.currentTrace?.();
    this.#options.proposals.offer({
      bytes,
      trace,
      session,
      deadlineMs,
      retrySafe,
      fromPeer: false,
      done: (outcome) => {
        assert(outcome !== 'not-primary', 'only a command of a peer ends so');
        if ('op' in outcome) trace?.committed(outcome.op);
        if (!('op' in outcome)) done({ failure: outcome });
        else if (outcome.result === undefined) unexpected(done);
        else {
          const result = outcome.result as CommandResult;
          if (result.kind === 'Repeated') this.#firstReply(result, outcome, deadlineMs, done, ended);
          else ended(result, outcome);
        }
      },
    });
  }

  /** The request was executed by an earlier op, and is answered as it was then. */
  #firstReply<Answer>(
    { commitId, result }: Repeated,
    outcome: Applied,
    deadlineMs: number,
    done: Done<Answer>,
    ended: (result: CommandResult, outcome: Applied) => void,
  ): void {
    const expired = (): void => done({ failure: outcomeUnknown({ waitsForCommitId: commitId }) });
    const reached = (): void => {
      const read = contained(() => ({ applied: this.#hashAt(commitId) }));
      if ('failure' in read) done(read);
      else ended(result, { ...outcome, op: commitId, hash: read.applied });
    };
    this.#whenApplied(commitId, deadlineMs, reached, expired);
  }

  /**
   * Reads what is applied here: at once when it holds the op that a committed read asks for, for a linearizable one as soon as it
   * holds everything that was acknowledged before.
   */
  #read<Answer>(
    { linearizable, minCommitId = 0 }: { readonly linearizable: boolean; readonly minCommitId?: number | undefined },
    withinMs: number,
    done: Done<Answer>,
    readNow: () => Outcome<Answer>,
  ): void {
    if (this.#refusedNow(done)) return;
    const deadlineMs = this.#bounded(withinMs);
    if (!linearizable) {
      this.#afterKnown(minCommitId, deadlineMs, done, readNow);
      return;
    }
    this.#options.reads.offer({
      deadlineMs,
      fromPeer: false,
      done: (outcome) => {
        assert(outcome !== 'not-primary', 'only a read of a peer ends so');
        if (!('commitId' in outcome)) done({ failure: outcome });
        else this.#afterCommit(outcome.commitId, minCommitId, deadlineMs, done, readNow);
      },
    });
  }

  /** A client that has seen an op sees no state without it: the answer waits for it here, and is refused in the end. */
  #afterKnown<Answer>(
    minCommitId: number,
    deadlineMs: number,
    done: Done<Answer>,
    readNow: () => Outcome<Answer>,
  ): void {
    const { state, limits, nowMs } = this.#options;
    const expired = (): void => done({ failure: tooNew(minCommitId, state.commit) });
    const bound = limits.REQUESTS_IN_FLIGHT_MAX;
    if (minCommitId > state.commit && this.waiters.count >= bound) {
      done({ failure: busy('too many reads wait', { waiting: this.waiters.count, bound }) });
      return;
    }
    const waitsUntilMs = Math.min(deadlineMs, nowMs() + limits.COMMIT_WAIT_MS_MAX);
    this.#whenApplied(minCommitId, waitsUntilMs, () => done(contained(readNow)), expired);
  }

  /**
   * As soon as this replica has applied the op: a backup may hear of the outcome first. Then as a committed read, since more
   * than that may have been seen by its client, or said by one that never saw it.
   */
  #afterCommit<Answer>(
    op: number,
    minCommitId: number,
    deadlineMs: number,
    done: Done<Answer>,
    readNow: () => Outcome<Answer>,
  ): void {
    const { state } = this.#options;
    const reached = (): void => this.#afterKnown(minCommitId, deadlineMs, done, readNow);
    const expired = (): void => done({ failure: noQuorum({ waitsForCommitId: op, commitId: state.commit }) });
    this.#whenApplied(op, deadlineMs, reached, expired);
  }

  #whenApplied(op: number, deadlineMs: number, reached: () => void, expired: () => void): void {
    if (op <= this.#options.state.commit) reached();
    else this.waiters.add({ op, deadlineMs, reached, expired });
  }

  /** The append had been committed by an earlier op, with the same key. */
  #repeated(result: Appended): Outcome<AnswerOf['append']> {
    return { applied: appended(result, this.#hashAt(result.commitId)) };
  }

  /** Of an op that is applied here. @throws what the log throws when its disk fails or lies */
  #hashAt(op: number): Uint8Array {
    const hash = this.#options.replica.prepareAt(op)?.hash;
    assert(hash !== undefined, 'a committed op is in the log');
    return hash;
  }

  #refusedNow<Answer>(done: Done<Answer>): boolean {
    const { replica } = this.#options;
    if (replica.status === 'halted') {
      const message = 'this replica is halted: use another one, and see /v1/dx/explain/replica for the reason';
      done({ failure: failure('HALTED', message, { reason: replica.statusReason ?? 'unknown' }) });
      return true;
    }
    if (!this.#draining) return false;
    done({ failure: failure('DRAINING', 'this replica is stopping: use another one') });
    return true;
  }

  #bounded(withinMs: number): number {
    const { limits, nowMs } = this.#options;
    const bound = limits.REQUEST_DEADLINE_MS_MAX;
    return nowMs() + (withinMs === 0 ? bound : Math.min(withinMs, bound));
  }
}

function appended({ firstOffset, count, commitId }: Appended, hash: Uint8Array): AnswerOf['append'] {
  return { firstOffset, lastOffset: firstOffset + count - 1, count, commitId, hash };
}

function noStream(stream: string): Failure {
  return failure('STREAM_NOT_FOUND', `there is no stream ${stream}: create it with POST /v1/streams`, { stream });
}

function tooNew(minCommitId: number, commitId: number): Failure {
  const message = `this replica has applied op ${commitId} and not yet op ${minCommitId}: ask again, or another replica, or read linearizable`;
  return failure('READ_TOO_NEW', message, { minCommitId, commitId, retryAfterMs: 100 });
}

function unexpected<Answer>(done: Done<Answer>): void {
  done({ failure: failure('INTERNAL', 'the result is of another command: a fault of the server; see its log') });
}

/** A disk that fails while a page is read is this request's failure; the next write will halt the replica. */
function contained<Answer>(act: () => Outcome<Answer>): Outcome<Answer> {
  try {
    return act();
  } catch (cause) {
    if (!(cause instanceof LockstepError) || cause instanceof AssertionError) throw cause;
    return { failure: failure('INTERNAL', `the log could not be read: ${cause.message}`, { cause: cause.code }) };
  }
}
