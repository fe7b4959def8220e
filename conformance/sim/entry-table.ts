/**
 * Every entry that a run has seen in a log or in a Prepare, once: equal entries are one object, so that comparing logs
 * compares references, and a hash becomes text once. A part of invariant-oracle.ts; mirrors no spec module.
 */
import { HASH_BYTES, hashText } from '../../impl/crypto/hash.ts';
import type { EntryView } from '../../machines/vsr-invariants.ts';

export interface KnownEntry extends EntryView {
  readonly hashBytes: Uint8Array;
}

/** What is needed of a prepare of impl/vsr/prepare.ts. */
export interface EntrySource {
  readonly view: number;
  readonly op: number;
  readonly hash: Uint8Array;
  readonly parent: Uint8Array;
}

const NONE: readonly KnownEntry[] = [];

export class EntryTable {
  /** By op - 1: most often one. */
  readonly #byOp: KnownEntry[][] = [];
  #count = 0;

  /** Distinct entries so far. */
  get count(): number {
    return this.#count;
  }

  /** Those with this op. */
  at(op: number): readonly KnownEntry[] {
    return this.#byOp[op - 1] ?? NONE;
  }

  /** As text, of the hash at this position; made anew only when nobody has seen the entry. */
  hashTextOf(op: number, bytes: Uint8Array, hashAt = 0): string {
    for (const { hashBytes, hash } of this.at(op)) if (sameHash(hashBytes, bytes, hashAt)) return hash;
    return hashText(bytes.subarray(hashAt, hashAt + HASH_BYTES));
  }

  of({ op, view, hash, parent }: EntrySource): KnownEntry {
    return this.ofBytes(op, view, hash, 0, parent, 0);
  }

  /** The entry whose hash and parent lie at these positions. Equal hashes are equal entries: a hash covers its parent. */
  ofBytes(
    op: number,
    view: number,
    hash: Uint8Array,
    hashAt: number,
    parent: Uint8Array,
    parentAt: number,
  ): KnownEntry {
    const known = this.#byOp[op - 1];
    if (known !== undefined) for (const entry of known) if (sameHash(entry.hashBytes, hash, hashAt)) return entry;
    const hashBytes = hash.slice(hashAt, hashAt + HASH_BYTES);
    const entry = { view, hash: hashText(hashBytes), parent: this.hashTextOf(op - 1, parent, parentAt), hashBytes };
    this.#count++;
    if (known !== undefined) known.push(entry);
    else {
      while (this.#byOp.length < op - 1) this.#byOp.push([]); // no holes: a sparse array is slow
      if (this.#byOp.length < op) this.#byOp.push([entry]);
    }
    return entry;
  }
}

function sameHash(a: Uint8Array, b: Uint8Array, bAt: number): boolean {
  for (let at = 0; at < HASH_BYTES; at++) if (a[at] !== b[bAt + at]) return false;
  return true;
}
