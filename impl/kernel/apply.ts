/**
 * The state machine: apply(state, prepare) -> the next state and one result a command. Pure and deterministic: the same
 * prepares give the same states, results and hashes on every replica. Commands of a batch see those before them. Nothing
 * here throws for what a command says: what cannot be done is a result. Mirrors no spec module yet.
 */
import type { Map as PersistentMap } from 'immutable';
import { HASH_BYTES, sha256 } from '../crypto/hash.ts';
import { assert } from '../ports/assert.ts';
import { writeBytes } from '../ports/short-fields.ts';
import type { AnswerNow, SessionsDraft } from '../vsr/client-sessions.ts';
import {
  CommandError,
  type CreateStream,
  type ReadBarrier,
  type RegisterSession,
  type RequestSession,
} from './command.ts';
import { type AppendOutline, BatchOutline, type CommandOutline } from './command-outline.ts';
import type { Appended, CommandResult, FirstResult, Repeated } from './command-result.ts';
import { addHash, subtractHash } from './hash-sum.ts';
import { KERNEL_BOUNDS, type KernelBounds } from './kernel-bounds.ts';
import { KeysDraft } from './keyed-answers.ts';
import {
  notWellFormed,
  type Refused,
  type RuledState,
  refusalOfAppend,
  refusalOfCreate,
  refusalOfDelete,
  refusalOfRepeat,
  refusedAsGone,
  refusedAsStale,
} from './rules.ts';
import { RunList } from './run-list.ts';
import { type CommittedPrepare, type KernelState, placeOf, type SessionReply, type Stream } from './state.ts';
import { extendedStreamHash, newStreamHash } from './state-hash.ts';

const NONE: readonly number[] = [];

export interface AppliedPrepare {
  readonly state: KernelState;
  /** One a command, in order. Empty when the body is no batch at all, which no server submits. */
  readonly results: readonly CommandResult[];
}

/** @param prepare the one at state.op + 1 */
export function apply(
  state: KernelState,
  prepare: CommittedPrepare,
  bounds: KernelBounds = KERNEL_BOUNDS,
): AppliedPrepare {
  assert(prepare.op === state.op + 1, 'ops are applied in order, each once');
  const draft = new Draft(state, prepare, bounds);
  const batch = batchIn(prepare.body);
  const results: CommandResult[] = [];
  if (batch === undefined) return { state: draft.sealed(), results };
  for (let index = 0; index < batch.count; index++) results.push(draft.take(batch, index));
  return { state: draft.sealed(), results };
}

type ExecutedOutline = Exclude<CommandOutline, ReadBarrier | RegisterSession>;

function hasAppended(result: CommandResult): boolean {
  return result.kind === 'Appended' && !result.repeated;
}

/** Of a request that was not executed now: its first reply, or that there is none. */
function resultOf(outcome: AnswerNow<SessionReply>, session: RequestSession, newestId: number): Repeated | Refused {
  switch (outcome.kind) {
    case 'Repeated':
      return { kind: 'Repeated', ...outcome.reply };
    case 'Stale':
      return refusedAsStale(session, outcome.highest);
    case 'Evicted':
      return refusedAsGone(session, newestId);
  }
}

/** What may be said of a request without an op, however old the state is: undefined when only the log can say. */
export function answerNow({ sessions }: KernelState, session: RequestSession): Repeated | Refused | undefined {
  const outcome = sessions.answerNow(session.clientId, session.requestNumber);
  return outcome === undefined ? undefined : resultOf(outcome, session, sessions.newestId);
}

function batchIn(body: Uint8Array): BatchOutline | undefined {
  try {
    return new BatchOutline(body);
  } catch (cause) {
    if (cause instanceof CommandError) return undefined;
    throw cause;
  }
}

/** A stream that this op changes: all that the op adds is one run, with one hash. */
class StreamDraft {
  nextOffset: number;
  readonly #before: Stream;
  /** Index of the first command that appended. */
  #command = -1;
  #without: number[] | undefined;

  constructor(before: Stream) {
    this.#before = before;
    this.nextOffset = before.nextOffset;
  }

  get id(): number {
    return this.#before.id;
  }

  append(command: number, count: number): void {
    if (this.#command < 0) this.#command = command;
    this.nextOffset += count;
  }

  /** An append that was refused or repeated, after one that was not. */
  leaveOut(command: number): void {
    if (this.#command < 0) return;
    this.#without ??= [];
    this.#without.push(command);
  }

  sealed(op: number): Stream {
    if (this.#command < 0) return this.#before;
    const { name, dataClass, id, createdCommitId, nextOffset: firstOffset, runs, hash } = this.#before;
    const { nextOffset } = this;
    const count = nextOffset - firstOffset;
    const run = { firstOffset, count, op, command: this.#command, without: this.#without ?? NONE };
    const hashAfter = extendedStreamHash(hash, run);
    return { name, dataClass, id, createdCommitId, nextOffset, runs: runs.push(run), hash: hashAfter };
  }
}

class Draft implements RuledState {
  readonly #before: KernelState;
  readonly #prepare: CommittedPrepare;
  readonly #bounds: KernelBounds;
  /** Streams that this op created, changed or (undefined) deleted. */
  readonly #touched = new Map<string, StreamDraft | undefined>();
  readonly #sum: number[];
  #streamCount: number;
  readonly #keys: KeysDraft;
  #sessions: SessionsDraft<SessionReply> | undefined;
  #newestSession: number;

  constructor(before: KernelState, prepare: CommittedPrepare, bounds: KernelBounds) {
    this.#before = before;
    this.#prepare = prepare;
    this.#bounds = bounds;
    this.#sum = before.sum.slice();
    this.#streamCount = before.streams.size;
    this.#keys = new KeysDraft(before.keys, prepare, bounds);
    this.#newestSession = before.sessions.newestId;
  }

  get streamCount(): number {
    return this.#streamCount;
  }

  streamNamed(name: string): StreamDraft | Stream | undefined {
    return this.#touched.has(name) ? this.#touched.get(name) : this.#before.streams.get(name);
  }

  take(batch: BatchOutline, index: number): CommandResult {
    let command: CommandOutline;
    try {
      command = batch.at(index);
    } catch (cause) {
      if (cause instanceof CommandError) return notWellFormed(cause.code, index);
      throw cause;
    }
    if (command.kind === 'ReadBarrier') return { kind: 'BarrierPassed' };
    if (command.kind === 'RegisterSession') return this.#register(index);
    const { session } = command;
    const result =
      session === undefined ? this.#execute(command, index, batch) : this.#once(session, command, index, batch);
    if (command.kind === 'Append' && !hasAppended(result)) this.#touched.get(command.stream)?.leaveOut(index);
    return result;
  }

  sealed(): KernelState {
    const { op, hash } = this.#prepare;
    // A copy: the prepare's own is a view of its whole encoding, which would stay in memory with it.
    const logHash = new Uint8Array(HASH_BYTES);
    writeBytes(logHash, 0, hash);
    const streams = this.#touched.size === 0 ? this.#before.streams : this.#sealedStreams();
    assert(streams.size === this.#streamCount, 'streams are counted as they come and go');
    const sessions = this.#sessions?.sealed() ?? this.#before.sessions;
    return { op, logHash, streams, keys: this.#keys.sealed(this.#sum), sessions, sum: this.#sum };
  }

  #execute(command: ExecutedOutline, index: number, batch: BatchOutline): FirstResult {
    switch (command.kind) {
      case 'CreateStream':
        return this.#create(command, index);
      case 'DeleteStream':
        return refusalOfDelete(this, command) ?? this.#delete(command.stream);
      case 'Append':
        return this.#append(command, index, batch);
    }
  }

  #register(index: number): CommandResult {
    const clientId = placeOf(this.#prepare.op, index);
    this.#usedSessions().register(clientId);
    this.#newestSession = clientId;
    return { kind: 'SessionRegistered', clientId };
  }

  #once(session: RequestSession, command: ExecutedOutline, index: number, batch: BatchOutline): CommandResult {
    const { clientId, requestNumber } = session;
    const outcome = this.#usedSessions().take(clientId, requestNumber, () => ({
      commitId: this.#prepare.op,
      result: this.#execute(command, index, batch),
    }));
    return outcome.kind === 'New' ? outcome.reply.result : resultOf(outcome, session, this.#newestSession);
  }

  #usedSessions(): SessionsDraft<SessionReply> {
    this.#sessions ??= this.#before.sessions.begin(this.#prepare.timestamp);
    return this.#sessions;
  }

  #create(command: CreateStream, index: number): FirstResult {
    const refusal = refusalOfCreate(this, command, this.#bounds);
    if (refusal !== undefined) return refusal;
    const { op } = this.#prepare;
    const fields = { id: placeOf(op, index), name: command.stream, dataClass: command.dataClass ?? '' };
    const { id, name, dataClass } = fields;
    const hash = newStreamHash(fields);
    const stream = { name, dataClass, id, createdCommitId: op, nextOffset: 0, runs: RunList.empty, hash };
    this.#touched.set(command.stream, new StreamDraft(stream));
    this.#streamCount++;
    return { kind: 'StreamCreated' };
  }

  #delete(name: string): FirstResult {
    const nextOffset = this.streamNamed(name)?.nextOffset ?? 0;
    this.#touched.set(name, undefined);
    this.#streamCount--;
    return { kind: 'StreamDeleted', nextOffset };
  }

  #append(command: AppendOutline, index: number, batch: BatchOutline): Appended | Refused {
    if (command.idempotencyKey === undefined) return refusalOfAppend(this, command) ?? this.#appended(command, index);
    const key = { text: command.idempotencyKey, stream: command.stream, ofStreamOnly: batch.keysAreOfStreams };
    const answer = this.#keys.find(key);
    const fingerprint = sha256(batch.unsessionedBytesAt(index));
    if (answer !== undefined) {
      const { firstOffset, count, commitId } = answer;
      const refusal = refusalOfRepeat(command, answer, fingerprint);
      return refusal ?? { kind: 'Appended', firstOffset, count, commitId, repeated: true };
    }
    const refusal = refusalOfAppend(this, command);
    if (refusal !== undefined) return refusal;
    const appended = this.#appended(command, index);
    const { firstOffset, count } = appended;
    this.#keys.keep(key, fingerprint, firstOffset, count, this.#sum);
    return appended;
  }

  #appended({ stream: name, eventCount }: AppendOutline, index: number): Appended {
    const stream = this.#drafted(name);
    const firstOffset = stream.nextOffset;
    stream.append(index, eventCount);
    return { kind: 'Appended', firstOffset, count: eventCount, commitId: this.#prepare.op, repeated: false };
  }

  #drafted(name: string): StreamDraft {
    const touched = this.#touched.get(name);
    if (touched !== undefined) return touched;
    const before = this.#before.streams.get(name);
    assert(before !== undefined && !this.#touched.has(name), 'only a stream that exists is changed');
    const draft = new StreamDraft(before);
    this.#touched.set(name, draft);
    return draft;
  }

  #sealedStreams(): PersistentMap<string, Stream> {
    const { op } = this.#prepare;
    let { streams } = this.#before;
    if (this.#touched.size > 1) streams = streams.asMutable();
    for (const [name, draft] of this.#touched) {
      const before = this.#before.streams.get(name);
      if (before !== undefined) subtractHash(this.#sum, before.hash);
      const stream = draft?.sealed(op);
      if (stream !== undefined) addHash(this.#sum, stream.hash);
      streams = stream === undefined ? streams.delete(name) : streams.set(name, stream);
    }
    return streams.asImmutable();
  }
}
