/**
 * Where the events of a stream lie: one run for each op that added some. A persistent list that only grows: push gives a
 * new list, older ones stay as they were, and all versions share their storage: 2 to 3 bytes a run of a busy stream, since a
 * run says only how it differs from the one before, and 24 bytes for each block of BLOCK_RUNS; 1 to 2 bytes more for each command
 * that is left out. Mirrors no spec module.
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

/** CHUNK_BYTES each; the first begins small. A position counts over all of them. */
interface Chunks {
  chunks: Uint8Array[];
  /** Of what is written to the last one. */
  end: number;
}

interface Storage {
  /** HEAD_NUMBERS a block: offset and op of its first run, and the position where its bytes begin. */
  heads: number[];
  /** A run is `4 (op - op before) + flags`, count, and what the flags announce: command, position in `without`. */
  readonly runs: Chunks;
  size: number;
  lastOp: number;
  nextOffset: number;
  /** Of the runs that have some: how many, then how much each is above the one before. Undefined while none has. */
  without: Chunks | undefined;
}

const HAS_COMMAND = 1;
const HAS_WITHOUT = 2;
const FLAGS = 4;

const BLOCK_RUNS = 64;
const HEAD_NUMBERS = 3;
/** Numbers are written 7 bits a byte: an op to 7 bytes, events of one op to 4, a command to 2, a position to 6. */
const RUN_BYTES_MAX = 19;
const COMMAND_BYTES_MAX = 2;
/** Large, so that a million runs are 100 pieces of memory. */
const CHUNK_BYTES = 32 * 1024;
/** Most streams of many are short. */
const CHUNK_BYTES_MIN = 32;
const NONE: readonly number[] = [];

export class RunList implements Iterable<Run> {
  static readonly empty = new RunList(newStorage(), 0);
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
    const { runs } = storage;
    const flags = (command > 0 ? HAS_COMMAND : 0) + (without.length > 0 ? HAS_WITHOUT : 0);
    const chunk = lastWithRoom(runs, RUN_BYTES_MAX);
    runs.end = write(chunk, runs.end, (op - storage.lastOp) * FLAGS + flags);
    runs.end = write(chunk, runs.end, count);
    if (command > 0) runs.end = write(chunk, runs.end, command);
    if (without.length > 0) {
      storage.without ??= { chunks: [], end: 0 };
      runs.end = write(chunk, runs.end, writeWithout(storage.without, without));
    }
    storage.lastOp = op;
    storage.nextOffset = firstOffset + count;
    storage.size++;
    return new RunList(storage, storage.size);
  }

  at(index: number): Run {
    assert(index >= 0 && index < this.size, 'the list has the run');
    return cursorAt(this.#storage, index).run;
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
    yield cursor.run;
    while (cursor.index < this.size) {
      cursor.next();
      yield cursor.run;
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
  #withoutAt: number | undefined;
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
    const flags = step % FLAGS;
    this.op += (step - flags) / FLAGS;
    this.count = this.#read();
    this.command = flags % 2 === HAS_COMMAND ? this.#read() : 0;
    this.#withoutAt = flags >= HAS_WITHOUT ? this.#read() : undefined;
    this.index++;
  }

  #enter(block: number): void {
    const { heads, runs } = this.#storage;
    const at = block * HEAD_NUMBERS;
    this.firstOffset = heads[at] as number;
    this.op = heads[at + 1] as number;
    this.count = 0;
    this.#moveTo(runs, heads[at + 2] as number);
  }

  /** The run that was read. */
  get run(): Run {
    const { firstOffset, count, op, command } = this;
    return { firstOffset, count, op, command, without: this.#withoutAt === undefined ? NONE : this.#without() };
  }

  #without(): readonly number[] {
    const [chunk, at] = [this.#chunk, this.#at];
    this.#moveTo(this.#storage.without as Chunks, this.#withoutAt as number);
    const commands: number[] = [];
    for (let left = this.#read(); left > 0; left--) commands.push((commands.at(-1) ?? 0) + this.#read());
    [this.#chunk, this.#at] = [chunk, at];
    return commands;
  }

  #moveTo({ chunks }: Chunks, position: number): void {
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

function newStorage(): Storage {
  const [runs, without] = [
    { chunks: [], end: 0 },
    { chunks: [], end: 0 },
  ];
  return { heads: [], runs, size: 0, lastOp: 0, nextOffset: 0, without };
}

function copyOf(storage: Storage, size: number): Storage {
  if (size === 0) return newStorage();
  const { firstOffset, count, op: lastOp, end } = cursorAt(storage, size - 1);
  const heads = storage.heads.slice(0, Math.ceil(size / BLOCK_RUNS) * HEAD_NUMBERS);
  const chunks = storage.runs.chunks.slice(0, Math.floor((heads.at(-1) as number) / CHUNK_BYTES) + 1);
  const runs = { chunks: withLastOwned(chunks), end };
  const without = storage.without && { chunks: withLastOwned(storage.without.chunks), end: storage.without.end };
  return { heads, runs, size, lastOp, nextOffset: firstOffset + count, without };
}

/** Full ones are never written again. */
function withLastOwned(chunks: readonly Uint8Array[]): Uint8Array[] {
  return chunks.map((chunk, at) => (at === chunks.length - 1 ? chunk.slice() : chunk));
}

/** A block lies in one chunk: the next one begins another when it might not fit. */
function beginBlock(storage: Storage, firstOffset: number, op: number): void {
  const position = positionWithRoom(storage.runs, BLOCK_RUNS * RUN_BYTES_MAX);
  if (storage.heads.length > 0) storage.heads.push(firstOffset, op, position);
  else storage.heads = [firstOffset, op, position]; // an array that grows takes room for more at once
  storage.lastOp = op;
}

/** @returns the position */
function writeWithout(without: Chunks, commands: readonly number[]): number {
  const bytes = (commands.length + 1) * COMMAND_BYTES_MAX;
  const position = positionWithRoom(without, bytes);
  const chunk = lastWithRoom(without, bytes);
  without.end = write(chunk, without.end, commands.length);
  let before = 0;
  for (const command of commands) {
    without.end = write(chunk, without.end, command - before);
    before = command;
  }
  return position;
}

/** Of what is written next: in another chunk when so many bytes might not fit into this one. */
function positionWithRoom(bytes: Chunks, room: number): number {
  if (bytes.chunks.length === 0) bytes.chunks = [new Uint8Array(CHUNK_BYTES_MIN)];
  if (bytes.end + room > CHUNK_BYTES) {
    bytes.chunks.push(new Uint8Array(CHUNK_BYTES));
    bytes.end = 0;
  }
  return (bytes.chunks.length - 1) * CHUNK_BYTES + bytes.end;
}

function lastWithRoom({ chunks, end }: Chunks, room: number): Uint8Array {
  const number = chunks.length - 1;
  const present = chunks[number] as Uint8Array;
  if (end + room <= present.length) return present;
  let { length } = present;
  while (end + room > length) length *= 2;
  const larger = new Uint8Array(length);
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
