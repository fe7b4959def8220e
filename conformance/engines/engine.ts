/** What a model checker is asked and what it answers, whichever of the two it is. */
import type { StateGraph } from '../graph/state-graph.ts';

export type EngineName = 'tlc' | 'embedded';

/** One model: a root module and its cfg, in a folder with all modules that they extend. */
export interface ModelFiles {
  readonly folder: string;
  /** Root module without `.tla`. */
  readonly module: string;
  /** File name of the cfg in the same folder. */
  readonly cfg: string;
}

/** parse: the check could not run (exit 2). The others are findings about the spec (exit 1). */
export type FailureKind =
  | 'parse'
  | 'config'
  | 'assume'
  | 'invariant'
  | 'property'
  | 'deadlock'
  | 'evaluation'
  | 'limit'
  | 'other';

export interface EngineFailure {
  readonly kind: FailureKind;
  /** The invariant or property, when the engine names one. */
  readonly name?: string;
  /** The engine's own words, shortened. */
  readonly message: string;
  /** What to do about it. */
  readonly advice: string;
  /** The behaviour that leads there, one text a state. */
  readonly trace: readonly string[];
}

export interface EngineRun {
  readonly engine: EngineName;
  readonly version: string;
  readonly distinct: number;
  readonly generated: number;
  readonly depth: number;
  readonly seconds: number;
  /** Every action of Next by name, with how often it led to a state; 0 for one never enabled. Absent: engine does not say. */
  readonly actions?: ReadonlyMap<string, number>;
  readonly graph?: StateGraph;
  readonly failure?: EngineFailure;
}

/** The check could not run: exit 2. */
export class EngineError extends Error {}
