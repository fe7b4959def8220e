/**
 * What a client may ask, whatever protocol it speaks: checked against the limits, made a command or a read barrier, put to
 * proposals.ts, and answered exactly once. A linearizable read waits for a barrier that went through the log after it came;
 * all reads that wait share one barrier. Mirrors no spec module.
 */
import type { Appended, CommandResult } from '../kernel/apply.ts';
import { type Command, CommandError, checkIdempotencyKey } from '../kernel/command.ts';
import { encodeCommand } from '../kernel/command-codec.ts';
import type { KernelRule, Refused } from '../kernel/rules.ts';
import { AssertionError, assert } from '../ports/assert.ts';
import { LockstepError } from '../ports/lockstep-error.ts';
import type { ReplicaPort } from '../vsr/replica-port.ts';
import type { AnswerOf, Failure, ReplicaFacts } from '../wire/answer.ts';
import type { AppendRequest, ReadRequest } from '../wire/request.ts';
import { CommitWaiters } from './commit-waiters.ts';
import { type FailureCode, failure, noQuorum, outcomeUnknown } from './failure.ts';
import type { Applied, Proposals } from './proposals.ts';
import type { ServerLimits } from './server-limits.ts';
import type { StreamState } from './stream-state.ts';

const NO_BYTES: Uint8Array = new Uint8Array(0);

export type Outcome<Answer> = { readonly applied: Answer } | { readonly failure: Failure };
export type Done<Answer> = (outcome: Outcome<Answer>) => void;

export interface RequestsOptions {
  readonly replica: ReplicaPort;
  readonly proposals: Proposals;
  readonly state: StreamState;
  readonly limits: ServerLimits;
  readonly nowMs: () => number;
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
    const { stream, events, expectedOffset, idempotencyKey } = request;
    const command: Command = {
      kind: 'Append',
      stream,
      events: events.map(({ data, type, contentType }) => ({
        data,
        ...(type === '' ? {} : { type }),
        ...(contentType === '' ? {} : { contentType }),
      })),
      ...(expectedOffset === undefined ? {} : { expectedOffset }),
      ...(idempotencyKey === '' ? {} : { idempotencyKey }),
    };
    const withinBound = this.#bounded(withinMs);
    this.#command(command, idempotencyKey !== '', withinBound, done, (result, { op, hash }) => {
      if (result.kind !== 'Appended') return unexpected(done);
      if (result.commitId === op) done({ applied: appended(result, hash) });
      else this.#afterCommit(result.commitId, withinBound, done, () => this.#repeated(result));
    });
  }

  createStream(stream: string, dataClass: string, withinMs: number, done: Done<AnswerOf['create-stream']>): void {
    const command: Command = { kind: 'CreateStream', stream, ...(dataClass === '' ? {} : { dataClass }) };
    this.#command(command, false, this.#bounded(withinMs), done, (_, { op, hash }) =>
      done({ applied: { commitId: op, hash } }),
    );
  }

  deleteStream(stream: string, withinMs: number, done: Done<AnswerOf['delete-stream']>): void {
    this.#command({ kind: 'DeleteStream', stream }, false, this.#bounded(withinMs), done, (_, { op, hash }) =>
      done({ applied: { commitId: op, hash } }),
    );
  }

  read(request: ReadRequest, withinMs: number, done: Done<AnswerOf['read']>): void {
    const { stream, from, limit, linearizable } = request;
    const { limits, state } = this.#options;
    if (limit < 1 || limit > limits.READ_EVENTS_MAX) {
      const message = `limit must be from 1 to ${limits.READ_EVENTS_MAX}, not ${limit}`;
      done({
        failure: failure('REQUEST_INVALID', message, { field: 'limit', limit, maximum: limits.READ_EVENTS_MAX }),
      });
      return;
    }
    this.#afterBarrier(linearizable, this.#bounded(withinMs), done, () => {
      const answer = state.read({ stream, from, eventsMax: limit, bytesMax: limits.READ_BYTES_MAX });
      return answer === undefined ? { failure: noStream(stream) } : { applied: answer };
    });
  }

  listStreams(linearizable: boolean, withinMs: number, done: Done<AnswerOf['list-streams']>): void {
    const { limits, state } = this.#options;
    this.#afterBarrier(linearizable, this.#bounded(withinMs), done, () => ({
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
    this.#afterBarrier(true, this.#bounded(withinMs), done, () => ({ applied: state.keyFacts(idempotencyKey) }));
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
    command: Command,
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
    this.#options.proposals.offer({
      bytes,
      deadlineMs,
      retrySafe,
      fromPeer: false,
      done: (outcome) => {
        assert(outcome !== 'not-primary', 'only a command of a peer ends so');
        if (!('op' in outcome)) done({ failure: outcome });
        else if (outcome.result === undefined) unexpected(done);
        else {
          const result = outcome.result as CommandResult;
          if (result.kind === 'Refused') done({ failure: refusalOf(result, outcome) });
          else applied(result, outcome);
        }
      },
    });
  }

  /** Reads what is applied here, for linearizable ones at or after a barrier that was submitted after the request came. */
  #afterBarrier<Answer>(
    linearizable: boolean,
    deadlineMs: number,
    done: Done<Answer>,
    readNow: () => Outcome<Answer>,
  ): void {
    if (this.#refusedNow(done)) return;
    if (!linearizable) {
      done(contained(readNow));
      return;
    }
    this.#options.proposals.offer({
      bytes: undefined,
      deadlineMs,
      retrySafe: true,
      fromPeer: false,
      done: (outcome) => {
        assert(outcome !== 'not-primary', 'only a barrier of a peer ends so');
        if (!('op' in outcome)) done({ failure: outcome });
        else this.#afterCommit(outcome.op, deadlineMs, done, readNow);
      },
    });
  }

  /** As soon as this replica has applied the op: a backup may hear of the outcome first. */
  #afterCommit<Answer>(op: number, deadlineMs: number, done: Done<Answer>, readNow: () => Outcome<Answer>): void {
    const { state } = this.#options;
    const reached = (): void => done(contained(readNow));
    if (op <= state.commit) {
      reached();
      return;
    }
    const expired = (): void => done({ failure: noQuorum({ waitsForCommitId: op, commitId: state.commit }) });
    this.waiters.add({ op, deadlineMs, reached, expired });
  }

  /** The append had been committed by an earlier op, with the same key. */
  #repeated(result: Appended): Outcome<AnswerOf['append']> {
    const hash = this.#options.replica.prepareAt(result.commitId)?.hash;
    assert(hash !== undefined, 'a committed op is in the log');
    return { applied: appended(result, hash) };
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

function unexpected<Answer>(done: Done<Answer>): void {
  done({ failure: failure('INTERNAL', 'the result is of another command: a fault of the server; see its log') });
}

function wellFormed(check: () => void): Failure | undefined {
  try {
    check();
    return undefined;
  } catch (cause) {
    if (cause instanceof CommandError) return malformedCommand(cause);
    throw cause;
  }
}

const TOO_LARGE: ReadonlySet<string> = new Set(['COMMAND_EVENT_TOO_LARGE', 'COMMAND_TOO_MANY_EVENTS']);

function malformedCommand({ code, message, evidence }: CommandError): Failure {
  return failure(TOO_LARGE.has(code) ? 'TOO_LARGE' : 'REQUEST_INVALID', message, { ...evidence, rule: code });
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

const KERNEL_REFUSALS: Readonly<Record<KernelRule, readonly [FailureCode, string]>> = {
  'Kernel.Command.WellFormed': ['REQUEST_INVALID', 'the bytes are no command of this version'],
  'Kernel.CreateStream.NameIsFree': ['STREAM_EXISTS', 'a stream of this name exists: use it, or choose another name'],
  'Kernel.CreateStream.StreamsHaveRoom': ['LIMIT_REACHED', 'there are as many streams as may be: delete one first'],
  'Kernel.DeleteStream.StreamExists': ['STREAM_NOT_FOUND', 'there is no stream of this name'],
  'Kernel.Append.StreamExists': [
    'STREAM_NOT_FOUND',
    'there is no stream of this name: create it with POST /v1/streams',
  ],
  'Kernel.Append.KeyIsNotReused': [
    'IDEMPOTENCY_KEY_REUSED',
    'this idempotency key stands for another append, of this stream or of another: use a new key for each',
  ],
  'Kernel.Append.OffsetMatches': [
    'OFFSET_MISMATCH',
    'the first event would get another offset than expectedOffset: read up to nextOffset, then decide again',
  ],
  'Kernel.Append.OffsetsHaveRoom': ['LIMIT_REACHED', 'the stream has as many events as may be: use another one'],
};

/** Of the state; when an earlier try of the same command may still be applied, or is, the answer is that nobody knows. */
function refusalOf(result: Refused, { op, inDoubt }: Applied): Failure {
  const refusal = refusedByKernel(result, op);
  return inDoubt === true ? outcomeUnknown({ ...refusal.evidence, lastTry: refusal.code }) : refusal;
}

function refusedByKernel({ rule, evidence }: Refused, commitId: number): Failure {
  const [code, message] = KERNEL_REFUSALS[rule];
  return failure(code, message, { ...evidence, rule, decidedAtCommitId: commitId });
}
