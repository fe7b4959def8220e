/**
 * Where each op of the log lies, and what its hash is: whole for the newest ops, its first four bytes for all, which tell
 * whether what was read is what was appended. So an op takes 4 bytes. In chunks that forks share until one of them writes.
 * A part of prepare-log.ts; mirrors no spec module of its own. Pure memory.
 */
import { HASH_BYTES } from '../crypto/hash.ts';
import { assert } from '../ports/assert.ts';

/** Ops of one chunk of hashes. Small, so that a state of a model copies little. */
const HASHES_OPS = 64;
/** Newest ops that have their whole hash here, at least; for an older one the log is read. 32 bytes each. */
export const HASHES_KEPT = 4096;
const HASH_CHUNKS_MAX = HASHES_KEPT / HASHES_OPS + 1;
const MARK_BYTES = 4;
/** Ops of one chunk of marks; the first begins small. Large, so that a million ops are 61 pieces of memory. */
const MARKS_OPS = 16_384;
const MARKS_OPS_MIN = 64;

export class PrepareIndex {
  #op = 0;
  #hashes = new Chunks(HASHES_OPS * HASH_BYTES, HASHES_OPS * HASH_BYTES);
  /** Lowest op whose hash is in #hashes. */
  #hashesFrom = 1;
  /** The first bytes of each hash. */
  #marks = new Chunks(MARKS_OPS_MIN * MARK_BYTES, MARKS_OPS * MARK_BYTES);
  /** Ops in a row lie in records in a row: by the first op of each row, record - op. A row ends where ops were discarded. */
  #rowOps: number[] = [];
  #rowShifts: number[] = [];

  fork(): PrepareIndex {
    const twin = new PrepareIndex();
    twin.#op = this.#op;
    twin.#hashes = this.#hashes.fork();
    twin.#hashesFrom = this.#hashesFrom;
    twin.#marks = this.#marks.fork();
    twin.#rowOps = this.#rowOps.slice();
    twin.#rowShifts = this.#rowShifts.slice();
    return twin;
  }

  /** Highest op, 0 when empty. */
  get op(): number {
    return this.#op;
  }

  /** Appends op + 1. @param record its number */
  push(record: number, hash: Uint8Array): void {
    assert(hash.length === HASH_BYTES, 'a hash is 32 bytes');
    const index = this.#op++;
    this.#hashes.own(Math.floor(index / HASHES_OPS), HASHES_OPS * HASH_BYTES).set(hash, hashAtOf(index));
    if (this.#hashes.count > HASH_CHUNKS_MAX) this.#hashesFrom = this.#hashes.dropFirst() * HASHES_OPS + 1;
    const markAt = markAtOf(index);
    const marks = this.#marks.own(Math.floor(index / MARKS_OPS), markAt + MARK_BYTES);
    for (let byte = 0; byte < MARK_BYTES; byte++) marks[markAt + byte] = hash[byte] as number;
    const shift = record - this.#op;
    if (this.#rowShifts.at(-1) === shift) return;
    this.#rowOps.push(this.#op);
    this.#rowShifts.push(shift);
  }

  truncateTo(op: number): void {
    assert(op >= 0 && op <= this.#op, 'a truncation does not grow the log');
    this.#op = op;
    this.#hashes.dropFrom(Math.ceil(op / HASHES_OPS));
    this.#hashesFrom = Math.min(this.#hashesFrom, op + 1);
    this.#marks.dropFrom(Math.ceil(op / MARKS_OPS));
    while ((this.#rowOps.at(-1) ?? 0) > op) {
      this.#rowOps.pop();
      this.#rowShifts.pop();
    }
  }

  /** Record number of the op, which the index holds. */
  recordOf(op: number): number {
    assert(op >= 1 && op <= this.#op, 'the index holds the op');
    let low = 0;
    let high = this.#rowOps.length - 1;
    if ((this.#rowOps[high] as number) <= op) low = high;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#rowOps[middle] as number) <= op) low = middle;
      else high = middle - 1;
    }
    return op + (this.#rowShifts[low] as number);
  }

  /** Whether the whole hash of the op is here. */
  knows(op: number): boolean {
    return op >= this.#hashesFrom && op <= this.#op;
  }

  /** A copy: the chunk may be written again after a truncation. Undefined when the op is too old. */
  hashAt(op: number): Uint8Array | undefined {
    assert(op >= 1 && op <= this.#op, 'the index holds the op');
    if (!this.knows(op)) return undefined;
    const at = hashAtOf(op - 1);
    return this.#hashes.at(Math.floor((op - 1) / HASHES_OPS)).slice(at, at + HASH_BYTES);
  }

  /** Whether this is the hash of the op, which the index holds: for sure when it knows() it, else as far as is known here. */
  mayHold(op: number, hash: Uint8Array): boolean {
    assert(op >= 1 && op <= this.#op, 'the index holds the op');
    const isWhole = this.knows(op);
    const bytes = isWhole
      ? this.#hashes.at(Math.floor((op - 1) / HASHES_OPS))
      : this.#marks.at(Math.floor((op - 1) / MARKS_OPS));
    const from = isWhole ? hashAtOf(op - 1) : markAtOf(op - 1);
    const length = isWhole ? HASH_BYTES : MARK_BYTES;
    for (let at = 0; at < length; at++) if (bytes[from + at] !== hash[at]) return false;
    return true;
  }
}

/** Where the hash of the op after `index` others stands in its chunk. */
function hashAtOf(index: number): number {
  return (index % HASHES_OPS) * HASH_BYTES;
}

function markAtOf(index: number): number {
  return (index % MARKS_OPS) * MARK_BYTES;
}

/** Chunks of bytes in a row, numbered; given up at either end. Shared with forks: who writes to one makes it its own. */
class Chunks {
  readonly #bytesMin: number;
  readonly #bytesMax: number;
  #first = 0;
  #chunks: Uint8Array[] = [];
  /** Whether only this row holds the chunk. */
  #owned: boolean[] = [];

  constructor(bytesMin: number, bytesMax: number) {
    this.#bytesMin = bytesMin;
    this.#bytesMax = bytesMax;
  }

  fork(): Chunks {
    const twin = new Chunks(this.#bytesMin, this.#bytesMax);
    twin.#first = this.#first;
    twin.#chunks = this.#chunks.slice();
    twin.#owned = new Array<boolean>(this.#owned.length).fill(false);
    this.#owned.fill(false);
    return twin;
  }

  get count(): number {
    return this.#chunks.length;
  }

  at(number: number): Uint8Array {
    return this.#chunks[number - this.#first] as Uint8Array;
  }

  /** The chunk to write to, with at least so many bytes. @param number of one that is there, or of the next one */
  own(number: number, bytes: number): Uint8Array {
    if (this.#chunks.length === 0) this.#first = number;
    const index = number - this.#first;
    const present = this.#chunks[index];
    if (present !== undefined && this.#owned[index] === true && present.length >= bytes) return present;
    assert(index >= 0 && index <= this.#chunks.length, 'chunks stand in a row');
    const length = present === undefined ? (number === 0 ? this.#bytesMin : this.#bytesMax) : present.length;
    const own = new Uint8Array(length >= bytes ? length : Math.min(2 * length, this.#bytesMax));
    if (present !== undefined) own.set(present);
    this.#chunks[index] = own;
    this.#owned[index] = true;
    return own;
  }

  /** @returns the number of the chunk that is the first then */
  dropFirst(): number {
    this.#chunks.shift();
    this.#owned.shift();
    return ++this.#first;
  }

  /** This one and all behind it. */
  dropFrom(number: number): void {
    const kept = Math.max(0, number - this.#first);
    if (kept >= this.#chunks.length) return;
    this.#chunks.length = kept;
    this.#owned.length = kept;
  }
}
