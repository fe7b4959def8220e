/**
 * One replica of specs/Vsr.tla (VRR 4.1, 4.2): the machine of machines/vsr.ts decides, log, superblock and network act.
 * Synchronous: nothing that was checked can go stale. take() is one action of the spec; receive(), tick(), flush() and
 * submit() find out which actions to take. Timers, retransmission and catching up: replica-pace.ts, outside the spec.
 */
import type { AnyMachineSnapshot } from 'xstate';
import { evaluateWithEvidence } from '../../machines/evidence.ts';
import { advance, isEnabled, type RuleId, refusals } from '../../machines/stepper.ts';
import { type EffectParams, firstStart, restarted, type VsrMachine, vsrMachine } from '../../machines/vsr.ts';
import {
  INTERNAL_ACTIONS,
  type MessageAction,
  type MessageFacts,
  type PlainAction,
  type TargetAction,
  type VsrAction,
  type VsrContext,
  type VsrEvent,
} from '../../machines/vsr-context.ts';
import { hashText } from '../crypto/hash.ts';
import { AssertionError, assert } from '../ports/assert.ts';
import { LockstepError } from '../ports/lockstep-error.ts';
import { decodeMessage, FrameError } from './codec.ts';
import type { Message } from './message.ts';
import { newPrepare, type Prepare } from './prepare.ts';
import { type EffectName, type EffectTargets, Outbox, performEffect } from './replica-effects.ts';
import { ACTIONS_OF, factsOf, type SpecMessage } from './replica-messages.ts';
import { inputOf, type ReplicaOptions, type ReplicaPorts } from './replica-options.ts';
import { type Paced, ReplicaPace } from './replica-pace.ts';
import type { Refusal, ReplicaPort, ReplicaRecord, ReplicaStatus, Submitted } from './replica-port.ts';

/** Internal steps in a row before something must come from outside: restart to normal takes 8; more is a loop of ours. */
const SETTLE_STEPS_MAX = 32;
/** A log in view change is synced only when a step waits for it. */
const SYNC_AND_INTERNAL_ACTIONS = ['ViewChangeFsync', ...INTERNAL_ACTIONS] as const;
const FSYNC_EVENTS = [{ type: 'PrimaryFsync' }, { type: 'BackupFsync' }] as const;
const NO_FAULTS: ReadonlySet<string> = new Set();

interface Refused {
  readonly event: VsrEvent;
  readonly from: number | undefined;
  readonly snapshot: AnyMachineSnapshot;
}

export class Replica implements ReplicaPort {
  readonly replica: number;
  readonly replicaCount: number;
  readonly cluster: bigint;
  onEvent: ((record: ReplicaRecord) => void) | undefined = undefined;
  readonly #machine: VsrMachine;
  readonly #faults: ReadonlySet<string>;
  readonly #ports: ReplicaPorts;
  readonly #targets: EffectTargets;
  readonly #outbox: Outbox;
  readonly #pace: ReplicaPace;
  #snapshot: AnyMachineSnapshot;
  #haltedBy: string | undefined = undefined;
  /** Asked for its reasons only when somebody wants them: a snapshot never changes. */
  #lastRefused: Refused | undefined = undefined;
  /** No fsync, no internal step was enabled there: guards say the same of the same state, and the log changes with it alone. */
  #needsNoFsync: AnyMachineSnapshot | undefined = undefined;
  #restsAt: AnyMachineSnapshot | undefined = undefined;
  #eventsTaken = 0;
  #framesDropped: ReadonlyMap<string, number> = new Map();
  #onCommitted: (prepare: Prepare) => void = () => {};
  onRead: (commit: number) => void = () => {};
  /** Highest op given to onCommitted. */
  #delivered = 0;

  private constructor(options: ReplicaOptions, snapshot: AnyMachineSnapshot) {
    const { cluster, replica, replicaCount } = options.superblock.state;
    this.cluster = cluster;
    this.replica = replica;
    this.replicaCount = replicaCount;
    this.#ports = options;
    this.#machine = options.machine ?? vsrMachine;
    this.#faults = options.faults ?? NO_FAULTS;
    this.#snapshot = snapshot;
    this.#outbox = new Outbox({ cluster, replica, replicaCount }, options.network);
    this.#targets = {
      log: options.log,
      superblock: options.superblock,
      outbox: this.#outbox,
      deliverUpTo: (commit) => this.#deliverUpTo(commit),
      deliverRead: (commit) => this.onRead(commit),
    };
    this.#pace = new ReplicaPace(this.#paced(), options.random);
  }

  /** @throws ReplicaError REPLICA_LOG_SHORT when the log lacks what the superblock says is committed */
  static open(options: ReplicaOptions): Replica {
    const input = inputOf(options);
    const started = options.firstStart ? firstStart : restarted;
    const opened = new Replica(options, started(options.machine ?? vsrMachine, input));
    if (options.onCommitted !== undefined) opened.onCommitted = options.onCommitted;
    if (options.onRead !== undefined) opened.onRead = options.onRead;
    opened.#pace.follow();
    return opened;
  }

  /** The same replica over forks of its ports: both go on apart. Nothing is delivered again. */
  fork(ports: ReplicaPorts, onCommitted: (prepare: Prepare) => void, onRead: (commit: number) => void): Replica {
    const twin = new Replica(
      { ...ports, firstStart: false, faults: this.#faults, machine: this.#machine },
      this.#snapshot,
    );
    twin.#haltedBy = this.#haltedBy;
    twin.#lastRefused = this.#lastRefused;
    twin.#eventsTaken = this.#eventsTaken;
    twin.#framesDropped = this.#framesDropped;
    twin.#delivered = this.#delivered;
    twin.#onCommitted = onCommitted;
    twin.onRead = onRead;
    twin.#pace.takeOver(this.#pace, ports.random);
    return twin;
  }

  // What the world does to a replica.

  submit(body: Uint8Array, client: bigint, request: number): Submitted {
    return this.#contained<Submitted>({ refusedBy: ['Vsr.halted'] }, () => {
      const { op, view } = this.#context;
      const unhashed: VsrEvent = { type: 'ClientRequest', hash: '' };
      if (!this.#isEnabled(unhashed)) return { refusedBy: this.#put(unhashed) };
      const parent = this.#ports.log.headHash;
      const timestamp = Math.max(this.#ports.clock.wallMs(), this.#ports.log.prepareAt(op)?.timestamp ?? 0);
      const entry = newPrepare({ cluster: this.cluster, view, op: op + 1, parent, timestamp, client, request, body });
      const refusedBy = this.#put({ type: 'ClientRequest', hash: hashText(entry.hash) }, undefined, entry);
      assert(refusedBy.length === 0, 'the hash of an entry decides nothing');
      assert(this.op === op + 1, 'one request is one op');
      return { op: entry.op, hash: entry.hash };
    });
  }

  startReadRound(): ReturnType<ReplicaPort['startReadRound']> {
    return this.#contained<ReturnType<ReplicaPort['startReadRound']>>({ refusedBy: ['Vsr.halted'] }, () => {
      const refusedBy = this.take('StartReadRound');
      if (refusedBy.length > 0) return { refusedBy };
      const { round } = this.#context.reading;
      this.#completeRead(); // a cluster of one is its own quorum
      return { round };
    });
  }

  receive(from: number, frame: Uint8Array): void {
    this.#contained(undefined, () => {
      const message = this.#decoded(from, frame);
      if (message === undefined) return;
      if (message.type === 'RequestPrepare') {
        this.#pace.answerRequestPrepare(message);
        return;
      }
      this.#pace.hearing(message);
      this.deliver(message);
      this.#pace.heard(message);
      if (message.type === 'ReadRoundOk') this.#completeRead();
      this.settle();
    });
  }

  tick(): void {
    this.#contained(undefined, () => {
      this.settle();
      this.#pace.tick();
      this.settle();
    });
  }

  flush(announce = true): void {
    this.#contained(undefined, () => {
      if (this.#snapshot !== this.#needsNoFsync)
        for (const event of FSYNC_EVENTS) if (this.#isEnabled(event)) this.take(event.type);
      this.#needsNoFsync = this.#snapshot;
      this.settle();
      this.#pace.flushed();
      if (announce) this.#pace.announce();
    });
  }

  announce(): void {
    if (this.#pace.hasNews) this.#contained(undefined, () => this.#pace.announce());
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
    const isWanted = message.type === 'Entry' && message.view === this.view && message.op === this.#context.target.next;
    if (isWanted && this.#ports.log.refusalOf(message.entry) !== undefined) {
      this.#drop('ENTRY_BROKEN_CHAIN'); // a peer's forgery: an entry of the view's log follows the one before it
      return undefined;
    }
    let taken: VsrEvent | undefined;
    for (const action of ACTIONS_OF[message.type]) {
      const event = this.eventOf(action, message, facts);
      if (!this.#isEnabled(event)) continue;
      assert(taken === undefined, 'a message is good for one action');
      taken = event;
    }
    if (taken === undefined) {
      const [first] = ACTIONS_OF[message.type];
      this.#refuse(this.eventOf(first as MessageAction, message, facts), message);
      return undefined;
    }
    this.#advance(taken, message, 'entry' in message ? message.entry : undefined);
    return taken.type;
  }

  /** The event of an action with the facts that its guards ask of the log. */
  eventOf(action: Exclude<VsrAction, 'ClientRequest'>, message?: SpecMessage, facts?: MessageFacts): VsrEvent {
    if (action === 'RequestEntry' || action === 'AdoptLog') {
      return { type: action, hashAtTarget: this.#hashTextAt(this.#context.target.op) };
    }
    if (message === undefined) return { type: action } as VsrEvent;
    const hashAtOp = message.type === 'Entry' ? this.#hashTextAt(message.op) : undefined;
    return { type: action, message: facts ?? factsOf(message), hashAtOp } as VsrEvent;
  }

  /** Takes internal steps until none is enabled. */
  settle(): void {
    for (let step = 0; step < SETTLE_STEPS_MAX; step++) {
      if (this.#snapshot === this.#restsAt || (this.status !== 'view-change' && this.status !== 'recovering')) return;
      const { view, viewDurable, logView } = this.#context;
      const waitsForLog = view !== viewDurable || logView === view;
      const actions = waitsForLog ? SYNC_AND_INTERNAL_ACTIONS : INTERNAL_ACTIONS;
      const taken = actions.some((action) => this.#isEnabled(this.eventOf(action)) && this.take(action).length === 0);
      if (taken) continue;
      this.#restsAt = this.#snapshot;
      this.#pace.settled();
      return;
    }
    throw new AssertionError('ASSERTION_FAILED', `assertion failed: ${SETTLE_STEPS_MAX} internal steps end in rest`);
  }

  // Views.

  get status(): ReplicaStatus {
    return this.#haltedBy === undefined ? (this.#snapshot.value as ReplicaStatus) : 'halted';
  }

  get statusReason(): string | undefined {
    return this.#haltedBy;
  }

  get view(): number {
    return this.#context.view;
  }

  get logView(): number {
    return this.#context.logView;
  }

  get op(): number {
    return this.#context.op;
  }

  get opDurable(): number {
    return this.#context.opDurable;
  }

  get commit(): number {
    return this.#context.commit;
  }

  get primary(): number {
    return this.#context.view % this.replicaCount;
  }

  get readRound(): ReplicaPort['readRound'] {
    const { view, reading } = this.#context;
    return this.#haltedBy === undefined && reading.oks.length > 0 ? { view, round: reading.round } : undefined;
  }

  get snapshot(): AnyMachineSnapshot {
    return this.#snapshot;
  }

  get machine(): VsrMachine {
    return this.#machine;
  }

  get lastRefusal(): Refusal | undefined {
    if (this.#lastRefused === undefined) return undefined;
    const { event, from, snapshot } = this.#lastRefused;
    return { type: event.type, from, refusedBy: refusals(this.#machine, snapshot, event) };
  }

  /** Events that the machine has taken since this replica was opened. */
  get eventsTaken(): number {
    return this.#eventsTaken;
  }

  get framesDropped(): ReadonlyMap<string, number> {
    return this.#framesDropped;
  }

  prepareAt(op: number): Prepare | undefined {
    return this.#ports.log.prepareAt(op);
  }

  /** Setting it delivers 1..commit at once. */
  set onCommitted(deliver: (prepare: Prepare) => void) {
    this.#onCommitted = deliver;
    this.#delivered = 0;
    this.#contained(undefined, () => this.#deliverUpTo(this.commit));
  }

  get onCommitted(): (prepare: Prepare) => void {
    return this.#onCommitted;
  }

  // The one place where the machine is asked and moved.

  get #context(): VsrContext {
    return this.#snapshot.context as VsrContext;
  }

  #isEnabled(event: VsrEvent): boolean {
    return isEnabled(this.#machine, this.#snapshot, event);
  }

  #put(event: VsrEvent, message?: SpecMessage, entry?: Prepare): readonly RuleId[] {
    const refusedBy = refusals(this.#machine, this.#snapshot, event);
    if (refusedBy.length > 0) this.#refuse(event, message);
    else this.#advance(event, message, entry);
    return refusedBy;
  }

  #advance(event: VsrEvent, message: SpecMessage | undefined, entry: Prepare | undefined): void {
    const before = this.#snapshot;
    const [next, effects] = advance(this.#machine, before, event as never);
    this.#snapshot = next;
    this.#eventsTaken++;
    for (const { type, params } of effects) {
      if (this.#faults.size > 0 && this.#faults.has(`${event.type}.${type}`)) continue;
      performEffect(type as EffectName, params as EffectParams, entry, this.#targets);
    }
    const { op, commit, view, viewDurable } = this.#context;
    assert(commit <= op, 'CommitNotExceedOp');
    assert(viewDurable <= view, 'a durable view is never ahead of the view');
    assert(this.#ports.log.op === op, 'log and machine have the same length');
    this.#pace.follow();
    this.#record(event, message, before, true);
  }

  #refuse(event: VsrEvent, message: SpecMessage | undefined): void {
    this.#lastRefused = { event, from: message?.from, snapshot: this.#snapshot };
    this.#record(event, message, this.#snapshot, false);
  }

  #record(event: VsrEvent, message: SpecMessage | undefined, before: AnyMachineSnapshot, taken: boolean): void {
    if (this.onEvent === undefined) return;
    const { view, op, commit } = this.#context;
    this.onEvent({
      type: event.type,
      taken,
      statusBefore: String(before.value) as ReplicaStatus,
      statusAfter: this.status,
      from: message?.from,
      message: 'message' in event ? event.message : undefined,
      view,
      op,
      commit,
      guards: () => evaluateWithEvidence(this.#machine, before, event),
    });
  }

  #completeRead(): void {
    if (this.#isEnabled({ type: 'CompleteRead' })) this.take('CompleteRead');
  }

  #decoded(from: number, frame: Uint8Array): Message | undefined {
    try {
      return decodeMessage(frame, this.cluster, this.replicaCount, from);
    } catch (cause) {
      if (!(cause instanceof FrameError)) throw cause;
      this.#drop(cause.code);
      return undefined;
    }
  }

  #drop(code: string): void {
    this.#framesDropped = new Map(this.#framesDropped).set(code, (this.#framesDropped.get(code) ?? 0) + 1);
  }

  #hashTextAt(op: number): string | undefined {
    return op <= this.#ports.log.op ? hashText(this.#ports.log.hashAt(op)) : undefined;
  }

  #deliverUpTo(commit: number): void {
    while (this.#delivered < commit) {
      const prepare = this.#ports.log.prepareAt(this.#delivered + 1);
      assert(prepare !== undefined, 'a committed op is in the log');
      this.#delivered++;
      this.#onCommitted(prepare);
    }
  }

  /** What the disk refuses halts the replica with its reason; our own bugs (assertions) go up. */
  #contained<T>(otherwise: T, act: () => T): T {
    if (this.#haltedBy !== undefined) return otherwise;
    try {
      return act();
    } catch (cause) {
      if (!(cause instanceof LockstepError) || cause instanceof AssertionError) throw cause;
      this.#haltedBy = `${cause.code}: ${cause.message}`;
      this.#pace.follow();
      return otherwise;
    }
  }

  #paced(): Paced {
    return {
      context: () => this.#context,
      status: () => this.status,
      replica: this.replica,
      replicaCount: this.replicaCount,
      outbox: this.#outbox,
      isEnabled: (action) => this.#isEnabled(this.eventOf(action)),
      take: (action) => this.take(action),
      prepareAt: (op) => this.#ports.log.prepareAt(op),
    };
  }
}
