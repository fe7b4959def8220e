/**
 * What the faults of a plan do to the nodes of a world. Faults of the wires go to sim-network.ts. Which replicas may lose what
 * they must not lose is decided where plans are made (budget.ts); here such a replica is marked, and does not come back from
 * its next stop unless the run is `beyond`. Mirrors no spec module.
 */
import type { LockstepError } from '../../impl/ports/lockstep-error.ts';
import type { DiskFault } from '../../impl/ports/simulated-disk.ts';
import { SimulatedRandom } from '../../impl/ports/simulated-random.ts';
import { LOG_FILE, SUPERBLOCK_FILE } from '../../impl/storage/data-directory.ts';
import type { HistoryHash } from './history-hash.ts';
import { type Fault, type FaultEvent, type FaultKind, FOREVER_US, type Scenario } from './plan.ts';
import { DUE, type Scheduler } from './scheduler.ts';
import type { SimClients } from './sim-clients.ts';
import type { EmittedEvent } from './sim-event.ts';
import type { SimNetwork } from './sim-network.ts';
import { DIRECTORY, type SimNode } from './sim-node.ts';
import { Violation } from './violation.ts';

/** What is asked of world.ts. */
export interface FaultyWorld {
  readonly scenario: Scenario;
  readonly nodes: readonly SimNode[];
  readonly network: SimNetwork;
  readonly clients: Pick<SimClients, 'flood' | 'arriveLate'>;
  readonly scheduler: Scheduler;
  readonly history: HistoryHash;
  readonly halts: { readonly replica: number; readonly code: string }[];
  readonly nowUs: number;
  readonly isHealed: boolean;
  readonly listens: boolean;
  emit(event: EmittedEvent): void;
  count(kind: FaultKind): void;
  stop(node: SimNode, why: FaultKind | 'halted', reason?: string): void;
  resume(node: SimNode): void;
}

type NodeFault = Extract<Fault, { readonly replica: number }>;
type Stopping = Extract<Fault, { readonly atOperation: number }>;

/** After an orderly heal: how long until a stopped process is started again. */
const HEAL_RESTART_US = 5_000;

export class WorldFaults {
  readonly #world: FaultyWorld;
  /** Faults that last, until they end. */
  readonly #lasting = new Set<FaultEvent>();
  /** What ends a node in the middle of a disk operation, by node. */
  readonly #armed = new Map<number, Stopping>();
  /** Faults that may halt a node at its next operation, by node, with how long it is then down. */
  readonly #halting = new Map<number, { readonly kind: FaultKind; readonly downUs: number }>();
  readonly #diskExtraUs: number[];
  #stops = 0;

  constructor(world: FaultyWorld) {
    this.#world = world;
    this.#diskExtraUs = new Array<number>(world.scenario.replicaCount).fill(0);
  }

  extraSyncUs(node: number, random: SimulatedRandom): number {
    const extraUs = this.#diskExtraUs[node] ?? 0;
    if (extraUs === 0) return 0;
    this.#world.count('disk-latency');
    return random.below(extraUs);
  }

  /** Counts what the disk of this node did, not what it was asked to do. */
  watch({ disk }: SimNode): void {
    const count = ({ operation, kind }: DiskFault): void => {
      if (kind === 'full' || kind === 'short') this.#world.count('disk-full');
      else if (kind === 'misdirected') this.#world.count('misdirected-write');
      else if (kind === 'lost') this.#world.count(operation === 'sync' ? 'lost-fsync' : 'lost-write');
      else if (kind === 'io' || kind === 'failed') this.#world.count('disk-eio');
    };
    disk.onFault = count;
  }

  begin(event: FaultEvent): void {
    const { fault, untilUs } = event;
    const world = this.#world;
    if (world.listens) world.emit({ kind: 'fault', fault, untilUs: untilUs ?? world.nowUs });
    const lasts = this.#apply(fault, 1);
    if (!lasts) return;
    this.#lasting.add(event);
    if (untilUs !== undefined && untilUs !== FOREVER_US) world.scheduler.push(untilUs, DUE.faultEnd, 0, event);
  }

  end(event: FaultEvent): void {
    if (!this.#lasting.delete(event)) return;
    const world = this.#world;
    world.history.note(world.nowUs, 29, 0);
    if (world.listens) world.emit({ kind: 'fault-end', fault: event.fault });
    this.#apply(event.fault, -1);
  }

  /** But for what lasts for ever: see FOREVER_US of plan.ts. */
  endAll(): void {
    for (const event of [...this.#lasting]) if (event.untilUs !== FOREVER_US) this.end(event);
    this.#armed.clear();
    this.#halting.clear();
    for (const node of this.#world.nodes) {
      node.disk.disarm();
      if (!node.isUp && !node.isGone)
        this.#world.scheduler.push(this.#world.nowUs + HEAL_RESTART_US, DUE.restart, node.index);
    }
  }

  /** A partition that lasts for ever keeps one replica from the others. */
  isCutOffForEver(replica: number): boolean {
    for (const { fault, untilUs } of this.#lasting) {
      if (untilUs !== FOREVER_US || !('cut' in fault)) continue;
      if (fault.cut.every(({ from }) => from === replica) || fault.cut.every(({ to }) => to === replica)) return true;
    }
    return false;
  }

  /** The disk has ended the turn of this node as it was armed to. */
  stopped(node: SimNode): void {
    const fault = this.#armed.get(node.index);
    this.#armed.delete(node.index);
    if (fault !== undefined) this.#endProcess(node, fault);
  }

  /** The replica has halted over its disk: its process is ended, and started again when the fault allows. */
  halted(node: SimNode, reason: string): void {
    const world = this.#world;
    const cause = this.#halting.get(node.index);
    this.#halting.delete(node.index);
    const code = reason.split(':')[0] ?? reason;
    world.halts.push({ replica: node.index, code });
    if (cause === undefined && !node.isForgetful)
      throw new Violation({
        oracle: 'assertions',
        rule: `halted ${code}`,
        message: `replica ${node.index} halts, and nothing was done to its disk: ${reason}`,
      });
    node.disk.exitProcess();
    world.stop(node, 'halted', reason);
    this.#comeBack(node, cause?.downUs ?? HEAL_RESTART_US);
  }

  /** What the disk holds is refused: a loud stop. Right for a disk that was made to lie, wrong for any other. */
  refusedToOpen(node: SimNode, refusal: LockstepError): void {
    const world = this.#world;
    if (!node.isForgetful && !node.mayRefuse)
      throw new Violation({
        oracle: 'assertions',
        rule: `refuses to open ${refusal.code}`,
        message: `replica ${node.index} does not open, and its disk keeps its promises: ${refusal.message}`,
      });
    node.isGone = true;
    if (world.listens) world.emit({ kind: 'down', replica: node.index, why: 'halted', reason: refusal.message });
  }

  /** @returns whether it lasts until it is ended */
  #apply(fault: Fault, sign: 1 | -1): boolean {
    const world = this.#world;
    const node = 'replica' in fault ? world.nodes[fault.replica] : undefined;
    if (node === undefined) {
      if (sign === 1) world.network.begin(fault);
      else world.network.end(world.nowUs, fault);
      return true;
    }
    return this.#applyToNode(node, fault as NodeFault, sign);
  }

  #applyToNode(node: SimNode, fault: NodeFault, sign: 1 | -1): boolean {
    const world = this.#world;
    switch (fault.kind) {
      case 'gray-failure':
        if (sign === 1) world.network.begin(fault);
        else world.network.end(world.nowUs, fault);
        return true;
      case 'disk-latency':
        this.#diskExtraUs[node.index] = (this.#diskExtraUs[node.index] ?? 0) + sign * fault.extraUsMax;
        return true;
      case 'process-pause':
        node.pauses += sign;
        if (sign === 1) world.count(fault.kind);
        else if (node.pauses === 0) world.resume(node);
        return true;
      case 'process-slow':
        node.slowUs += sign * fault.extraUs;
        if (sign === 1) world.count(fault.kind);
        return true;
      case 'clock-skew':
        node.clock.shift(sign * fault.offsetUs);
        if (sign === 1) world.count(fault.kind);
        return true;
      case 'clock-drift':
        node.clock.drift(sign * fault.ppm);
        if (sign === 1) world.count(fault.kind);
        return true;
      case 'session-flood':
        world.clients.flood(node.index, fault.count);
        world.count(fault.kind);
        return false;
      case 'late-duplicate':
        if (world.clients.arriveLate(fault.client, node.index, fault.back)) world.count(fault.kind);
        return false;
      case 'clock-jump':
        node.clock.shift(fault.offsetUs);
        world.count(fault.kind);
        return false;
      case 'gone-for-good':
        node.isGone = true;
        world.count(fault.kind);
        if (node.isUp) {
          node.disk.exitProcess();
          world.stop(node, fault.kind);
        }
        return false;
      default:
        if (node.isUp) this.#damage(node, fault);
        return false;
    }
  }

  #damage(node: SimNode, fault: NodeFault): void {
    const { disk } = node;
    const world = this.#world;
    switch (fault.kind) {
      case 'process-crash':
      case 'power-loss':
      case 'torn-write':
      case 'disk-reordering':
        if (fault.atOperation === 0) {
          this.#endProcess(node, fault);
          return;
        }
        this.#armed.set(node.index, fault);
        disk.armStop(fault.atOperation, 'keptPerMille' in fault ? fault.keptPerMille : 500, fault.kind);
        return;
      case 'disk-eio':
        this.#halting.set(node.index, { kind: fault.kind, downUs: fault.downUs });
        disk.inject(
          fault.operation === 'sync'
            ? { operation: 'sync', kind: 'failed' }
            : { operation: fault.operation, kind: 'io' },
        );
        return;
      case 'disk-full':
        this.#halting.set(node.index, { kind: fault.kind, downUs: fault.downUs });
        disk.inject(
          fault.shortBytes === undefined
            ? { operation: 'write', kind: 'full' }
            : { operation: 'write', kind: 'short', bytes: fault.shortBytes },
        );
        return;
      case 'lost-fsync':
        node.isForgetful = true;
        disk.inject({ operation: 'sync', kind: 'lost' });
        return;
      case 'lost-write':
        node.isForgetful = true;
        disk.inject({ operation: 'write', kind: 'lost', atPerMille: fault.atPerMille });
        return;
      case 'misdirected-write':
        node.isForgetful = true;
        disk.inject({ operation: 'write', kind: 'misdirected', atPerMille: fault.atPerMille });
        return;
      case 'latent-corruption': {
        const path = `${DIRECTORY}/${fault.file === 'log' ? LOG_FILE : SUPERBLOCK_FILE}`;
        const written = disk.writtenBytes(path);
        const position = Math.min(Math.max(0, written - 1), Math.floor((written * fault.atPerMille) / 1_000));
        const bytes = new Uint8Array(Math.max(1, Math.min(fault.bytes, written - position)));
        const random = new SimulatedRandom(world.scenario.seed ^ position);
        for (let at = 0; at < bytes.byteLength; at++) bytes[at] = random.below(256);
        disk.damage(path, position, bytes);
        // Four copies: one that rots costs nothing.
        if (fault.file === 'log') node.isForgetful = true;
        world.count(fault.kind);
        return;
      }
      default:
        return;
    }
  }

  #endProcess(node: SimNode, fault: Stopping): void {
    const world = this.#world;
    world.count(fault.kind);
    if (fault.kind === 'process-crash') node.disk.exitProcess();
    else {
      const { keptPerMille, writeback, torn } = fault;
      const random = new SimulatedRandom(Math.imul(world.scenario.seed, 31) + ++this.#stops);
      node.disk.powerLoss({ keptPerMille, writeback, torn, random });
      // Out of order, what is written back may be a log with a hole where nothing was promised: see OUTSIDE_BUDGET.
      if (writeback !== 'fifo') node.mayRefuse = true;
    }
    world.stop(node, fault.kind);
    this.#comeBack(node, fault.downUs);
  }

  #comeBack(node: SimNode, downUs: number): void {
    const world = this.#world;
    if (node.isForgetful && !world.scenario.beyond) {
      node.isGone = true;
      return;
    }
    if (!world.isHealed || !node.isGone) world.scheduler.push(world.nowUs + downUs, DUE.restart, node.index);
  }
}
