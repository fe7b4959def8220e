/**
 * What one simulated run is decided by: a seed and a plan, plain JSON, so that a run can be saved, shrunk and replayed. The
 * plan is made from the seed (make-plan.ts); what chance decides inside a run (which frame is lost) comes from the seed of
 * the place where it happens, so that leaving out a part of the plan leaves the rest as it was. Times are whole virtual
 * microseconds from the start. Mirrors no spec module.
 */
import type { Writeback } from '../../impl/ports/simulated-disk.ts';
import type { SessionBounds } from '../../impl/vsr/client-sessions.ts';

/** Seeds are 32-bit: what SimulatedRandom takes. */
export const SEED_MAX = 0xffff_ffff;

/** A fault with this end is not healed: the rest of the cluster must do without that replica. */
export const FOREVER_US = Number.MAX_SAFE_INTEGER;

export type ReplicaCount = 3 | 5 | 7;

export const NETWORK_FAULTS = [
  'delay',
  'loss',
  'duplication',
  'reordering',
  'partition-symmetric',
  'partition-asymmetric',
  'partition-partial',
  'clogging',
  'gray-failure',
  'message-mutation',
] as const;
export const DISK_FAULTS = [
  'disk-latency',
  'disk-reordering',
  'torn-write',
  'lost-write',
  'misdirected-write',
  'latent-corruption',
  'disk-eio',
  'disk-full',
  'lost-fsync',
] as const;
export const CLOCK_FAULTS = ['clock-skew', 'clock-drift', 'clock-jump'] as const;
export const PROCESS_FAULTS = [
  'process-crash',
  'power-loss',
  'process-pause',
  'process-slow',
  'gone-for-good',
] as const;

export const SESSION_FAULTS = ['session-flood', 'late-duplicate'] as const;

/** Every kind of fault, each with its own switch (PlanSettings.without) and its own count in the report. */
export const FAULT_KINDS = [
  ...NETWORK_FAULTS,
  ...DISK_FAULTS,
  ...CLOCK_FAULTS,
  ...PROCESS_FAULTS,
  ...SESSION_FAULTS,
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** From one replica to another; one direction. */
export interface Link {
  readonly from: number;
  readonly to: number;
}

export type Fault =
  /** Weather of the network while it lasts, everywhere or on one link. Shares are of 1,000 frames. */
  | { readonly kind: 'delay'; readonly links: readonly Link[] | 'all'; readonly extraUsMax: number }
  | { readonly kind: 'loss'; readonly links: readonly Link[] | 'all'; readonly perMille: number }
  | { readonly kind: 'duplication'; readonly links: readonly Link[] | 'all'; readonly perMille: number }
  /** Some frames overtake: they wait up to extraUsMax longer than those behind them. */
  | {
      readonly kind: 'reordering';
      readonly links: readonly Link[] | 'all';
      readonly perMille: number;
      readonly extraUsMax: number;
    }
  /** Nothing goes over these links. */
  | {
      readonly kind: 'partition-symmetric' | 'partition-asymmetric' | 'partition-partial';
      readonly cut: readonly Link[];
    }
  /** Frames of these links wait, and all arrive when it ends. */
  | { readonly kind: 'clogging'; readonly links: readonly Link[] }
  /** Everything that this replica sends or gets is late and partly lost; it looks alive. */
  | { readonly kind: 'gray-failure'; readonly replica: number; readonly perMille: number; readonly extraUsMax: number }
  /** Bits of a frame change under way; the checksum of the wire must notice, and the connection is made anew. */
  | { readonly kind: 'message-mutation'; readonly links: readonly Link[] | 'all'; readonly perMille: number }
  /** Each sync of this replica's disk takes up to so much longer. */
  | { readonly kind: 'disk-latency'; readonly replica: number; readonly extraUsMax: number }
  /** At the next write (or sync) the disk refuses: the replica halts and is started again after downUs. */
  | {
      readonly kind: 'disk-eio';
      readonly replica: number;
      readonly operation: 'write' | 'sync' | 'read';
      readonly downUs: number;
    }
  /** With shortBytes the write is not refused: the disk takes so many bytes of it. */
  | { readonly kind: 'disk-full'; readonly replica: number; readonly downUs: number; readonly shortBytes?: number }
  /**
   * The power goes at the atOperation-th disk operation from now (0: between two operations); of what was not synced
   * keptPerMille is on the disk, in the order of the writeback, whole 4 KiB pages or, torn, a part of one.
   */
  | {
      readonly kind: 'power-loss' | 'torn-write' | 'disk-reordering';
      readonly replica: number;
      readonly atOperation: number;
      readonly keptPerMille: number;
      readonly writeback: Writeback;
      readonly torn: boolean;
      readonly downUs: number;
    }
  /** kill -9: what was written stays, in the page cache. */
  | { readonly kind: 'process-crash'; readonly replica: number; readonly atOperation: number; readonly downUs: number }
  /** SIGSTOP and SIGCONT: frames wait. */
  | { readonly kind: 'process-pause'; readonly replica: number }
  /** Everything that this replica does takes so much longer. */
  | { readonly kind: 'process-slow'; readonly replica: number; readonly extraUs: number }
  /** Damage of the medium: budget.ts says how many replicas may meet one. at: share of the file, in thousandths. */
  | {
      readonly kind: 'lost-write' | 'misdirected-write' | 'lost-fsync';
      readonly replica: number;
      readonly atPerMille: number;
    }
  | {
      readonly kind: 'latent-corruption';
      readonly replica: number;
      readonly file: 'superblock' | 'log';
      readonly atPerMille: number;
      readonly bytes: number;
    }
  /** Wall clock off by so much while it lasts (skew), running fast or slow in parts per million (drift), or set once (jump). */
  | { readonly kind: 'clock-skew'; readonly replica: number; readonly offsetUs: number }
  | { readonly kind: 'clock-drift'; readonly replica: number; readonly ppm: number }
  | { readonly kind: 'clock-jump'; readonly replica: number; readonly offsetUs: number }
  /** The replica's machine is gone and does not come back, not even when all faults end. */
  | { readonly kind: 'gone-for-good'; readonly replica: number }
  /** Strangers register so many sessions here and never use them: others are evicted for them. */
  | { readonly kind: 'session-flood'; readonly replica: number; readonly count: number }
  /** A request that this client sent in a session, or for one, arrives once more: the back-th before its last. */
  | { readonly kind: 'late-duplicate'; readonly replica: number; readonly client: number; readonly back: number };

export interface FaultEvent {
  readonly type: 'fault';
  readonly atUs: number;
  /** When it ends; at once for what happens once. Absent faults of an interval last until the safety phase ends. */
  readonly untilUs?: number;
  readonly fault: Fault;
}

export type ClientAction =
  /** `value` is unique in the run: its entries' data begin with it. */
  | {
      readonly kind: 'append';
      readonly stream: string;
      readonly value: number;
      readonly count: number;
      readonly bytes: number;
      /** Retried under one idempotency key until it has an outcome, or tried once. */
      readonly keyed: boolean;
      /** Asks for the offset that the client last saw as the next one. */
      readonly expected: boolean;
    }
  | { readonly kind: 'read'; readonly stream: string; readonly linearizable: boolean; readonly limit: number }
  | { readonly kind: 'create-stream'; readonly stream: string }
  | { readonly kind: 'delete-stream'; readonly stream: string };

export interface OperationEvent {
  readonly type: 'operation';
  readonly atUs: number;
  readonly client: number;
  /** Replica that it is sent to first; the client goes on to others when that one does not serve. */
  readonly replica: number;
  readonly action: ClientAction;
}

/** The client's process dies: what it waits for is never seen. With `retries`, its next life asks again under the same keys. */
export interface ClientCrashEvent {
  readonly type: 'client-crash';
  readonly atUs: number;
  readonly client: number;
  readonly retries: boolean;
}

export type PlanEvent = FaultEvent | OperationEvent | ClientCrashEvent;

export const WORKLOADS = [
  'uniform',
  'hot-stream',
  'bursts',
  'big-entries',
  'many-clients',
  'client-crashes',
  'slow-reader',
] as const;
export type Workload = (typeof WORKLOADS)[number];

/** Everything that decides a run, beside the code. */
export interface Scenario {
  readonly seed: number;
  /** Name of the scenario that made the plan (scenarios.ts), such as `swarm`. */
  readonly name: string;
  readonly replicaCount: ReplicaCount;
  readonly workload: Workload;
  /** Outside of the fault budget: a loud stop is right, silence is not. */
  readonly beyond: boolean;
  /** A broken implementation by its name in canaries.ts; absent: the real one. */
  readonly canary?: string;
  /** End of the safety phase; then all faults end (but gone-for-good) and everything submitted must complete. */
  readonly safetyUs: number;
  /** It goes on until the run has had so many steps, with the faults that last. Absent: time alone decides. */
  readonly stepsMin?: number;
  /** Base one-way time of a frame: from..to, uniform. */
  readonly frameUs: readonly [from: number, to: number];
  /** Base time of a sync: from..to, uniform. */
  readonly syncUs: readonly [from: number, to: number];
  /** Bounds of the client table; half of the clients use sessions then. Absent: none does. */
  readonly sessions?: SessionBounds;
  /** In order of atUs. */
  readonly plan: readonly PlanEvent[];
}
