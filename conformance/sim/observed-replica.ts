/**
 * One replica as the invariants see it, kept from step to step: look() brings it up to what replica, log and superblock are
 * now, and says what of it changed. Reads memory only, but for an entry that nobody has seen before: one that was on its way
 * to the disk when the power went. A part of invariant-oracle.ts; mirrors what specs/Vsr.tla indexes by replica.
 */
import { assert } from '../../impl/ports/assert.ts';
import type { Superblock } from '../../impl/storage/superblock.ts';
import type { PrepareLog } from '../../impl/vsr/prepare-log.ts';
import type { Replica } from '../../impl/vsr/replica.ts';
import {
  type ChangeVote,
  NO_READING,
  noAcks,
  noTarget,
  type Reading,
  type Target,
  type VsrContext,
} from '../../machines/vsr-context.ts';
import type { ReplicaView } from '../../machines/vsr-invariants.ts';
import type { EntryTable, KnownEntry } from './entry-table.ts';

/** What is asked of a node. A replica that is undefined, or has halted, is down: it is what its disk surely holds. */
export interface ObservedNode {
  readonly index: number;
  readonly replica: Pick<Replica, 'status' | 'snapshot'> | undefined;
  readonly log: Pick<
    PrepareLog,
    'op' | 'opDurable' | 'opShared' | 'discards' | 'holds' | 'holdsDurably' | 'prepareAt' | 'durablePrepareAt'
  >;
  readonly superblock: Pick<Superblock, 'snapshot' | 'status' | 'state'>;
}

export class ObservedReplica implements ReplicaView {
  status = 'recovering';
  view = 0;
  viewDurable = 0;
  logView = 0;
  logViewDurable = 0;
  readonly log: KnownEntry[] = [];
  readonly logDurable: KnownEntry[] = [];
  commit = 0;
  commitDurable = 0;
  acked: readonly number[];
  startVotes: readonly number[] = [];
  changeVotes: readonly ChangeVote[] = [];
  target: Target;
  reading: Reading = NO_READING;

  // As it was before the last look that found a change.
  statusBefore = 'recovering';
  viewBefore = 0;
  viewDurableBefore = 0;
  commitBefore = 0;
  readingBefore: Reading = NO_READING;
  /** Length of logDurable. */
  opDurableBefore = 0;
  /** Ops up to this one are the entries that they were. */
  opKept = 0;
  opDurableKept = 0;

  readonly #noAcks: readonly number[];
  readonly #noTarget: Target;
  readonly #entries: EntryTable;
  /** Whether the process that is looked at is the one of the look before. */
  livesOn = false;
  #isUp = false;
  #seenSnapshot: unknown;
  #seenSuperblock: unknown;
  #seenLog: unknown;
  #seenDiscards = 0;
  /** Whether logDurable was a prefix of log. */
  #durableIsPrefix = true;

  constructor(replicaCount: number, entries: EntryTable) {
    this.#noAcks = noAcks(replicaCount);
    this.#noTarget = noTarget(replicaCount);
    this.acked = this.#noAcks;
    this.target = this.#noTarget;
    this.#entries = entries;
  }

  /** @returns whether anything changed; if not, the fields of before are as they were, too */
  look({ replica, log, superblock }: ObservedNode): boolean {
    const status = replica === undefined ? 'recovering' : replica.status;
    const isUp = replica !== undefined && status !== 'halted';
    const snapshot = isUp ? replica.snapshot : undefined;
    if (
      snapshot === this.#seenSnapshot &&
      isUp === this.#isUp &&
      superblock.snapshot === this.#seenSuperblock &&
      log === this.#seenLog &&
      log.discards === this.#seenDiscards &&
      this.#durableIsPrefix &&
      log.opDurable === this.logDurable.length &&
      (!isUp || log.op === this.log.length)
    )
      return false;
    this.statusBefore = this.status;
    this.viewBefore = this.view;
    this.viewDurableBefore = this.viewDurable;
    this.commitBefore = this.commit;
    this.readingBefore = this.reading;
    this.opDurableBefore = this.logDurable.length;
    this.livesOn = isUp && this.#isUp && log === this.#seenLog;
    this.#lookAtSuperblock(superblock);
    if (isUp) this.#lookAtContext(status, (snapshot as Replica['snapshot']).context as VsrContext);
    else this.#lookWhileDown();
    this.#lookAtLog(log, isUp);
    this.#isUp = isUp;
    this.#seenSnapshot = snapshot;
    return true;
  }

  /** In the middle of an install, or after one that failed, the disk may still hold the state before: that one counts. */
  #lookAtSuperblock(superblock: ObservedNode['superblock']): void {
    if (superblock.snapshot === this.#seenSuperblock) return;
    this.#seenSuperblock = superblock.snapshot;
    if (superblock.status !== 'open') return;
    const { view, logView, commit } = superblock.state;
    this.viewDurable = view;
    this.logViewDurable = logView;
    this.commitDurable = commit;
  }

  #lookAtContext(status: string, context: VsrContext): void {
    this.status = status;
    this.view = context.view;
    this.logView = context.logView;
    this.commit = context.commit;
    this.acked = context.acked;
    this.startVotes = context.startVotes;
    this.changeVotes = context.changeVotes;
    this.target = context.target;
    this.reading = context.reading;
  }

  #lookWhileDown(): void {
    this.status = 'recovering';
    this.view = this.viewDurable;
    this.logView = this.logViewDurable;
    this.commit = this.commitDurable;
    this.acked = this.#noAcks;
    this.startVotes = [];
    this.changeVotes = [];
    this.target = this.#noTarget;
    this.reading = NO_READING;
  }

  #lookAtLog(log: ObservedNode['log'], isUp: boolean): void {
    const { op, opDurable, discards } = log;
    const onlyGrew = log === this.#seenLog && discards === this.#seenDiscards;
    if (isUp) this.opKept = this.#follow(this.log, op, log, false, onlyGrew && this.#isUp);
    this.opDurableKept = this.#follow(this.logDurable, opDurable, log, true, onlyGrew && this.#durableIsPrefix);
    if (!isUp) this.opKept = copyInto(this.log, this.logDurable);
    this.#durableIsPrefix = log.opShared === opDurable;
    this.#seenLog = log;
    this.#seenDiscards = discards;
  }

  /** @returns ops up to which nothing changed */
  #follow(entries: KnownEntry[], op: number, log: ObservedNode['log'], durably: boolean, onlyGrew: boolean): number {
    const before = entries.length;
    let kept = onlyGrew ? before : 0;
    if (!onlyGrew)
      while (kept < before && kept < op && holds(log, kept + 1, entries[kept] as KnownEntry, durably)) kept++;
    if (kept < before) entries.length = kept;
    while (entries.length < op) entries.push(this.#entryAt(log, entries.length + 1, durably));
    return kept;
  }

  #entryAt(log: ObservedNode['log'], op: number, durably: boolean): KnownEntry {
    for (const entry of this.#entries.at(op)) if (holds(log, op, entry, durably)) return entry;
    const prepare = durably ? log.durablePrepareAt(op) : log.prepareAt(op);
    assert(prepare !== undefined, 'a log has every op up to its end');
    return this.#entries.of(prepare);
  }
}

function holds(log: ObservedNode['log'], op: number, { hashBytes }: KnownEntry, durably: boolean): boolean {
  return durably ? log.holdsDurably(op, hashBytes) : log.holds(op, hashBytes);
}

/** @returns how many entries at the beginning were there already */
function copyInto(target: KnownEntry[], source: readonly KnownEntry[]): number {
  let kept = 0;
  while (kept < target.length && kept < source.length && target[kept] === source[kept]) kept++;
  target.length = kept;
  while (target.length < source.length) target.push(source[target.length] as KnownEntry);
  return kept;
}
