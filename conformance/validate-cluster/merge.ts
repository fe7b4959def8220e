/**
 * One run out of several replicas' steps. Messages order them: a step that takes a message comes after the one that sent it.
 * Any such order will do, since a message once sent stays, and a step concerns one replica: what can be taken now, can be
 * taken later too. So the merge never goes back.
 */
import type { SendingStep } from './crashes.ts';
import { takenBy } from './messages.ts';

export interface Merged {
  readonly steps: readonly SendingStep[];
  /** The first step of each replica that takes a message which nobody sent before it could: then there is no order at all. The reason first. */
  readonly stuck: readonly { readonly step: SendingStep; readonly message: string }[];
}

export function merge(runs: readonly (readonly SendingStep[])[]): Merged {
  const sent = new Set<string>();
  const next = runs.map(() => 0);
  const steps: SendingStep[] = [];
  const waitsFor = (step: SendingStep): string | undefined => {
    const message = takenBy(step);
    return message === undefined || sent.has(message) ? undefined : message;
  };
  for (let moved = true; moved; ) {
    moved = false;
    for (const [run, own] of runs.entries()) {
      for (
        let step = own[next[run] ?? 0];
        step !== undefined && waitsFor(step) === undefined;
        step = own[next[run] ?? 0]
      ) {
        steps.push(step);
        if (step.sends !== undefined) sent.add(step.sends);
        next[run] = (next[run] ?? 0) + 1;
        moved = true;
      }
    }
  }
  const stuck = runs.flatMap((own, run) => {
    const step = own[next[run] ?? 0];
    return step === undefined ? [] : [{ step, message: waitsFor(step) ?? '' }];
  });
  // A message that somebody sends later is only waited for; one that nobody ever sends is the reason.
  const everSent = new Set(runs.flat().map(({ sends }) => sends));
  const isReason = ({ message }: { readonly message: string }): number => (everSent.has(message) ? 1 : 0);
  return { steps, stuck: stuck.toSorted((a, b) => isReason(a) - isReason(b)) };
}
