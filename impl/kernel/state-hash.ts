/**
 * The hash of the kernel's state at a commit id, equal on all replicas that applied the same ops: how they notice that they
 * have parted. A function of the state alone, not of how it was reached: each stream and each keyed answer has a hash, and
 * their lane-wise sum changes with what an op touches only. The sum finds our bugs and a disk's lies; it is no proof against
 * somebody who may choose the hashes. Mirrors no spec module.
 */
import { GENESIS_HASH, HASH_BYTES, sha256 } from '../crypto/hash.ts';
import { assert } from '../ports/assert.ts';
import { writeU32, writeU64 } from '../ports/little-endian.ts';
import { writeBytes } from '../ports/short-fields.ts';
import { addHash, emptySum, SUM_LANES } from './hash-sum.ts';
import { answerHash } from './keyed-answers.ts';
import { STATE_HASHES_MAX } from './limits.ts';
import type { Run } from './run-list.ts';
import type { KernelState, Stream } from './state.ts';

/** First byte of what is hashed: one kind is never taken for another. keyed-answers.ts has 4, client sessions 6 and 7. */
const TAG_STATE = 1;
const TAG_STREAM = 2;
const TAG_RUN = 3;
const STATE_BYTES = 9 + 2 * HASH_BYTES + 16 + SUM_LANES * 4;
/** Of a run without commands left out, as most are. */
const RUN_BYTES = 9 + HASH_BYTES + 8;
/** Each is filled and hashed before anything else runs; two are of their size, so that no view must be cut for every op. */
const stateBytes = new Uint8Array(STATE_BYTES).fill(TAG_STATE, 0, 1);
const runBytes = new Uint8Array(RUN_BYTES).fill(TAG_RUN, 0, 1);
const scratch = new Uint8Array(4096);

/** SHA-256 over op, hash of the log, counts, since when keys are known, sessions, and sum. */
export function stateHashOf({ op, logHash, streams, keys, sessions, sum }: KernelState): Uint8Array {
  writeU64(stateBytes, 1, op);
  writeBytes(stateBytes, 9, logHash);
  let at = 9 + HASH_BYTES;
  writeU32(stateBytes, at, streams.size);
  writeU32(stateBytes, at + 4, keys.answers.size);
  writeU64(stateBytes, at + 8, keys.keptSinceOp);
  at += 16;
  writeBytes(stateBytes, at, sessions.hash);
  at += HASH_BYTES;
  for (let lane = 0; lane < SUM_LANES; lane++) writeU32(stateBytes, at + 4 * lane, sum[lane] as number);
  return sha256(stateBytes);
}

/** Of a stream without events. */
export function newStreamHash({ id, name, dataClass }: Pick<Stream, 'id' | 'name' | 'dataClass'>): Uint8Array {
  const bytes = Buffer.allocUnsafe(11 + name.length + dataClass.length);
  bytes[0] = TAG_STREAM;
  writeU64(bytes, 1, id);
  bytes[9] = name.length;
  bytes.write(name, 10, 'latin1');
  bytes[10 + name.length] = dataClass.length;
  bytes.write(dataClass, 11 + name.length, 'latin1');
  return sha256(bytes);
}

/** Of a stream after the run that one op added to it. */
export function extendedStreamHash(before: Uint8Array, { op, command, count, without }: Run): Uint8Array {
  const bytes = without.length === 0 ? runBytes : runBytesWith(without);
  writeU64(bytes, 1, op);
  writeBytes(bytes, 9, before);
  writeU32(bytes, 9 + HASH_BYTES, command);
  writeU32(bytes, 13 + HASH_BYTES, count);
  return sha256(bytes);
}

/** The state with every hash computed anew from what it holds: what the incremental one is held to. Slow. */
export function stateHashFromScratch(state: KernelState): Uint8Array {
  const sum = emptySum();
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
  /** Not zeroed, since nothing is read that was not pushed: 128 KiB for each start of a replica. */
  readonly #hashes = new Uint8Array(Buffer.allocUnsafeSlow(STATE_HASHES_MAX * HASH_BYTES).buffer);
  #newest = GENESIS_HASH;
  #op = 0;

  /** Hash at commit id op; undefined when it is not reached or forgotten. Op 0 is before everything. Whoever gets one only reads it. */
  at(op: number): Uint8Array | undefined {
    if (op === this.#op) return this.#newest;
    if (op === 0) return GENESIS_HASH;
    if (op > this.#op || op <= this.#op - STATE_HASHES_MAX) return undefined;
    const start = (op % STATE_HASHES_MAX) * HASH_BYTES;
    return this.#hashes.slice(start, start + HASH_BYTES);
  }

  push(op: number, hash: Uint8Array): void {
    assert(op === this.#op + 1, 'each commit id has its hash, in order');
    writeBytes(this.#hashes, (op % STATE_HASHES_MAX) * HASH_BYTES, hash);
    this.#newest = hash;
    this.#op = op;
  }
}

function runBytesWith(without: readonly number[]): Uint8Array {
  const size = RUN_BYTES + without.length * 4;
  const bytes = size <= scratch.length ? scratch.subarray(0, size) : new Uint8Array(size);
  bytes[0] = TAG_RUN;
  let at = RUN_BYTES;
  for (const index of without) {
    writeU32(bytes, at, index);
    at += 4;
  }
  return bytes;
}
