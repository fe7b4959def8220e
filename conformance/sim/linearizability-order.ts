/**
 * The order that the commit ids of a history give, and the moments that are left for each op: the ops' moments ascend, each
 * lies within all operations that it answered, and nothing may be called after what comes later has returned. Mirrors no spec
 * module.
 */
import type { HistoryEntry } from './client-history.ts';
import type { Answered, HistoryFacts } from './linearizability-facts.ts';
import { type HistoryProblem, nameOf, problemOf } from './linearizability-problem.ts';

/** The commands of one op on one stream, in an order that may be open; or the reads of the state after it. */
export interface Step {
  readonly commitId: number;
  readonly isReads: boolean;
  readonly stream: number;
  readonly members: readonly Answered[];
  /** The op was not committed before. */
  earliestUs: number;
  /** It was committed by then. */
  latestUs: number;
  /** What comes behind this step takes effect not before. For commands that is earliestUs. */
  endEarliestUs: number;
}

/** A call or return that bounds the rest. */
interface Bound {
  readonly atUs: number;
  readonly answered: Answered | undefined;
}

export function orderOf({ answered }: HistoryFacts): readonly Step[] | HistoryProblem {
  answered.sort(byCommit);
  const steps: Step[] = [];
  let latestCall: Bound = { atUs: -1, answered: undefined };
  for (let from = 0; from < answered.length; ) {
    const end = blockEnd(answered, from);
    const isReads = (answered[from] as Answered).isRead;
    const before = withCalls(latestCall, answered, from, end, isReads ? shownCallOf : callOf);
    for (let index = from; index < end; index++) {
      const { entry } = answered[index] as Answered;
      if (returnOf(entry) < before.atUs) return disorder(before, answered[index] as Answered);
    }
    latestCall = isReads ? withCalls(before, answered, from, end, callOf) : before;
    pushSteps(steps, answered, from, end, before.atUs, latestCall.atUs);
    from = end;
  }
  boundReturns(steps);
  return steps;
}

/** In the order of the log as far as it is known: commands of an op before the reads of its state, by stream and offset. */
function byCommit(a: Answered, b: Answered): number {
  if (a.commitId !== b.commitId) return a.commitId - b.commitId;
  if (a.isRead !== b.isRead) return a.isRead ? 1 : -1;
  if (a.stream !== b.stream) return a.stream.index - b.stream.index;
  return firstOffsetOf(a) - firstOffsetOf(b);
}

function firstOffsetOf({ entry }: Answered): number {
  if (entry.kind !== 'append' || entry.outcome.kind !== 'applied') return 0;
  return entry.outcome.firstOffset;
}

function blockEnd(answered: readonly Answered[], from: number): number {
  const { commitId, isRead } = answered[from] as Answered;
  let end = from + 1;
  for (; end < answered.length; end++) {
    const next = answered[end] as Answered;
    if (next.commitId !== commitId || next.isRead !== isRead) break;
  }
  return end;
}

/** A committed read may be of any age. */
function callOf({ entry }: Answered): number {
  return entry.kind === 'read' && entry.consistency === 'committed' ? -1 : entry.callUs;
}

function shownCallOf({ shownCallUs }: Answered): number {
  return shownCallUs;
}

function returnOf({ returnUs }: HistoryEntry): number {
  return returnUs ?? Number.POSITIVE_INFINITY;
}

function withCalls(
  bound: Bound,
  answered: readonly Answered[],
  from: number,
  end: number,
  call: (of: Answered) => number,
): Bound {
  let latest = bound;
  for (let index = from; index < end; index++) {
    const one = answered[index] as Answered;
    const atUs = call(one);
    if (atUs > latest.atUs) latest = { atUs, answered: one };
  }
  return latest;
}

function pushSteps(
  steps: Step[],
  answered: readonly Answered[],
  from: number,
  end: number,
  earliestUs: number,
  endEarliestUs: number,
): void {
  for (let index = from; index < end; ) {
    const { commitId, isRead, stream } = answered[index] as Answered;
    let next = index + 1;
    while (next < end && (answered[next] as Answered).stream === stream) next++;
    const members = answered.slice(index, next);
    steps.push({
      commitId,
      isReads: isRead,
      stream: stream.index,
      members,
      earliestUs,
      latestUs: Number.POSITIVE_INFINITY,
      endEarliestUs,
    });
    index = next;
  }
}

function boundReturns(steps: readonly Step[]): void {
  let latestUs = Number.POSITIVE_INFINITY;
  for (let end = steps.length; end > 0; ) {
    const { commitId, isReads } = steps[end - 1] as Step;
    let from = end;
    while (from > 0 && steps[from - 1]?.commitId === commitId && steps[from - 1]?.isReads === isReads) {
      from--;
      for (const { entry } of (steps[from] as Step).members) latestUs = Math.min(latestUs, returnOf(entry));
    }
    for (let index = from; index < end; index++) (steps[index] as Step).latestUs = latestUs;
    end = from;
  }
}

/** `late` was called (or shows what was called) after `early` had returned, and comes before it or with it. */
function disorder({ atUs, answered: late }: Bound, early: Answered): HistoryProblem {
  if (late === undefined) throw new RangeError('a bound without a call bounds nothing');
  const [earlyName, lateName] = [nameOf(early.entry), nameOf(late.entry)];
  if (late.isRead && late.commitId < early.commitId && atUs === callOf(late)) {
    const message = `${lateName} was called after ${earlyName} had returned, and shows an older state`;
    return problemOf('NoStaleRead', late.entry, message, [early.entry]);
  }
  if (late.isRead) {
    const message = `${earlyName} had returned before an append was called that ${lateName} shows`;
    return problemOf('NoReadFromTheFuture', early.entry, message, late === early ? [] : [late.entry]);
  }
  if (early.isRead) {
    const message = `${earlyName} had returned before ${lateName} was called, and its state has it`;
    return problemOf('NoReadFromTheFuture', early.entry, message, [late.entry]);
  }
  const rule = late.commitId === early.commitId ? 'OneMomentAnOp' : 'RealTimeOrder';
  return problemOf(rule, late.entry, `${lateName} was called after ${earlyName} had returned`, [early.entry]);
}
