/**
 * The invariants of specs/Vsr.tla, asked after every step of a simulated cluster: the predicates of
 * machines/vsr-invariants.ts, by their parts, of what the step has changed and of nothing else. Sound because every
 * invariant is "for all", and what did not change held before. Also that a durable view and, in one life, a commit number
 * never fall, which is about two states. checkAll() asks the whole predicates of everything, for the proof that both say the same.
 */
import { assert } from '../../impl/ports/assert.ts';
import {
  type ClusterView,
  type MessageView,
  type VsrInvariant,
  vsrInvariants,
  vsrParts,
} from '../../machines/vsr-invariants.ts';
import { EntryTable } from './entry-table.ts';
import { type ObservedNode, ObservedReplica } from './observed-replica.ts';
import { ReadWatch } from './read-watch.ts';
import { SentMessages } from './sent-messages.ts';
import { messageViewOf, replicaViewOf } from './whole-cluster-view.ts';

export type { ObservedNode };

/** The durable view of a replica is less than it was: what two states say, and no invariant of one. */
export const DURABLE_VIEW_FELL = 'DurableViewNeverFalls';
/** The commit number of a replica is less than it was in the same life: the same. */
export const COMMIT_FELL = 'CommitNeverFalls';
export type InvariantName = VsrInvariant | typeof DURABLE_VIEW_FELL | typeof COMMIT_FELL;

export interface InvariantOracleOptions {
  readonly replicaCount: number;
  /** Keeps every message for checkAll(). */
  readonly remembers?: boolean;
}

export class InvariantOracle {
  readonly #replicaCount: number;
  readonly #entries = new EntryTable();
  readonly #replicas: readonly ObservedReplica[];
  readonly #messages: SentMessages;
  /** By their bytes. */
  readonly #everSent: Map<string, MessageView> | undefined;
  /** By op - 1. */
  readonly #acknowledged: string[] = [];
  /** Ops of them that were asked about. */
  #acknowledgedSeen = 0;
  readonly #reads: ReadWatch;
  /** Once something is broken, nothing that is asked of changes alone means anything. */
  #broken: InvariantName | undefined = undefined;

  constructor({ replicaCount, remembers = false }: InvariantOracleOptions) {
    this.#replicaCount = replicaCount;
    this.#replicas = Array.from({ length: replicaCount }, () => new ObservedReplica(replicaCount, this.#entries));
    this.#messages = new SentMessages(replicaCount, this.#entries);
    this.#reads = new ReadWatch(replicaCount);
    this.#everSent = remembers ? new Map() : undefined;
  }

  /** A frame of encodeMessage() left a replica: once for each that it is for, or once for all. Its bytes never change. */
  sent(from: number, frame: Uint8Array): void {
    const said = this.#messages.add(from, frame);
    if (said === undefined) return;
    this.#reads.sent(said, this.#acknowledged.length);
    if (this.#everSent === undefined) return;
    const key = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength).toString('latin1');
    if (this.#everSent.has(key)) return;
    const message = messageViewOf(frame, this.#replicaCount);
    if (message !== undefined) this.#everSent.set(key, message);
  }

  /** The first commit of this op anywhere. In order of op: what comes after a gap is not asked for. @param hash of its entry, as text or, cheaper, as bytes */
  committed(op: number, hash: Uint8Array | string): void {
    if (op !== this.#acknowledged.length + 1) return;
    this.#acknowledged.push(typeof hash === 'string' ? hash : this.#entries.hashTextOf(op, hash));
  }

  /**
   * This node took events, was opened, crashed or was opened again since the last call, and no other did since theirs.
   * @returns what does not hold; once something does not, always that
   */
  changed(node: ObservedNode, _nodes: readonly ObservedNode[]): InvariantName | undefined {
    const one = this.#replicas[node.index] as ObservedReplica;
    const hasChanged = one.look(node);
    if (!hasChanged && !this.#messages.hasNewOf(node.index) && this.#acknowledged.length === this.#acknowledgedSeen)
      return this.#broken;
    this.#broken ??=
      (hasChanged ? this.#brokenByReplica(one, node.index) : undefined) ??
      this.#messages.brokenBy(node.index, one) ??
      this.#brokenByAcknowledged();
    return this.#broken;
  }

  /** The whole predicates over everything, read anew. @returns all that do not hold */
  checkAll(nodes: readonly ObservedNode[]): readonly VsrInvariant[] {
    assert(this.#everSent !== undefined, 'an oracle that is asked for everything remembers every message');
    const view: ClusterView = {
      replicas: nodes.map((node) =>
        replicaViewOf(node, this.#replicaCount, this.#replicas[node.index] as ObservedReplica),
      ),
      messages: [...this.#everSent.values()],
      acknowledged: this.#acknowledged,
      requests: this.#entries.count,
      crashes: 0,
      readOwed: this.#reads.owed,
      readAnswers: this.#reads.answers,
    };
    return (Object.keys(vsrInvariants) as VsrInvariant[]).filter((name) => !vsrInvariants[name](view));
  }

  /** Whatever reads something of a replica that has changed. */
  #brokenByReplica(one: ObservedReplica, index: number): InvariantName | undefined {
    if (!vsrParts.replicaTypeOK(one, this.#replicaCount)) return 'TypeOK';
    const agreed = Math.min(one.opKept, one.commitBefore);
    const wasInView = one.statusBefore === 'normal' && one.viewBefore === one.view;
    const common = wasInView ? one.opKept : 0;
    if (!vsrParts.committedAsTold(one, this.#acknowledged, agreed)) return 'Agreement';
    for (const other of this.#replicas) {
      if (other === one) continue;
      if (!vsrParts.agree(one, other, agreed)) return 'Agreement';
      if (!vsrParts.onePrefix(one, other, common)) return 'PrefixConsistency';
    }
    const answer = this.#reads.answerOf(index, one);
    if (answer !== undefined && !vsrParts.shownAsOwed(answer, this.#acknowledged.length)) return 'ReadsLinearizable';
    if (!vsrParts.holdsItsCommit(one)) return 'CommitNotExceedOp';
    if (!vsrParts.logViewWithinView(one)) return 'ViewMonotonic';
    if (!vsrParts.chained(one, one.opKept)) return 'HashChain';
    const held = Math.min(one.opDurableBefore, this.#acknowledgedSeen);
    if (!this.#survive(one.opDurableKept, held)) return 'CommittedSurvives';
    if (one.livesOn && one.commit < one.commitBefore) return COMMIT_FELL;
    return one.viewDurable < one.viewDurableBefore ? DURABLE_VIEW_FELL : undefined;
  }

  /** Whatever reads the ops that were acknowledged since it was last asked. */
  #brokenByAcknowledged(): VsrInvariant | undefined {
    const before = this.#acknowledgedSeen;
    const now = this.#acknowledged.length;
    if (now === before) return undefined;
    this.#acknowledgedSeen = now;
    if (!vsrParts.acknowledgedTypeOK(now, this.#entries.count)) return 'TypeOK';
    for (const one of this.#replicas)
      if (!vsrParts.committedAsTold(one, this.#acknowledged, before)) return 'Agreement';
    return this.#survive(before, now) ? undefined : 'CommittedSurvives';
  }

  /** The acknowledged ops after `after` and up to this one. */
  #survive(after: number, op: number): boolean {
    for (let at = after; at < op; at++)
      if (!vsrParts.survives(this.#acknowledged[at] as string, at + 1, this.#replicas)) return false;
    return true;
  }
}
