/**
 * The fingerprint of a run: SHA-256 over one record of 32-bit words for each thing that happened, in order. Two runs with
 * equal hashes did the same at the same virtual time. Mirrors no spec module.
 */
import { createHash, type Hash } from 'node:crypto';

/** Words gathered between two calls of the hash: zeroing more for each run takes longer than the calls. */
const BUFFER_WORDS = 2 * 1024;
const WORDS_MAX = 6;

export class HistoryHash {
  readonly #words = new Int32Array(BUFFER_WORDS);
  #used = 0;
  readonly #hash: Hash = createHash('sha256');

  /** Times are virtual microseconds below 2^53; the rest are 32-bit. */
  note(atUs: number, kind: number, subject: number, a = 0, b = 0): void {
    if (this.#used + WORDS_MAX > BUFFER_WORDS) this.#drain();
    const words = this.#words;
    words[this.#used++] = atUs; // its low 32 bits, by the array: a remainder of doubles would be a call into libm
    words[this.#used++] = atUs / 0x1_0000_0000;
    words[this.#used++] = kind;
    words[this.#used++] = subject;
    words[this.#used++] = a;
    words[this.#used++] = b;
  }

  /** Nothing may be noted after it. @returns hexadecimal */
  end(): string {
    this.#drain();
    return this.#hash.digest('hex');
  }

  #drain(): void {
    this.#hash.update(new Uint8Array(this.#words.buffer, 0, this.#used * 4));
    this.#used = 0;
  }
}
