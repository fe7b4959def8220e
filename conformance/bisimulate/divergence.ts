/** Where spec and code part: the verdict, the shortest way there, and both states by variable. Plain data, so it can be saved. */
import type { GuardEvaluation } from '../../machines/stepper.ts';

/**
 * missing: the spec allows it, the code refuses. extra: the code does what the spec forbids. different: both act, states differ.
 * initial: they do not start alike. mutated: a step changed the state it was given. error: the code threw.
 * invariant: a predicate of the machine is false on a state that the spec reaches.
 */
export type Verdict = 'missing' | 'extra' | 'different' | 'initial' | 'mutated' | 'error' | 'invariant';

/** Canonical text by variable. */
export type StateTexts = Readonly<Record<string, string>>;

export interface TraceStep {
  /** The event as the driver takes it; undefined for the initial state. Must survive JSON (see report/itf.ts). */
  readonly event: { readonly type: string } | undefined;
  /** One line for a person. */
  readonly label: string;
  readonly state: StateTexts;
}

export interface Divergence {
  readonly verdict: Verdict;
  /** Action of the spec, or the name of the invariant. */
  readonly action: string;
  readonly message: string;
  /** From an initial state to the state where the two part, that state last. */
  readonly path: readonly TraceStep[];
  /** The event that parts them; undefined when no event of the alphabet did what the spec asks. */
  readonly event: { readonly type: string } | undefined;
  readonly label: string;
  /** What the spec allows after this action here; empty when it allows nothing. */
  readonly expected: readonly StateTexts[];
  /** What the code did; undefined when it refused. */
  readonly actual: StateTexts | undefined;
  /** The machine's conjuncts here, where the driver tells them. */
  readonly guards: readonly GuardEvaluation[];
}

/** How often a guard conjunct was asked, and what it said: a constant one is no evidence. */
export interface GuardCount {
  holds: number;
  fails: number;
}

export interface BisimulationResult {
  readonly states: number;
  readonly edges: number;
  readonly executed: number;
  readonly missing: number;
  readonly extra: number;
  readonly different: number;
  /** Events delivered, refused ones included. */
  readonly delivered: number;
  readonly refused: number;
  readonly seconds: number;
  /** Actions of the spec for which the alphabet ever held an event. */
  readonly offered: ReadonlySet<string>;
  /** By rule id. */
  readonly guards: ReadonlyMap<string, GuardCount>;
  /** Evaluations by name of invariant. */
  readonly invariants: ReadonlyMap<string, { readonly evaluations: number; readonly failed: number }>;
  /** The first few, shortest path first. */
  readonly divergences: readonly Divergence[];
}
