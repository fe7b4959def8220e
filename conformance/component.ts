/** A row of `make check`: where the spec, machine, code and driver of one component stand, and what its models are. */
import type { AnyStateMachine } from 'xstate';
import type { AppliedRule, ExplainedReplica, Explanation } from '../machines/explanation.ts';
import type { Constants, Driver } from './driver.ts';
import type { Tlc } from './engines/find-tlc.ts';

/**
 * small: exhaustive and replayed edge by edge. deep: hours allowed, only with --deep. live: liveness, not replayed.
 * directed: a start state of its own a few steps before a failure, for mutants; checked, not replayed.
 * refinement: holds the spec to another one by INSTANCE; checked, not replayed.
 */
export type ModelKind = 'small' | 'deep' | 'live' | 'directed' | 'refinement';

export interface Model {
  /** File in specs/, e.g. `Vsr_crash.cfg`; its first line says what it can show and what it is too small to show. */
  readonly cfg: string;
  /** Root module in specs/, e.g. `MCVsr`. */
  readonly module: string;
  readonly kind: ModelKind;
  /** Why the embedded engine cannot run this model; absent when it must. */
  readonly embeddedSkipped?: string;
  /** Pinned count of distinct states: one that moves is a change of meaning. */
  readonly distinct: number;
}

/** An implementation fault: a switch that only the harness can reach. Must be killed by bisimulation. */
export interface ImplementationFault<S, E extends { readonly type: string }> {
  readonly name: string;
  readonly canary?: string;
  readonly rule: string;
  /** The models to walk until it is killed. */
  readonly cfgs: readonly string[];
  /** The same driver over the broken code. */
  readonly driver: Driver<S, E>;
}

/** The parts of a state that explain themselves, the same whether code or spec is in it. */
export interface StateExplanation<S> {
  ofCode(state: S): readonly ExplainedReplica[];
  /** @param texts canonical text of every variable, as a model checker or a trace gives it */
  ofSpec(texts: Readonly<Record<string, string>>, constants: Constants): readonly ExplainedReplica[];
  /** impl/dx; undefined in a build without it. */
  load(): Promise<Explain | undefined>;
}

/** What topic `refusal` is asked about: an event as it would be answered now, or one that was refused. */
export interface ExplainQuestion {
  readonly event?: string;
  readonly past?: {
    readonly sequence: number;
    readonly event: string;
    readonly from: number | undefined;
    readonly status: string;
    readonly rules: readonly AppliedRule[];
  };
}

/** The topics, and the function that the server has behind /v1/dx/explain. */
export interface Explain {
  readonly topics: readonly string[];
  readonly explain: (topic: string, replica: ExplainedReplica, question?: ExplainQuestion) => Explanation;
}

/** Simulated runs among the validated ones, and how fast TLC judged them. */
export interface SimulatedNumbers {
  readonly traces: number;
  readonly steps: number;
  /** The start of TLC included. */
  readonly stepsPerSecond: number;
}

/**
 * Runs of the whole system, recorded by itself and decided by TLC (conformance.md point 5): how many steps they had, and in a
 * sentence what the spec does not allow of them. @param root of the repository
 */
export type RecordedRuns = (
  root: string,
  tlc: Tlc,
) => Promise<{
  readonly traces: number;
  readonly steps: number;
  readonly simulated?: SimulatedNumbers;
  readonly wrong?: string;
}>;

export interface Component<S = unknown, E extends { readonly type: string } = { readonly type: string }> {
  readonly name: string;
  /** Paths from the root of the repository. */
  readonly sources: {
    readonly spec: string;
    readonly machine: string;
    readonly implementation: readonly string[];
    readonly driver: string;
  };
  readonly machine: AnyStateMachine;
  readonly driver: Driver<S, E>;
  readonly models: readonly Model[];
  readonly faults: readonly ImplementationFault<S, E>[];
  /** Spec variables that no code variable stands for, with the reason. Everything else must be projected. */
  readonly abstracted: Readonly<Record<string, string>>;
  /** Actions of the spec that no event of the machine stands for (a crash: the driver kills and reopens), with the reason. */
  readonly outsideMachine?: Readonly<Record<string, string>>;
  /** Invariants and properties that no mutant can break, with the reason; everything else must be broken by one. */
  readonly unbreakable?: Readonly<Record<string, string>>;
  /** Guard conjuncts that are constant in every model, by rule id (`Component.Event.Guard`), with the reason. */
  readonly constantGuards?: Readonly<Record<string, string>>;
  /** Constants of small models whose size no canary justifies, with the reason; every other needs a mutant's `needs`. */
  readonly boundsWithoutCanary?: Readonly<Record<string, string>>;
  /** What the explanations of impl/dx take, for `lockstep replay --explain`. */
  readonly explanation?: StateExplanation<S>;
  /** Driver over a real file system with larger constants, for random deep traces (conformance.md point 4). */
  readonly random?: {
    readonly cfg: string;
    readonly module: string;
    readonly driver: Driver<S, E>;
    readonly traces: number;
    readonly depth: number;
  };
  /** For the stage `validation`: processes on a real disk and a real network, simulated clusters. */
  readonly recordedRuns?: readonly { readonly about: string; readonly run: RecordedRuns }[];
}
