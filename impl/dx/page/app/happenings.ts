/**
 * What changed between two looks at the cluster, in sentences, for the list of what happened and for screen readers.
 * Mirrors no spec module: the machine's own steps, when a status changed, come from the history beside these.
 */
import type { Step } from './answers.ts';
import type { ClusterView, ReplicaCard } from './cluster-view.ts';

export interface Happening {
  readonly text: string;
  readonly tone: 'good' | 'wait' | 'bad' | 'plain';
  readonly replica: number;
  /** The question that its "why?" puts; undefined: there is nobody to ask. */
  readonly topic?: 'replica' | 'view-change' | 'commit' | undefined;
  /** The step of the machine that did it. */
  readonly step?: Step | undefined;
}

export function happeningsBetween(before: ClusterView, after: ClusterView): readonly Happening[] {
  return after.cards.flatMap((card) => {
    const earlier = before.cards.find(({ replica }) => replica === card.replica);
    return earlier === undefined ? [] : changesOf(earlier, card);
  });
}

function changesOf(before: ReplicaCard, { replica, role, status, source }: ReplicaCard): readonly Happening[] {
  if (before.last === undefined) return []; // the first look at it is no news
  if (before.role === role && before.status?.view === status?.view) return [];
  const isBack = before.role === 'silent' && role !== 'silent';
  const of = (text: string, tone: Happening['tone'], topic?: Happening['topic']): readonly Happening[] => [
    { text: `Replica ${replica} ${isBack ? 'answers again: it ' : ''}${text}`, tone, replica, topic },
  ];
  if (role === 'silent') return before.role === 'silent' ? [] : of('stopped answering', 'bad');
  if (source !== 'itself' || status === undefined) return [];
  const { view, status_reason: reason } = status;
  if (role === 'halted') return of(`halted: ${reason ?? 'no reason recorded'}`, 'bad', 'replica');
  if (role === 'changing view') return of(`wants view ${view}: it waits for a quorum`, 'wait', 'view-change');
  if (role === 'primary') return of(`leads view ${view}`, 'good', 'replica');
  if (role === 'recovering') return of('is recovering', 'wait', 'replica');
  if (role === 'backup')
    return of(`follows replica ${status.primary} in view ${view}`, isBack ? 'good' : 'plain', 'replica');
  return [];
}

/** A step that took the machine from one status to another. */
export function happeningOf(replica: number, step: Step): Happening {
  const text = `Replica ${replica}: ${step.event} took it from ${step.from} to ${step.to}`;
  return { text, tone: 'plain', replica, step };
}
