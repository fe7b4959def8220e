/**
 * The answers to appends with an idempotency key: one key, one append in the whole cluster, also when its stream is deleted,
 * and made again: a retry whose first try was applied must hear so. Kept until IDEMPOTENCY_KEYS_MAX newer ones came, or until
 * it is IDEMPOTENCY_RETENTION_MS old by the timestamps of the log, so that every replica forgets with the same op. Persistent.
 * Mirrors no spec module.
 */
import { HASH_BYTES, sha256 } from '../crypto/hash.ts';
import { writeU32, writeU64 } from '../ports/little-endian.ts';
import { writeBytes } from '../ports/short-fields.ts';
import { AnswerName, AnswerTable, type KeyedAnswer } from './answer-table.ts';
import { addHash, subtractHash } from './hash-sum.ts';
import type { KernelBounds } from './kernel-bounds.ts';
import { KEYS_EXPIRED_PER_OP_MAX } from './limits.ts';

export type { KeyedAnswer };

export interface KeyedAnswers {
  /** By nameOf(), oldest first: the order in which they are forgotten. */
  readonly answers: AnswerTable;
  /** Every key that an op from this one on was given is known. */
  readonly keptSinceOp: number;
  /** Some, perhaps forgotten since, were of their stream only. */
  readonly someOfStream: boolean;
}

export const NO_KEYS: KeyedAnswers = { answers: AnswerTable.empty(), keptSinceOp: 1, someOfStream: false };

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
  #answers: AnswerTable;
  #keptSinceOp: number;
  #someOfStream: boolean;
  readonly #before: KeyedAnswers;
  /** What was looked for last: it is kept next, when it was not found. */
  #named: { readonly text: string; readonly name: AnswerName } | undefined;

  constructor(
    before: KeyedAnswers,
    prepare: { readonly op: number; readonly timestamp: number },
    bounds: KernelBounds,
  ) {
    this.#before = before;
    this.#prepare = prepare;
    this.#bounds = bounds;
    this.#answers = before.answers;
    this.#keptSinceOp = before.keptSinceOp;
    this.#someOfStream = before.someOfStream;
  }

  find(key: IdempotencyKey): KeyedAnswer | undefined {
    const found = this.#answers.find(this.#nameOf(key));
    if (found !== undefined || key.ofStreamOnly || !this.#someOfStream) return found;
    return this.#answers.find(new AnswerName(nameOf({ ...key, ofStreamOnly: true }))); // its first try came before an upgrade
  }

  /** @param sum of the state's hashes: the answer's is added to it */
  keep(key: IdempotencyKey, fingerprint: Uint8Array, firstOffset: number, count: number, sum: number[]): void {
    const { op: commitId, timestamp } = this.#prepare;
    const { stream, ofStreamOnly } = key;
    const answer = { fingerprint, stream, commitId, timestamp, firstOffset, count };
    addHash(sum, answerHash(answer));
    this.#answers = this.#answers.with(this.#nameOf(key), answer);
    if (!ofStreamOnly) return;
    this.#someOfStream = true;
    this.#keptSinceOp = commitId + 1; // a question names no stream, and so does not find it
  }

  /** Forgets what this op is to forget. @param sum of the state's hashes: theirs are subtracted */
  sealed(sum: number[]): KeyedAnswers {
    while (this.#answers.size > this.#bounds.keysMax) this.#forgetOldest(sum);
    const expiryMs = this.#prepare.timestamp - this.#bounds.keyRetentionMs;
    for (let left = KEYS_EXPIRED_PER_OP_MAX; left > 0 && this.#isOldestBefore(expiryMs); left--)
      this.#forgetOldest(sum);
    if (this.#answers === this.#before.answers) return this.#before;
    return { answers: this.#answers, keptSinceOp: this.#keptSinceOp, someOfStream: this.#someOfStream };
  }

  #nameOf(key: IdempotencyKey): AnswerName {
    const text = nameOf(key);
    if (this.#named?.text !== text) this.#named = { text, name: new AnswerName(text) };
    return this.#named.name;
  }

  #isOldestBefore(timestamp: number): boolean {
    const { oldestTimestamp } = this.#answers;
    return oldestTimestamp !== undefined && oldestTimestamp < timestamp;
  }

  #forgetOldest(sum: number[]): void {
    const forgotten = this.#answers.oldest as KeyedAnswer;
    subtractHash(sum, answerHash(forgotten));
    this.#answers = this.#answers.withoutOldest();
    this.#keptSinceOp = Math.max(this.#keptSinceOp, forgotten.commitId + 1);
  }
}

/** What became of the append with this key, as far as it is kept. */
export function answerTo({ answers }: KeyedAnswers, idempotencyKey: string): KeyedAnswer | undefined {
  return answers.find(new AnswerName(idempotencyKey));
}

const TAG_ANSWER = 4;
const scratch = new Uint8Array(21 + HASH_BYTES);

/** The key is in the fingerprint, and the stream too; the timestamp is that of the op. */
export function answerHash({ fingerprint, commitId, firstOffset, count }: KeyedAnswer): Uint8Array {
  scratch[0] = TAG_ANSWER;
  writeU64(scratch, 1, commitId);
  writeU64(scratch, 9, firstOffset);
  writeU32(scratch, 17, count);
  writeBytes(scratch, 21, fingerprint);
  return sha256(scratch);
}
