/**
 * Where the records of a log begin in its file: each of the newest RECORDS_KNOWN_MAX, and of those before them one in
 * MARK_BYTES of the file, from which the others are found by reading (log-read-back.ts). So it takes 32 KiB, and 16 bytes for
 * 8 KiB of log. Shared with forks, and copied by the first that writes to it. Mirrors no spec module. Pure memory.
 */
import { assert } from '../ports/assert.ts';

/** Newest records of which each has its place here. More serves more backups that lag without a search; 8 bytes each. */
export const RECORDS_KNOWN_MAX = 4096;
const RECORDS_KNOWN_MIN = 64;
/** Bytes of the file from one mark to the next, and the rest of the record at its end. More saves memory, less reads less. */
export const MARK_BYTES = 8 * 1024;
const MARKS_MIN = 4;

/** A record and the byte where it begins. */
export interface RecordPlace {
  readonly record: number;
  readonly position: number;
}

export class RecordIndex {
  #records = 0;
  /** A ring: where each of the newest begins. Its length is a power of two. */
  #known: Float64Array = new Float64Array(RECORDS_KNOWN_MIN);
  /** Two numbers a mark: the record, and where it begins. The first is record 0. */
  #marks: Float64Array = new Float64Array(2 * MARKS_MIN);
  #markCount = 0;
  #shared = false;

  fork(): RecordIndex {
    const twin = new RecordIndex();
    twin.#records = this.#records;
    twin.#known = this.#known;
    twin.#marks = this.#marks;
    twin.#markCount = this.#markCount;
    twin.#shared = true;
    this.#shared = true;
    return twin;
  }

  get records(): number {
    return this.#records;
  }

  /** Notes where the next record begins. */
  push(position: number): void {
    this.#ownRoom();
    const { length } = this.#known;
    this.#known[this.#records % length] = position;
    const last = 2 * this.#markCount - 1;
    if (this.#markCount === 0 || position - (this.#marks[last] as number) >= MARK_BYTES) {
      if (2 * this.#markCount === this.#marks.length) this.#marks = larger(this.#marks);
      this.#marks[last + 1] = this.#records;
      this.#marks[last + 2] = position;
      this.#markCount++;
    }
    this.#records++;
  }

  /** Where the record begins; undefined when it is too old to be known: begin at markBefore() then. */
  positionOf(record: number): number | undefined {
    assert(record >= 0 && record < this.#records, 'a record that the index holds');
    return record < this.#oldestKnown ? undefined : (this.#known[record % this.#known.length] as number);
  }

  /** The nearest record with a mark, at this one or before it. */
  markBefore(record: number): RecordPlace {
    assert(record >= 0 && record < this.#records, 'a record that the index holds');
    return this.#markWhere((mark) => (this.#marks[2 * mark] as number) <= record);
  }

  /**
   * Where the first record begins that does so at most `bytes` before endBytes; endBytes when none does. When it is too old to
   * be known, where the mark before it stands: never later.
   */
  startWithin(endBytes: number, bytes: number): number {
    let low = this.#oldestKnown;
    let high = this.#records;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (endBytes - (this.positionOf(middle) as number) <= bytes) high = middle;
      else low = middle + 1;
    }
    if (low === this.#records) return endBytes;
    if (low > this.#oldestKnown || low === 0) return this.positionOf(low) as number;
    return this.#markWhere((mark) => mark === 0 || (this.#marks[2 * mark + 1] as number) <= endBytes - bytes).position;
  }

  get #oldestKnown(): number {
    return Math.max(0, this.#records - this.#known.length);
  }

  /** The last mark for which it holds, as it does for all before that and for the first. */
  #markWhere(holds: (mark: number) => boolean): RecordPlace {
    let low = 0;
    let high = this.#markCount - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (holds(middle)) low = middle;
      else high = middle - 1;
    }
    return { record: this.#marks[2 * low] as number, position: this.#marks[2 * low + 1] as number };
  }

  #ownRoom(): void {
    const { length } = this.#known;
    if (this.#records === length && length < RECORDS_KNOWN_MAX) this.#known = larger(this.#known);
    else if (this.#shared) this.#known = this.#known.slice();
    if (!this.#shared) return;
    this.#marks = this.#marks.slice();
    this.#shared = false;
  }
}

/** Of twice the length. */
function larger(numbers: Float64Array): Float64Array {
  const grown = new Float64Array(2 * numbers.length);
  grown.set(numbers);
  return grown;
}
