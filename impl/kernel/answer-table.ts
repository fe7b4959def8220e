/**
 * A table of answers by name, in the order in which they came: added at the end, forgotten from the front, found by name. A
 * persistent value: with() and withoutOldest() give a new table, older ones stay as they were, and all share one storage until
 * two go on from the same one. 80 bytes an answer and up to half as much again in reserve, in a few large pieces of memory.
 * A name is known by the first 16 bytes of its SHA-256. Mirrors no spec module.
 */
import { HASH_BYTES, sha256 } from '../crypto/hash.ts';
import { assert } from '../ports/assert.ts';
import { writeBytes, writeShortAscii } from '../ports/short-fields.ts';

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

const NAME_BYTES = 16;
/** Bytes of one answer: fingerprint, name. */
const BYTES = HASH_BYTES + NAME_BYTES;
/** Numbers of one answer: commitId, timestamp, firstOffset. */
const NUMBERS = 3;
/** Words of one answer: count; number of the stream; one more than the place of the answer before it in its bucket, or 0. */
const WORDS = 3;
const CAPACITY_MIN = 16;
/** Of a storage that is made anew, to the answers it holds then: more takes more memory, less makes it anew more often. */
const CAPACITY_SHARE = 1.5;

interface Storage {
  readonly capacity: number;
  readonly bytes: Uint8Array;
  readonly numbers: Float64Array;
  readonly words: Uint32Array;
  /** One more than the place of the newest answer whose name falls into the bucket; a power of two of them. */
  readonly buckets: Uint32Array;
  readonly streams: string[];
  readonly numbersOfStreams: Map<string, number>;
  /** Answers ever added. */
  size: number;
}

export class AnswerTable implements Iterable<KeyedAnswer> {
  readonly #storage: Storage;
  /** It has the places #from..#to-1 of the storage. */
  readonly #from: number;
  readonly #to: number;

  private constructor(storage: Storage, from: number, to: number) {
    this.#storage = storage;
    this.#from = from;
    this.#to = to;
  }

  static empty(): AnswerTable {
    return new AnswerTable(newStorage(0), 0, 0);
  }

  get size(): number {
    return this.#to - this.#from;
  }

  /** Of the one that is forgotten next; undefined when there is none. */
  get oldest(): KeyedAnswer | undefined {
    return this.size === 0 ? undefined : this.#answerAt(this.#from);
  }

  get oldestTimestamp(): number | undefined {
    return this.size === 0 ? undefined : (this.#storage.numbers[this.#from * NUMBERS + 1] as number);
  }

  find(name: AnswerName): KeyedAnswer | undefined {
    if (this.size === 0) return undefined;
    const { buckets, bytes, words } = this.#storage;
    let next = buckets[bucketOf(name.hash, 0, buckets.length)] as number;
    // From the newest to older ones; above #to are those of versions that went on from this one.
    for (; next > this.#from; next = words[(next - 1) * WORDS + 2] as number) {
      const place = next - 1;
      if (place < this.#to && isNamed(bytes, place, name.hash)) return this.#answerAt(place);
    }
    return undefined;
  }

  /** @param name that no answer here has */
  with(name: AnswerName, { fingerprint, stream, commitId, timestamp, firstOffset, count }: KeyedAnswer): AnswerTable {
    const { size, capacity } = this.#storage;
    const goesOn = this.size > 0 && size === this.#to && size < capacity;
    const table = goesOn ? this : this.#copied();
    const storage = table.#storage;
    const place = storage.size++;
    writeBytes(storage.bytes, place * BYTES, fingerprint);
    writeName(storage.bytes, place, name.hash);
    storage.numbers[place * NUMBERS] = commitId;
    storage.numbers[place * NUMBERS + 1] = timestamp;
    storage.numbers[place * NUMBERS + 2] = firstOffset;
    storage.words[place * WORDS] = count;
    storage.words[place * WORDS + 1] = numberOf(storage, stream);
    intoBucket(storage, place);
    return new AnswerTable(storage, table.#from, table.#to + 1);
  }

  withoutOldest(): AnswerTable {
    assert(this.size > 0, 'there is one to forget');
    return new AnswerTable(this.#storage, this.#from + 1, this.#to);
  }

  /** Oldest first. */
  *[Symbol.iterator](): Iterator<KeyedAnswer> {
    for (let place = this.#from; place < this.#to; place++) yield this.#answerAt(place);
  }

  #answerAt(place: number): KeyedAnswer {
    const { bytes, numbers, words, streams } = this.#storage;
    return {
      fingerprint: bytes.slice(place * BYTES, place * BYTES + HASH_BYTES),
      stream: streams[words[place * WORDS + 1] as number] as string,
      commitId: numbers[place * NUMBERS] as number,
      timestamp: numbers[place * NUMBERS + 1] as number,
      firstOffset: numbers[place * NUMBERS + 2] as number,
      count: words[place * WORDS] as number,
    };
  }

  /** In a storage of its own, with room for more. */
  #copied(): AnswerTable {
    const storage = newStorage(Math.ceil(this.size * CAPACITY_SHARE));
    const { bytes, numbers, words, streams } = this.#storage;
    storage.bytes.set(bytes.subarray(this.#from * BYTES, this.#to * BYTES));
    storage.numbers.set(numbers.subarray(this.#from * NUMBERS, this.#to * NUMBERS));
    storage.words.set(words.subarray(this.#from * WORDS, this.#to * WORDS));
    for (let place = 0; place < this.size; place++) {
      const stream = streams[words[(this.#from + place) * WORDS + 1] as number] as string;
      storage.words[place * WORDS + 1] = numberOf(storage, stream);
      intoBucket(storage, place);
    }
    storage.size = this.size;
    return new AnswerTable(storage, 0, this.size);
  }
}

const scratch = Buffer.allocUnsafeSlow(1024);

/** What an answer is found by. */
export class AnswerName {
  /** SHA-256, of which the first NAME_BYTES name it. */
  readonly hash: Uint8Array;

  constructor(text: string) {
    const length = writeShortAscii(scratch, 0, text) ? text.length : scratch.write(text, 'utf8');
    assert(length < scratch.length, 'a name fits');
    this.hash = sha256(scratch.subarray(0, length));
  }
}

function newStorage(answers: number): Storage {
  const capacity = Math.max(CAPACITY_MIN, answers);
  return {
    capacity,
    bytes: new Uint8Array(capacity * BYTES),
    numbers: new Float64Array(capacity * NUMBERS),
    words: new Uint32Array(capacity * WORDS),
    buckets: new Uint32Array(2 ** Math.ceil(Math.log2(capacity))),
    streams: [],
    numbersOfStreams: new Map(),
    size: 0,
  };
}

function numberOf({ streams, numbersOfStreams }: Storage, stream: string): number {
  const known = numbersOfStreams.get(stream);
  if (known !== undefined) return known;
  numbersOfStreams.set(stream, streams.length);
  return streams.push(stream) - 1;
}

function intoBucket({ bytes, words, buckets }: Storage, place: number): void {
  const bucket = bucketOf(bytes, place * BYTES + HASH_BYTES, buckets.length);
  words[place * WORDS + 2] = buckets[bucket] as number;
  buckets[bucket] = place + 1;
}

/** @param at where the hash of the name stands */
function bucketOf(bytes: Uint8Array, at: number, buckets: number): number {
  const high = (bytes[at + 2] as number) + 256 * (bytes[at + 3] as number);
  return ((bytes[at] as number) + 256 * (bytes[at + 1] as number) + 65_536 * high) % buckets;
}

function writeName(bytes: Uint8Array, place: number, hash: Uint8Array): void {
  const from = place * BYTES + HASH_BYTES;
  for (let at = 0; at < NAME_BYTES; at++) bytes[from + at] = hash[at] as number;
}

function isNamed(bytes: Uint8Array, place: number, hash: Uint8Array): boolean {
  const from = place * BYTES + HASH_BYTES;
  for (let at = 0; at < NAME_BYTES; at++) if (bytes[from + at] !== hash[at]) return false;
  return true;
}
