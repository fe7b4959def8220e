/**
 * What a plan spends of the fault budget (budget.ts), so that a changed plan does not spend more than the one that it came
 * from: a failure outside of the budget would be another one. Pure. Mirrors no spec module.
 */
import { LOSING_KINDS, lostReplicasMax } from './budget.ts';
import { FOREVER_US, type Link, type Scenario } from './plan.ts';

/** Replicas that lose what they must not lose, or are cut off for good. */
export function lostReplicas({ plan }: Scenario): ReadonlySet<number> {
  const lost = new Set<number>();
  for (const event of plan) {
    if (event.type !== 'fault') continue;
    const { fault } = event;
    if ('replica' in fault && LOSING_KINDS.has(fault.kind)) lost.add(fault.replica);
    if (event.untilUs === FOREVER_US && 'cut' in fault) for (const one of aloneIn(fault.cut)) lost.add(one);
  }
  return lost;
}

/** The replica that all links have in common; both ends of every one when there is none. */
function aloneIn(cut: readonly Link[]): readonly number[] {
  const ends = cut.map(({ from, to }) => [from, to]);
  const common = (ends[0] ?? []).filter((end) => ends.every((both) => both.includes(end)));
  return common.length > 0 ? common.slice(0, 1) : ends.flat();
}

/** Within the budget, or spending no more of it than `whole`. */
export function isWithinBudgetOf(candidate: Scenario, whole: Scenario): boolean {
  if (candidate.beyond) return true;
  const most = candidate.replicaCount === whole.replicaCount ? lostReplicas(whole).size : 0;
  return lostReplicas(candidate).size <= Math.max(lostReplicasMax(candidate.replicaCount), most);
}
