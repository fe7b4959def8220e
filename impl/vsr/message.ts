/**
 * What replicas say to each other. One interface per message of Vsr.tla, with its fields; `hash` there is the value of the
 * last entry, here the chain hash. RequestPrepare is retransmission: outside the spec, where every message stays available.
 */
import type { Prepare } from './prepare.ts';

/** The primary's next entry, or an earlier one again. The commit travels beside it, in a Commit. */
export interface PrepareMessage {
  readonly type: 'Prepare';
  readonly from: number;
  readonly view: number;
  /** entry.op. */
  readonly op: number;
  readonly entry: Prepare;
}

/** Everything up to op is durable at the sender. op 0: its log is empty. */
export interface PrepareOkMessage {
  readonly type: 'PrepareOk';
  readonly from: number;
  readonly view: number;
  readonly op: number;
}

export interface CommitMessage {
  readonly type: 'Commit';
  readonly from: number;
  readonly view: number;
  readonly commit: number;
}

export interface StartViewChangeMessage {
  readonly type: 'StartViewChange';
  readonly from: number;
  readonly view: number;
}

export interface DoViewChangeMessage {
  readonly type: 'DoViewChange';
  readonly from: number;
  readonly view: number;
  readonly logView: number;
  readonly op: number;
  readonly hash: Uint8Array;
  readonly commit: number;
}

export interface StartViewMessage {
  readonly type: 'StartView';
  readonly from: number;
  readonly view: number;
  readonly op: number;
  readonly hash: Uint8Array;
}

export interface RequestEntryMessage {
  readonly type: 'RequestEntry';
  readonly from: number;
  readonly to: number;
  readonly view: number;
  readonly op: number;
}

export interface EntryMessage {
  readonly type: 'Entry';
  readonly from: number;
  readonly to: number;
  readonly view: number;
  /** entry.op. */
  readonly op: number;
  readonly entry: Prepare;
}

/** The primary asks whether this view is still its backups', for the reads of this round. */
export interface ReadRoundMessage {
  readonly type: 'ReadRound';
  readonly from: number;
  readonly view: number;
  readonly round: number;
}

/** It still is the sender's. */
export interface ReadRoundOkMessage {
  readonly type: 'ReadRoundOk';
  readonly from: number;
  readonly view: number;
  readonly round: number;
}

/** A backup that lacks ops from `op` on asks its primary for them; the answer is Prepare messages. */
export interface RequestPrepareMessage {
  readonly type: 'RequestPrepare';
  readonly from: number;
  readonly view: number;
  readonly op: number;
}

export type Message =
  | PrepareMessage
  | PrepareOkMessage
  | CommitMessage
  | StartViewChangeMessage
  | DoViewChangeMessage
  | StartViewMessage
  | RequestEntryMessage
  | EntryMessage
  | ReadRoundMessage
  | ReadRoundOkMessage
  | RequestPrepareMessage;

export type MessageType = Message['type'];
