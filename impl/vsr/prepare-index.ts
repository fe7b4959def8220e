/**
 * Where each op of the log lies and what its hash is: 40 bytes an op in chunks that forks share until one of them writes.
 * A part of prepare-log.ts; mirrors no spec module of its own. Pure memory.
 */
import { HASH_BYTES } from '../crypto/hash.ts';
import { assert } from '../ports/assert.ts';

/** Ops of one chunk. Small, so that a state of a model copies little; large enough that a million ops are 16,000 chunks. */
const CHUNK_OPS = 64;

interface Chunk {
  readonly offsets: Float64Array;
  readonly hashes: Uint8Array;
}

export class PrepareIndex {
  #op = 0;
  #chunks: Chunk[] = [];
  /** Whether only this index holds the chunk of that number. */
  #owned: boolean[] = [];

  fork(): PrepareIndex {
    const twin = new PrepareIndex();
    twin.#op = this.#op;
    twin.#chunks = [...this.#chunks];
    twin.#owned = new Array<boolean>(this.#owned.length).fill(false);
    this.#owned.fill(false);
    return twin;
  }

  /** Highest op, 0 when empty. */
  get op(): number {
    return this.#op;
  }

  /** Appends op + 1. */
  push(offset: number, hash: Uint8Array): void {
    assert(hash.length === HASH_BYTES, 'a hash is 32 bytes');
    const at = this.#op % CHUNK_OPS;
    const chunk = this.#ownChunk(Math.floor(this.#op / CHUNK_OPS));
    chunk.offsets[at] = offset;
    chunk.hashes.set(hash, at * HASH_BYTES);
    this.#op++;
  }

  truncateTo(op: number): void {
    assert(op >= 0 && op <= this.#op, 'a truncation does not grow the log');
    this.#op = op;
    const kept = Math.ceil(op / CHUNK_OPS);
    this.#chunks.length = kept;
    this.#owned.length = kept;
  }

  /** Record number of the op, which the index holds. */
  offsetAt(op: number): number {
    assert(op >= 1 && op <= this.#op, 'the index holds the op');
    const chunk = this.#chunks[Math.floor((op - 1) / CHUNK_OPS)] as Chunk;
    return chunk.offsets[(op - 1) % CHUNK_OPS] as number;
  }

  /** A copy: the chunk may be written again after a truncation. */
  hashAt(op: number): Uint8Array {
    assert(op >= 1 && op <= this.#op, 'the index holds the op');
    const chunk = this.#chunks[Math.floor((op - 1) / CHUNK_OPS)] as Chunk;
    const at = ((op - 1) % CHUNK_OPS) * HASH_BYTES;
    return chunk.hashes.slice(at, at + HASH_BYTES);
  }

  /** Whether this is the hash of the op, which the index holds. */
  holds(op: number, hash: Uint8Array): boolean {
    assert(op >= 1 && op <= this.#op, 'the index holds the op');
    const { hashes } = this.#chunks[Math.floor((op - 1) / CHUNK_OPS)] as Chunk;
    const from = ((op - 1) % CHUNK_OPS) * HASH_BYTES;
    for (let at = 0; at < HASH_BYTES; at++) if (hashes[from + at] !== hash[at]) return false;
    return true;
  }

  #ownChunk(number: number): Chunk {
    const present = this.#chunks[number];
    if (present !== undefined && this.#owned[number] === true) return present;
    const own: Chunk =
      present === undefined
        ? { offsets: new Float64Array(CHUNK_OPS), hashes: new Uint8Array(CHUNK_OPS * HASH_BYTES) }
        : { offsets: present.offsets.slice(), hashes: present.hashes.slice() };
    this.#chunks[number] = own;
    this.#owned[number] = true;
    return own;
  }
}
