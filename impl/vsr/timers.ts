/**
 * Ticks to timeouts: which of a replica's timers fire at a tick. Holds no clock and does nothing itself; the replica puts the
 * action of Vsr.tla to its machine (there a timeout may fire in any state, so no choice here can endanger safety).
 * Retries stand for the spec's messages that stay available for ever.
 */
import { assert } from '../ports/assert.ts';
import type { Random } from '../ports/random.ts';

/** Milliseconds of one tick. Less reacts sooner and wakes an idle process more often. */
export const REPLICA_TICK_MS = 10;

/** In the order in which those of one tick are reported: news first, giving up last. */
export const TIMER_NAMES = [
  'SendCommit', // primary: its commit, which is its heartbeat
  'RetryPrepare', // primary: prepares that no quorum has acknowledged, again
  'RetryReadRound', // primary: the open round of reads, again
  'RetryRequestPrepare', // backup: asks for prepares that it lacks, again
  'RetryStartViewChange', // view change: the own vote, again
  'RetryDoViewChange', // view change: the end of the own log, again
  'RetryRequestEntry', // view change: the entry wanted next, again
  'HeartbeatTimeout', // backup: nothing heard from the primary
  'StartViewWindow', // view change: DoViewChange sent and no StartView came; then ViewChangeTimeout
  'ViewChangeTimeout', // view change: it does not end
  'Abdicate', // primary: nothing heard from a quorum
  'CommitStall', // primary: a quorum talks and nothing is committed; then Abdicate
] as const;
export type TimerName = (typeof TIMER_NAMES)[number];

const PLACE = Object.fromEntries(TIMER_NAMES.map((name, place) => [name, place])) as Readonly<
  Record<TimerName, number>
>;
const NONE: readonly TimerName[] = [];

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

const TICKS: Readonly<Record<TimerName, number>> = {
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
};
/** Started when the role begins. The others are started by what they wait for: a gap, a vote, an uncommitted op. */
const STARTED: Readonly<Record<TimerRole, readonly TimerName[]>> = {
  primary: ['SendCommit', 'Abdicate'],
  backup: ['HeartbeatTimeout'],
  'view-change': ['RetryStartViewChange', 'ViewChangeTimeout'],
  stopped: [],
};
const ALLOWED: Readonly<Record<TimerRole, ReadonlySet<TimerName>>> = {
  primary: new Set(['SendCommit', 'RetryPrepare', 'RetryReadRound', 'Abdicate', 'CommitStall']),
  backup: new Set(['HeartbeatTimeout', 'RetryRequestPrepare']),
  'view-change': new Set([
    'RetryStartViewChange',
    'RetryDoViewChange',
    'RetryRequestEntry',
    'StartViewWindow',
    'ViewChangeTimeout',
  ]),
  stopped: new Set(),
};

assert(SEND_COMMIT_TICKS * 4 <= HEARTBEAT_TIMEOUT_TICKS, 'three heartbeats may be lost in a row');
assert(RETRY_PREPARE_TICKS * 4 <= ABDICATE_TICKS, 'a primary retries before it gives up');
assert(START_VIEW_WINDOW_TICKS < VIEW_CHANGE_TIMEOUT_TICKS, 'the window is the shorter patience');

export class Timers {
  readonly #random: Random;
  #role: TimerRole = 'stopped';
  /** Ticks until it fires, by the timer's place in TIMER_NAMES; 0 when it stands still. */
  #left: number[] = TIMER_NAMES.map(() => 0);
  #viewChangesInARow = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  fork(random: Random): Timers {
    const twin = new Timers(random);
    twin.#role = this.#role;
    twin.#left = this.#left.slice();
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
    this.#left.fill(0);
    for (const name of STARTED[role]) this.restart(name);
  }

  /** Starts a timer over: what it waits for has happened, or begins to be waited for. */
  restart(name: TimerName): void {
    if (!ALLOWED[this.#role].has(name)) assert(false, `${name} is no timer of the role ${this.#role}`);
    this.#left[PLACE[name]] = this.#ticksOf(name);
  }

  /** Starts a timer unless it runs already. */
  startOnce(name: TimerName): void {
    if (this.#left[PLACE[name]] === 0) this.restart(name);
  }

  stop(name: TimerName): void {
    this.#left[PLACE[name]] = 0;
  }

  /** Ticks until it fires; undefined when it stands still. */
  left(name: TimerName): number | undefined {
    const left = this.#left[PLACE[name]];
    return left === 0 ? undefined : left;
  }

  /** One tick. Those that fire start over: the replica stops or restarts them as its state demands. */
  tick(): readonly TimerName[] {
    const all = this.#left;
    let fired: TimerName[] | undefined;
    for (let place = 0; place < all.length; place++) {
      const left = all[place] as number;
      if (left === 0) continue;
      if (left > 1) {
        all[place] = left - 1;
        continue;
      }
      const name = TIMER_NAMES[place] as TimerName;
      fired ??= [];
      fired.push(name);
      all[place] = this.#ticksOf(name);
    }
    return fired ?? NONE;
  }

  #ticksOf(name: TimerName): number {
    if (name === 'HeartbeatTimeout') return TICKS[name] + this.#random.below(HEARTBEAT_JITTER_TICKS_MAX + 1);
    if (name !== 'ViewChangeTimeout' && name !== 'StartViewWindow') return TICKS[name];
    const doublings = Math.min(Math.max(this.#viewChangesInARow - 1, 0), VIEW_CHANGE_DOUBLINGS_MAX);
    return TICKS[name] * 2 ** doublings;
  }
}
