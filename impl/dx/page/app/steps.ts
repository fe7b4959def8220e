/**
 * The history of a machine as the page keeps it: bounded, merged by sequence, and filtered for the scrubber. Heartbeats fill a
 * history within seconds, so what changed nothing is left out unless asked for. Mirrors no spec module.
 */
import type { Step } from './answers.ts';

/** Steps kept in the page for one machine of one replica. */
export const STEPS_KEPT_MAX = 2_000;

export const FILTERS = ['changes', 'refusals', 'all'] as const;
export type Filter = (typeof FILTERS)[number];

/** @returns kept itself when nothing is new */
export function mergedSteps(kept: readonly Step[], fresh: readonly Step[]): readonly Step[] {
  const last = kept.at(-1)?.sequence ?? 0;
  const restarted = (fresh.at(-1)?.sequence ?? last) < last; // another process: it counts from 1 again
  if (restarted) return fresh.slice(-STEPS_KEPT_MAX);
  const added = fresh.filter(({ sequence }) => sequence > last);
  return added.length === 0 ? kept : [...kept, ...added].slice(-STEPS_KEPT_MAX);
}

/** Whether the step left view, op, commit and status as the step before had them. */
export function changedNothing(step: Step, before: Step | undefined): boolean {
  if (step.from !== step.to) return false;
  if (!step.taken) return true;
  if (before === undefined) return /Commit$/.test(step.event);
  return before.view === step.view && before.op === step.op && before.commit_id === step.commit_id;
}

export function filteredSteps(steps: readonly Step[], filter: Filter): readonly Step[] {
  if (filter === 'all') return steps;
  if (filter === 'refusals') return steps.filter(({ taken }) => !taken);
  return steps.filter((step, index) => !changedNothing(step, steps[index - 1]));
}

/** What a step did, in a few words. */
export function stepText({ sequence, event, taken, from, to, peer, view, op, commit_id }: Step): string {
  const who = peer === null ? '' : ` from replica ${peer}`;
  const did = taken ? (from === to ? 'taken' : `${from} to ${to}`) : 'refused';
  return `${sequence}: ${event}${who}, ${did}; view ${view}, op ${op}, commit ${commit_id}`;
}
