/** What is wrong with a history of clients, and the words for it. Mirrors no spec module. */
import type { HistoryEntry } from './client-history.ts';

export type HistoryRule =
  // what an answer says by itself, or beside the request of which it shows the value
  | 'ReadIsARange' // offsets from `from` on, without holes, at most `limit`, nextOffset behind the last
  | 'ValueWasAppended' // to this stream, by somebody, with this many parts
  | 'RefusedIsNotApplied' // the value of a refused append is in no stream
  | 'AppendIsWhole' // its parts stand behind each other, all of them
  | 'AppendedOnce' // no value at two places
  | 'ExpectedOffsetKept' // an append that asked for an offset has no other
  // commit ids against the clocks of the clients
  | 'NoStaleRead' // a linearizable read shows what had returned before it was called
  | 'NoReadFromTheFuture' // what was called after the read had returned is not in it
  | 'RealTimeOrder' // what had returned before the other was called has the lower commit id
  | 'OneMomentAnOp' // commands of one op were all under way at one moment
  // no order of all that the answers say and leave open gives these answers
  | 'AcknowledgedIsKept' // an acknowledged event is in every later state, at its offset
  | 'OneStateACommitId' // what is read at a commit id is what lies there
  | 'OffsetsAreDense' // an append begins where the stream ended
  | 'StreamExists' // for an append, a delete, a read that has an answer
  | 'NameIsFree' // for a create
  | 'RefusalIsJustified' // a state while the operation was under way in which its rule refuses
  | 'NoStreamIsJustified'; // a state while the linearizable read was under way without the stream

export interface HistoryProblem {
  readonly operation: number;
  readonly rule: HistoryRule;
  /** One sentence with values. */
  readonly message: string;
  /** Numbers of the other operations that it takes to see it. */
  readonly related: readonly number[];
}

export function problemOf(
  rule: HistoryRule,
  entry: HistoryEntry,
  message: string,
  related: readonly HistoryEntry[] = [],
): HistoryProblem {
  return { operation: entry.operation, rule, message, related: related.map(({ operation }) => operation) };
}

/** For a message: `operation 12 (append of value 7 to s0, at commit id 9)`. */
export function nameOf(entry: HistoryEntry): string {
  return `operation ${entry.operation} (${whatOf(entry)}${placeOf(entry)})`;
}

function whatOf(entry: HistoryEntry): string {
  if (entry.kind === 'append') return `append of value ${entry.value} to ${entry.stream}`;
  if (entry.kind === 'read') return `${entry.consistency} read of ${entry.stream}`;
  return `${entry.kind} ${entry.stream}`;
}

function placeOf({ outcome }: HistoryEntry): string {
  return outcome.kind === 'applied' ? ` at commit id ${outcome.commitId}` : `, ${outcome.kind}`;
}
