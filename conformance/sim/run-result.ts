/** What a simulated run came to. Mirrors no spec module. */
import type { HistoryEntry } from './client-history.ts';
import type { ClusterShapes } from './cluster-shapes.ts';
import type { FaultKind } from './plan.ts';
import type { SimEvent } from './sim-event.ts';

/** Each can be switched off (RunOptions.without), to see which canaries are missed then. */
export const ORACLES = [
  'invariants', // the predicates of machines/vsr-invariants.ts, after every step that changed what they read
  'agreement', // one entry an op, one state hash a commit id, on all replicas
  'acknowledged', // what a client was told is there at the end, at its offset, once
  'sessions', // a request of a session is executed once, and whoever asks again gets the first answer
  'linearizability', // the clients' histories
  'promptness', // where nothing hinders (scenarios calm and failover), nothing waits for a retry
  'liveness', // after the faults everything submitted completes within LIVENESS_TICKS_MAX
  'assertions', // asserts of the code, and replicas that halt without a fault that explains it
  'durability', // what superblock and log hold in memory is what their files read back
] as const;
export type Oracle = (typeof ORACLES)[number];

export interface SimFailure {
  readonly oracle: Oracle;
  /** Short and stable: the invariant's name, the assertion's words: what "the same failure" means to shrink. */
  readonly rule: string;
  /** One sentence with values. */
  readonly message: string;
  readonly step: number;
  readonly atUs: number;
}

export interface RunResult {
  readonly seed: number;
  /** SHA-256 over the whole history, hexadecimal. */
  readonly hash: string;
  readonly failure?: SimFailure;
  /** Steps of the world: frames delivered, ticks, ends of turns, client calls, faults. */
  readonly steps: number;
  /** Ticks among them. */
  readonly ticks: number;
  /** Events that the replicas' machines took. */
  readonly machineEvents: number;
  readonly framesSent: number;
  readonly framesDelivered: number;
  /** Client operations by how they ended. */
  readonly operations: { readonly applied: number; readonly refused: number; readonly unknown: number };
  readonly committedOps: number;
  readonly viewMax: number;
  readonly virtualUs: number;
  /** How often each kind was injected (a frame lost, a write torn), not how often it was planned. */
  readonly injected: Readonly<Partial<Record<FaultKind, number>>>;
  /** Replicas that stopped loudly, with the code. */
  readonly halts: readonly { readonly replica: number; readonly code: string }[];
  /** (state, event, guard outcomes) seen, as `normal ReceivePrepare NextInSequence=0`: keys of coverage.ts. */
  readonly coverage?: ReadonlySet<string>;
}

export interface RunOptions {
  readonly without?: ReadonlySet<Oracle>;
  readonly onEvent?: (event: SimEvent) => void;
  /** Collects RunResult.coverage. */
  readonly coverage?: boolean;
  /** With coverage: takes the shapes that the cluster goes through, for whoever steers. */
  readonly shapes?: ClusterShapes;
  /** What the clients saw, at the end. */
  readonly onHistory?: (history: readonly HistoryEntry[]) => void;
  /** Stops after this step, without the liveness phase. */
  readonly stepMax?: number;
}
