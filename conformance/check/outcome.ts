/** What the stages of a check hand to each other and to the report. One problem has one code, so tests can name it. */
import type { BisimulationResult, Divergence } from '../bisimulate/divergence.ts';
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
  readonly kind: 'small' | 'deep' | 'live';
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
  readonly ok: boolean;
}

export interface MutantNumbers {
  readonly spec: { readonly killed: number; readonly total: number };
  readonly impl: { readonly killed: number; readonly total: number };
}

export interface TraceNumbers {
  readonly traces: number;
  readonly steps: number;
  readonly ok: boolean;
}

export interface ComponentOutcome {
  readonly name: string;
  readonly models: readonly ModelOutcome[];
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
