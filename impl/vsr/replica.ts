/**
 * One replica of specs/Vsr.tla (VRR 4.1, 4.2): the machine of machines/vsr.ts decides, log, superblock and network act.
 * Synchronous: nothing that was checked can go stale. take() is one action of the spec; receive(), tick(), flush() and
 * submit() find out which actions to take. Timers, retransmission and catching up: replica-pace.ts, outside the spec.
 */
import type { AnyMachineSnapshot } from 'xstate';
import { NO_REFUSALS, type RuleId } from '../../machines/stepper.ts';
import type { Row } from '../../machines/table.ts';
import { type EffectParams, firstStart, restarted, type VsrMachine, vsrMachine } from '../../machines/vsr.ts';
import {
  INTERNAL_ACTIONS,
  type MessageAction,
  type MessageFacts,
  type PlainAction,
  type TargetAction,
  type VsrAction,
  type VsrEvent,
} from '../../machines/vsr-context.ts';
import { hashText } from '../crypto/hash.ts';
import { AssertionError, assert } from '../ports/assert.ts';
import { LockstepError } from '../ports/lockstep-error.ts';
import { newPrepare, type Prepare } from './prepare.ts';
import { Delivery } from './replica-delivery.ts';
import { type EffectName, type EffectTargets, Outbox, performEffect } from './replica-effects.ts';
import { Inbox } from './replica-inbox.ts';
import { ReplicaMachine } from './replica-machine.ts';
import { actionsOf, entryOf, factsOf, type SpecMessage } from './replica-messages.ts';
import { inputOf, type ReplicaOptions, type ReplicaPorts } from './replica-options.ts';
import { type Paced, ReplicaPace } from './replica-pace.ts';
import type { Refusal, ReplicaPort, ReplicaStatus, Submitted } from './replica-port.ts';

/** Internal steps in a row before something must come from outside: restart to normal takes 8; more is a loop of ours. */
const SETTLE_STEPS_MAX = 32;
/** A log in view change is synced only when a step waits for it. */
const SYNC_AND_INTERNAL_ACTIONS = ['ViewChangeFsync', ...INTERNAL_ACTIONS] as const;
const COMPLETE_READ = { type: 'CompleteRead' } as const;
const FSYNC_EVENTS = [{ type: 'PrimaryFsync' }, { type: 'BackupFsync' }] as const;
const NO_FAULTS: ReadonlySet<string> = new Set();
const HALTED = { refusedBy: ['Vsr.halted'] } as const;

export class Replica implements ReplicaPort {
  readonly replica: number;
  readonly replicaCount: number;
  readonly cluster: bigint;
  readonly #machine: ReplicaMachine;
  readonly #faults: ReadonlySet<string>;
  readonly #ports: ReplicaPorts;
  readonly #targets: EffectTargets;
  readonly #inbox: Inbox;
  readonly #delivery: Delivery;
  readonly #pace: ReplicaPace;
  /** No fsync, no internal step was enabled there: guards say the same of the same state, and the log changes with it alone. */
  #needsNoFsync: AnyMachineSnapshot | undefined = undefined;
  #restsAt: AnyMachineSnapshot | undefined = undefined;
  onRead: (commit: number) => void = () => {};

  private constructor(options: ReplicaOptions, machine: ReplicaMachine) {
    const { cluster, replica, replicaCount } = options.superblock.state;
    this.cluster = cluster;
    this.replica = replica;
    this.replicaCount = replicaCount;
    this.#ports = options;
    this.#machine = machine;
    this.#faults = options.faults ?? NO_FAULTS;
    this.#inbox = new Inbox(options.superblock.state);
    this.#delivery = new Delivery(options.log);
    const outbox = new Outbox(options.superblock.state, options.network);
    this.#targets = {
      log: options.log,
      superblock: options.superblock,
      outbox,
      deliverUpTo: (commit) => this.#delivery.upTo(commit),
      deliverRead: (commit) => this.onRead(commit),
    };
    const paced: Paced = {
      machine,
      replica,
      replicaCount,
      outbox,
      isEnabled: (action) => machine.isEnabled(this.eventOf(action)),
      take: (action) => this.take(action),
      prepareAt: (op) => options.log.prepareAt(op),
    };
    this.#pace = new ReplicaPace(paced, options.random);
  }

  /** @throws ReplicaError REPLICA_LOG_SHORT when the log lacks what the superblock says is committed */
  static open(options: ReplicaOptions): Replica {
    const { machine = vsrMachine } = options;
    const started = options.firstStart ? firstStart : restarted;
    const opened = new Replica(options, new ReplicaMachine(machine, started(machine, inputOf(options))));
    if (options.onCommitted !== undefined) opened.onCommitted = options.onCommitted;
    if (options.onRead !== undefined) opened.onRead = options.onRead;
    opened.#pace.follow();
    return opened;
  }

  /** The same replica over forks of its ports: both go on apart. Nothing is delivered again. */
  fork(ports: ReplicaPorts, onCommitted: (prepare: Prepare) => void, onRead: (commit: number) => void): Replica {
    const twin = new Replica({ ...ports, firstStart: false, faults: this.#faults }, this.#machine.fork());
    twin.#inbox.takeOver(this.#inbox);
    twin.#delivery.to(onCommitted, this.#delivery.delivered);
    twin.onRead = onRead;
    twin.#pace.takeOver(this.#pace, ports.random);
    return twin;
  }

  // What the world does to a replica.

  submit(body: Uint8Array, client: bigint, request: number): Submitted {
    if (this.#machine.haltedBy !== undefined) return HALTED;
    try {
      return this.#submitted(body, client, request);
    } catch (cause) {
      this.#halt(cause);
      return HALTED;
    }
  }

  startReadRound(): ReturnType<ReplicaPort['startReadRound']> {
    if (this.#machine.haltedBy !== undefined) return HALTED;
    try {
      const refusedBy = this.take('StartReadRound');
      if (refusedBy.length > 0) return { refusedBy };
      const { round } = this.#machine.context.reading;
      this.#takeEnabled(COMPLETE_READ); // a cluster of one is its own quorum
      return { round };
    } catch (cause) {
      this.#halt(cause);
      return HALTED;
    }
  }

  receive(from: number, frame: Uint8Array): void {
    if (this.#machine.haltedBy !== undefined) return;
    try {
      const message = this.#inbox.decoded(from, frame);
      if (message?.type === 'RequestPrepare') this.#pace.answerRequestPrepare(message);
      else if (message !== undefined) this.#received(message);
    } catch (cause) {
      this.#halt(cause);
    }
  }

  tick(): void {
    if (this.#machine.haltedBy !== undefined) return;
    try {
      this.settle();
      if (this.#pace.tick()) this.settle();
    } catch (cause) {
      this.#halt(cause);
    }
  }

  flush(announce = true): void {
    if (this.#machine.haltedBy !== undefined) return;
    try {
      if (this.#machine.snapshot !== this.#needsNoFsync) for (const event of FSYNC_EVENTS) this.#takeEnabled(event);
      this.#needsNoFsync = this.#machine.snapshot;
      this.settle();
      this.#pace.flushed();
      if (announce) this.#pace.announce();
    } catch (cause) {
      this.#halt(cause);
    }
  }

  announce(): void {
    if (!this.#pace.hasNews || this.#machine.haltedBy !== undefined) return;
    try {
      this.#pace.announce();
    } catch (cause) {
      this.#halt(cause);
    }
  }

  close(): void {
    this.#ports.log.close();
    this.#ports.superblock.close();
  }

  // Actions of the spec, one at a time: what receive, tick and flush are made of, and what the harness drives.

  /**
   * Takes one action that needs no message. @returns the rules that refuse it; empty when it was taken.
   * @throws what log and superblock throw; the callers above halt the replica then
   */
  take(action: PlainAction | TargetAction): readonly RuleId[] {
    assert(action !== 'Crash', 'a crash is nothing that a replica does: drop it and open its disk again');
    return this.#put(this.eventOf(action));
  }

  /** The one action that this message is good for here, taken; undefined when every one refuses. Nothing else happens. */
  deliver(message: SpecMessage, facts = factsOf(message)): VsrAction | undefined {
    if (this.#isForged(message)) {
      this.#inbox.drop('ENTRY_BROKEN_CHAIN');
      return undefined;
    }
    const actions = actionsOf(message.type);
    let taken: VsrEvent | undefined;
    let row: Row | undefined;
    for (const action of actions) {
      const event = this.eventOf(action, message, facts);
      const enabled = this.#machine.enabledRow(event);
      if (enabled === undefined) continue;
      assert(row === undefined, 'a message is good for one action');
      taken = event;
      row = enabled;
    }
    if (taken !== undefined && row !== undefined) {
      this.#advance(row, taken, message, entryOf(message));
      return taken.type;
    }
    this.#machine.refuse(this.eventOf(actions[0] as MessageAction, message, facts), message);
    return undefined;
  }

  /** The event of an action with the facts that its guards ask of the log. */
  eventOf(action: Exclude<VsrAction, 'ClientRequest'>, message?: SpecMessage, facts?: MessageFacts): VsrEvent {
    if (action === 'RequestEntry' || action === 'AdoptLog') {
      return { type: action, hashAtTarget: this.#hashTextAt(this.#machine.context.target.op) };
    }
    if (message === undefined) return { type: action } as VsrEvent;
    const hashAtOp = message.type === 'Entry' ? this.#hashTextAt(message.op) : undefined;
    return { type: action, message: facts ?? factsOf(message), hashAtOp } as VsrEvent;
  }

  /** Takes internal steps until none is enabled. */
  settle(): void {
    for (let step = 0; step < SETTLE_STEPS_MAX; step++) {
      const { status, snapshot, context } = this.#machine;
      if (snapshot === this.#restsAt || (status !== 'view-change' && status !== 'recovering')) return;
      const { view, viewDurable, logView } = context;
      const waitsForLog = view !== viewDurable || logView === view;
      const actions = waitsForLog ? SYNC_AND_INTERNAL_ACTIONS : INTERNAL_ACTIONS;
      if (actions.some((action) => this.#takeEnabled(this.eventOf(action)))) continue;
      this.#restsAt = snapshot;
      this.#pace.settled();
      return;
    }
    throw new AssertionError('ASSERTION_FAILED', `assertion failed: ${SETTLE_STEPS_MAX} internal steps end in rest`);
  }

  // Views.

  get status(): ReplicaStatus {
    return this.#machine.status;
  }

  get statusReason(): string | undefined {
    return this.#machine.haltedBy;
  }

  get view(): number {
    return this.#machine.context.view;
  }

  get logView(): number {
    return this.#machine.context.logView;
  }

  get op(): number {
    return this.#machine.context.op;
  }

  get opDurable(): number {
    return this.#machine.context.opDurable;
  }

  get commit(): number {
    return this.#machine.context.commit;
  }

  get primary(): number {
    return this.#machine.context.view % this.replicaCount;
  }

  get readRound(): ReplicaPort['readRound'] {
    const { view, reading } = this.#machine.context;
    return this.#machine.haltedBy === undefined && reading.oks.length > 0 ? { view, round: reading.round } : undefined;
  }

  get snapshot(): AnyMachineSnapshot {
    return this.#machine.snapshot;
  }

  get machine(): VsrMachine {
    return this.#machine.machine;
  }

  get lastRefusal(): Refusal | undefined {
    return this.#machine.lastRefusal;
  }

  get onEvent(): ReplicaPort['onEvent'] {
    return this.#machine.onEvent;
  }

  set onEvent(listener: ReplicaPort['onEvent']) {
    this.#machine.onEvent = listener;
  }

  /** Events that the machine has taken since this replica was opened. */
  get eventsTaken(): number {
    return this.#machine.eventsTaken;
  }

  get framesDropped(): ReadonlyMap<string, number> {
    return this.#inbox.dropped;
  }

  prepareAt(op: number): Prepare | undefined {
    return this.#ports.log.prepareAt(op);
  }

  /** Setting it delivers 1..commit at once. */
  set onCommitted(deliver: (prepare: Prepare) => void) {
    this.#delivery.to(deliver, 0);
    if (this.#machine.haltedBy !== undefined) return;
    try {
      this.#delivery.upTo(this.commit);
    } catch (cause) {
      this.#halt(cause);
    }
  }

  get onCommitted(): (prepare: Prepare) => void {
    return this.#delivery.onCommitted;
  }

  // Steps.

  #submitted(body: Uint8Array, client: bigint, request: number): Submitted {
    const { op, view } = this.#machine.context;
    const unhashed: VsrEvent = { type: 'ClientRequest', hash: '' };
    if (!this.#machine.isEnabled(unhashed)) return { refusedBy: this.#put(unhashed) };
    const parent = this.#ports.log.headHash;
    const timestamp = Math.max(this.#ports.clock.wallMs(), this.#ports.log.prepareAt(op)?.timestamp ?? 0);
    const entry = newPrepare({ cluster: this.cluster, view, op: op + 1, parent, timestamp, client, request, body });
    const isTaken = this.#takeEnabled({ type: 'ClientRequest', hash: hashText(entry.hash) }, entry);
    assert(isTaken, 'the hash of an entry decides nothing');
    assert(this.op === op + 1, 'one request is one op');
    return { op: entry.op, hash: entry.hash };
  }

  #received(message: SpecMessage): void {
    this.#pace.hearing(message);
    this.deliver(message);
    this.#pace.heard(message);
    if (message.type === 'ReadRoundOk') this.#takeEnabled(COMPLETE_READ);
    this.settle();
  }

  /** A peer's: an entry of the view's log follows the one before it. */
  #isForged(message: SpecMessage): boolean {
    if (message.type !== 'Entry') return false;
    const { view, target } = this.#machine.context;
    const isWanted = message.view === view && message.op === target.next;
    return isWanted && this.#ports.log.refusalOf(message.entry) !== undefined;
  }

  #put(event: VsrEvent): readonly RuleId[] {
    if (this.#takeEnabled(event)) return NO_REFUSALS;
    this.#machine.refuse(event, undefined);
    return this.#machine.refusals(event);
  }

  /** Whether it was taken: nobody is told of one that is not. */
  #takeEnabled(event: VsrEvent, entry?: Prepare): boolean {
    const row = this.#machine.enabledRow(event);
    if (row === undefined) return false;
    this.#advance(row, event, undefined, entry);
    return true;
  }

  #advance(row: Row, event: VsrEvent, message: SpecMessage | undefined, entry: Prepare | undefined): void {
    const before = this.#machine.snapshot;
    for (const { type, params } of this.#machine.advance(row, event)) {
      if (this.#faults.size > 0 && this.#faults.has(`${event.type}.${type}`)) continue;
      performEffect(type as EffectName, params as EffectParams, entry, this.#targets);
    }
    const { op, commit, view, viewDurable } = this.#machine.context;
    assert(commit <= op, 'CommitNotExceedOp');
    assert(viewDurable <= view, 'a durable view is never ahead of the view');
    assert(this.#ports.log.op === op, 'log and machine have the same length');
    this.#pace.follow();
    this.#machine.record(event, message, before, true);
  }

  #hashTextAt(op: number): string | undefined {
    return op <= this.#ports.log.op ? hashText(this.#ports.log.hashAt(op)) : undefined;
  }

  /** What the disk refuses halts the replica with its reason; our own bugs (assertions) go up. */
  #halt(cause: unknown): void {
    if (!(cause instanceof LockstepError) || cause instanceof AssertionError) throw cause;
    this.#machine.haltedBy = `${cause.code}: ${cause.message}`;
    this.#pace.follow();
  }
}
