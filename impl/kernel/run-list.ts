/**
 * Where the events of a stream lie: one run for each op that added some. A persistent list that only grows: push gives a
 * new list, older ones stay as they were, and all versions share their storage: 2 to 3 bytes a run of a busy stream, since a
 * run says only how it differs from the one before, and 24 bytes for each block of BLOCK_RUNS. Mirrors no spec module.
 */
import { assert } from '../ports/assert.ts';
import { COMMANDS_MAX } from './limits.ts';

/** What one op put into a stream. */
export interface Run {
  readonly firstOffset: number;
  /** Events, from 1. */
  readonly count: number;
  readonly op: number;
  /** Index of the first command of the op's batch that appended; every later append to the stream did too, */
  readonly command: number;
  /** but for these, which were refused or repeated. */
  readonly without: readonly number[];
}

interface Storage {
  /** HEAD_NUMBERS a block: offset and op of its first run, and where its bytes begin, counted over all chunks. */
  readonly heads: number[];
  /** CHUNK_BYTES each; the first begins small. A run is `2 (op - op before) + (command > 0)`, count, and a command above 0. */
  readonly chunks: Uint8Array[];
  /** Where the next run begins in the last chunk. */
  end: number;
  size: number;
  lastOp: number;
  nextOffset: number;
  /** By index of the run; most have none. */
  readonly without: Map<number, readonly number[]>;
}

const BLOCK_RUNS = 64;
const HEAD_NUMBERS = 3;
/** Numbers are written 7 bits a byte: an op to 7 bytes, events of one op to 4, a command to 2. */
const RUN_BYTES_MAX = 13;
/** Large, so that a million runs are 100 pieces of memory. */
const CHUNK_BYTES = 32 * 1024;
/** Most streams of many are short. */
const CHUNK_BYTES_MIN = 16;
const NONE: readonly number[] = [];

export class RunList implements Iterable<Run> {
  static readonly empty = new RunList(newStorage([], []), 0);
  readonly size: number;
  readonly #storage: Storage;

  private constructor(storage: Storage, size: number) {
    this.#storage = storage;
    this.size = size;
  }

  push({ firstOffset, count, op, command, without }: Run): RunList {
    assert(command < COMMANDS_MAX, 'a command has its place in a batch');
    // Another version has gone on from here already: this one goes its own way.
    const storage =
      this.#storage.size === this.size && this.size > 0 ? this.#storage : copyOf(this.#storage, this.size);
    assert(this.size === 0 || (firstOffset === storage.nextOffset && op > storage.lastOp), 'runs follow one another');
    if (this.size % BLOCK_RUNS === 0) beginBlock(storage, firstOffset, op);
    const chunk = lastChunkWithRoom(storage);
    let { end } = storage;
    end = write(chunk, end, (op - storage.lastOp) * 2 + (command > 0 ? 1 : 0));
    end = write(chunk, end, count);
    if (command > 0) end = write(chunk, end, command);
    storage.end = end;
    storage.lastOp = op;
    storage.nextOffset = firstOffset + count;
    if (without.length > 0) storage.without.set(this.size, without);
    storage.size++;
    return new RunList(storage, storage.size);
  }

  at(index: number): Run {
    assert(index >= 0 && index < this.size, 'the list has the run');
    return runOf(cursorAt(this.#storage, index), this.#storage);
  }

  /** Index of the run that holds the event at offset, which the stream has. */
  indexAt(offset: number): number {
    const { heads } = this.#storage;
    let low = 0;
    let high = Math.ceil(this.size / BLOCK_RUNS) - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((heads[middle * HEAD_NUMBERS] as number) <= offset) low = middle;
      else high = middle - 1;
    }
    const cursor = new Cursor(this.#storage, low);
    while (cursor.index < this.size) {
      cursor.next();
      if (offset < cursor.firstOffset + cursor.count) break;
    }
    const isThere = offset >= cursor.firstOffset && offset < cursor.firstOffset + cursor.count;
    assert(isThere, 'the runs of a stream hold its events from offset 0 on');
    return cursor.index - 1;
  }

  /** From this one on: cheaper than each by itself. */
  *from(index: number): Generator<Run, void, undefined> {
    if (index >= this.size) return;
    const cursor = cursorAt(this.#storage, index);
    yield runOf(cursor, this.#storage);
    while (cursor.index < this.size) {
      cursor.next();
      yield runOf(cursor, this.#storage);
    }
  }

  [Symbol.iterator](): Iterator<Run> {
    return this.from(0);
  }
}

/** Reads runs one after the other. */
class Cursor {
  readonly #storage: Storage;
  #chunk: Uint8Array = NO_BYTES;
  #at = 0;
  /** Of the run after the one that was read. */
  index: number;
  firstOffset = 0;
  count = 0;
  op = 0;
  command = 0;

  /** Before the first run of the block. */
  constructor(storage: Storage, block: number) {
    this.#storage = storage;
    this.index = block * BLOCK_RUNS;
  }

  /** In the last chunk that was read: where the next run begins. */
  get end(): number {
    return this.#at;
  }

  next(): void {
    if (this.index % BLOCK_RUNS === 0) this.#enter(this.index / BLOCK_RUNS);
    const step = this.#read();
    this.firstOffset += this.count;
    this.op += Math.floor(step / 2);
    this.count = this.#read();
    this.command = step % 2 === 1 ? this.#read() : 0;
    this.index++;
  }

  #enter(block: number): void {
    const { heads, chunks } = this.#storage;
    const at = block * HEAD_NUMBERS;
    this.firstOffset = heads[at] as number;
    this.op = heads[at + 1] as number;
    this.count = 0;
    const position = heads[at + 2] as number;
    this.#chunk = chunks[Math.floor(position / CHUNK_BYTES)] as Uint8Array;
    this.#at = position % CHUNK_BYTES;
  }

  #read(): number {
    let byte = this.#chunk[this.#at++] as number;
    let value = byte % 128;
    for (let unit = 128; byte >= 128; unit *= 128) {
      byte = this.#chunk[this.#at++] as number;
      value += (byte % 128) * unit;
    }
    return value;
  }
}

const NO_BYTES = new Uint8Array(0);

/** That has just read the run. */
function cursorAt(storage: Storage, index: number): Cursor {
  const cursor = new Cursor(storage, Math.floor(index / BLOCK_RUNS));
  while (cursor.index <= index) cursor.next();
  return cursor;
}

function runOf({ index, firstOffset, count, op, command }: Cursor, { without }: Storage): Run {
  return { firstOffset, count, op, command, without: without.get(index - 1) ?? NONE };
}

function newStorage(heads: number[], chunks: Uint8Array[]): Storage {
  return { heads, chunks, end: 0, size: 0, lastOp: 0, nextOffset: 0, without: new Map() };
}

function copyOf(storage: Storage, size: number): Storage {
  if (size === 0) return newStorage([], []);
  const { firstOffset, count, op: lastOp, end } = cursorAt(storage, size - 1);
  const blocks = Math.ceil(size / BLOCK_RUNS);
  const heads = storage.heads.slice(0, blocks * HEAD_NUMBERS);
  const chunks = storage.chunks.slice(0, Math.floor((heads.at(-1) as number) / CHUNK_BYTES) + 1);
  chunks.push((chunks.pop() as Uint8Array).slice()); // full ones are never written again
  const without = new Map([...storage.without].filter(([index]) => index < size));
  return { heads, chunks, end, size, lastOp, nextOffset: firstOffset + count, without };
}

/** A block lies in one chunk: the next one begins another when it might not fit. */
function beginBlock(storage: Storage, firstOffset: number, op: number): void {
  const { heads, chunks } = storage;
  if (chunks.length === 0) chunks[0] = new Uint8Array(CHUNK_BYTES_MIN);
  if (storage.end + BLOCK_RUNS * RUN_BYTES_MAX > CHUNK_BYTES) {
    chunks.push(new Uint8Array(CHUNK_BYTES));
    storage.end = 0;
  }
  heads.push(firstOffset, op, (chunks.length - 1) * CHUNK_BYTES + storage.end);
  storage.lastOp = op;
}

function lastChunkWithRoom({ chunks, end }: Storage): Uint8Array {
  const number = chunks.length - 1;
  const present = chunks[number] as Uint8Array;
  if (end + RUN_BYTES_MAX <= present.length) return present;
  const larger = new Uint8Array(2 * present.length);
  larger.set(present);
  chunks[number] = larger;
  return larger;
}

/** @returns where the next number begins */
function write(chunk: Uint8Array, from: number, value: number): number {
  let at = from;
  let left = value;
  for (; left >= 128; left = Math.floor(left / 128)) chunk[at++] = 128 + (left % 128);
  chunk[at++] = left;
  return at;
}
