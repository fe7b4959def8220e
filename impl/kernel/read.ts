/**
 * Reading a stream: the state says where its events lie, the log has them. What is read is what was committed at
 * state.op, whatever has happened since. Linearizable when a read barrier was committed and applied before. Mirrors no spec
 * module. Changes nothing.
 */
import { assert } from '../ports/assert.ts';
import type { NewEvent } from './command.ts';
import { commandAt } from './command-codec.ts';
import { READ_BYTES_MAX, READ_EVENTS_MAX } from './limits.ts';
import { type CommittedPrepare, type KernelState, type Run, runIndexAt, type Stream } from './state.ts';

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
  let run = from < end ? runIndexAt(stream.runs, from) : stream.runs.size;
  for (let offset = from; offset < end; run++) {
    for (const event of eventsOf(stream, run, prepareAt)) {
      if (event.offset < offset) continue;
      bytes += event.data.byteLength;
      if (offset >= end || (events.length > 0 && bytes > bytesMax)) break;
      events.push(event);
      offset++;
    }
    if (bytes > bytesMax) break;
  }
  return { events, nextOffset: from + events.length, commitId: state.op };
}

/** Every stream by its name, in the order of the names: for lists, not for a hot path. */
export function streamsByName({ streams }: KernelState): readonly Stream[] {
  return [...streams.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function eventsOf(
  stream: Stream,
  index: number,
  prepareAt: (op: number) => CommittedPrepare | undefined,
): readonly StoredEvent[] {
  const run = stream.runs.get(index) as Run;
  const prepare = prepareAt(run.op);
  assert(prepare !== undefined, 'a committed op is in the log');
  const command = commandAt(prepare.body, run.command);
  assert(command.kind === 'Append' && command.stream === stream.name, 'a run names the append that made it');
  const { timestamp, hash } = prepare;
  return command.events.map((event, at) => ({
    ...event,
    offset: run.firstOffset + at,
    timestamp,
    commitId: run.op,
    hash,
  }));
}
