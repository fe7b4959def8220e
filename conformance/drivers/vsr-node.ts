/**
 * One real replica on its own simulated disk, as a state of a model: never changed, only forked. Mirrors what specs/Vsr.tla
 * indexes by replica. What a crash would leave is read from the medium by the real storage code, not from memory.
 * A part of the driver vsr.ts; translates, decides nothing.
 */

import { hashText } from '../../impl/crypto/hash.ts';
import type { Random } from '../../impl/ports/random.ts';
import { SimulatedClock } from '../../impl/ports/simulated-clock.ts';
import { SimulatedDisk } from '../../impl/ports/simulated-disk.ts';
import { AppendLog } from '../../impl/storage/append-log.ts';
import { Superblock } from '../../impl/storage/superblock.ts';
import type { Prepare } from '../../impl/vsr/prepare.ts';
import { PrepareLog } from '../../impl/vsr/prepare-log.ts';
import { Replica } from '../../impl/vsr/replica.ts';
import { evaluate, type GuardEvaluation, refusals } from '../../machines/stepper.ts';
import type { VsrMachine } from '../../machines/vsr.ts';
import type { VsrAction, VsrContext, VsrEvent } from '../../machines/vsr-context.ts';
import type { EntryView, ReplicaView } from '../../machines/vsr-invariants.ts';
import type { SentMessage, VsrStep } from './vsr-messages.ts';

/** Cluster of every model; any number but 0. */
export const MODEL_CLUSTER = 1n;
const DIRECTORY = '/replica';
const SUPERBLOCK = `${DIRECTORY}/superblock`;
const LOG = `${DIRECTORY}/log`;
/** One step holds every entry of a model; a log that grows beyond it takes another. */
const SEGMENT_BYTES = 8192;
const SUPERBLOCK_BYTES = 16_384;
/** No time passes and nothing is drawn: timeouts are steps of the model. */
const CLOCK = new SimulatedClock();
const RANDOM: Random = { below: () => 0, bytes: (count) => new Uint8Array(count) };
const NO_BYTES = new Uint8Array(0);

/** Switches that only the harness passes. */
export interface NodeFaults {
  readonly machine?: VsrMachine;
  readonly faults?: ReadonlySet<string>;
}

export interface NodeOptions extends NodeFaults {
  readonly replica: number;
  readonly replicaCount: number;
  readonly pipelineMax: number;
}

/** What one step did. */
export interface Outcome {
  readonly node: VsrNode;
  /** In the order of sending; a broadcast once. */
  readonly frames: readonly Uint8Array[];
  /** Whether the replica handed committed prepares on. */
  readonly committed: boolean;
}

/** What a crash now would leave. */
export interface DurableView {
  readonly view: number;
  readonly logView: number;
  readonly commit: number;
  readonly log: readonly EntryView[];
  readonly entries: readonly Prepare[];
}

/** What all nodes of one walk share. */
export interface NodeWorld {
  /** The durable state is a function of the bytes on the medium: read once for equal bytes. */
  readonly durable: Map<string, DurableView>;
  /** The last delivery of a message, since several actions may ask whether it was theirs. */
  lastDelivery: Delivery | undefined;
}

interface Delivery {
  readonly node: VsrNode;
  readonly sent: SentMessage;
  /** The action that the code says it took. */
  readonly action: VsrAction | undefined;
  readonly outcome: Outcome | undefined;
}

interface Parts {
  readonly disk: SimulatedDisk;
  readonly superblock: Superblock;
  readonly log: PrepareLog;
}

export class VsrNode {
  readonly replica: Replica;
  readonly #options: NodeOptions;
  readonly #parts: Parts;
  readonly #world: NodeWorld;
  /** Frames sent since this node was forked. */
  readonly #sent: Uint8Array[] = [];
  #committed = false;
  #scratch: VsrNode | undefined;
  #view: ReplicaView | undefined;
  #durable: DurableView | undefined;

  private constructor(options: NodeOptions, parts: Parts, world: NodeWorld, origin: Replica | boolean) {
    this.#options = options;
    this.#parts = parts;
    this.#world = world;
    const { superblock, log } = parts;
    const network = { send: (_to: number, frame: Uint8Array) => this.#note(frame) };
    const ports = { superblock, log, network, clock: CLOCK, random: RANDOM };
    const onCommitted = (): void => {
      this.#committed = true;
    };
    this.replica =
      origin instanceof Replica
        ? origin.fork(ports, onCommitted)
        : Replica.open({
            ...ports,
            firstStart: origin,
            pipelineOpsMax: options.pipelineMax,
            onCommitted,
            ...(options.machine === undefined ? {} : { machine: options.machine }),
            ...(options.faults === undefined ? {} : { faults: options.faults }),
          });
  }

  /** Formats a disk and opens it: the first start, or a replica that was started before and is down. */
  static format(options: NodeOptions, world: NodeWorld, isDown: boolean): VsrNode {
    const disk = new SimulatedDisk();
    disk.makeDirectory(DIRECTORY);
    const { replica, replicaCount } = options;
    Superblock.format(disk, SUPERBLOCK, { cluster: MODEL_CLUSTER, replica, replicaCount });
    AppendLog.create(disk, LOG, { segmentBytes: SEGMENT_BYTES }).close();
    disk.syncDirectory(DIRECTORY);
    return new VsrNode(options, openParts(disk), world, !isDown);
  }

  /** Undefined when the replica refused and nothing has changed, or when it took the message for another action. */
  take(step: VsrStep, sent: SentMessage | undefined, request: number): Outcome | undefined {
    if (step.type === 'Crash') return this.#crash();
    if (sent === undefined) return this.#after((replica) => taken(replica, step, request));
    const world = this.#world;
    if (world.lastDelivery?.node !== this || world.lastDelivery.sent !== sent) world.lastDelivery = this.#deliver(sent);
    const { action, outcome } = world.lastDelivery;
    return action === undefined || action === step.type ? outcome : undefined;
  }

  guards(step: VsrStep, sent: SentMessage | undefined): readonly GuardEvaluation[] {
    return evaluate(this.replica.machine, this.replica.snapshot, this.#eventOf(step, sent));
  }

  get context(): VsrContext {
    return this.replica.snapshot.context as VsrContext;
  }

  get view(): ReplicaView {
    this.#view ??= this.#observe();
    return this.#view;
  }

  get durable(): DurableView {
    this.#durable ??= this.#readMedium();
    return this.#durable;
  }

  /** Entries from op 1. */
  get entries(): readonly Prepare[] {
    const { replica } = this;
    return Array.from({ length: replica.op }, (_, at) => replica.prepareAt(at + 1) as Prepare);
  }

  #deliver(sent: SentMessage): Delivery {
    let action: VsrAction | undefined;
    const outcome = this.#after((replica) => {
      action = replica.deliver(sent.message.from, sent.frame);
      return action !== undefined;
    });
    return { node: this, sent, action, outcome };
  }

  /** Acts on a fork. A fork that refused serves the next step too, after a look whether it is really unchanged. */
  #after(act: (replica: Replica) => boolean): Outcome | undefined {
    const twin = this.#scratch ?? this.#fork();
    this.#scratch = undefined;
    const acted = act(twin.replica);
    if (acted || twin.replica.snapshot !== this.replica.snapshot || twin.#sent.length > 0 || twin.#hasWritten(this))
      return { node: twin, frames: twin.#sent, committed: twin.#committed };
    this.#scratch = twin;
    return undefined;
  }

  /** The machine says whether a replica that is in this state can crash at all; then its disk loses power and is opened again. */
  #crash(): Outcome | undefined {
    if (refusals(this.replica.machine, this.replica.snapshot, { type: 'Crash' }).length > 0) return undefined;
    const disk = this.#parts.disk.fork();
    disk.crash();
    const node = new VsrNode(this.#options, openParts(disk), this.#world, false);
    return { node, frames: [], committed: false };
  }

  #eventOf(step: VsrStep, sent: SentMessage | undefined): VsrEvent {
    if (step.type === 'ClientRequest') return { type: 'ClientRequest', hash: '' };
    return this.replica.eventOf(step.type, sent?.message);
  }

  #fork(): VsrNode {
    const disk = this.#parts.disk.fork();
    const superblock = this.#parts.superblock.fork(disk);
    const log = this.#parts.log.fork(disk);
    return new VsrNode(this.#options, { disk, superblock, log }, this.#world, this.replica);
  }

  #note(frame: Uint8Array): void {
    if (this.#sent.at(-1) !== frame) this.#sent.push(frame);
  }

  #hasWritten(before: VsrNode): boolean {
    const { disk, log, superblock } = this.#parts;
    const other = before.#parts;
    return (
      log.op !== other.log.op ||
      log.opDurable !== other.log.opDurable ||
      superblock.state.sequence !== other.superblock.state.sequence ||
      disk.unsyncedBytes(LOG) !== other.disk.unsyncedBytes(LOG)
    );
  }

  #observe(): ReplicaView {
    const { view, logView, commit, acked, startVotes, changeVotes, target } = this.context;
    const { durable } = this;
    return {
      status: String(this.replica.snapshot.value),
      view,
      viewDurable: durable.view,
      logView,
      logViewDurable: durable.logView,
      log: this.entries.map(entryView),
      logDurable: durable.log,
      commit,
      commitDurable: durable.commit,
      acked,
      startVotes,
      changeVotes,
      target,
    };
  }

  #readMedium(): DurableView {
    const { disk } = this.#parts;
    const bytes = Buffer.alloc(SUPERBLOCK_BYTES + SEGMENT_BYTES);
    disk.readMedium(SUPERBLOCK, 0, bytes.subarray(0, SUPERBLOCK_BYTES));
    disk.readMedium(LOG, 0, bytes.subarray(SUPERBLOCK_BYTES));
    const key = bytes.toString('latin1');
    let durable = this.#world.durable.get(key);
    if (durable === undefined) {
      durable = durableOf(disk);
      this.#world.durable.set(key, durable);
    }
    return durable;
  }
}

/** Whether the code took the step, which needs no message. */
function taken(replica: Replica, { type }: VsrStep, request: number): boolean {
  if (type === 'ClientRequest') return 'op' in replica.submit(NO_BYTES, 1n, request);
  return replica.take(type as Parameters<Replica['take']>[0]).length === 0;
}

function openParts(disk: SimulatedDisk): Parts {
  const { superblock } = Superblock.open(disk, SUPERBLOCK);
  const { log } = AppendLog.open(disk, LOG, { segmentBytes: SEGMENT_BYTES });
  return { disk, superblock, log: PrepareLog.open(log, MODEL_CLUSTER).prepareLog };
}

/** Cuts the power of a fork and opens what is left. */
function durableOf(disk: SimulatedDisk): DurableView {
  const crashed = disk.fork();
  crashed.crash();
  const { superblock, log } = openParts(crashed);
  const { view, logView, commit } = superblock.state;
  const entries = Array.from({ length: log.op }, (_, at) => log.prepareAt(at + 1) as Prepare);
  return { view, logView, commit, log: entries.map(entryView), entries };
}

function entryView({ view, hash, parent }: Prepare): EntryView {
  return { view, hash: hashText(hash), parent: hashText(parent) };
}
