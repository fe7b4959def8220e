/** What the runner and its worker processes say to each other, as JSON. Mirrors no spec module. */
import type { FaultKind, ReplicaCount, Scenario, Workload } from '../plan.ts';
import type { RunOptions, RunResult } from '../run-result.ts';
import type { SeedRange } from './seed-ranges.ts';
import type { Tally } from './tally.ts';

/** What decides the runs beside their seeds and the code: the settings of makeScenario, all of them JSON. */
export interface RunSettings {
  /** Of the scenario; absent: swarm. */
  readonly name?: string;
  readonly replicaCount?: ReplicaCount | 'swarm';
  readonly workload?: Workload;
  readonly beyond?: boolean;
  readonly canary?: string;
  readonly without?: readonly FaultKind[];
}

/** What a worker runs: conformance/sim/runner/simulated-world.ts, or a made-up one in tests. */
export interface World {
  readonly makeScenario: (seed: number, settings: RunSettings) => Scenario;
  readonly runScenario: (scenario: Scenario, options: RunOptions) => RunResult;
  /** Writes the bundle of a failing run and returns its path. */
  readonly saveBundle?: (scenario: Scenario, folder: string) => string;
}

export type Job =
  | { readonly kind: 'runs'; readonly range: SeedRange; readonly coverage: boolean }
  /** One run with its whole result. */
  | { readonly kind: 'one'; readonly seed: number }
  | { readonly kind: 'save'; readonly seed: number; readonly folder: string };

export interface Memory {
  /** Process id of the worker. */
  readonly worker: number;
  /** The most that it ever had. */
  readonly residentBytesPeak: number;
  readonly residentBytes: number;
  readonly heapBytes: number;
}

export type Answer =
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'runs';
      readonly range: SeedRange;
      readonly tally: Tally;
      /** Keys that this worker has not told before. */
      readonly coverage: readonly string[];
      readonly memory: Memory;
      readonly tookMs: number;
    }
  | { readonly kind: 'one'; readonly result: OneResult; readonly tally: Tally }
  | { readonly kind: 'saved'; readonly seed: number; readonly file: string }
  | { readonly kind: 'not-saved'; readonly seed: number; readonly why: string };

/** Without its coverage; undefined: the run threw, and the tally says what. */
export type OneResult = Omit<RunResult, 'coverage'> | undefined;
