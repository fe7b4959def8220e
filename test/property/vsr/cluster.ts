/**
 * A cluster of real replicas with real storage over simulated disks, one network, one clock and one seed: same seed and
 * actions, same run. Frames are lost, doubled, delayed and overtake each other; machines lose power at any byte that is not
 * synced. After every tick that changed something the invariants of specs/Vsr.tla are asked; state hashes are compared.
 */
import { SimulatedClock } from '../../../impl/ports/simulated-clock.ts';
import type { DiskFault } from '../../../impl/ports/simulated-disk.ts';
import { SimulatedRandom } from '../../../impl/ports/simulated-random.ts';
import { REPLICA_TICK_MS } from '../../../impl/vsr/timers.ts';
import { type ClusterView, vsrInvariants } from '../../../machines/vsr-invariants.ts';
import { CALM, ClusterNetwork, type Weather } from './cluster-network.ts';
import { ClusterNode, type NodeOptions } from './cluster-node.ts';

export type ClusterAction =
  | { readonly kind: 'run'; readonly ticks: number }
  /** To every replica that takes itself for the primary, stale ones included. */
  | { readonly kind: 'submit'; readonly count: number }
  /** Power loss: this share of the unsynced bytes is on the disk, in thousandths; frames on their way wait or are lost. */
  | { readonly kind: 'crash'; readonly replica: number; readonly kept: number; readonly framesLost: boolean }
  | { readonly kind: 'restart'; readonly replica: number }
  /** The next operation of that kind on the disk fails: the replica halts, and comes back only by a restart. */
  | { readonly kind: 'disk-fault'; readonly replica: number; readonly fault: DiskFault; readonly kept: number }
  /** Neither ticks nor receives: a long pause of the process. */
  | { readonly kind: 'pause'; readonly replica: number; readonly ticks: number }
  | { readonly kind: 'cut'; readonly from: number; readonly to: number }
  | { readonly kind: 'isolate'; readonly replica: number }
  | { readonly kind: 'heal' }
  | { readonly kind: 'weather'; readonly weather: Weather };

export interface ClusterOptions {
  readonly replicaCount: number;
  readonly seed: number;
  readonly node?: NodeOptions;
  /** Asking the invariants costs most of a run; measurements leave it out. */
  readonly invariants?: boolean;
  /** Of 1000 turns, those whose writes are synced only with a later one. */
  readonly flushesSkipped?: number;
}

/** A fetch of 10,000 entries one by one takes two rounds each; more is a loop. */
const SETTLE_ROUNDS_MAX = 50_000;
/** Machine events kept for the report of a failure. */
const TRACE_EVENTS_MAX = 60;

export class Cluster {
  readonly nodes: readonly ClusterNode[];
  readonly network: ClusterNetwork;
  readonly trace: string[] = [];
  /** Hashes of what some replica has committed, in order of op: agreed on for ever. */
  readonly committed: string[] = [];
  ticks = 0;
  /** Replicas that a fault of their disk has halted. */
  halts = 0;
  readonly #random: SimulatedRandom;
  readonly #clock = new SimulatedClock(1_000_000);
  readonly #options: ClusterOptions;
  /** By commit id. */
  readonly #stateHashes = new Map<number, string>();
  /** Machine events taken, and crashes; without one nothing has changed. */
  #events = 0;
  #eventsChecked = 0;
  #requests = 0;
  #crashes = 0;
  readonly #pausedUntil: number[];
  readonly #viewsDurable: number[];

  constructor(options: ClusterOptions) {
    const { replicaCount, seed } = options;
    this.#options = options;
    this.#random = new SimulatedRandom(seed);
    this.network = new ClusterNetwork(replicaCount, this.#random, options.invariants !== false);
    this.#pausedUntil = new Array<number>(replicaCount).fill(0);
    this.#viewsDurable = new Array<number>(replicaCount).fill(0);
    this.nodes = Array.from({ length: replicaCount }, (_, replica) => {
      const world = {
        network: this.network.portOf(replica),
        clock: this.#clock,
        random: new SimulatedRandom(seed * 31 + replica),
        committed: (op: number, hash: string, stateHash: string) => this.#noteCommitted(replica, op, hash, stateHash),
        noted: (text: string) => this.#note(replica, text),
      };
      return new ClusterNode(replica, replicaCount, world, options.node);
    });
    for (const node of this.nodes) node.start();
  }

  act(action: ClusterAction): void {
    switch (action.kind) {
      case 'run':
        for (let tick = 0; tick < action.ticks; tick++) this.tick();
        return;
      case 'submit':
        for (const node of this.nodes) if (node.isPrimary) this.submit(node, action.count);
        return;
      case 'crash':
        this.#crash(action.replica, action.kept);
        if (action.framesLost) this.network.loseFramesTo(action.replica);
        return;
      case 'restart':
        this.network.listen(action.replica);
        this.nodes[action.replica]?.start();
        return;
      case 'disk-fault':
        this.nodes[action.replica]?.injectFault(action.fault, action.kept);
        return;
      case 'pause':
        this.#pausedUntil[action.replica] = this.ticks + action.ticks;
        return;
      case 'cut':
        this.network.cut(action.from, action.to);
        return;
      case 'isolate':
        this.network.isolate(action.replica);
        return;
      case 'heal':
        this.network.heal();
        return;
      case 'weather':
        this.network.weather = action.weather;
        return;
    }
  }

  /** @returns how many were taken */
  submit(node: ClusterNode, count: number): number {
    let taken = 0;
    for (let at = 0; at < count; at++) {
      if (!node.submit(this.#requests + 1)) break;
      this.#requests++;
      taken++;
    }
    return taken;
  }

  /** One tick of every replica, in an order of chance: frames that are due, the timers, perhaps an fsync. */
  tick(): void {
    this.ticks++;
    this.#clock.advance(REPLICA_TICK_MS);
    this.network.now = this.ticks;
    for (const node of shuffled(this.nodes, this.#random)) {
      this.#loseHalted(node);
      if (!node.isUp || this.ticks < (this.#pausedUntil[node.index] ?? 0)) continue;
      for (const { from, frame } of this.network.dueFor(node.index)) node.receive(from, frame);
      node.tick();
      if (this.#random.below(1000) >= (this.#options.flushesSkipped ?? 200)) node.flush();
      this.#loseHalted(node);
    }
    if (this.#options.invariants === false || this.#events === this.#eventsChecked) return;
    this.check();
    this.#eventsChecked = this.#events;
  }

  /** Frames due now go round until none is left: what happens between two ticks of a fast network. */
  settle(): void {
    for (let round = 0; round < SETTLE_ROUNDS_MAX; round++) {
      let delivered = 0;
      for (const node of this.nodes) {
        if (!node.isUp) continue;
        const frames = this.network.dueFor(node.index);
        for (const { from, frame } of frames) node.receive(from, frame);
        node.flush();
        delivered += frames.length;
      }
      if (delivered === 0) return;
    }
    throw new Error('frames go round for ever');
  }

  /** All faults end: frames arrive at the next tick, every replica is up. */
  calm(): void {
    this.network.heal();
    this.network.weather = CALM;
    this.#pausedUntil.fill(0);
    for (const node of this.nodes) {
      this.#loseHalted(node);
      node.disarm();
      this.act({ kind: 'restart', replica: node.index });
    }
  }

  /** All replicas are normal in one view, hold the same ops, have committed them all and applied them all. */
  get isAgreed(): boolean {
    const [first] = this.nodes;
    return this.nodes.every(
      ({ replica: one, kernel }) =>
        one !== undefined &&
        one.status === 'normal' &&
        one.view === first?.replica?.view &&
        one.op === first.replica.op &&
        one.commit === one.op &&
        kernel.commitId === one.op,
    );
  }

  /** @throws when an invariant does not hold, with the last events of the machines */
  check(): void {
    const view = this.#view();
    for (const [name, holds] of Object.entries(vsrInvariants)) if (!holds(view)) this.fail(name);
    for (const [replica, { viewDurable }] of view.replicas.entries()) {
      if (viewDurable < (this.#viewsDurable[replica] ?? 0)) this.fail(`the durable view of replica ${replica} fell`);
      this.#viewsDurable[replica] = viewDurable;
    }
    for (const { replica: one } of this.nodes) {
      if (one?.status === 'halted') this.fail(`replica ${one.replica} halted: ${one.statusReason}`);
      if (one !== undefined && one.framesDropped.size > 0) {
        this.fail(`replica ${one.replica} dropped a frame: ${[...one.framesDropped.keys()].join(' ')}`);
      }
    }
  }

  fail(what: string): never {
    const nodes = this.nodes.map((node) => node.text).join('\n');
    throw new Error(`${what}, at tick ${this.ticks}\n${nodes}\n${this.trace.slice(-TRACE_EVENTS_MAX).join('\n')}`);
  }

  #view(): ClusterView {
    return {
      replicas: this.nodes.map((node) => node.view),
      messages: this.network.everSent,
      acknowledged: this.committed,
      requests: this.#requests,
      crashes: this.#crashes,
      readOwed: this.nodes.map(() => 0),
      readAnswers: [],
    };
  }

  /** A replica that a fault of its disk has halted says nothing any more; its machine goes down with it. */
  #loseHalted(node: ClusterNode): void {
    if (node.replica?.status !== 'halted' || node.keptAfterFault === undefined) return;
    this.halts++;
    this.#crash(node.index, node.keptAfterFault);
  }

  #crash(replica: number, kept: number): void {
    const node = this.nodes[replica];
    if (node === undefined || !node.isUp) return;
    this.#crashes++;
    node.crash(kept / 1000);
    this.#note(replica, 'Crash');
  }

  #noteCommitted(replica: number, op: number, hash: string, stateHash: string): void {
    const before = this.committed[op - 1];
    if (before === undefined && op !== this.committed.length + 1) this.fail(`replica ${replica} skips to op ${op}`);
    if (before === undefined) this.committed.push(hash);
    else if (before !== hash) this.fail(`Agreement: replica ${replica} commits another entry at op ${op}`);
    const stateHashBefore = this.#stateHashes.get(op) ?? stateHash;
    if (stateHashBefore !== stateHash) this.fail(`replica ${replica} has another state at op ${op}`);
    this.#stateHashes.set(op, stateHash);
  }

  #note(replica: number, text: string): void {
    this.#events++;
    this.trace.push(`${this.ticks} r${replica} ${text}`);
    if (this.trace.length > 10 * TRACE_EVENTS_MAX) this.trace.splice(0, this.trace.length - TRACE_EVENTS_MAX);
  }
}

export function shuffled<T>(items: readonly T[], random: SimulatedRandom): readonly T[] {
  const order = [...items];
  for (let at = order.length - 1; at > 0; at--) {
    const other = random.below(at + 1);
    [order[at], order[other]] = [order[other] as T, order[at] as T];
  }
  return order;
}
