/** What an explanation says of a rule of the spec: its words and its place. Data, written by conformance/spec-parser. */

/** A named definition of a TLA+ module: action, guard, invariant or operator. */
export interface SpecRule {
  readonly name: string;
  /** The words that stand with it in the spec; may be empty. */
  readonly comment: string;
  /** TLA+. */
  readonly text: string;
  /** Path from the root of the repository. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** Where the machine has it: its guard, its event's first transition, or its predicate; absent for an operator. */
  readonly machine?: { readonly file: string; readonly line: number };
}

export interface SpecAction extends SpecRule {
  /** Named guards, in the order of the text. */
  readonly guards: readonly string[];
}

export interface ComponentSpec {
  readonly name: string;
  readonly file: string;
  readonly statuses: readonly string[];
  /** In the order of Next. */
  readonly actions: readonly SpecAction[];
  readonly guards: readonly SpecRule[];
  readonly invariants: readonly SpecRule[];
  /** Whatever else has a comment: operators that actions rely on. */
  readonly definitions: readonly SpecRule[];
}
