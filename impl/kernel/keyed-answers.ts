/**
 * The answers to appends with an idempotency key: one key, one append in the whole cluster, also when its stream is deleted,
 * and made again: a retry whose first try was applied must hear so. Kept until IDEMPOTENCY_KEYS_MAX newer ones came, or until
 * it is IDEMPOTENCY_RETENTION_MS old by the timestamps of the log, so that every replica forgets with the same op. Persistent.
 * Mirrors no spec module.
 */
import { List, Map as PersistentMap } from 'immutable';
import { HASH_BYTES, sha256 } from '../crypto/hash.ts';
import { assert } from '../ports/assert.ts';
import { addHash, subtractHash } from './hash-sum.ts';
import type { KernelBounds } from './kernel-bounds.ts';
import { KEYS_EXPIRED_PER_OP_MAX } from './limits.ts';

/** The answer to the first append with a key. */
export interface KeyedAnswer {
  /** SHA-256 of the encoded command without its session: the same key with another command is refused. */
  readonly fingerprint: Uint8Array;
  readonly stream: string;
  readonly commitId: number;
  /** Of that op. */
  readonly timestamp: number;
  readonly firstOffset: number;
  readonly count: number;
}

export interface KeyedAnswers {
  /** By nameOf(). */
  readonly answers: PersistentMap<string, KeyedAnswer>;
  /** The names, oldest first: the order in which they are forgotten. */
  readonly order: List<string>;
  /** Every key that an op from this one on was given is known. */
  readonly keptSinceOp: number;
  /** How many are of their stream only. */
  readonly ofStreamCount: number;
}

export const NO_KEYS: KeyedAnswers = { answers: PersistentMap(), order: List(), keptSinceOp: 1, ofStreamCount: 0 };

export interface IdempotencyKey {
  readonly text: string;
  readonly stream: string;
  /** In the log since a release in which a key was of one stream. */
  readonly ofStreamOnly: boolean;
}

/** A key is printable, so it never is the name of one that is of its stream only. */
function nameOf({ text, stream, ofStreamOnly }: IdempotencyKey): string {
  return ofStreamOnly ? `${stream}\n${text}` : text;
}

/** The keys of one op. */
export class KeysDraft {
  readonly #prepare: { readonly op: number; readonly timestamp: number };
  readonly #bounds: KernelBounds;
  #answers: PersistentMap<string, KeyedAnswer>;
  #order: List<string>;
  #keptSinceOp: number;
  #ofStreamCount: number;
  readonly #before: KeyedAnswers;

  constructor(
    before: KeyedAnswers,
    prepare: { readonly op: number; readonly timestamp: number },
    bounds: KernelBounds,
  ) {
    this.#before = before;
    this.#prepare = prepare;
    this.#bounds = bounds;
    this.#answers = before.answers;
    this.#order = before.order;
    this.#keptSinceOp = before.keptSinceOp;
    this.#ofStreamCount = before.ofStreamCount;
  }

  find(key: IdempotencyKey): KeyedAnswer | undefined {
    const found = this.#answers.get(nameOf(key));
    if (found !== undefined || key.ofStreamOnly || this.#ofStreamCount === 0) return found;
    return this.#answers.get(nameOf({ ...key, ofStreamOnly: true })); // its first try came before the cluster was upgraded
  }

  /** @param sum of the state's hashes: the answer's is added to it */
  keep(key: IdempotencyKey, fingerprint: Uint8Array, firstOffset: number, count: number, sum: Uint32Array): void {
    const { op: commitId, timestamp } = this.#prepare;
    const { stream, ofStreamOnly } = key;
    const answer = { fingerprint, stream, commitId, timestamp, firstOffset, count };
    const name = nameOf(key);
    addHash(sum, answerHash(answer));
    this.#answers = this.#answers.asMutable().set(name, answer);
    this.#order = this.#order.asMutable().push(name);
    if (!ofStreamOnly) return;
    this.#ofStreamCount++;
    this.#keptSinceOp = commitId + 1; // a question names no stream, and so does not find it
  }

  /** Forgets what this op is to forget. @param sum of the state's hashes: theirs are subtracted */
  sealed(sum: Uint32Array): KeyedAnswers {
    while (this.#order.size > this.#bounds.keysMax) this.#forgetOldest(sum);
    const expiryMs = this.#prepare.timestamp - this.#bounds.keyRetentionMs;
    for (let left = KEYS_EXPIRED_PER_OP_MAX; left > 0 && this.#isOldestBefore(expiryMs); left--)
      this.#forgetOldest(sum);
    if (this.#answers === this.#before.answers) return this.#before;
    const [answers, order] = [this.#answers.asImmutable(), this.#order.asImmutable()];
    assert(answers.size === order.size, 'each key has its turn to be forgotten');
    return { answers, order, keptSinceOp: this.#keptSinceOp, ofStreamCount: this.#ofStreamCount };
  }

  #isOldestBefore(timestamp: number): boolean {
    const oldest = this.#order.first();
    const answer = oldest === undefined ? undefined : this.#answers.get(oldest);
    return answer !== undefined && answer.timestamp < timestamp;
  }

  #forgetOldest(sum: Uint32Array): void {
    const oldest = this.#order.first();
    const forgotten = oldest === undefined ? undefined : this.#answers.get(oldest);
    assert(oldest !== undefined && forgotten !== undefined, 'the oldest key is kept until now');
    subtractHash(sum, answerHash(forgotten));
    this.#answers = this.#answers.asMutable().delete(oldest);
    this.#order = this.#order.asMutable().shift();
    this.#keptSinceOp = Math.max(this.#keptSinceOp, forgotten.commitId + 1);
    if (oldest.includes('\n')) this.#ofStreamCount--;
  }
}

/** What became of the append with this key, as far as it is kept. */
export function answerTo({ answers }: KeyedAnswers, idempotencyKey: string): KeyedAnswer | undefined {
  return answers.get(idempotencyKey);
}

const TAG_ANSWER = 4;
const scratch = Buffer.allocUnsafeSlow(21 + HASH_BYTES);

/** The key is in the fingerprint, and the stream too; the timestamp is that of the op. */
export function answerHash({ fingerprint, commitId, firstOffset, count }: KeyedAnswer): Uint8Array {
  scratch[0] = TAG_ANSWER;
  writeU64(commitId, 1);
  writeU64(firstOffset, 9);
  scratch.writeUInt32LE(count, 17);
  scratch.set(fingerprint, 21);
  return sha256(scratch);
}

function writeU64(value: number, at: number): void {
  scratch.writeUInt32LE(value % 2 ** 32, at);
  scratch.writeUInt32LE(Math.floor(value / 2 ** 32), at + 4);
}
