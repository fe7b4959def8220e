/**
 * One real replica on its own simulated disk, as a state of a model: never changed, only forked. Mirrors what specs/Vsr.tla
 * indexes by replica. What a crash would leave is read from the medium by the real storage code, not from memory.
 * A part of the driver vsr.ts; translates, decides nothing.
 */

import { hashText } from '../../impl/crypto/hash.ts';
import type { Random } from '../../impl/ports/random.ts';
import { SimulatedClock } from '../../impl/ports/simulated-clock.ts';
import type { Prepare } from '../../impl/vsr/prepare.ts';
import { Replica } from '../../impl/vsr/replica.ts';
import { type GuardEvaluation, refusals } from '../../machines/stepper.ts';
import type { VsrAction, VsrContext, VsrEvent } from '../../machines/vsr-context.ts';
import type { EntryView, ReplicaView } from '../../machines/vsr-invariants.ts';
import type { GuardAnswers } from './guard-answers.ts';
import type { ReplicaFaults } from './vsr-broken.ts';
import type { Medium } from './vsr-medium.ts';
import type { SentMessage, VsrStep } from './vsr-messages.ts';
import { VsrStorage } from './vsr-storage.ts';
import { hashOf, type VsrTexts } from './vsr-texts.ts';

/** Cluster of every model; any number but 0. */
export const MODEL_CLUSTER = 1n;
/** No time passes and nothing is drawn: timeouts are steps of the model. */
const CLOCK = new SimulatedClock();
const RANDOM: Random = { below: () => 0, bytes: (count) => new Uint8Array(count) };
const NO_BYTES = new Uint8Array(0);

/** Switches that break the code, and the disk to run on. */
export interface NodeOptions extends ReplicaFaults {
  readonly medium: () => Medium;
  readonly replica: number;
  readonly replicaCount: number;
  readonly pipelineMax: number;
}

/** What a replica opens at the start of a model: normal in this view, or down since it was. */
export interface OpenedFrom {
  readonly isDown: boolean;
  readonly view: number;
  readonly commit: number;
  /** From op 1. */
  readonly entries: readonly Prepare[];
}

/** What all nodes of one walk share. */
export interface NodeWorld {
  readonly texts: VsrTexts;
  readonly answers: GuardAnswers;
  /** The durable state is a function of the bytes on the medium: read once for equal bytes. */
  readonly durable: Map<string, DurableView>;
}

/** The action that the code says it took, and what came of it; both undefined when it refused. */
interface Delivery {
  readonly action: VsrAction | undefined;
  readonly outcome: Outcome | undefined;
}
const REFUSED: Delivery = { action: undefined, outcome: undefined };

/** What one step did. */
export interface Outcome {
  readonly node: VsrNode;
  /** In the order of sending; a broadcast once. */
  readonly frames: readonly Uint8Array[];
  /** Whether the replica handed committed prepares on. */
  readonly committed: boolean;
  /** What the reads of the round that has ended may show; undefined when none has. */
  readonly shown: number | undefined;
}

/** What a crash now would leave. */
interface DurableView {
  readonly view: number;
  readonly logView: number;
  readonly commit: number;
  readonly log: readonly EntryView[];
  readonly logText: string;
}

/** The variables that the spec indexes by replica, as texts. */
export type NodeTexts = Readonly<Record<(typeof NODE_VARIABLES)[number], string>>;
export const NODE_VARIABLES = [
  'status',
  'view',
  'viewDurable',
  'logView',
  'logViewDurable',
  'log',
  'logDurable',
  'commit',
  'commitDurable',
  'acked',
  'startVotes',
  'changeVotes',
  'target',
  'reading',
] as const;

/** What was observed of a replica, true for as long as nobody has changed it. */
interface Seen {
  readonly view: ReplicaView;
  readonly texts: NodeTexts;
  readonly snapshot: unknown;
  readonly writes: number;
  readonly syncs: number;
}

export class VsrNode {
  readonly replica: Replica;
  readonly #options: NodeOptions;
  readonly #storage: VsrStorage;
  readonly #world: NodeWorld;
  /** Frames sent since this node was forked. */
  readonly #sent: Uint8Array[] = [];
  /** What was durable when the first of them left. */
  #syncsAtSend = 0;
  #committed = false;
  #shown: number | undefined;
  /** A fork that has refused everything so far. */
  #scratch: VsrNode | undefined;
  /**
   * What came of each step (the message, when it takes one; the number of the request): the same object gives the same
   * answer to the same step, so it is executed once, however many states of the cluster hold this very object.
   */
  readonly #deliveries = new Map<VsrStep | SentMessage | number, Delivery>();
  readonly #guards = new Map<VsrStep, readonly GuardEvaluation[]>();
  #seen: Seen | undefined;
  #durable: { readonly view: DurableView; readonly syncs: number } | undefined;

  /** @param origin the replica to fork, or whether this is its first start */
  private constructor(options: NodeOptions, storage: VsrStorage, world: NodeWorld, origin: Replica | boolean) {
    this.#options = options;
    this.#storage = storage;
    this.#world = world;
    const { superblock, log } = storage;
    const network = { send: (_to: number, frame: Uint8Array) => this.#note(frame) };
    const ports = { superblock, log, network, clock: CLOCK, random: RANDOM };
    const onCommitted = (): void => {
      this.#committed = true;
    };
    const onRead = (commit: number): void => {
      this.#shown = commit;
    };
    this.replica =
      origin instanceof Replica
        ? origin.fork(ports, onCommitted, onRead)
        : Replica.open({
            ...ports,
            firstStart: origin,
            pipelineOpsMax: options.pipelineMax,
            onCommitted,
            onRead,
            ...(options.machine === undefined ? {} : { machine: options.machine }),
            ...(options.faults === undefined ? {} : { faults: options.faults }),
          });
  }

  /** Formats a disk, writes what it holds and opens it. */
  static format(options: NodeOptions, world: NodeWorld, { isDown, view, commit, entries }: OpenedFrom): VsrNode {
    const { replica, replicaCount } = options;
    const identity = { cluster: MODEL_CLUSTER, replica, replicaCount };
    const storage = VsrStorage.format(options.medium(), identity, { view, logView: view, commit, entries });
    return new VsrNode(options, storage, world, !isDown);
  }

  /** Undefined when the replica refused and nothing has changed, or when it took the message for another action. */
  take(step: VsrStep, sent: SentMessage | undefined, request: number): Outcome | undefined {
    const key = sent ?? (step.type === 'ClientRequest' ? request : step);
    let delivery = this.#deliveries.get(key);
    if (delivery === undefined) {
      delivery = this.#deliver(step, sent, request);
      this.#deliveries.set(key, delivery);
    }
    return delivery.action === undefined || delivery.action === step.type ? delivery.outcome : undefined;
  }

  dispose(): void {
    this.#storage.dispose();
  }

  guards(step: VsrStep, sent: SentMessage | undefined): readonly GuardEvaluation[] {
    let answers = this.#guards.get(step);
    if (answers === undefined) {
      answers = this.#world.answers.of(this.replica.snapshot, this.#eventOf(step, sent));
      this.#guards.set(step, answers);
    }
    return answers;
  }

  get context(): VsrContext {
    return this.replica.snapshot.context as VsrContext;
  }

  get view(): ReplicaView {
    return this.#observed().view;
  }

  get texts(): NodeTexts {
    return this.#observed().texts;
  }

  /** Acts on a fork. A fork that refused serves the next step too, after a look whether it is really unchanged. */
  #deliver(step: VsrStep, sent: SentMessage | undefined, request: number): Delivery {
    if (step.type === 'Crash') return this.#crash();
    const twin = this.#scratch ?? this.#fork();
    this.#scratch = undefined;
    const action = taken(twin.replica, step, sent, request);
    if (action === undefined && this.#isUnchangedIn(twin)) {
      this.#scratch = twin;
      return REFUSED;
    }
    twin.#requireDurableBeforeVisible();
    return { action, outcome: { node: twin, frames: twin.#sent, committed: twin.#committed, shown: twin.#shown } };
  }

  #isUnchangedIn(twin: VsrNode): boolean {
    return (
      twin.replica.snapshot === this.replica.snapshot &&
      twin.#sent.length === 0 &&
      twin.#storage.writes === this.#storage.writes &&
      twin.#storage.syncs === this.#storage.syncs
    );
  }

  /** The machine says whether a replica in this state can crash at all; then its disk loses power and is opened again. */
  #crash(): Delivery {
    if (refusals(this.replica.machine, this.replica.snapshot, { type: 'Crash' }).length > 0) return REFUSED;
    const node = new VsrNode(this.#options, this.#storage.crashed(), this.#world, false);
    return { action: 'Crash', outcome: { node, frames: [], committed: false, shown: undefined } };
  }

  #eventOf(step: VsrStep, sent: SentMessage | undefined): VsrEvent {
    if (step.type === 'ClientRequest') return { type: 'ClientRequest', hash: '' };
    return this.replica.eventOf(step.type, sent?.message, sent?.facts);
  }

  #fork(): VsrNode {
    const twin = new VsrNode(this.#options, this.#storage.fork(), this.#world, this.replica);
    twin.#durable = this.#durable;
    return twin;
  }

  #note(frame: Uint8Array): void {
    if (this.#sent.length === 0) this.#syncsAtSend = this.#storage.syncs;
    if (this.#sent.at(-1) !== frame) this.#sent.push(frame);
  }

  /** A step of the spec is one; in the code power may go between its effects. So a frame leaves after the last sync of its step. */
  #requireDurableBeforeVisible(): void {
    if (this.#sent.length > 0 && this.#storage.syncs !== this.#syncsAtSend)
      throw new Error('a frame left before the fsync that it depends on: durable before visible');
  }

  #observed(): Seen {
    const { snapshot } = this.replica;
    const { writes, syncs } = this.#storage;
    if (this.#seen?.snapshot !== snapshot || this.#seen.writes !== writes || this.#seen.syncs !== syncs)
      this.#seen = { ...this.#observe(), snapshot, writes, syncs };
    return this.#seen;
  }

  #observe(): { readonly view: ReplicaView; readonly texts: NodeTexts } {
    const { replica, context } = this;
    const { texts } = this.#world;
    const { view, logView, commit, acked, startVotes, changeVotes, target, reading } = context;
    const durable = this.#readDurable();
    const entries = Array.from({ length: replica.op }, (_, at) => replica.prepareAt(at + 1) as Prepare);
    const status = String(replica.snapshot.value);
    return {
      view: {
        status,
        view,
        viewDurable: durable.view,
        logView,
        logViewDurable: durable.logView,
        log: entries.map(entryView),
        logDurable: durable.log,
        commit,
        commitDurable: durable.commit,
        acked,
        startVotes,
        changeVotes,
        target,
        reading,
      },
      texts: {
        status: JSON.stringify(status),
        view: String(view),
        viewDurable: String(durable.view),
        logView: String(logView),
        logViewDurable: String(durable.logView),
        log: texts.log(entries),
        logDurable: durable.logText,
        commit: String(commit),
        commitDurable: String(durable.commit),
        acked: texts.acked(acked),
        startVotes: texts.startVotes(startVotes),
        changeVotes: texts.changeVotes(changeVotes),
        target: texts.target(target),
        reading: texts.reading(reading),
      },
    };
  }

  /** Read from the medium again after everything that may have changed it. */
  #readDurable(): DurableView {
    const { syncs } = this.#storage;
    if (this.#durable?.syncs !== syncs) this.#durable = { view: this.#readMedium(), syncs };
    return this.#durable.view;
  }

  #readMedium(): DurableView {
    const { durable, texts } = this.#world;
    const key = this.#storage.mediumText();
    let read = durable.get(key);
    if (read === undefined) {
      const { view, logView, commit, entries } = this.#storage.durable();
      read = { view, logView, commit, log: entries.map(entryView), logText: texts.log(entries) };
      durable.set(key, read);
    }
    return read;
  }
}

/** The action that the code says it took. */
function taken(
  replica: Replica,
  { type }: VsrStep,
  sent: SentMessage | undefined,
  request: number,
): VsrAction | undefined {
  if (sent !== undefined) return replica.deliver(sent.message, sent.facts);
  if (type === 'ClientRequest') return 'op' in replica.submit(NO_BYTES, 1n, request) ? type : undefined;
  return replica.take(type as Parameters<Replica['take']>[0]).length === 0 ? type : undefined;
}

const entryViews = new WeakMap<Prepare, EntryView>();

function entryView(entry: Prepare): EntryView {
  let view = entryViews.get(entry);
  if (view === undefined) {
    view = { view: entry.view, hash: hashOf(entry), parent: hashText(entry.parent) };
    entryViews.set(entry, view);
  }
  return view;
}
