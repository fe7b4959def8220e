/**
 * What the mirror check, the explanations and the documentation read off a TLA+ module. Plain data, no syntax tree.
 */

/** A constant or variable with the comment behind it. */
export interface SpecName {
  readonly name: string;
  /** Empty when there is none. */
  readonly comment: string;
  readonly line: number;
}

export interface Definition {
  readonly name: string;
  readonly parameters: readonly string[];
  /** The text right of `==`. */
  readonly body: string;
  /** The comment that stands directly above, or behind a definition of one line. */
  readonly comment: string;
  readonly line: number;
  /** Last line of the body. */
  readonly lineEnd: number;
  /** Module that defines it: not the root's when it was extended. */
  readonly module: string;
}

/**
 * guard: a named operator without a primed variable. status: compares `status` with literal values.
 * selector: compares the type of a message, which the event's own type stands for. update: speaks of the next state.
 * anonymous: an enabling condition without a name, which no machine guard can mirror.
 */
export type ConjunctKind = 'guard' | 'status' | 'selector' | 'update' | 'anonymous';

export interface Conjunct {
  readonly kind: ConjunctKind;
  /** The operator, for a guard; empty otherwise. */
  readonly name: string;
  readonly text: string;
  readonly line: number;
  /** For a status conjunct: the values under which it holds. */
  readonly statuses?: readonly string[];
}

export interface SpecAction extends Definition {
  /** Named disjunctions from Next to this action: `Next`, `System`. */
  readonly path: readonly string[];
  readonly conjuncts: readonly Conjunct[];
}

export interface SpecModule {
  readonly name: string;
  readonly file: string;
  readonly extended: readonly string[];
  readonly constants: readonly SpecName[];
  readonly variables: readonly SpecName[];
  readonly definitions: ReadonlyMap<string, Definition>;
  /** In the order of Next. */
  readonly actions: readonly SpecAction[];
  /** Every literal that `status` is compared with or set to, sorted. */
  readonly statuses: readonly string[];
}
