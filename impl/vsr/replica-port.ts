/**
 * What server, cluster command, client edge and dx may know of a replica: the interface of class Replica (replica.ts).
 * Mirrors specs/Vsr.tla in its names: status, view, logView, op, opDurable, commit. Synchronous: no call waits; what takes
 * time comes back as a frame (receive), a tick (tick) or the next flush.
 */
import type { AnyMachineSnapshot } from 'xstate';
import type { GuardEvidence } from '../../machines/evidence.ts';
import type { RuleId } from '../../machines/stepper.ts';
import type { MessageFacts } from '../../machines/vsr-context.ts';
import type { Prepare } from './prepare.ts';

/** 'halted' is outside the spec: there it is a crash without restart. See statusReason. */
export type ReplicaStatus = 'normal' | 'view-change' | 'recovering' | 'halted';

/** submit(): the op and its hash (32 bytes), or the rules that refuse it. `Vsr.ClientRequest.PipelineHasRoom` means busy. */
export type Submitted = { readonly op: number; readonly hash: Uint8Array } | { readonly refusedBy: readonly RuleId[] };

/** One event that was put to the machine, taken or refused. Handed to onEvent after its effects are done. */
export interface ReplicaRecord {
  /** Action of specs/Vsr.tla, such as `ReceivePrepare`. */
  readonly type: string;
  readonly taken: boolean;
  readonly statusBefore: ReplicaStatus;
  readonly statusAfter: ReplicaStatus;
  /** Index of the replica that sent the message; undefined when the event came from within. */
  readonly from: number | undefined;
  /** What the guards may ask of the message; undefined when the event came from within. For recordings (recorder.ts). */
  readonly message?: MessageFacts | undefined;
  readonly view: number;
  readonly op: number;
  readonly commit: number;
  /** Every guard's own answer in the state before the event, with what it read. Evaluated when called. */
  guards(): readonly GuardEvidence[];
}

/** The last event that the machine refused: for `explain`. */
export interface Refusal {
  readonly type: string;
  readonly from: number | undefined;
  readonly refusedBy: readonly RuleId[];
}

export interface ReplicaPort {
  /** Index of this replica, 0..replicaCount-1. */
  readonly replica: number;
  readonly replicaCount: number;
  readonly cluster: bigint;
  readonly status: ReplicaStatus;
  /** Why the replica is halted: code and sentence of the error that did it; undefined unless status is 'halted'. */
  readonly statusReason: string | undefined;
  /** View number, from 0. */
  readonly view: number;
  /** View in which the log was last normal. */
  readonly logView: number;
  /** Highest op of the log, 0 when it is empty. */
  readonly op: number;
  /** Highest op that a crash leaves here; at most op while the status is normal. */
  readonly opDurable: number;
  /** Highest op known committed. */
  readonly commit: number;
  /** Index of the primary of `view`. */
  readonly primary: number;
  /** The machine of Vsr and its snapshot, for explanations: never changed in place. */
  readonly snapshot: AnyMachineSnapshot;
  readonly lastRefusal: Refusal | undefined;

  /**
   * Takes a client's batch as the next op. Committed when onCommitted names that op with that hash; another hash at that op
   * means that a view change put something else there, and the caller asks again.
   * @param body 1..body limit of codec.ts bytes; @param client u64; @param request u32
   * @returns never throws for a state that refuses: `refusedBy` holds the rules; `Vsr.halted` when halted.
   */
  submit(body: Uint8Array, client: bigint, request: number): Submitted;
  /**
   * Vsr!StartReadRound: every read that came before this call is answered by onRead. It may never be called: the view ends, or
   * no quorum answers; whoever waits looks at readRound now and then and begins again.
   * @returns the number of the round, which is one of this view; or the rules that refuse it
   */
  startReadRound(): { readonly round: number } | { readonly refusedBy: readonly RuleId[] };
  /** The open round of reads; undefined without one. View and round name it for ever. */
  readonly readRound: { readonly view: number; readonly round: number } | undefined;
  /** The open round has ended: its reads may show the log up to this op, or any later one that is committed. */
  onRead: (commit: number) => void;
  /**
   * One frame of a peer. Bad frames are counted by their code and dropped; nothing a frame holds can throw.
   * @param from index of the peer that the connection is bound to: a frame that claims another sender is dropped.
   */
  receive(from: number, frame: Uint8Array): void;
  /** One tick of the clock port (REPLICA_TICK_MS): timers fire in here. */
  tick(): void;
  /** One fsync for everything written since the last one; then what waited for it leaves. Nothing happens when nothing waits. */
  flush(announce?: boolean): void;
  /**
   * A primary tells its backups what is committed since it last did. flush() does so, too, unless told not to: a server waits
   * for the next prepare, so that both leave in one write, or for its next tick.
   */
  announce(): void;
  /** The prepare at this op of the log, committed or not; undefined when there is none. */
  prepareAt(op: number): Prepare | undefined;
  /** Frames dropped so far, by code of FrameError or `WRONG_SENDER`. */
  readonly framesDropped: ReadonlyMap<string, number>;
  /** Each committed prepare once and in order of op, from op 1 in every process: after open, 1..commit come first. */
  onCommitted: (prepare: Prepare) => void;
  /** Every event put to the machine, taken or refused; undefined costs nothing. */
  onEvent: ((record: ReplicaRecord) => void) | undefined;
  /** Lets go of log and superblock. Nothing is flushed: closing is a crash that the disk survives. */
  close(): void;
}
