/**
 * The state machine: apply(state, prepare) -> the next state and one result a command. Pure and deterministic: the same
 * prepares give the same states, results and hashes on every replica. Commands of a batch see those before them. Nothing
 * here throws for what a command says: what cannot be done is a result. Mirrors no spec module yet.
 */
import { List, type Map as PersistentMap } from 'immutable';
import { sha256 } from '../crypto/hash.ts';
import { assert } from '../ports/assert.ts';
import { type Append, type Command, CommandError, type CreateStream } from './command.ts';
import { decodeCommand, encodedCommandsOf } from './command-codec.ts';
import {
  KERNEL_BOUNDS,
  type KernelBounds,
  notWellFormed,
  type Refused,
  type RuledState,
  refusalOfAppend,
  refusalOfCreate,
  refusalOfDelete,
  refusalOfRepeat,
} from './rules.ts';
import {
  type CommittedPrepare,
  type KernelState,
  type KeyedAnswer,
  keyOf,
  placeOf,
  type Run,
  type Stream,
} from './state.ts';
import { addHash, answerHash, extendedStreamHash, newStreamHash, subtractHash } from './state-hash.ts';

const NO_RUNS: List<Run> = List();

/** Results are JSON: they travel between replicas. */
export type CommandResult =
  | { readonly kind: 'StreamCreated' }
  /** nextOffset: how many events it had. */
  | { readonly kind: 'StreamDeleted'; readonly nextOffset: number }
  | Appended
  | { readonly kind: 'BarrierPassed' }
  | Refused;

export interface Appended {
  readonly kind: 'Appended';
  readonly firstOffset: number;
  readonly count: number;
  /** The op that holds the events: an earlier one when this append was repeated. */
  readonly commitId: number;
  /** The key had this answer already; nothing was appended now. */
  readonly repeated: boolean;
}

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
  const results = commandsIn(prepare.body).map((bytes, index) => draft.take(bytes, index));
  return { state: draft.sealed(), results };
}

function commandsIn(body: Uint8Array): readonly Uint8Array[] {
  try {
    return encodedCommandsOf(body);
  } catch (cause) {
    if (cause instanceof CommandError) return [];
    throw cause;
  }
}

/** A stream that this op changes; sealed once, with one hash for all that the op added. */
class StreamDraft {
  nextOffset: number;
  runs: List<Run>;
  readonly added: Run[] = [];
  readonly #before: Stream;

  constructor(before: Stream) {
    this.#before = before;
    this.nextOffset = before.nextOffset;
    this.runs = before.runs;
  }

  get id(): number {
    return this.#before.id;
  }

  append(run: Run, count: number): void {
    this.runs = this.runs.push(run);
    this.added.push(run);
    this.nextOffset += count;
  }

  sealed(op: number): Stream {
    const { name, dataClass, id, createdCommitId, hash } = this.#before;
    if (this.added.length === 0) return this.#before;
    const { nextOffset, runs, added } = this;
    return {
      name,
      dataClass,
      id,
      createdCommitId,
      nextOffset,
      runs,
      hash: extendedStreamHash(hash, op, added, nextOffset),
    };
  }
}

class Draft implements RuledState {
  readonly #before: KernelState;
  readonly #prepare: CommittedPrepare;
  readonly #bounds: KernelBounds;
  /** Streams that this op created, changed or (undefined) deleted. */
  readonly #touched = new Map<string, StreamDraft | undefined>();
  readonly #sum: Uint32Array;
  #streamCount: number;
  #keys: PersistentMap<string, KeyedAnswer>;
  #keyOrder: List<string>;

  constructor(before: KernelState, prepare: CommittedPrepare, bounds: KernelBounds) {
    this.#before = before;
    this.#prepare = prepare;
    this.#bounds = bounds;
    this.#sum = before.sum.slice();
    this.#streamCount = before.streams.size;
    this.#keys = before.keys;
    this.#keyOrder = before.keyOrder;
  }

  get streamCount(): number {
    return this.#streamCount;
  }

  streamNamed(name: string): StreamDraft | Stream | undefined {
    return this.#touched.has(name) ? this.#touched.get(name) : this.#before.streams.get(name);
  }

  take(encoded: Uint8Array, index: number): CommandResult {
    let command: Command;
    try {
      command = decodeCommand(encoded);
    } catch (cause) {
      if (cause instanceof CommandError) return notWellFormed(cause.code, index);
      throw cause;
    }
    switch (command.kind) {
      case 'CreateStream':
        return this.#create(command, index);
      case 'DeleteStream':
        return refusalOfDelete(this, command) ?? this.#delete(command.stream);
      case 'Append':
        return this.#append(command, index, encoded);
      case 'ReadBarrier':
        return { kind: 'BarrierPassed' };
    }
  }

  sealed(): KernelState {
    const { op, hash } = this.#prepare;
    // A copy: the prepare's own is a view of its whole encoding, which would stay in memory with it.
    const logHash = new Uint8Array(hash);
    const streams = this.#touched.size === 0 ? this.#before.streams : this.#sealedStreams();
    assert(streams.size === this.#streamCount, 'streams are counted as they come and go');
    const [keys, keyOrder] = [this.#keys.asImmutable(), this.#keyOrder.asImmutable()];
    assert(keys.size === keyOrder.size, 'each key has its turn to be forgotten');
    return { op, logHash, streams, keys, keyOrder, sum: this.#sum };
  }

  #create(command: CreateStream, index: number): CommandResult {
    const refusal = refusalOfCreate(this, command, this.#bounds);
    if (refusal !== undefined) return refusal;
    const { op } = this.#prepare;
    const fields = { id: placeOf(op, index), name: command.stream, dataClass: command.dataClass ?? '' };
    const stream = { ...fields, createdCommitId: op, nextOffset: 0, runs: NO_RUNS, hash: newStreamHash(fields) };
    this.#touched.set(command.stream, new StreamDraft(stream));
    this.#streamCount++;
    return { kind: 'StreamCreated' };
  }

  #delete(name: string): CommandResult {
    const nextOffset = this.streamNamed(name)?.nextOffset ?? 0;
    this.#touched.set(name, undefined);
    this.#streamCount--;
    return { kind: 'StreamDeleted', nextOffset };
  }

  #append(command: Append, index: number, encoded: Uint8Array): CommandResult {
    if (command.idempotencyKey === undefined) return refusalOfAppend(this, command) ?? this.#appended(command, index);
    const stream = this.streamNamed(command.stream);
    const key = stream === undefined ? undefined : keyOf(stream, command.idempotencyKey);
    const answer = key === undefined ? undefined : this.#keys.get(key);
    const fingerprint = sha256(encoded);
    if (answer !== undefined) {
      const { firstOffset, count, commitId } = answer;
      const refusal = refusalOfRepeat(command, answer, fingerprint);
      return refusal ?? { kind: 'Appended', firstOffset, count, commitId, repeated: true };
    }
    const refusal = refusalOfAppend(this, command);
    if (refusal !== undefined) return refusal;
    const appended = this.#appended(command, index);
    assert(key !== undefined, 'a stream that takes an append exists');
    this.#keep(key, { fingerprint, ...appended });
    return appended;
  }

  #appended({ stream: name, events }: Append, command: number): Appended {
    const stream = this.#drafted(name);
    const { op } = this.#prepare;
    const firstOffset = stream.nextOffset;
    stream.append({ firstOffset, op, command }, events.length);
    return { kind: 'Appended', firstOffset, count: events.length, commitId: op, repeated: false };
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

  #keep(key: string, { fingerprint, commitId, firstOffset, count }: KeyedAnswer): void {
    const answer = { fingerprint, commitId, firstOffset, count };
    addHash(this.#sum, answerHash(answer));
    this.#keys = this.#keys.asMutable().set(key, answer);
    this.#keyOrder = this.#keyOrder.push(key);
    if (this.#keys.size <= this.#bounds.keysMax) return;
    const oldest = this.#keyOrder.first();
    const forgotten = oldest === undefined ? undefined : this.#keys.get(oldest);
    assert(oldest !== undefined && forgotten !== undefined, 'the oldest key is kept until now');
    subtractHash(this.#sum, answerHash(forgotten));
    this.#keys = this.#keys.delete(oldest);
    this.#keyOrder = this.#keyOrder.shift();
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
