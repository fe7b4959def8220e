/**
 * What the engine needs from a system to hold it to a spec: four functions, synchronous, no protocol decision in them.
 * S is a forkable state of the real code; E an event whose `type` is the name of a spec action.
 */
import type { GuardEvaluation } from '../machines/stepper.ts';
import type { TlaValue } from './values/tla-value.ts';

/** Constants as the model's .cfg gives them; never restated in TypeScript. */
export type Constants = Readonly<Record<string, TlaValue>>;

export interface Driver<S, E extends { readonly type: string }> {
  /** The real implementation in the spec's initial state(s). */
  initial(constants: Constants): S | readonly S[];
  /** The finite alphabet at this state: every event the world could deliver, the ones to be refused included. */
  alphabet(state: S): readonly E[];
  /** Forks, delivers, drains. Returns the same reference when the code refused and nothing changed. Never mutates `state`. */
  step(state: S, event: E): S;
  /** Every variable of the spec by its own name. */
  project(state: S): Readonly<Record<string, TlaValue>>;
  /** The machine's own answers for this event, conjunct by conjunct: for the evidence that no guard is constant. */
  guards?(state: S, event: E): readonly GuardEvaluation[];
  /** The machine's invariant predicates, by the names in the .cfg, asked of the real state. */
  readonly invariants?: Readonly<Record<string, (state: S) => boolean>>;
  /** One line for a person: `ReceivePrepare(1, op 1 of view 0)`. */
  describe?(event: E): string;
  /** Releases what a state holds (files of a random deep trace on the real disk). */
  dispose?(state: S): void;
}
