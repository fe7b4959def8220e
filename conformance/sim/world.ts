/**
 * A whole cluster of real replicas with its disks, wires, clocks and clients in one thread and virtual time: takes the plan
 * of a scenario event by event and holds every step to the oracles. Deterministic: equal scenarios, equal histories. What a
 * fault does to a node is world-faults.ts; what is judged, and when, is judge of run.ts.
 */
import { hashText } from '../../impl/crypto/hash.ts';
import type { CommandResult } from '../../impl/kernel/command-result.ts';
import { assert } from '../../impl/ports/assert.ts';
import { SimulatedStop } from '../../impl/ports/simulated-disk.ts';
import { SimulatedRandom } from '../../impl/ports/simulated-random.ts';
import type { Prepare } from '../../impl/vsr/prepare.ts';
import { REPLICA_TICK_MS } from '../../impl/vsr/timers.ts';
import type { FrameKind } from '../../impl/wire/frame.ts';
import type { RequestSession } from '../../impl/wire/request.ts';
import type { BrokenParts } from './broken-parts.ts';
import type { SessionAnswer } from './client-serve.ts';
import type { Asking, ClientWorld } from './client-world.ts';
import { HistoryHash } from './history-hash.ts';
import type { Oracles } from './oracles.ts';
import type { ClientAction, FaultEvent, FaultKind, PlanEvent, Scenario } from './plan.ts';
import type { RunOptions } from './run-result.ts';
import { DUE, Scheduler } from './scheduler.ts';
import { SimClients } from './sim-clients.ts';
import type { EmittedEvent, SimEvent } from './sim-event.ts';
import { type NetworkEnds, type Packet, SimNetwork } from './sim-network.ts';
import { type NodeWorld, SimNode, type Waiting } from './sim-node.ts';
import { WorldFaults } from './world-faults.ts';

const TICK_US = REPLICA_TICK_MS * 1_000;
const TICK = { what: 'tick' } as const;
/**
 * From a damaged frame until both sides know that their connection is gone. None would do too, but for a wire that damages
 * most frames: what is sent again at once is damaged at once, and the same instant never ends.
 */
const BROKEN_US = 1_000;
/** One way between a client and a replica. */
const CLIENT_FRAME_US_MIN = 100;
const CLIENT_FRAME_US_MAX = 600;

export class World implements NodeWorld, NetworkEnds, ClientWorld {
  readonly scenario: Scenario;
  readonly nodes: readonly SimNode[];
  readonly network: SimNetwork;
  readonly clients: SimClients;
  readonly history = new HistoryHash();
  /** Without a prototype: a dictionary from the start, whatever order the kinds come in. */
  readonly injected: Partial<Record<FaultKind, number>> = Object.create(null) as Record<FaultKind, number>;
  readonly halts: { readonly replica: number; readonly code: string }[] = [];
  nowUs = 0;
  step = 0;
  ticks = 0;
  framesDelivered = 0;
  isHealed = false;
  readonly scheduler = new Scheduler();
  readonly #faults: WorldFaults;
  readonly #oracles: Oracles;
  readonly #options: RunOptions;
  readonly #syncRandoms: readonly SimulatedRandom[];
  readonly #clientRandom: SimulatedRandom;

  get replicaCount(): number {
    return this.scenario.replicaCount;
  }

  constructor(scenario: Scenario, oracles: Oracles, options: RunOptions, broken: BrokenParts) {
    const { replicaCount, seed, frameUs } = scenario;
    this.scenario = scenario;
    this.#oracles = oracles;
    this.#options = options;
    this.#clientRandom = new SimulatedRandom(Math.imul(seed, 0x27d4_eb2f) + 1);
    this.#syncRandoms = Array.from(
      { length: replicaCount },
      (_, index) => new SimulatedRandom(Math.imul(seed, 0x1656_67b1) + index),
    );
    this.network = new SimNetwork(replicaCount, seed, frameUs, this);
    this.#faults = new WorldFaults(this);
    this.nodes = Array.from({ length: replicaCount }, (_, index) => this.#newNode(index, broken));
    this.clients = new SimClients(seed, this, scenario.sessions?.window, broken.client);
    for (let at = 0; at < scenario.plan.length; at++)
      this.scheduler.push((scenario.plan[at] as PlanEvent).atUs, DUE.plan, at);
    for (const node of this.nodes) {
      this.scheduler.push(node.clock.periodUs(TICK_US), DUE.tick, node.index, node.restarts);
      this.#schedule(node);
    }
  }

  get listens(): boolean {
    return this.#options.onEvent !== undefined;
  }

  emit(event: EmittedEvent): void {
    this.#options.onEvent?.({ step: this.step, atUs: this.nowUs, ...event } as SimEvent);
  }

  count(kind: FaultKind): void {
    this.injected[kind] = (this.injected[kind] ?? 0) + 1;
  }

  /** One thing that is due. @throws Violation, and whatever our own code throws */
  advance(): void {
    const { scheduler } = this;
    scheduler.take();
    this.nowUs = scheduler.atUs;
    this.step++;
    this.#do(scheduler);
  }

  /** Everything that is a fault ends, but for what is gone for good: from here on everything must complete. */
  heal(): void {
    this.isHealed = true;
    this.history.note(this.nowUs, 22, 0);
    if (this.listens) this.emit({ kind: 'heal' });
    this.#faults.endAll();
  }

  /** The process of this node ends, or its power: what it does to the disk was done. */
  stop(node: SimNode, why: FaultKind | 'halted', reason?: string): void {
    if (this.listens) for (const waiting of node.inbox) if (waiting.what === 'frame') this.#emitDrop(waiting, 'down');
    this.#oracles.stopping(node);
    node.drop();
    this.history.note(this.nowUs, 23, node.index);
    if (this.listens)
      this.emit({ kind: 'down', replica: node.index, why, ...(reason === undefined ? {} : { reason }) });
    for (const other of this.nodes) {
      if (other === node) continue;
      this.network.reset(node.index, other.index);
      this.scheduler.push(this.nowUs + this.#clientUs(), DUE.peerLost, other.index, node.index);
    }
    this.clients.replicaLost(node.index);
    this.#oracles.changed(node, this.nodes, this.nowUs);
  }

  start(node: SimNode): void {
    if (node.isUp || node.isGone) return;
    const refusal = node.open();
    this.history.note(this.nowUs, 24, node.index, refusal === undefined ? 1 : 0);
    if (refusal !== undefined) {
      this.halts.push({ replica: node.index, code: refusal.code });
      this.#faults.refusedToOpen(node, refusal);
      return;
    }
    if (this.listens) this.emit({ kind: 'up', replica: node.index, state: this.#oracles.stateOf(node) });
    this.#oracles.changed(node, this.nodes, this.nowUs);
    this.scheduler.push(this.nowUs + node.clock.periodUs(TICK_US), DUE.tick, node.index, node.restarts);
    this.#schedule(node);
  }

  /** Whether the cluster needs this node after all faults: not when it is gone, or cut off for ever. */
  mustTakePart(node: SimNode): boolean {
    return !node.isGone && !this.#faults.isCutOffForEver(node.index);
  }

  /** Where the replicas stand, for a person. */
  get text(): string {
    return this.nodes
      .map(({ index, core, isGone }) => {
        if (core === undefined) return `r${index} ${isGone ? 'gone' : 'down'}`;
        const { status, view, logView, op, commit } = core.replica;
        return `r${index} ${status} view ${view} log_view ${logView} op ${op} commit ${commit}`;
      })
      .join('; ');
  }

  resume(node: SimNode): void {
    if (node.isUp) this.#schedule(node);
  }

  #newNode(index: number, broken: BrokenParts): SimNode {
    const { replicaCount, seed, sessions } = this.scenario;
    const node = new SimNode(index, replicaCount, seed, this, broken, sessions);
    this.#oracles.watch(node, this);
    this.#faults.watch(node);
    return node;
  }

  // What its nodes ask of their world.

  send(atUs: number, from: number, to: number, kind: FrameKind, payload: Uint8Array): void {
    const packet = this.network.send(atUs, from, to, kind, payload);
    this.history.note(atUs, 25, from * 256 + to, packet.frame, payload.length);
    this.#oracles.sent(packet);
    if (this.listens) this.emit(this.#oracles.sendEvent(packet));
  }

  answer(atUs: number, deliver: () => void): void {
    this.scheduler.push(atUs + this.#clientUs(), DUE.clientAnswer, 0, deliver);
  }

  isConnected(from: number, to: number): boolean {
    return this.nodes[to]?.isUp === true && !this.network.isCut(from, to);
  }

  syncUs(node: number): number {
    const fromUs = this.scenario.syncUs[0];
    const toUs = this.scenario.syncUs[1];
    const random = this.#syncRandoms[node] as SimulatedRandom;
    return fromUs + random.below(toUs - fromUs + 1) + this.#faults.extraSyncUs(node, random);
  }

  applied(node: SimNode, prepare: Prepare, results: readonly CommandResult[]): void {
    const stateHash = (node.core as NonNullable<SimNode['core']>).state.stateHash;
    this.history.note(
      this.nowUs,
      27,
      node.index,
      prepare.op,
      (stateHash[0] as number) | ((stateHash[1] as number) << 8),
    );
    if (this.listens) {
      const { index: replica } = node;
      this.emit({
        kind: 'commit',
        replica,
        op: prepare.op,
        hash: hashText(prepare.hash),
        stateHash: hashText(stateHash),
      });
    }
    this.#oracles.applied(node, prepare, results, stateHash);
  }

  // What its network does.

  arrive(atUs: number, packet: Packet): void {
    this.scheduler.push(atUs, DUE.frame, packet.to, packet);
  }

  broken(atUs: number, a: number, b: number): void {
    this.scheduler.push(atUs + BROKEN_US, DUE.peerLost, a, b);
    this.scheduler.push(atUs + BROKEN_US, DUE.peerLost, b, a);
  }

  dropped(packet: Packet, why: FaultKind | 'down' | 'reset'): void {
    this.history.note(this.nowUs, 28, packet.to, packet.frame);
    if (this.listens) this.#emitDrop(packet, why);
  }

  // What its clients do, and are told.

  ask(client: number, replica: number, attempt: number, ask: Asking): void {
    this.scheduler.push(this.nowUs + this.#clientUs(), DUE.clientAsk, replica, { client, attempt, ask });
  }

  later(atUs: number, client: number, what: () => void): void {
    this.scheduler.push(atUs, DUE.clientNext, client, what);
  }

  expire(atUs: number, client: number, what: () => void): void {
    this.scheduler.push(atUs, DUE.clientDeadline, client, what);
  }

  answered(client: number, deliver: () => void): void {
    this.scheduler.push(this.nowUs + this.#clientUs(), DUE.clientAnswer, client, deliver);
  }

  called(client: number, operation: number, replica: number, { kind, stream }: ClientAction): void {
    this.history.note(this.nowUs, 20, client, operation, replica);
    if (this.listens) this.emit({ kind: 'call', client, operation, replica, what: `${kind} ${stream}` });
  }

  returned(client: number, operation: number, outcome: string): void {
    this.history.note(this.nowUs, 21, client, operation, outcome.length);
    if (this.listens) this.emit({ kind: 'return', client, operation, outcome });
  }

  told(session: RequestSession, answer: SessionAnswer): void {
    this.#oracles.told(session, answer);
  }

  #do({ kind, subject, detail }: Scheduler): void {
    switch (kind) {
      case DUE.frame:
        this.#deliver(detail as Packet);
        return;
      case DUE.tick: {
        const node = this.nodes[subject] as SimNode;
        if (!node.isUp || detail !== node.restarts) return;
        this.ticks++;
        this.scheduler.push(this.nowUs + node.clock.periodUs(TICK_US), DUE.tick, subject, detail);
        if (node.pauses > 0) return;
        node.take(TICK);
        if (node.turnScheduled || this.nowUs < node.busyUntilUs) this.#schedule(node);
        else this.#turn(node);
        return;
      }
      case DUE.turn:
        this.#turn(this.nodes[subject] as SimNode);
        return;
      case DUE.clientAsk: {
        const { client, attempt, ask } = detail as { client: number; attempt: number; ask: Asking };
        const node = this.nodes[subject] as SimNode;
        if (!node.isUp) this.clients.refused(client, attempt);
        else this.#put(node, { what: 'ask', ask });
        return;
      }
      case DUE.clientAnswer:
      case DUE.clientNext:
      case DUE.clientDeadline:
        (detail as () => void)();
        return;
      case DUE.peerLost: {
        const node = this.nodes[subject] as SimNode;
        if (node.isUp) this.#put(node, { what: 'peer-lost', peer: detail as number });
        return;
      }
      case DUE.plan:
        this.#plan(subject);
        return;
      case DUE.faultEnd:
        this.#faults.end(detail as FaultEvent);
        return;
      case DUE.restart:
        this.start(this.nodes[subject] as SimNode);
        return;
      default:
        assert(false, 'what is due has a kind');
    }
  }

  #plan(at: number): void {
    const event = this.scenario.plan[at];
    assert(event !== undefined, 'a plan has the event that is due');
    if (event.type === 'operation') this.clients.submit(event);
    else if (this.isHealed) return;
    else if (event.type === 'client-crash') {
      if (this.listens) this.emit({ kind: 'client-crash', client: event.client });
      this.clients.crash(event.client, event.retries);
    } else {
      this.history.note(this.nowUs, 26, at);
      this.#faults.begin(event);
    }
  }

  #deliver(packet: Packet): void {
    const node = this.nodes[packet.to] as SimNode;
    if (!node.isUp || !this.network.isCurrent(packet)) {
      this.dropped(packet, node.isUp ? 'reset' : 'down');
      return;
    }
    this.framesDelivered++;
    this.#put(node, packet);
  }

  #put(node: SimNode, waiting: Waiting): void {
    node.take(waiting);
    this.#schedule(node);
  }

  #schedule(node: SimNode): void {
    if (node.turnScheduled || node.pauses > 0) return;
    node.turnScheduled = true;
    this.scheduler.push(Math.max(this.nowUs, node.busyUntilUs), DUE.turn, node.index);
  }

  #turn(node: SimNode): void {
    node.turnScheduled = false;
    if (!node.isUp || node.pauses > 0 || !node.hasWork) return;
    if (this.nowUs < node.busyUntilUs) {
      this.#schedule(node);
      return;
    }
    if (this.listens)
      for (const waiting of node.inbox)
        if (waiting.what === 'frame') {
          const { frame, from, to } = waiting;
          this.emit({ kind: 'deliver', frame, from, to, message: this.#oracles.nameOf(waiting) });
        }
    try {
      node.busyUntilUs = node.turn(this.nowUs);
    } catch (cause) {
      if (!(cause instanceof SimulatedStop)) throw cause;
      this.#faults.stopped(node);
      return;
    }
    this.#oracles.changed(node, this.nodes, this.nowUs);
    const { replica } = node;
    if (replica?.status === 'halted') this.#faults.halted(node, replica.statusReason ?? 'unknown');
    else if (node.hasWork) this.#schedule(node);
  }

  #emitDrop(packet: Packet, why: FaultKind | 'down' | 'reset'): void {
    const { frame, from, to } = packet;
    this.emit({ kind: 'drop', frame, from, to, message: this.#oracles.nameOf(packet), why });
  }

  #clientUs(): number {
    return CLIENT_FRAME_US_MIN + this.#clientRandom.below(CLIENT_FRAME_US_MAX - CLIENT_FRAME_US_MIN);
  }
}
