/**
 * A history sorted by stream, and what each answer says by itself or beside the append whose value it shows: the first half of
 * linearizability.ts, one pass over the operations and one over the events that were read. Mirrors no spec module.
 */
import { assert } from '../../impl/ports/assert.ts';
import type { HistoryEntry } from './client-history.ts';
import { type HistoryProblem, nameOf, problemOf } from './linearizability-problem.ts';

export type AppendEntry = Extract<HistoryEntry, { readonly kind: 'append' }>;
export type ReadEntry = Extract<HistoryEntry, { readonly kind: 'read' }>;
type ReadAnswer = Extract<ReadEntry['outcome'], { readonly kind: 'applied' }>;
type EventRead = ReadAnswer['events'][number];

/** What has a commit id. */
export interface Answered {
  readonly entry: HistoryEntry;
  readonly commitId: number;
  /** Read: the state after the whole op. Else a command of the op. */
  readonly isRead: boolean;
  readonly stream: StreamFacts;
  /** A read: latest call among the appends without an answer that it shows, -1 without. They are in its state. */
  shownCallUs: number;
}

/** What changes nothing, and must have a state while it was under way in which it is right. */
export interface Refusal {
  readonly entry: HistoryEntry;
  readonly stream: StreamFacts;
  /** When it is right: the stream exists, it does not, or it exists with another next offset than expected. */
  readonly needs: 'stream' | 'no-stream' | 'other-offset';
  readonly expectedOffset: number;
  readonly callUs: number;
  readonly returnUs: number;
}

export interface AppendFacts {
  readonly entry: AppendEntry;
  readonly stream: StreamFacts;
  /** Offsets of its first event, each once, where reads show it without an answer that says so. */
  readonly shownAt: number[];
  /** Index in stream.appends, -1 when it is applied where its answer says and nowhere else. */
  loose: number;
}

export interface StreamFacts {
  readonly name: string;
  /** From 0, in the order in which the history names them. */
  readonly index: number;
  /** It may be deleted and begin again: more than one stream of this name, one after the other. */
  mayBeginAgain: boolean;
  readonly refusals: Refusal[];
  /** When each create (delete) was called of which nobody knows whether it was applied. */
  readonly createdCallsUs: number[];
  readonly deletedCallsUs: number[];
  /** Appends that may be applied without an answer that says where. */
  readonly appends: AppendFacts[];
}

export interface HistoryFacts {
  readonly streams: readonly StreamFacts[];
  /** By value. */
  readonly appends: ReadonlyMap<number, AppendFacts>;
  readonly answered: Answered[];
}

export function historyFacts(history: readonly HistoryEntry[]): HistoryFacts | HistoryProblem {
  const streams = new Map<string, StreamFacts>();
  const appends = new Map<number, AppendFacts>();
  const answered: Answered[] = [];
  for (const entry of history) {
    let stream = streams.get(entry.stream);
    if (stream === undefined) {
      stream = newStream(entry.stream, streams.size);
      streams.set(entry.stream, stream);
    }
    const problem = takeEntry(entry, stream, appends, answered);
    if (problem !== undefined) return problem;
  }
  for (const append of appends.values()) {
    const { kind } = append.entry.outcome;
    if (kind === 'unknown') append.stream.appends.push(append);
  }
  for (const { appends: loose, createdCallsUs, deletedCallsUs } of streams.values()) {
    loose.sort((a, b) => a.entry.callUs - b.entry.callUs);
    for (let index = 0; index < loose.length; index++) (loose[index] as AppendFacts).loose = index;
    createdCallsUs.sort(byNumber);
    deletedCallsUs.sort(byNumber);
  }
  for (const read of answered) {
    if (read.entry.kind !== 'read' || read.entry.outcome.kind !== 'applied') continue;
    const problem = takeRead(read, read.entry, read.entry.outcome, appends);
    if (problem !== undefined) return problem;
  }
  return { streams: [...streams.values()], appends, answered };
}

function byNumber(a: number, b: number): number {
  return a - b;
}

function newStream(name: string, index: number): StreamFacts {
  return { name, index, mayBeginAgain: false, refusals: [], createdCallsUs: [], deletedCallsUs: [], appends: [] };
}

function takeEntry(
  entry: HistoryEntry,
  stream: StreamFacts,
  appends: Map<number, AppendFacts>,
  answered: Answered[],
): HistoryProblem | undefined {
  const { outcome, kind } = entry;
  assert(outcome.kind === 'unknown' || entry.returnUs !== undefined, 'an operation that has an outcome has returned');
  if (kind === 'delete-stream' && outcome.kind !== 'refused') stream.mayBeginAgain = true;
  if (kind === 'append') {
    assert(!appends.has(entry.value), 'a value is of one append');
    appends.set(entry.value, { entry, stream, shownAt: [], loose: -1 });
  }
  if (outcome.kind === 'applied') {
    answered.push({ entry, commitId: outcome.commitId, isRead: kind === 'read', stream, shownCallUs: -1 });
    return kind === 'append' ? expectedOffsetProblem(entry) : undefined;
  }
  if (outcome.kind === 'unknown') {
    if (kind === 'create-stream') stream.createdCallsUs.push(entry.callUs);
    if (kind === 'delete-stream') stream.deletedCallsUs.push(entry.callUs);
    return undefined;
  }
  const needs = needsOf(entry);
  if (needs === undefined) return undefined;
  if (needs === 'nothing') return neverRight(entry);
  const { callUs, returnUs = callUs } = entry;
  const expectedOffset = entry.kind === 'append' ? (entry.expectedOffset ?? -1) : -1;
  stream.refusals.push({ entry, stream, needs, expectedOffset, callUs, returnUs });
  return undefined;
}

/** Codes of the API and rules of the kernel. undefined: says nothing about the state; `nothing`: no state is right. */
function needsOf(entry: HistoryEntry): Refusal['needs'] | 'nothing' | undefined {
  const { outcome } = entry;
  // A replica that has applied nothing yet knows no stream, and a committed read may be that old.
  if (outcome.kind === 'no-stream')
    return entry.kind === 'read' && entry.consistency === 'linearizable' ? 'no-stream' : undefined;
  if (outcome.kind !== 'refused') return undefined;
  switch (outcome.rule) {
    case 'STREAM_EXISTS':
    case 'Kernel.CreateStream.NameIsFree':
      return entry.kind === 'create-stream' ? 'stream' : 'nothing';
    case 'STREAM_NOT_FOUND':
    case 'Kernel.DeleteStream.StreamExists':
    case 'Kernel.Append.StreamExists':
      return entry.kind === 'create-stream' ? 'nothing' : 'no-stream';
    case 'OFFSET_MISMATCH':
    case 'Kernel.Append.OffsetMatches':
      return entry.kind === 'append' && entry.expectedOffset !== undefined ? 'other-offset' : 'nothing';
    case 'IDEMPOTENCY_KEY_REUSED':
    case 'Kernel.Append.KeyIsNotReused':
      return 'nothing'; // a key is of one operation
    default:
      return undefined;
  }
}

function neverRight(entry: HistoryEntry): HistoryProblem {
  const rule = entry.outcome.kind === 'refused' ? entry.outcome.rule : entry.outcome.kind;
  return problemOf(
    'RefusalIsJustified',
    entry,
    `${nameOf(entry)} was refused by ${rule}, which refuses no such request`,
  );
}

function expectedOffsetProblem(entry: AppendEntry): HistoryProblem | undefined {
  const { expectedOffset, outcome } = entry;
  if (outcome.kind !== 'applied' || expectedOffset === undefined || outcome.firstOffset === expectedOffset)
    return undefined;
  const message = `${nameOf(entry)} asked for offset ${expectedOffset} and was given ${outcome.firstOffset}`;
  return problemOf('ExpectedOffsetKept', entry, message);
}

function takeRead(
  read: Answered,
  entry: ReadEntry,
  { events, nextOffset }: ReadAnswer,
  appends: ReadonlyMap<number, AppendFacts>,
): HistoryProblem | undefined {
  if (events.length > entry.limit || nextOffset !== entry.from + events.length)
    return notARange(entry, `has ${events.length} events and goes on at ${nextOffset}`);
  let append: AppendFacts | undefined;
  let before: EventRead | undefined;
  for (let index = 0; index < events.length; index++) {
    const event = events[index] as EventRead;
    if (event.offset !== entry.from + index)
      return notARange(entry, `has offset ${event.offset} as its event ${index}`);
    if (append === undefined || append.entry.value !== event.value) {
      if (append !== undefined && before !== undefined && before.part !== append.entry.count - 1)
        return torn(entry, before, append);
      append = appends.get(event.value);
      const problem = append === undefined ? notAppended(entry, event) : takeShown(read, entry, event, append);
      if (problem !== undefined) return problem;
      if (append !== undefined && index > 0 && event.part !== 0) return torn(entry, event, append);
    } else if (before === undefined || event.part !== before.part + 1) return twice(entry, event, append);
    if (append !== undefined && event.part >= append.entry.count) return notAppended(entry, event, append);
    before = event;
  }
  return undefined;
}

/** The first event of a value in a read. */
function takeShown(
  read: Answered,
  entry: ReadEntry,
  event: EventRead,
  append: AppendFacts,
): HistoryProblem | undefined {
  const { entry: appended, stream, shownAt } = append;
  const { outcome } = appended;
  if (stream !== read.stream) return notAppended(entry, event, append);
  if (outcome.kind === 'refused') {
    const message = `${nameOf(entry)} shows value ${event.value} at offset ${event.offset}, which ${nameOf(appended)} says is not applied`;
    return problemOf('RefusedIsNotApplied', entry, message, [appended]);
  }
  const firstOffset = event.offset - event.part;
  if (outcome.kind === 'applied') {
    if (outcome.firstOffset !== firstOffset) return twice(entry, event, append);
    if (outcome.commitId <= read.commitId) return undefined;
    const message = `${nameOf(entry)} shows value ${event.value}, which was committed later: ${nameOf(appended)}`;
    return problemOf('NoReadFromTheFuture', entry, message, [appended]);
  }
  read.shownCallUs = Math.max(read.shownCallUs, appended.callUs);
  if (shownAt.includes(firstOffset)) return undefined;
  if (shownAt.length > 0) return twice(entry, event, append);
  shownAt.push(firstOffset);
  return undefined;
}

function notARange(entry: ReadEntry, what: string): HistoryProblem {
  const message = `${nameOf(entry)} from offset ${entry.from}, at most ${entry.limit} events, ${what}`;
  return problemOf('ReadIsARange', entry, message);
}

function notAppended(entry: ReadEntry, { offset, value, part }: EventRead, append?: AppendFacts): HistoryProblem {
  const by = append === undefined ? 'nobody appended' : `is not what ${nameOf(append.entry)} appended`;
  const message = `${nameOf(entry)} shows part ${part} of value ${value} at offset ${offset}, which ${by}`;
  return problemOf('ValueWasAppended', entry, message, append === undefined ? [] : [append.entry]);
}

function torn(entry: ReadEntry, { offset, value, part }: EventRead, append: AppendFacts): HistoryProblem {
  const message = `${nameOf(entry)} shows part ${part} of value ${value} at offset ${offset}, and not all ${append.entry.count} parts of it together`;
  return problemOf('AppendIsWhole', entry, message, [append.entry]);
}

function twice(entry: ReadEntry, { offset, value, part }: EventRead, append: AppendFacts): HistoryProblem {
  const { outcome } = append.entry;
  const first = outcome.kind === 'applied' ? outcome.firstOffset : append.shownAt[0];
  const message = `${nameOf(entry)} shows part ${part} of value ${value} at offset ${offset}, and the value lies from offset ${first ?? entry.from} on`;
  return problemOf('AppendedOnce', entry, message, [append.entry]);
}
