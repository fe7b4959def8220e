/**
 * Reading a stream: the state says where its events lie, the log has them. What is read is what was committed at
 * state.op, whatever has happened since. Linearizable when a read barrier was committed and applied before. Mirrors no spec
 * module. Changes nothing.
 */
import { assert } from '../ports/assert.ts';
import { type Append, CommandError, type NewEvent } from './command.ts';
import { decodeCommand } from './command-codec.ts';
import { BatchOutline } from './command-outline.ts';
import { READ_BYTES_MAX, READ_EVENTS_MAX } from './limits.ts';
import type { Run } from './run-list.ts';
import type { CommittedPrepare, KernelState, Stream } from './state.ts';

export interface StoredEvent extends NewEvent {
  readonly offset: number;
  /** Milliseconds since the epoch, by the primary that took it. */
  readonly timestamp: number;
  /** The op that holds it, and the hash of that op. */
  readonly commitId: number;
  readonly hash: Uint8Array;
}

export interface ReadRange {
  readonly from: number;
  /** Events, at most READ_EVENTS_MAX. */
  readonly limit: number;
  /** Data of the answer; the first event is answered even when it alone is more. */
  readonly bytesMax?: number;
}

export interface EventsRead {
  readonly events: readonly StoredEvent[];
  /** Where the next read goes on: from, when there is nothing there yet. */
  readonly nextOffset: number;
  readonly commitId: number;
}

/** @returns undefined when there is no such stream. Data are views of the log's bytes: whoever keeps one long copies it. */
export function readEvents(
  state: KernelState,
  name: string,
  range: ReadRange,
  prepareAt: (op: number) => CommittedPrepare | undefined,
): EventsRead | undefined {
  const stream = state.streams.get(name);
  if (stream === undefined) return undefined;
  const { from, bytesMax = READ_BYTES_MAX } = range;
  const end = Math.min(stream.nextOffset, from + Math.min(range.limit, READ_EVENTS_MAX));
  const page: Page = { events: [], bytes: 0, bytesMax, isFull: false };
  if (from < end) {
    for (const run of stream.runs.from(stream.runs.indexAt(from))) {
      readRun(page, name, run, from, end, prepareAt);
      if (page.isFull || page.bytes >= bytesMax || from + page.events.length >= end) break;
    }
  }
  const { events } = page;
  return { events, nextOffset: from + events.length, commitId: state.op };
}

/** What is read so far. */
interface Page {
  readonly events: StoredEvent[];
  /** Of their data. */
  bytes: number;
  readonly bytesMax: number;
  /** The next event would have been over bytesMax. */
  isFull: boolean;
}

/** Where in the log an event stands: its op, the command of that op's batch, and which of that command's events; from 0. */
export interface EventPlace {
  readonly op: number;
  readonly command: number;
  readonly index: number;
}

/** @returns undefined when there is no such event */
export function placeOfEvent(
  { streams }: KernelState,
  name: string,
  offset: number,
  prepareAt: (op: number) => CommittedPrepare | undefined,
): EventPlace | undefined {
  const stream = streams.get(name);
  if (stream === undefined || offset >= stream.nextOffset) return undefined;
  const { firstOffset, op, command: first, without } = stream.runs.at(stream.runs.indexAt(offset));
  const prepare = prepareAt(op);
  assert(prepare !== undefined, 'a committed op is in the log');
  const batch = new BatchOutline(prepare.body);
  let offsetOfCommand = firstOffset;
  for (let command = first; ; command++) {
    const count = appendedBy(batch, command, name, without);
    if (offset < offsetOfCommand + count) return { op, command, index: offset - offsetOfCommand };
    offsetOfCommand += count;
  }
}

/** Every stream by its name, in the order of the names: for lists, not for a hot path. */
export function streamsByName({ streams }: KernelState): readonly Stream[] {
  return [...streams.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Takes the events of a run with offsets from..end-1. Appends before them are counted, not decoded. */
function readRun(
  page: Page,
  name: string,
  { firstOffset, count: events, op, command, without }: Run,
  from: number,
  end: number,
  prepareAt: (op: number) => CommittedPrepare | undefined,
): void {
  const prepare = prepareAt(op);
  assert(prepare !== undefined, 'a committed op is in the log');
  const batch = new BatchOutline(prepare.body);
  const runEnd = Math.min(end, firstOffset + events);
  let offset = firstOffset;
  for (let at = command; offset < runEnd && !page.isFull; at++) {
    const count = appendedBy(batch, at, name, without);
    if (count > 0 && offset + count > from) {
      const append = decodeCommand(batch.bytesAt(at));
      assert(append.kind === 'Append' && append.events.length === count, 'an outline is what decoding gives');
      readAppend(page, append, prepare, offset, from, runEnd);
    }
    offset += count;
  }
}

/** @param firstOffset of the append's first event */
function readAppend(
  page: Page,
  { events }: Append,
  { op, timestamp, hash }: CommittedPrepare,
  firstOffset: number,
  from: number,
  end: number,
): void {
  const last = Math.min(events.length, end - firstOffset);
  for (let index = Math.max(0, from - firstOffset); index < last; index++) {
    const { data, type, contentType } = events[index] as NewEvent;
    page.isFull = page.events.length > 0 && page.bytes + data.length > page.bytesMax;
    if (page.isFull) return;
    page.bytes += data.length;
    page.events.push({ data, type, contentType, offset: firstOffset + index, timestamp, commitId: op, hash });
  }
}

/** Events that this command put into the stream. */
function appendedBy(batch: BatchOutline, at: number, stream: string, without: readonly number[]): number {
  assert(at < batch.count, 'the events of a run lie in its batch');
  if (without.includes(at)) return 0;
  try {
    const outline = batch.at(at);
    return outline.kind === 'Append' && outline.stream === stream ? outline.eventCount : 0;
  } catch (cause) {
    if (cause instanceof CommandError) return 0; // refused when it was applied
    throw cause;
  }
}
