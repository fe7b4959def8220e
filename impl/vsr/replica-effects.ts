/**
 * What the effects of machines/vsr.ts do to log, superblock and network, each by its name in the table and in its order:
 * so what is durable first and visible later stands in the table alone. Mirrors the primed log, logDurable, superblock
 * variables and messages of specs/Vsr.tla. Decides nothing.
 */
import type { EffectParams } from '../../machines/vsr.ts';
import { assert } from '../ports/assert.ts';
import type { Network } from '../ports/network.ts';
import { encodeMessage } from './codec.ts';
import type { Message } from './message.ts';
import type { Prepare } from './prepare.ts';

/** What is needed of PrepareLog (prepare-log.ts). */
export interface ReplicaLog {
  readonly op: number;
  readonly headHash: Uint8Array;
  /** Nothing written waits for an fsync. */
  readonly isSynced: boolean;
  /** @param op 0..op */
  hashAt(op: number): Uint8Array;
  prepareAt(op: number): Prepare | undefined;
  /** Why append() would not take it. */
  refusalOf(prepare: Prepare): Error | undefined;
  append(prepares: readonly Prepare[]): void;
  truncateTo(op: number): void;
  fsync(): void;
  close(): void;
}

/** What is needed of Superblock (impl/storage/superblock.ts). */
export interface ReplicaSuperblock {
  readonly state: {
    readonly cluster: bigint;
    readonly replica: number;
    readonly replicaCount: number;
    readonly view: number;
    readonly logView: number;
    readonly commit: number;
  };
  /** Durable on return. */
  update(state: { readonly view: number; readonly logView: number; readonly commit: number }): void;
  close(): void;
}

/** Names of the effects in the table; a test holds the two together. */
export type EffectName =
  | 'writeOwnEntry'
  | 'writeEntry'
  | 'cutLog'
  | 'syncLog'
  | 'syncRest'
  | 'writeSuperblock'
  | 'deliverCommitted'
  | 'sendPrepare'
  | 'sendPrepareOk'
  | 'sendCommit'
  | 'sendStartViewChange'
  | 'sendDoViewChange'
  | 'sendStartView'
  | 'sendRequestEntry'
  | 'sendEntry'
  | 'sendReadRound'
  | 'sendReadRoundOk'
  | 'deliverRead';

/** Frames of a replica to its peers. */
export class Outbox {
  readonly #cluster: bigint;
  readonly #replica: number;
  readonly #replicaCount: number;
  readonly #network: Network;

  constructor(identity: { cluster: bigint; replica: number; replicaCount: number }, network: Network) {
    this.#cluster = identity.cluster;
    this.#replica = identity.replica;
    this.#replicaCount = identity.replicaCount;
    this.#network = network;
  }

  /** Encoded once, sent to everyone else. */
  broadcast(message: Message): void {
    const frame = encodeMessage(this.#cluster, message);
    for (let to = 0; to < this.#replicaCount; to++) if (to !== this.#replica) this.#network.send(to, frame);
  }

  send(to: number, message: Message): void {
    assert(to !== this.#replica, 'a replica does not send to itself');
    this.#network.send(to, encodeMessage(this.#cluster, message));
  }
}

export interface EffectTargets {
  readonly log: ReplicaLog;
  readonly superblock: ReplicaSuperblock;
  readonly outbox: Outbox;
  readonly deliverUpTo: (commit: number) => void;
  /** The reads of the open round may show the log up to this op. */
  readonly deliverRead: (commit: number) => void;
}

/**
 * @param entry what the request became, or what the message carries; undefined for events without one
 * @throws what log and superblock throw: then the replica halts
 */
export function performEffect(
  name: EffectName,
  { context, message }: EffectParams,
  entry: Prepare | undefined,
  { log, superblock, outbox, deliverUpTo, deliverRead }: EffectTargets,
): void {
  const { replica: from, replicaCount, view, op, commit } = context;
  const primary = view % replicaCount;
  switch (name) {
    case 'writeOwnEntry':
    case 'writeEntry':
      assert(entry !== undefined, 'an event that writes carries an entry');
      log.append([entry]);
      assert(log.op === entry.op, 'the entry is the head now');
      return;
    case 'cutLog':
      log.truncateTo(op);
      return;
    case 'syncLog':
      log.fsync();
      return;
    case 'syncRest':
      if (!log.isSynced) log.fsync();
      return;
    case 'writeSuperblock':
      superblock.update({ view, logView: context.logView, commit });
      return;
    case 'deliverCommitted':
      deliverUpTo(commit);
      return;
    case 'sendPrepare':
      assert(entry !== undefined, 'a request has become an entry');
      outbox.broadcast({ type: 'Prepare', from, view, op, entry });
      return;
    case 'sendPrepareOk':
      outbox.send(primary, { type: 'PrepareOk', from, view, op });
      return;
    case 'sendCommit':
      outbox.broadcast({ type: 'Commit', from, view, commit });
      return;
    case 'sendStartViewChange':
      outbox.broadcast({ type: 'StartViewChange', from, view });
      return;
    case 'sendDoViewChange':
      outbox.send(primary, {
        type: 'DoViewChange',
        from,
        view,
        logView: context.logView,
        op,
        hash: log.headHash,
        commit,
      });
      return;
    case 'sendStartView':
      outbox.broadcast({ type: 'StartView', from, view, op, hash: log.headHash });
      return;
    case 'sendRequestEntry':
      outbox.send(context.target.from, {
        type: 'RequestEntry',
        from,
        to: context.target.from,
        view,
        op: context.target.next,
      });
      return;
    case 'sendReadRound':
      outbox.broadcast({ type: 'ReadRound', from, view, round: context.reading.round });
      return;
    case 'sendReadRoundOk':
      assert(message?.round !== undefined, 'a round is answered by its number');
      outbox.send(primary, { type: 'ReadRoundOk', from, view, round: message.round });
      return;
    case 'deliverRead':
      assert(context.reading.commit <= commit, 'what a round has noted is committed');
      deliverRead(context.reading.commit);
      return;
    case 'sendEntry': {
      assert(message?.op !== undefined, 'an entry is asked for by its op');
      const held = log.prepareAt(message.op);
      assert(held !== undefined, 'HoldsOp: the log has the op that is asked for');
      outbox.send(message.from, { type: 'Entry', from, to: message.from, view, op: message.op, entry: held });
      return;
    }
  }
}
