/**
 * Reading a stream: the state says where its events lie, the log has them. What is read is what was committed at
 * state.op, whatever has happened since. Linearizable when a read barrier was committed and applied before. Mirrors no spec
 * module. Changes nothing.
 */
import { assert } from '../ports/assert.ts';
import { CommandError, type NewEvent } from './command.ts';
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
  const events: StoredEvent[] = [];
  let bytes = 0;
  if (from >= end) return { events, nextOffset: from, commitId: state.op };
  for (const run of stream.runs.from(stream.runs.indexAt(from))) {
    for (const event of eventsOf(name, run, from + events.length, end, prepareAt)) {
      bytes += event.data.length;
      if (events.length > 0 && bytes > bytesMax) break;
      events.push(event);
    }
    if (bytes > bytesMax || from + events.length >= end) break;
  }
  return { events, nextOffset: from + events.length, commitId: state.op };
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

/** Events of a run with offsets from..end-1. Appends before them are counted, not decoded. */
function* eventsOf(
  name: string,
  { firstOffset, count: events, op, command, without }: Run,
  from: number,
  end: number,
  prepareAt: (op: number) => CommittedPrepare | undefined,
): Iterable<StoredEvent> {
  const prepare = prepareAt(op);
  assert(prepare !== undefined, 'a committed op is in the log');
  const { timestamp, hash } = prepare;
  const batch = new BatchOutline(prepare.body);
  const runEnd = Math.min(end, firstOffset + events);
  let offset = firstOffset;
  for (let at = command; offset < runEnd; at++) {
    const count = appendedBy(batch, at, name, without);
    if (offset + count <= from) {
      offset += count;
      continue;
    }
    if (count === 0) continue;
    const append = decodeCommand(batch.bytesAt(at));
    assert(append.kind === 'Append' && append.events.length === count, 'an outline is what decoding gives');
    for (const event of append.events) {
      if (offset >= from && offset < runEnd) {
        yield event.type === undefined && event.contentType === undefined
          ? { data: event.data, offset, timestamp, commitId: op, hash } // most events; of one shape, and three times faster
          : { offset, timestamp, commitId: op, hash, ...event };
      }
      offset++;
    }
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
