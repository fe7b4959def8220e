/**
 * Where the events of a stream lie: one run for each op that added some. A persistent list that only grows: push gives a
 * new list, older ones stay as they were, and all versions share their storage, 16 bytes a run. Mirrors no spec module.
 */
import { assert } from '../ports/assert.ts';
import { COMMANDS_MAX } from './limits.ts';

/** What one op put into a stream. */
export interface Run {
  readonly firstOffset: number;
  readonly op: number;
  /** Index of the first command of the op's batch that appended; every later append to the stream did too, */
  readonly command: number;
  /** but for these, which were refused or repeated. */
  readonly without: readonly number[];
}

interface Storage {
  /** Chunks of CHUNK_RUNS runs, two numbers a run; the last may be shorter. */
  readonly chunks: Float64Array[];
  size: number;
  /** By index of the run; most have none. */
  readonly without: Map<number, readonly number[]>;
}

const CHUNK_RUNS = 64;
/** The first chunk of a stream begins small: most streams of many are short. */
const FIRST_RUNS = 2;
const NONE: readonly number[] = [];

export class RunList implements Iterable<Run> {
  static readonly empty = new RunList({ chunks: [], size: 0, without: new Map() }, 0);
  readonly size: number;
  readonly #storage: Storage;

  private constructor(storage: Storage, size: number) {
    this.#storage = storage;
    this.size = size;
  }

  push({ firstOffset, op, command, without }: Run): RunList {
    assert(command < COMMANDS_MAX, 'a command has its place in a batch');
    // Another version has gone on from here already: this one goes its own way.
    const storage =
      this.#storage.size === this.size && this.size > 0 ? this.#storage : copyOf(this.#storage, this.size);
    const at = (this.size % CHUNK_RUNS) * 2;
    const chunk = withRoom(storage, Math.floor(this.size / CHUNK_RUNS), at + 2);
    chunk[at] = firstOffset;
    chunk[at + 1] = op * COMMANDS_MAX + command;
    if (without.length > 0) storage.without.set(this.size, without);
    storage.size++;
    return new RunList(storage, storage.size);
  }

  at(index: number): Run {
    assert(index >= 0 && index < this.size, 'the list has the run');
    const chunk = this.#storage.chunks[Math.floor(index / CHUNK_RUNS)] as Float64Array;
    const at = (index % CHUNK_RUNS) * 2;
    const place = chunk[at + 1] as number;
    return {
      firstOffset: chunk[at] as number,
      op: Math.floor(place / COMMANDS_MAX),
      command: place % COMMANDS_MAX,
      without: this.#storage.without.get(index) ?? NONE,
    };
  }

  /** Index of the run that holds the event at offset, which the stream has. */
  indexAt(offset: number): number {
    let low = 0;
    let high = this.size - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.at(middle).firstOffset <= offset) low = middle;
      else high = middle - 1;
    }
    assert(this.at(low).firstOffset <= offset, 'the runs of a stream begin at offset 0');
    return low;
  }

  *[Symbol.iterator](): Iterator<Run> {
    for (let index = 0; index < this.size; index++) yield this.at(index);
  }
}

function copyOf(storage: Storage, size: number): Storage {
  const chunks = storage.chunks.slice(0, Math.ceil(size / CHUNK_RUNS));
  const last = chunks.at(-1);
  if (last !== undefined) chunks[chunks.length - 1] = last.slice(); // full ones are never written again
  const without = new Map([...storage.without].filter(([index]) => index < size));
  return { chunks, size, without };
}

function withRoom({ chunks }: Storage, number: number, length: number): Float64Array {
  const present = chunks[number];
  if (present !== undefined && present.length >= length) return present;
  const runs = present === undefined ? (number === 0 ? FIRST_RUNS : CHUNK_RUNS) : present.length; // twice as many
  const larger = new Float64Array(Math.min(runs, CHUNK_RUNS) * 2);
  if (present !== undefined) larger.set(present);
  chunks[number] = larger;
  return larger;
}
