/**
 * What keeps a replica going when frames get lost: timers, retransmission, and a backup's catching up. Outside specs/Vsr.tla,
 * where a timeout may fire in any state and every message stays available: all it does is put actions of the spec to the
 * machine, and send again what was sent before (a stutter there).
 */
import { primaryOf, quorumOf } from '../../machines/quorum.ts';
import type { RuleId } from '../../machines/stepper.ts';
import type { PlainAction, TargetAction } from '../../machines/vsr-context.ts';
import { GENESIS_HASH } from '../crypto/hash.ts';
import { assert } from '../ports/assert.ts';
import type { Random } from '../ports/random.ts';
import type { RequestPrepareMessage } from './message.ts';
import type { Prepare } from './prepare.ts';
import type { Outbox } from './replica-effects.ts';
import type { ReplicaMachine } from './replica-machine.ts';
import type { SpecMessage } from './replica-messages.ts';
import { TIMER, type Timer, type TimerRole, Timers } from './timers.ts';

/** Prepares in one answer to a backup that lacks some: more fills the line, less costs round trips. It then asks again. */
const ANSWER_OPS_MAX = 256;
const ANSWER_BYTES_MAX = 4 * 1024 * 1024;
/** Prepares sent again to one backup when the retry timer fires. */
const RETRY_OPS_MAX = 32;
/** A backup that was silent for so long answers a heartbeat: that is how a primary knows of its quorum. */
const SILENT_TICKS_MAX = 4;

/**
 * The commit number goes to the superblock at most this often, and when it is so far ahead of what is there: a replica that
 * restarts into another view asks for the entries above it one by one. More often costs two fsyncs each time.
 */
const PERSIST_COMMIT_TICKS = 100;
const PERSIST_COMMIT_OPS_MIN = 256;

/** What is asked of the replica. */
export interface Paced {
  readonly replica: number;
  readonly replicaCount: number;
  readonly outbox: Outbox;
  readonly machine: Pick<ReplicaMachine, 'context' | 'status'>;
  isEnabled(action: PlainAction | TargetAction): boolean;
  take(action: PlainAction | TargetAction): readonly RuleId[];
  prepareAt(op: number): Prepare | undefined;
}

export class ReplicaPace {
  readonly #replica: Paced;
  #timers: Timers;
  #role: TimerRole = 'stopped';
  #view = 0;
  /** Primary: backups heard since the last time they were a quorum, by replica; the highest commit sent. */
  readonly #heard: boolean[];
  #commitSent = 0;
  #commitSeen = 0;
  /** Length of the log when the view began. */
  #opBegun = 0;
  /** Backup: highest op known to exist in this view; first op of the last RequestPrepare; ticks since a PrepareOk. */
  #opSeen = 0;
  #askedFrom = 0;
  #silentTicks = 0;
  #persistTicks = 0;
  /** Primary: highest op that a backup has asked for on its way into the view. */
  #entryAsked = 0;
  /** View change: what was sent once and goes out again only by its timer. */
  #voteSent = false;
  #nextAsked = 0;

  constructor(replica: Paced, random: Random) {
    this.#replica = replica;
    this.#heard = new Array<boolean>(replica.replicaCount).fill(false);
    this.#timers = new Timers(random);
  }

  takeOver(other: ReplicaPace, random: Random): void {
    this.#timers = other.#timers.fork(random);
    this.#role = other.#role;
    this.#view = other.#view;
    for (let from = 0; from < this.#heard.length; from++) this.#heard[from] = other.#heard[from] === true;
    this.#commitSent = other.#commitSent;
    this.#commitSeen = other.#commitSeen;
    this.#opBegun = other.#opBegun;
    this.#opSeen = other.#opSeen;
    this.#askedFrom = other.#askedFrom;
    this.#silentTicks = other.#silentTicks;
    this.#persistTicks = other.#persistTicks;
    this.#entryAsked = other.#entryAsked;
    this.#voteSent = other.#voteSent;
    this.#nextAsked = other.#nextAsked;
  }

  /** After every step: begins the role that the replica now has, and starts what waits for something. */
  follow(): void {
    const { view, op, commit } = this.#replica.machine.context;
    const role = this.#roleNow();
    if (role !== this.#role || view !== this.#view) {
      this.#role = role;
      this.#view = view;
      this.#timers.become(role);
      this.#heard.fill(false);
      this.#opSeen = op;
      this.#askedFrom = 0;
      this.#silentTicks = 0;
      this.#commitSent = 0;
      this.#commitSeen = commit;
      this.#opBegun = op;
      this.#entryAsked = 0;
      this.#voteSent = false;
      this.#nextAsked = 0;
    }
    if (role === 'primary') {
      this.#followCommit(op, commit);
      this.#followRead();
    }
    if (role === 'backup') this.#followGap(op);
  }

  /**
   * Before a message of the spec is put to the machine. To a replica that comes late the StartView with which this view began
   * goes out again, ahead of the machine's own answer, which names the head of now: whoever has the log of that beginning
   * enters at once and gets the rest in prepares, many at a time, instead of walking its log entry by entry from its commit.
   */
  hearing(message: SpecMessage): void {
    if (message.type !== 'StartViewChange' || this.#role !== 'primary' || message.view !== this.#view) return;
    const hash = this.#opBegun === 0 ? GENESIS_HASH : this.#replica.prepareAt(this.#opBegun)?.hash;
    assert(this.#view > 0, 'no view change leads to view 0');
    assert(hash !== undefined, 'a primary keeps the log with which its view began');
    const { replica: from, outbox } = this.#replica;
    outbox.send(message.from, { type: 'StartView', from, view: this.#view, op: this.#opBegun, hash });
  }

  /** After a message of the spec was taken or refused. */
  heard(message: SpecMessage): void {
    const { view, opDurable } = this.#replica.machine.context;
    const { from } = message; // read once: messages have many shapes
    if (message.view !== view) return;
    if (this.#role === 'primary') {
      this.#heard[from] = true;
      if (this.#heardCount() + 1 >= quorumOf(this.#replica.replicaCount)) {
        this.#heard.fill(false);
        this.#timers.restart(TIMER.Abdicate);
      }
      if (message.type === 'RequestEntry') this.#followWalk(message.op);
    }
    if (this.#role === 'backup' && from === primaryOf(view, this.#replica.replicaCount)) {
      this.#timers.restart(TIMER.HeartbeatTimeout);
      if (message.type === 'Prepare') this.#opSeen = Math.max(this.#opSeen, message.op);
      if (message.type === 'Commit') {
        this.#opSeen = Math.max(this.#opSeen, message.commit);
        if (this.#silentTicks >= SILENT_TICKS_MAX) this.#acknowledgeAgain(view, opDurable);
      }
      // A prepare that is already durable here comes again because its acknowledgement was lost.
      if (message.type === 'Prepare' && message.op <= opDurable && this.#silentTicks > 0)
        this.#acknowledgeAgain(view, opDurable);
      this.#askForGap();
    }
    if (this.#role === 'view-change' && message.type === 'Entry') this.#timers.restart(TIMER.ViewChangeTimeout);
  }

  /** After a flush. */
  flushed(): void {
    if (this.#role === 'backup') this.#askForGap();
    this.#persistCommit();
  }

  get hasNews(): boolean {
    return this.#role === 'primary' && this.#replica.machine.context.commit > this.#commitSent;
  }

  /** What was committed since it was last said is said now, not at the next heartbeat. */
  announce(): void {
    if (this.hasNews) this.#sendCommit();
  }

  /** When no internal step is enabled any more: sends what was not sent yet in this view. */
  settled(): void {
    if (this.#role !== 'view-change') return;
    if (!this.#voteSent && this.#replica.isEnabled('SendDoViewChange')) {
      this.#voteSent = true;
      this.#replica.take('SendDoViewChange');
      this.#timers.restart(TIMER.RetryDoViewChange);
      this.#timers.restart(TIMER.StartViewWindow);
    }
    const { target } = this.#replica.machine.context;
    if (target.next === this.#nextAsked || !this.#replica.isEnabled('RequestEntry')) return;
    this.#nextAsked = target.next;
    this.#replica.take('RequestEntry');
    this.#timers.restart(TIMER.RetryRequestEntry);
    this.#timers.stop(TIMER.StartViewWindow);
  }

  /** @returns whether a timer fired */
  tick(): boolean {
    this.#silentTicks++;
    this.#persistTicks++;
    const fired = this.#timers.tick();
    for (const timer of fired) if (this.#timers.isRunning(timer)) this.#fire(timer); // an earlier one may have stopped it
    return fired.length > 0;
  }

  /** A backup's request for prepares of this view: those from message.op on, sent again. */
  answerRequestPrepare({ from, view, op }: RequestPrepareMessage): void {
    if (this.#role !== 'primary' || view !== this.#replica.machine.context.view) return;
    this.#heard[from] = true;
    this.#sendPrepares(from, op, ANSWER_OPS_MAX);
  }

  #heardCount(): number {
    let count = 0;
    for (const isHeard of this.#heard) if (isHeard) count++;
    return count;
  }

  #fire(timer: Timer): void {
    const { view, viewDurable, startVotes } = this.#replica.machine.context;
    const { replica, outbox } = this.#replica;
    switch (timer) {
      case TIMER.SendCommit:
        this.#sendCommit();
        return;
      case TIMER.RetryPrepare:
        this.#retryPrepares();
        return;
      case TIMER.RetryReadRound:
        this.#retryReadRound();
        return;
      case TIMER.RetryRequestPrepare:
        this.#askedFrom = 0;
        this.#askForGap();
        return;
      case TIMER.RetryStartViewChange:
        if (view === viewDurable && startVotes.includes(replica))
          outbox.broadcast({ type: 'StartViewChange', from: replica, view });
        return;
      case TIMER.RetryDoViewChange:
        if (this.#replica.isEnabled('SendDoViewChange')) this.#replica.take('SendDoViewChange');
        return;
      case TIMER.RetryRequestEntry:
        if (this.#replica.isEnabled('RequestEntry')) this.#replica.take('RequestEntry');
        return;
      case TIMER.HeartbeatTimeout:
        this.#replica.take('HeartbeatTimeout');
        return;
      case TIMER.StartViewWindow:
      case TIMER.ViewChangeTimeout:
        this.#replica.take('ViewChangeTimeout');
        return;
      case TIMER.Abdicate:
        if (quorumOf(this.#replica.replicaCount) > 1) this.#replica.take('Abdicate');
        return;
      case TIMER.CommitStall:
        this.#replica.take('Abdicate');
        return;
    }
  }

  #roleNow(): TimerRole {
    const status = this.#replica.machine.status;
    if (status === 'view-change') return 'view-change';
    if (status !== 'normal') return 'stopped';
    const primary = primaryOf(this.#replica.machine.context.view, this.#replica.replicaCount);
    return primary === this.#replica.replica ? 'primary' : 'backup';
  }

  #followCommit(op: number, commit: number): void {
    if (op === commit) {
      this.#timers.stop(TIMER.RetryPrepare);
      this.#timers.stop(TIMER.CommitStall);
    } else {
      this.#timers.startOnce(TIMER.RetryPrepare);
      this.#timers.startOnce(TIMER.CommitStall);
    }
    if (commit === this.#commitSeen) return;
    this.#commitSeen = commit;
    if (op === commit) return;
    this.#timers.restart(TIMER.RetryPrepare);
    this.#timers.restart(TIMER.CommitStall);
  }

  #followRead(): void {
    if (this.#replica.machine.context.reading.oks.length > 0) this.#timers.startOnce(TIMER.RetryReadRound);
    else this.#timers.stop(TIMER.RetryReadRound);
  }

  #followGap(op: number): void {
    this.#opSeen = Math.max(this.#opSeen, op);
    if (op === this.#opSeen) {
      this.#askedFrom = 0;
      this.#timers.stop(TIMER.RetryRequestPrepare);
    }
  }

  /**
   * A backup that takes the view's log entry by entry may need longer than a stall is waited for, and would begin again in
   * the next view: as long as it gets on, nothing stalls.
   */
  #followWalk(op: number): void {
    if (op <= this.#entryAsked) return;
    this.#entryAsked = op;
    if (this.#timers.isRunning(TIMER.CommitStall)) this.#timers.restart(TIMER.CommitStall);
  }

  #sendCommit(): void {
    this.#commitSent = this.#replica.machine.context.commit;
    this.#replica.take('SendCommit');
    this.#timers.restart(TIMER.SendCommit);
  }

  #retryPrepares(): void {
    const { acked, commit, op } = this.#replica.machine.context;
    for (let to = 0; to < this.#replica.replicaCount; to++) {
      const from = Math.max(commit, acked[to] ?? 0) + 1;
      if (to !== this.#replica.replica && from <= op) this.#sendPrepares(to, from, RETRY_OPS_MAX);
    }
  }

  /** Those who have not answered the open round are asked again. */
  #retryReadRound(): void {
    const { view, reading } = this.#replica.machine.context;
    const { replica: from, replicaCount, outbox } = this.#replica;
    for (let to = 0; to < replicaCount; to++)
      if (!reading.oks.includes(to)) outbox.send(to, { type: 'ReadRound', from, view, round: reading.round });
  }

  #persistCommit(): void {
    const { commit, commitDurable } = this.#replica.machine.context;
    if (this.#persistTicks < PERSIST_COMMIT_TICKS || commit - commitDurable < PERSIST_COMMIT_OPS_MIN) return;
    if (this.#replica.isEnabled('PersistCommit') && this.#replica.take('PersistCommit').length === 0)
      this.#persistTicks = 0;
  }

  /** Prepares that this primary made in its view; older ones come with the view itself. */
  #sendPrepares(to: number, fromOp: number, opsMax: number): void {
    const { op, view } = this.#replica.machine.context;
    let bytes = 0;
    for (let at = fromOp; at <= Math.min(op, fromOp + opsMax - 1) && bytes < ANSWER_BYTES_MAX; at++) {
      const entry = this.#replica.prepareAt(at);
      if (entry === undefined || entry.view !== view) continue;
      bytes += entry.body.length;
      this.#replica.outbox.send(to, { type: 'Prepare', from: this.#replica.replica, view, op: at, entry });
    }
  }

  /** Says again what the last fsync made true. */
  #acknowledgeAgain(view: number, op: number): void {
    this.#silentTicks = 0;
    const primary = primaryOf(view, this.#replica.replicaCount);
    this.#replica.outbox.send(primary, { type: 'PrepareOk', from: this.#replica.replica, view, op });
  }

  /** Asks the primary for what lies between the own head and the highest op heard of. */
  #askForGap(): void {
    const { op, view } = this.#replica.machine.context;
    if (this.#role !== 'backup' || op >= this.#opSeen) return;
    if (this.#askedFrom > 0 && op < this.#askedFrom + ANSWER_OPS_MAX - 1) return;
    this.#askedFrom = op + 1;
    this.#timers.restart(TIMER.RetryRequestPrepare);
    const primary = primaryOf(view, this.#replica.replicaCount);
    const { replica } = this.#replica;
    this.#replica.outbox.send(primary, { type: 'RequestPrepare', from: replica, view, op: op + 1 });
  }
}
