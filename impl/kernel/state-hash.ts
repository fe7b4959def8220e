/**
 * The hash of the kernel's state at a commit id, equal on all replicas that applied the same ops: how they notice that they
 * have parted. A function of the state alone, not of how it was reached: each stream and each keyed answer has a hash, and
 * their lane-wise sum changes with what an op touches only. The sum finds our bugs and a disk's lies; it is no proof against
 * somebody who may choose the hashes. Mirrors no spec module.
 */
import { GENESIS_HASH, HASH_BYTES, sha256 } from '../crypto/hash.ts';
import { assert } from '../ports/assert.ts';
import { addHash, SUM_LANES } from './hash-sum.ts';
import { answerHash } from './keyed-answers.ts';
import { STATE_HASHES_MAX } from './limits.ts';
import type { Run } from './run-list.ts';
import type { KernelState, Stream } from './state.ts';

/** First byte of what is hashed: one kind is never taken for another. keyed-answers.ts has 4, client sessions 6 and 7. */
const TAG_STATE = 1;
const TAG_STREAM = 2;
const TAG_RUN = 3;
const U32_RANGE = 2 ** 32;
const scratch = Buffer.allocUnsafeSlow(4096);

/** SHA-256 over op, hash of the log, counts, since when keys are known, sessions, and sum. */
export function stateHashOf({ op, logHash, streams, keys, sessions, sum }: KernelState): Uint8Array {
  const bytes = tagged(TAG_STATE, 9 + 2 * HASH_BYTES + 16 + SUM_LANES * 4);
  writeU64(bytes, 1, op);
  bytes.set(logHash, 9);
  let at = bytes.writeUInt32LE(streams.size, 9 + HASH_BYTES);
  at = bytes.writeUInt32LE(keys.answers.size, at);
  writeU64(bytes, at, keys.keptSinceOp);
  bytes.set(sessions.hash, at + 8);
  at += 8 + HASH_BYTES;
  for (const lane of sum) at = bytes.writeUInt32LE(lane, at);
  return sha256(bytes);
}

/** Of a stream without events. */
export function newStreamHash({ id, name, dataClass }: Pick<Stream, 'id' | 'name' | 'dataClass'>): Uint8Array {
  const bytes = tagged(TAG_STREAM, 11 + name.length + dataClass.length);
  writeU64(bytes, 1, id);
  bytes[9] = name.length;
  bytes.write(name, 10, 'latin1');
  bytes[10 + name.length] = dataClass.length;
  bytes.write(dataClass, 11 + name.length, 'latin1');
  return sha256(bytes);
}

/** Of a stream after the run that one op added to it. */
export function extendedStreamHash(before: Uint8Array, { op, command, count, without }: Run): Uint8Array {
  const bytes = tagged(TAG_RUN, 17 + HASH_BYTES + without.length * 4);
  writeU64(bytes, 1, op);
  bytes.set(before, 9);
  let at = bytes.writeUInt32LE(command, 9 + HASH_BYTES);
  at = bytes.writeUInt32LE(count, at);
  for (const index of without) at = bytes.writeUInt32LE(index, at);
  return sha256(bytes);
}

/** The state with every hash computed anew from what it holds: what the incremental one is held to. Slow. */
export function stateHashFromScratch(state: KernelState): Uint8Array {
  const sum = new Uint32Array(SUM_LANES);
  for (const stream of state.streams.values()) addHash(sum, streamHashFromScratch(stream));
  for (const answer of state.keys.answers) addHash(sum, answerHash(answer));
  const sessions = { hash: state.sessions.hashFromScratch() } as KernelState['sessions'];
  return stateHashOf({ ...state, sessions, sum });
}

function streamHashFromScratch(stream: Stream): Uint8Array {
  let hash = newStreamHash(stream);
  for (const run of stream.runs) hash = extendedStreamHash(hash, run);
  return hash;
}

/** The state hashes of the last STATE_HASHES_MAX commit ids. */
export class StateHashes {
  readonly #hashes = new Uint8Array(STATE_HASHES_MAX * HASH_BYTES);
  #op = 0;

  /** Hash at commit id op; undefined when it is not reached or forgotten. Op 0 is before everything. */
  at(op: number): Uint8Array | undefined {
    if (op === 0) return GENESIS_HASH;
    if (op > this.#op || op <= this.#op - STATE_HASHES_MAX) return undefined;
    const start = (op % STATE_HASHES_MAX) * HASH_BYTES;
    return this.#hashes.slice(start, start + HASH_BYTES);
  }

  push(op: number, hash: Uint8Array): void {
    assert(op === this.#op + 1, 'each commit id has its hash, in order');
    this.#hashes.set(hash, (op % STATE_HASHES_MAX) * HASH_BYTES);
    this.#op = op;
  }
}

/** Filled and hashed before anything else runs. */
function tagged(tag: number, size: number): Buffer {
  const bytes = size <= scratch.byteLength ? scratch.subarray(0, size) : Buffer.allocUnsafe(size);
  bytes[0] = tag;
  return bytes;
}

function writeU64(bytes: Buffer, at: number, value: number): void {
  bytes.writeUInt32LE(value % U32_RANGE, at);
  bytes.writeUInt32LE(Math.floor(value / U32_RANGE), at + 4);
}
