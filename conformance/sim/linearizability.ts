/**
 * Whether the clients of a run can have seen one object: named streams, each a list of events with offsets from 0, to which
 * whole appends are added, one after the other, and which is created, deleted and created again (empty). Mirrors no spec
 * module; the semantics are those of impl/kernel/rules.ts and read.ts.
 *
 * What it demands. There is an order of all operations in which each answer is right, and
 *   - operations with an answer, linearizable reads among them, take effect between call and return; what returned in the
 *     very microsecond in which another was called may be before it or behind it;
 *   - commit ids ascend along it; commands of one op take effect at one moment; a read shows the state after the whole op of
 *     its commit id, so all reads of a commit id show one state; a committed read may be of any age, but had been committed
 *     when it returned; a read with fewer events than its limit ends where the stream ends (runs stay under READ_BYTES_MAX);
 *   - an append without an answer is applied once, whenever after its call, or never, however often it was sent; creates and
 *     deletes without an answer likewise;
 *   - what was refused is not applied, and if its rule is about the state, there is such a state while it was under way.
 *
 * How. Commit ids and offsets give one candidate order (linearizability-order.ts); what has none is put between by a search of
 * one stream at a time (linearizability-search.ts), without choices where nothing is loose: near-linear. The streams' orders
 * fit together unless loose operations of two of them pull an op's moment apart; then all are searched together.
 *
 * Incomplete, always to the side of no alarm: a search that has tried CHOICES_MAX choices ends without a verdict (seen only in
 * made-up histories of which a tenth and more has no answer, in streams that are deleted); what has no commit id and lies
 * between two commands of one op need not be at its moment; ops that no answer names are as many as it takes, also where the
 * log had no room for one; refusals of bounds (LIMIT_REACHED) and what a server says of itself (BUSY, NO_QUORUM, …) need no
 * state; a committed read that saw no stream is always right.
 */
import { assert } from '../../impl/ports/assert.ts';
import type { HistoryEntry } from './client-history.ts';
import { explainDeadEnd } from './linearizability-dead-end.ts';
import { type HistoryFacts, historyFacts, type StreamFacts } from './linearizability-facts.ts';
import { orderOf, type Step } from './linearizability-order.ts';
import type { HistoryProblem } from './linearizability-problem.ts';
import { type Loose, OrderSearch } from './linearizability-search.ts';

/** In any order; values are unique. @returns undefined when the history is linearizable as said above */
export function checkHistory(history: readonly HistoryEntry[]): HistoryProblem | undefined {
  const facts = historyFacts(history);
  if ('rule' in facts) return facts;
  const steps = orderOf(facts);
  if ('rule' in steps) return steps;
  const orders: number[][] = facts.streams.map(() => []);
  for (let index = 0; index < steps.length; index++) orders[(steps[index] as Step).stream]?.push(index);
  const loose: Loose[] = [];
  let loosened = 0;
  for (const stream of facts.streams) {
    const found = searched(steps, orders[stream.index] as number[], [stream], facts);
    if ('rule' in found) return found;
    if (found.length > 0) loosened++;
    for (const one of found) loose.push(one);
  }
  if (loosened < 2 || fitsTogether(steps.length, loose)) return undefined;
  const together = searched(
    steps,
    steps.map((_, index) => index),
    facts.streams,
    facts,
  );
  return 'rule' in together ? together : undefined;
}

/** @returns where what has no commit id was put; nothing without a verdict */
function searched(
  steps: readonly Step[],
  order: readonly number[],
  streams: readonly StreamFacts[],
  facts: HistoryFacts,
): readonly Loose[] | HistoryProblem {
  const found = new OrderSearch(steps, order, streams, facts).run();
  if (found.kind === 'order') return found.loose;
  if (found.kind === 'undetermined') return [];
  assert(found.kind === 'none', 'a search that is not told to stop does not');
  const again = new OrderSearch(steps, order, streams, facts).run(found.at);
  assert(again.kind === 'dead-end', 'a search comes again to where it ended');
  return explainDeadEnd(again.deadEnd, facts);
}

/** No step must come before a moment by one stream's loose operations and after it by another's. */
function fitsTogether(stepCount: number, loose: readonly Loose[]): boolean {
  const earliestUs = new Float64Array(stepCount + 1).fill(-1);
  const latestUs = new Float64Array(stepCount + 1).fill(Number.POSITIVE_INFINITY);
  for (const { before, callUs, after, returnUs } of loose) {
    earliestUs[before] = Math.max(earliestUs[before] as number, callUs);
    if (after >= 0) latestUs[after] = Math.min(latestUs[after] as number, returnUs);
  }
  let callUs = -1;
  for (let step = 0; step < stepCount; step++) {
    callUs = Math.max(callUs, earliestUs[step] as number);
    if (callUs > (latestUs[step] as number)) return false;
  }
  return true;
}
