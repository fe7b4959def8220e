/**
 * Ticks to timeouts: which of a replica's timers fire at a tick. Holds no clock and does nothing itself; the replica puts the
 * action of Vsr.tla to its machine (there a timeout may fire in any state, so no choice here can endanger safety).
 * Retries stand for the spec's messages that stay available for ever.
 */
import { assert } from '../ports/assert.ts';
import type { Random } from '../ports/random.ts';

/** Milliseconds of one tick. Less reacts sooner and wakes an idle process more often. */
export const REPLICA_TICK_MS = 10;

/**
 * Timers by number, in the order in which those of one tick are reported: news first, giving up last. Numbers, because each
 * event of a replica asks for some of them: a look-up by a name that varies costs V8 a search.
 */
export const TIMER = {
  /** Primary: its commit, which is its heartbeat. */
  SendCommit: 0,
  /** Primary: prepares that no quorum has acknowledged, again. */
  RetryPrepare: 1,
  /** Primary: the open round of reads, again. */
  RetryReadRound: 2,
  /** Backup: asks for prepares that it lacks, again. */
  RetryRequestPrepare: 3,
  /** View change: the own vote, again. */
  RetryStartViewChange: 4,
  /** View change: the end of the own log, again. */
  RetryDoViewChange: 5,
  /** View change: the entry wanted next, again. */
  RetryRequestEntry: 6,
  /** Backup: nothing heard from the primary. */
  HeartbeatTimeout: 7,
  /** View change: DoViewChange sent and no StartView came; then ViewChangeTimeout. */
  StartViewWindow: 8,
  /** View change: it does not end. */
  ViewChangeTimeout: 9,
  /** Primary: nothing heard from a quorum. */
  Abdicate: 10,
  /** Primary: a quorum talks and nothing is committed; then Abdicate. */
  CommitStall: 11,
} as const;
export type TimerName = keyof typeof TIMER;
export type Timer = (typeof TIMER)[TimerName];
/** By number. */
export const TIMER_NAMES = Object.keys(TIMER) as readonly TimerName[];

const NONE: readonly Timer[] = [];
const NEVER = Number.POSITIVE_INFINITY;

/** What a replica is doing: each role has its own timers, all others stand still. */
export type TimerRole = 'primary' | 'backup' | 'view-change' | 'stopped';

const SEND_COMMIT_TICKS = 5;
const RETRY_PREPARE_TICKS = 10;
const RETRY_READ_ROUND_TICKS = 5;
const RETRY_REQUEST_PREPARE_TICKS = 10;
const RETRY_START_VIEW_CHANGE_TICKS = 10;
const RETRY_DO_VIEW_CHANGE_TICKS = 10;
const RETRY_REQUEST_ENTRY_TICKS = 10;
/** A primary is given up after this and a jitter: fewer fails over sooner and takes a slow fsync for a death. */
const HEARTBEAT_TIMEOUT_TICKS = 80;
/** Drawn anew each time, so that backups do not ask for the next view at the same tick for ever. */
const HEARTBEAT_JITTER_TICKS_MAX = 40;
const START_VIEW_WINDOW_TICKS = 60;
const VIEW_CHANGE_TIMEOUT_TICKS = 100;
/** Each view change in a row that fails doubles the patience, this often: 1 s, 2 s, 4 s, 8 s. */
const VIEW_CHANGE_DOUBLINGS_MAX = 3;
const ABDICATE_TICKS = 100;
const COMMIT_STALL_TICKS = 500;

/** By number. */
const TICKS: readonly number[] = timersInOrder({
  SendCommit: SEND_COMMIT_TICKS,
  RetryPrepare: RETRY_PREPARE_TICKS,
  RetryReadRound: RETRY_READ_ROUND_TICKS,
  RetryRequestPrepare: RETRY_REQUEST_PREPARE_TICKS,
  RetryStartViewChange: RETRY_START_VIEW_CHANGE_TICKS,
  RetryDoViewChange: RETRY_DO_VIEW_CHANGE_TICKS,
  RetryRequestEntry: RETRY_REQUEST_ENTRY_TICKS,
  HeartbeatTimeout: HEARTBEAT_TIMEOUT_TICKS,
  StartViewWindow: START_VIEW_WINDOW_TICKS,
  ViewChangeTimeout: VIEW_CHANGE_TIMEOUT_TICKS,
  Abdicate: ABDICATE_TICKS,
  CommitStall: COMMIT_STALL_TICKS,
});
/** Started when the role begins. The others are started by what they wait for: a gap, a vote, an uncommitted op. */
const STARTED: Readonly<Record<TimerRole, readonly Timer[]>> = {
  primary: [TIMER.SendCommit, TIMER.Abdicate],
  backup: [TIMER.HeartbeatTimeout],
  'view-change': [TIMER.RetryStartViewChange, TIMER.ViewChangeTimeout],
  stopped: [],
};
/** The role of each timer, by number. */
const ROLE_OF: readonly TimerRole[] = timersInOrder({
  SendCommit: 'primary',
  RetryPrepare: 'primary',
  RetryReadRound: 'primary',
  RetryRequestPrepare: 'backup',
  RetryStartViewChange: 'view-change',
  RetryDoViewChange: 'view-change',
  RetryRequestEntry: 'view-change',
  HeartbeatTimeout: 'backup',
  StartViewWindow: 'view-change',
  ViewChangeTimeout: 'view-change',
  Abdicate: 'primary',
  CommitStall: 'primary',
});

function timersInOrder<Value>(byName: Readonly<Record<TimerName, Value>>): readonly Value[] {
  return TIMER_NAMES.map((name) => byName[name]);
}

assert(SEND_COMMIT_TICKS * 4 <= HEARTBEAT_TIMEOUT_TICKS, 'three heartbeats may be lost in a row');
assert(RETRY_PREPARE_TICKS * 4 <= ABDICATE_TICKS, 'a primary retries before it gives up');
assert(START_VIEW_WINDOW_TICKS < VIEW_CHANGE_TIMEOUT_TICKS, 'the window is the shorter patience');

export class Timers {
  readonly #random: Random;
  #role: TimerRole = 'stopped';
  #now = 0;
  /** Tick at which it fires, by number; NEVER when it stands still. */
  #dueAt: number[] = TIMER_NAMES.map(() => NEVER);
  /** None is due before this tick: most ticks end with one comparison. */
  #nextDue = NEVER;
  #viewChangesInARow = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  fork(random: Random): Timers {
    const twin = new Timers(random);
    twin.#role = this.#role;
    twin.#now = this.#now;
    twin.#dueAt = this.#dueAt.slice();
    twin.#nextDue = this.#nextDue;
    twin.#viewChangesInARow = this.#viewChangesInARow;
    return twin;
  }

  get role(): TimerRole {
    return this.#role;
  }

  /** Begins a role, or the same role anew in another view: its timers start over and those of the old role stop. */
  become(role: TimerRole): void {
    this.#viewChangesInARow = role === 'view-change' ? this.#viewChangesInARow + 1 : 0;
    this.#role = role;
    this.#dueAt.fill(NEVER);
    this.#nextDue = NEVER;
    for (const timer of STARTED[role]) this.restart(timer);
  }

  /** Starts a timer over: what it waits for has happened, or begins to be waited for. */
  restart(timer: Timer): void {
    if (ROLE_OF[timer] !== this.#role) assert(false, `${TIMER_NAMES[timer]} is no timer of the role ${this.#role}`);
    const dueAt = this.#now + this.#ticksOf(timer);
    this.#dueAt[timer] = dueAt;
    if (dueAt < this.#nextDue) this.#nextDue = dueAt;
  }

  /** Starts a timer unless it runs already. */
  startOnce(timer: Timer): void {
    if (!this.isRunning(timer)) this.restart(timer);
  }

  stop(timer: Timer): void {
    this.#dueAt[timer] = NEVER;
  }

  isRunning(timer: Timer): boolean {
    return this.#dueAt[timer] !== NEVER;
  }

  /** Ticks until it fires; undefined when it stands still. */
  left(timer: Timer): number | undefined {
    return this.isRunning(timer) ? (this.#dueAt[timer] as number) - this.#now : undefined;
  }

  /** One tick. Those that fire start over: the replica stops or restarts them as its state demands. */
  tick(): readonly Timer[] {
    this.#now++;
    return this.#now < this.#nextDue ? NONE : this.#fired();
  }

  #fired(): readonly Timer[] {
    const fired: Timer[] = [];
    let nextDue = NEVER;
    for (let timer = 0; timer < this.#dueAt.length; timer++) {
      if (this.#dueAt[timer] === this.#now) {
        fired.push(timer as Timer);
        this.#dueAt[timer] = this.#now + this.#ticksOf(timer as Timer);
      }
      nextDue = Math.min(nextDue, this.#dueAt[timer] as number);
    }
    this.#nextDue = nextDue;
    return fired;
  }

  #ticksOf(timer: Timer): number {
    const ticks = TICKS[timer] as number;
    if (timer === TIMER.HeartbeatTimeout) return ticks + this.#random.below(HEARTBEAT_JITTER_TICKS_MAX + 1);
    if (timer !== TIMER.ViewChangeTimeout && timer !== TIMER.StartViewWindow) return ticks;
    const doublings = Math.min(Math.max(this.#viewChangesInARow - 1, 0), VIEW_CHANGE_DOUBLINGS_MAX);
    return ticks * 2 ** doublings;
  }
}
