/** What the stages of a check hand to each other and to the report. One problem has one code, so tests can name it. */
import type { BisimulationResult, Divergence } from '../bisimulate/divergence.ts';
import type { ModelKind, SimulatedNumbers } from '../component.ts';
import type { EngineFailure } from '../engines/engine.ts';
import type { SavedDivergence } from '../report/save-divergence.ts';
import type { SourceLine } from '../report/source-lines.ts';

/** Every way in which `make check` fails; exit 2 for those that say it could not run, exit 1 for the others. */
export type ProblemCode =
  | 'missing'
  | 'extra'
  | 'different'
  | 'initial'
  | 'mutated'
  | 'error'
  | 'invariant-in-code'
  | 'invariant'
  | 'property'
  | 'deadlock'
  | 'assume'
  | 'evaluation'
  | 'vacuous-action'
  | 'zero-edges'
  | 'edges-not-executed'
  | 'variable-not-compared'
  | 'alphabet-lacks-action'
  | 'property-with-constraint'
  | 'engines-disagree'
  | 'distinct-moved'
  | 'cfg-first-line'
  | 'liveness-without-fairness'
  | 'guard-never-false'
  | 'guard-never-true'
  | 'unkilled-invariant'
  | 'bound-unjustified'
  | 'exception-stale'
  | 'mirror'
  | 'mutant-survives'
  | 'fault-survives'
  | 'random'
  | 'validation'
  | 'no-engine'
  | 'parse'
  | 'config'
  | 'driver'
  | 'engine';

export const EXIT_TWO: ReadonlySet<ProblemCode> = new Set<ProblemCode>(['no-engine', 'parse', 'config', 'engine']);

export interface Problem {
  readonly code: ProblemCode;
  readonly component: string;
  /** One sentence: what, where, what to do. */
  readonly message: string;
  readonly cfg?: string;
  /** The action of the spec that it is about, where it is about one. */
  readonly action?: string | undefined;
  readonly divergence?: Divergence;
  readonly sources?: readonly SourceLine[];
  readonly saved?: SavedDivergence;
  readonly failure?: EngineFailure;
}

export interface ModelOutcome {
  readonly cfg: string;
  readonly kind: ModelKind;
  readonly about: string;
  readonly distinct: number;
  readonly generated: number;
  readonly depth: number;
  readonly edges: number;
  readonly executed: number;
  readonly seconds: number;
  readonly actions: Readonly<Record<string, number>>;
  readonly invariants: readonly string[];
  readonly properties: readonly string[];
  readonly second:
    | { readonly engine: string; readonly distinct: number; readonly agrees: boolean }
    | { readonly skipped: string };
  readonly bisimulation?: BisimulationResult;
}

/** What another stage (mirror, mutants, random, validation) says: numbers for its column, and what is wrong. */
export interface StageOutcome<Numbers> {
  readonly numbers: Numbers;
  readonly problems: readonly Problem[];
}

export interface MirrorNumbers {
  readonly actions: number;
  readonly guards: number;
  readonly invariants: number;
  /** Actions that no event of the machine stands for, with the reason that the component gives. */
  readonly outside: Readonly<Record<string, string>>;
  readonly ok: boolean;
}

/** One mutant of the spec or one fault in the code, and how it ended. */
export interface MutantOutcome {
  readonly side: 'spec' | 'impl';
  readonly name: string;
  /** Row of canaries.md, where it is one. */
  readonly canary?: string;
  readonly rule: string;
  readonly cfg: string;
  readonly verdict: 'killed' | 'survived' | 'skipped';
  /** Invariant, property or `deadlock` of the spec; verdict and action of the walk for the code. */
  readonly killedBy?: string;
  /** Steps from the initial state to the kill. */
  readonly steps?: number;
  /** Why it was skipped, or what happened instead of the kill. */
  readonly note?: string;
  readonly seconds: number;
}

/** A skipped mutant (its engine is absent) counts in neither number and stands in the list with the reason. */
export interface MutantNumbers {
  readonly spec: { readonly killed: number; readonly total: number };
  readonly impl: { readonly killed: number; readonly total: number };
  readonly list: readonly MutantOutcome[];
}

export interface TraceNumbers {
  readonly traces: number;
  readonly steps: number;
  /** Those of a simulator among them. */
  readonly simulated?: SimulatedNumbers;
  readonly ok: boolean;
}

export interface ComponentOutcome {
  readonly name: string;
  readonly models: readonly ModelOutcome[];
  /** Models that no engine here takes, with the reason. */
  readonly leftOut?: Readonly<Record<string, string>>;
  readonly liveness: { readonly properties: readonly string[]; readonly ok: boolean };
  readonly mirror?: MirrorNumbers;
  readonly mutants?: MutantNumbers;
  readonly random?: TraceNumbers;
  readonly validation?: TraceNumbers;
  readonly problems: readonly Problem[];
  readonly seconds: number;
  readonly cached: boolean;
}

export interface CheckOutcome {
  readonly engines: readonly { readonly name: 'tlc' | 'embedded'; readonly version: string; readonly origin: string }[];
  readonly components: readonly ComponentOutcome[];
  /** Problems that belong to no component (no engine, unknown component). */
  readonly problems: readonly Problem[];
  readonly seconds: number;
}
