/**
 * Why no order was found: what stands against the furthest step that a search came to, in the words of the first way that led
 * there. Mirrors no spec module.
 */
import { assert } from '../../impl/ports/assert.ts';
import type { Answered, HistoryFacts, ReadEntry, Refusal } from './linearizability-facts.ts';
import { type HistoryProblem, nameOf, problemOf } from './linearizability-problem.ts';
import type { DeadEnd } from './linearizability-search.ts';
import type { StreamSearch } from './linearizability-stream.ts';

export function explainDeadEnd({ step, left, streams, waiting }: DeadEnd, facts: HistoryFacts): HistoryProblem {
  const apart = readsApart(left);
  if (apart !== undefined) return apart;
  const [refusal] = [...waiting].sort((a, b) => a.returnUs - b.returnUs);
  const stream = streams.find(({ facts: { index } }) => index === step?.stream);
  // Commands wait for a refusal that had returned by then, whatever else may stand against them.
  const isOverdue = refusal !== undefined && step !== undefined && !step.isReads && refusal.returnUs < step.earliestUs;
  for (const answered of stream === undefined || isOverdue ? [] : left) {
    const problem = againstStep(answered, stream as StreamSearch, facts);
    if (problem !== undefined) return problem;
  }
  assert(refusal !== undefined, 'where a search ends something has no place');
  return againstRefusal(
    refusal,
    streams.find(({ facts: { index } }) => index === refusal.stream.index),
  );
}

/** Two reads of one stream at one commit id that show two events at one offset. */
function readsApart(left: readonly Answered[]): HistoryProblem | undefined {
  const seen = new Map<number, { readonly entry: ReadEntry; readonly value: number }>();
  for (const { entry } of left) {
    if (entry.kind !== 'read' || entry.outcome.kind !== 'applied') return undefined;
    for (const { offset, value } of entry.outcome.events) {
      const other = seen.get(offset);
      if (other === undefined) seen.set(offset, { entry, value });
      else if (other.value !== value) {
        const message = `${nameOf(entry)} shows value ${value} at offset ${offset}, where ${nameOf(other.entry)} shows value ${other.value}`;
        return problemOf('OneStateACommitId', entry, message, [other.entry]);
      }
    }
  }
  return undefined;
}

function againstStep(answered: Answered, stream: StreamSearch, facts: HistoryFacts): HistoryProblem | undefined {
  const { entry } = answered;
  const {
    exists,
    nextOffset,
    facts: { name },
  } = stream;
  if (entry.kind === 'create-stream')
    return exists
      ? problemOf('NameIsFree', entry, `${nameOf(entry)} was applied, and stream ${name} exists then`)
      : undefined;
  if (!exists)
    return problemOf('StreamExists', entry, `${nameOf(entry)} was applied, and there is no stream ${name} then`);
  if (entry.kind === 'read') return againstRead(entry, stream, facts);
  if (entry.kind !== 'append' || entry.outcome.kind !== 'applied') return undefined;
  const { firstOffset } = entry.outcome;
  const message = `${nameOf(entry)} has offset ${firstOffset}, and the stream goes on at ${nextOffset} then`;
  return firstOffset === nextOffset
    ? undefined
    : problemOf('OffsetsAreDense', entry, message, ownersAt(stream, facts, firstOffset));
}

function againstRead(entry: ReadEntry, stream: StreamSearch, facts: HistoryFacts): HistoryProblem | undefined {
  const { outcome, from, limit } = entry;
  if (outcome.kind !== 'applied') return undefined;
  const { events } = outcome;
  const { nextOffset } = stream;
  const wrong = stream.firstWrong(from, events);
  const isCutOff = wrong < 0 && events.length < limit && nextOffset > from + events.length;
  if (wrong < 0 && !isCutOff) return undefined;
  const offset = from + (wrong < 0 ? events.length : wrong);
  const shows = wrong < 0 ? 'ends' : `shows value ${events[wrong]?.value}`;
  const owners = ownersAt(stream, facts, offset);
  const [owner] = owners;
  const lies = owner === undefined ? 'nothing that explains it lies' : `value ${owner.value} lies`;
  const message = `${nameOf(entry)} ${shows} at offset ${offset}, where ${lies}`;
  const rule = owner?.outcome.kind === 'applied' ? 'AcknowledgedIsKept' : 'OneStateACommitId';
  const shown = facts.appends.get(events[wrong]?.value ?? -1);
  return problemOf(rule, entry, message, shown === undefined ? owners : [...owners, shown.entry]);
}

function againstRefusal({ entry, needs, stream: { name } }: Refusal, stream: StreamSearch | undefined): HistoryProblem {
  const state = stream?.exists === true ? `exists and goes on at ${stream.nextOffset}` : 'does not exist';
  const message = `${nameOf(entry)} is right in no state while it was under way: at last stream ${name} ${state}`;
  return problemOf(
    needs === 'no-stream' && entry.kind === 'read' ? 'NoStreamIsJustified' : 'RefusalIsJustified',
    entry,
    message,
  );
}

/** Whose event lies at this offset. */
function ownersAt(stream: StreamSearch, facts: HistoryFacts, offset: number) {
  const value = stream.valueAt(offset);
  const append = value === undefined ? undefined : facts.appends.get(value);
  return append === undefined ? [] : [append.entry];
}
