/**
 * What one replica of specs/Vsr.tla knows, and what can happen to it: context and events of machines/vsr.ts.
 * Hashes are lower-case hexadecimal, so that equality is equality of strings. The log itself is not here: only its ends;
 * what a guard asks of the log comes with the event, read by the code (impl/vsr/replica.ts).
 */

/** HashOf(entries, 0): parent of op 1. */
export const NO_ENTRY_HASH = '0'.repeat(64);

/** DoViewChange as it is counted. */
export interface ChangeVote {
  readonly from: number;
  readonly view: number;
  readonly logView: number;
  readonly op: number;
  readonly hash: string;
  readonly commit: number;
}

/** The log to fetch before a view is entered. */
export interface Target {
  /** Replica that named it; replicaCount when there is none. */
  readonly from: number;
  readonly op: number;
  readonly hash: string;
  readonly commit: number;
  /** Next op to ask for. */
  readonly next: number;
}

/** The last round of reads that a primary began in its view. */
export interface Reading {
  /** From 1 in each view; 0 before the first. */
  readonly round: number;
  /** Commit number noted when the open round began; 0 while none is open. */
  readonly commit: number;
  /** Replicas that have answered the open round, itself included, sorted; empty while none is open. */
  readonly oks: readonly number[];
}

export interface VsrContext {
  readonly replica: number;
  readonly replicaCount: number;
  /** Most ops that a primary holds uncommitted. */
  readonly pipelineMax: number;
  readonly view: number;
  readonly viewDurable: number;
  readonly logView: number;
  readonly logViewDurable: number;
  /** Length of the log, and the hash of its last entry. */
  readonly op: number;
  readonly headHash: string;
  /** Length of what a crash leaves of the log, and the hash of its last entry: equal to the two above, log = logDurable. */
  readonly opDurable: number;
  readonly headHashDurable: string;
  readonly commit: number;
  readonly commitDurable: number;
  /** By replica: highest op acknowledged in this view. */
  readonly acked: readonly number[];
  /** Replicas, sorted. */
  readonly startVotes: readonly number[];
  /** One a replica, sorted by it. */
  readonly changeVotes: readonly ChangeVote[];
  readonly target: Target;
  readonly reading: Reading;
  /** Primary: ops up to this one came from earlier views, with the log that this view began with; 0 for others. */
  readonly opBegun: number;
}

/** Field by field: see copiesContextBy of table.ts. */
export function copyOfContext(context: VsrContext): VsrContext {
  return {
    replica: context.replica,
    replicaCount: context.replicaCount,
    pipelineMax: context.pipelineMax,
    view: context.view,
    viewDurable: context.viewDurable,
    logView: context.logView,
    logViewDurable: context.logViewDurable,
    op: context.op,
    headHash: context.headHash,
    opDurable: context.opDurable,
    headHashDurable: context.headHashDurable,
    commit: context.commit,
    commitDurable: context.commitDurable,
    acked: context.acked,
    startVotes: context.startVotes,
    changeVotes: context.changeVotes,
    target: context.target,
    reading: context.reading,
    opBegun: context.opBegun,
  };
}

/** What superblock and log hold when a replica opens. */
export interface DurableState {
  readonly view: number;
  readonly logView: number;
  readonly commit: number;
  readonly op: number;
  readonly headHash: string;
}

export interface VsrInput {
  readonly replica: number;
  readonly replicaCount: number;
  readonly pipelineMax: number;
  readonly durable: DurableState;
}

/** Every field that a guard may ask of a message; which ones are there depends on its type (impl/vsr/message.ts). */
export interface MessageFacts {
  readonly from: number;
  readonly view: number;
  readonly to?: number;
  readonly op?: number;
  readonly logView?: number;
  readonly commit?: number;
  readonly round?: number;
  /** Hash of the entry that the message carries or names. */
  readonly hash?: string;
  /** Parent hash of the entry that the message carries. */
  readonly parent?: string;
}

export const MESSAGE_ACTIONS = [
  'ReceivePrepare',
  'ReceivePrepareOk',
  'ReceiveCommit',
  'ReceiveReadRound',
  'ReceiveReadRoundOk',
  'JoinViewChange',
  'JoinView',
  'ReceiveStartViewChange',
  'AnswerStartViewChange',
  'ReceiveDoViewChange',
  'ReceiveStartView',
  'ReceiveStartViewWhileNormal',
  'ReceiveRequestEntry',
  'ReceiveHeldEntry',
  'ReceiveMissingEntry',
] as const;

/** Steps that take no message and no fact: time, storage, and what a replica does by itself. */
export const PLAIN_ACTIONS = [
  'BackupFsync',
  'PrimaryFsync',
  'SendCommit',
  'PersistCommit',
  'StartReadRound',
  'CompleteRead',
  'HeartbeatTimeout',
  'Abdicate',
  'ViewChangeTimeout',
  'ViewChangeFsync',
  'PersistView',
  'SendDoViewChange',
  'CastOwnChangeVote',
  'ChooseLog',
  'StartView',
  'EnterView',
  'Crash',
  'RestartAsBackup',
  'RestartAsPrimary',
  'RestartInViewChange',
] as const;

/** Steps that a replica takes by itself as soon as their guards hold, in the order of the protocol. */
export const INTERNAL_ACTIONS = [
  'RestartAsBackup',
  'RestartAsPrimary',
  'RestartInViewChange',
  'PersistView',
  'CastOwnChangeVote',
  'ChooseLog',
  'AdoptLog',
  'StartView',
  'EnterView',
] as const;

/** Steps that ask whether the log has reached its target. */
export const TARGET_ACTIONS = ['RequestEntry', 'AdoptLog'] as const;

export type MessageAction = (typeof MESSAGE_ACTIONS)[number];
export type PlainAction = (typeof PLAIN_ACTIONS)[number];
export type TargetAction = (typeof TARGET_ACTIONS)[number];
export type VsrAction = 'ClientRequest' | MessageAction | PlainAction | TargetAction;

export type VsrEvent =
  /** hash: of the entry that the request becomes, its parent being headHash. */
  | { readonly type: 'ClientRequest'; readonly hash: string }
  /** hashAtOp: HashAt(r, message.op), undefined above the head or when nobody asks. */
  | { readonly type: MessageAction; readonly message: MessageFacts; readonly hashAtOp?: string | undefined }
  /** hashAtTarget: HashAt(r, target.op), undefined above the head. */
  | { readonly type: TargetAction; readonly hashAtTarget: string | undefined }
  | { readonly type: PlainAction };

export function noTarget(replicaCount: number): Target {
  return { from: replicaCount, op: 0, hash: NO_ENTRY_HASH, commit: 0, next: 0 };
}

export const NO_READING: Reading = { round: 0, commit: 0, oks: [] };

export function noAcks(replicaCount: number): readonly number[] {
  return new Array<number>(replicaCount).fill(0);
}

/** A replica as it opens: everything volatile is what the disk holds, or nothing. */
export function openedContext({ replica, replicaCount, pipelineMax, durable }: VsrInput): VsrContext {
  return {
    replica,
    replicaCount,
    pipelineMax,
    view: durable.view,
    viewDurable: durable.view,
    logView: durable.logView,
    logViewDurable: durable.logView,
    op: durable.op,
    headHash: durable.headHash,
    opDurable: durable.op,
    headHashDurable: durable.headHash,
    commit: durable.commit,
    commitDurable: durable.commit,
    acked: noAcks(replicaCount),
    startVotes: [],
    changeVotes: [],
    target: noTarget(replicaCount),
    reading: NO_READING,
    opBegun: 0,
  };
}
