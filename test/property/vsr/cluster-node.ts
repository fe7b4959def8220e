/**
 * One machine of a simulated cluster: a disk that outlives power losses, and while it is up a real replica with real
 * storage on it and a kernel above it. A part of cluster.ts.
 */
import { hashText } from '../../../impl/crypto/hash.ts';
import type { Command } from '../../../impl/kernel/command.ts';
import { encodeBatch, encodeCommand } from '../../../impl/kernel/command-codec.ts';
import { Kernel } from '../../../impl/kernel/kernel.ts';
import type { Clock } from '../../../impl/ports/clock.ts';
import type { Network } from '../../../impl/ports/network.ts';
import type { Random } from '../../../impl/ports/random.ts';
import { type DiskFault, SimulatedDisk } from '../../../impl/ports/simulated-disk.ts';
import { type DataDirectory, formatDataDirectory, openDataDirectory } from '../../../impl/storage/data-directory.ts';
import type { Superblock } from '../../../impl/storage/superblock.ts';
import type { Prepare } from '../../../impl/vsr/prepare.ts';
import { PrepareLog } from '../../../impl/vsr/prepare-log.ts';
import { Replica } from '../../../impl/vsr/replica.ts';
import type { VsrMachine } from '../../../machines/vsr.ts';
import { NO_READING, noAcks, noTarget, type VsrContext } from '../../../machines/vsr-context.ts';
import type { EntryView, ReplicaView } from '../../../machines/vsr-invariants.ts';
import { CLUSTER } from './arbitrary.ts';

export const DIRECTORY = '/data';
/** Small, so that opening scans little and growth happens. */
const LOG_OPTIONS = { log: { segmentBytes: 64 * 1024 } };

export interface NodeOptions {
  readonly machine?: VsrMachine;
  readonly faults?: ReadonlySet<string>;
  readonly pipelineOpsMax?: number;
}

export interface NodeWorld {
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
  readonly committed: (op: number, hash: string, stateHash: string) => void;
  readonly noted: (text: string) => void;
}

interface Storage {
  readonly directory: DataDirectory;
  readonly log: PrepareLog;
}

export class ClusterNode {
  readonly index: number;
  readonly disk = new SimulatedDisk();
  kernel = new Kernel();
  #replica: Replica | undefined;
  #storage: Storage;
  readonly #replicaCount: number;
  readonly #world: NodeWorld;
  readonly #options: NodeOptions;
  #firstStart = true;
  /** While a fault of the disk is armed or was met. */
  keptAfterFault: number | undefined = undefined;

  constructor(index: number, replicaCount: number, world: NodeWorld, options: NodeOptions = {}) {
    this.index = index;
    this.#replicaCount = replicaCount;
    this.#world = world;
    this.#options = options;
    formatDataDirectory(this.disk, DIRECTORY, { cluster: CLUSTER, replica: index, replicaCount }, LOG_OPTIONS);
    this.#storage = this.#openStorage();
  }

  get isUp(): boolean {
    return this.#replica !== undefined;
  }

  get replica(): Replica | undefined {
    return this.#replica;
  }

  get log(): PrepareLog {
    return this.#storage.log;
  }

  get superblock(): Superblock {
    return this.#storage.directory.superblock;
  }

  get isPrimary(): boolean {
    return this.#replica?.status === 'normal' && this.#replica.primary === this.index;
  }

  start(): void {
    if (this.#replica !== undefined) return;
    const { network, clock, random, noted } = this.#world;
    const { directory, log } = this.#storage;
    this.kernel = new Kernel();
    const replica = Replica.open({
      superblock: directory.superblock,
      log,
      network,
      clock,
      random,
      firstStart: this.#firstStart,
      onCommitted: (prepare) => this.#apply(prepare),
      ...this.#options,
    });
    this.#firstStart = false;
    this.#replica = replica;
    replica.onEvent = ({ type, taken, from, view, op, commit }) => {
      if (taken)
        noted(`${type}${from === undefined ? '' : ` from r${from}`} -> view ${view} op ${op} commit ${commit}`);
    };
  }

  /** @param kept share of the unsynced bytes of each file that is on the disk all the same */
  crash(kept: number): void {
    this.disk.crash((path) => Math.floor(this.disk.unsyncedBytes(path) * kept));
    this.#replica = undefined;
    this.disarm();
    this.#storage = this.#openStorage();
  }

  /** @param kept of what is then unsynced, when the replica halts over it, in thousandths */
  injectFault(fault: DiskFault, kept: number): void {
    if (this.keptAfterFault !== undefined) return;
    this.disk.inject(fault);
    this.keptAfterFault = kept;
  }

  /** Uses up a fault that nothing met yet. */
  disarm(): void {
    if (this.keptAfterFault === undefined) return;
    this.disk.disarm();
    this.keptAfterFault = undefined;
  }

  /** @returns false when the replica refuses */
  submit(request: number): boolean {
    const submitted = this.#replica?.submit(bodyOf(request), 7n, request);
    return submitted !== undefined && 'op' in submitted;
  }

  receive(from: number, frame: Uint8Array): void {
    this.#replica?.receive(from, frame);
  }

  tick(): void {
    this.#replica?.tick();
  }

  flush(): void {
    this.#replica?.flush();
  }

  /** As specs/Vsr.tla sees it; a machine that is down is "recovering" with what its disk holds. */
  get view(): ReplicaView {
    const { log, directory } = this.#storage;
    const { view: viewDurable, logView: logViewDurable, commit: commitDurable } = directory.superblock.state;
    const durable = {
      viewDurable,
      logViewDurable,
      commitDurable,
      logDurable: entriesOf(log.opDurable, (op) => log.durablePrepareAt(op)),
    };
    if (this.#replica === undefined) {
      const { logDurable } = durable;
      const volatile = { status: 'recovering', view: viewDurable, logView: logViewDurable, commit: commitDurable };
      return {
        ...durable,
        ...volatile,
        log: logDurable,
        acked: noAcks(this.#replicaCount),
        startVotes: [],
        changeVotes: [],
        target: noTarget(this.#replicaCount),
        reading: NO_READING,
      };
    }
    const context = this.#replica.snapshot.context as VsrContext;
    const { view, logView, commit, acked, startVotes, changeVotes, target, reading } = context;
    const all = entriesOf(log.op, (op) => log.prepareAt(op));
    return {
      ...durable,
      status: this.#replica.status,
      view,
      logView,
      commit,
      acked,
      startVotes,
      changeVotes,
      target,
      reading,
      log: all,
    };
  }

  get text(): string {
    const one = this.#replica;
    if (one === undefined) return `r${this.index} down`;
    const { status, view, logView, op, opDurable, commit } = one;
    return `r${this.index} ${status} view ${view} logView ${logView} op ${op} durable ${opDurable} commit ${commit}`;
  }

  #apply(prepare: Prepare): void {
    this.kernel.apply(prepare);
    this.#world.committed(prepare.op, hashText(prepare.hash), hashText(this.kernel.stateHash));
  }

  #openStorage(): Storage {
    const directory = openDataDirectory(this.disk, DIRECTORY, {}, LOG_OPTIONS);
    return { directory, log: PrepareLog.open(directory.log, CLUSTER).prepareLog };
  }
}

const views = new WeakMap<Prepare, EntryView>();

function entriesOf(op: number, prepareAt: (op: number) => Prepare | undefined): readonly EntryView[] {
  const entries: EntryView[] = [];
  for (let at = 1; at <= op; at++) {
    const prepare = prepareAt(at);
    if (prepare === undefined) throw new Error(`op ${at} of ${op} is missing`);
    let view = views.get(prepare);
    if (view === undefined) {
      view = { view: prepare.view, hash: hashText(prepare.hash), parent: hashText(prepare.parent) };
      views.set(prepare, view);
    }
    entries.push(view);
  }
  return entries;
}

/** A stream at first, then appends, every third one with a key. */
function bodyOf(request: number): Uint8Array {
  const key = request % 3 === 0 ? { idempotencyKey: `k${request % 9}` } : {};
  const data = Buffer.from(`event of request ${request % 5}`);
  const commands: Command[] = [
    { kind: 'CreateStream', stream: 'events' },
    { kind: 'Append', stream: 'events', events: [{ data }], ...key },
  ];
  return encodeBatch(commands.slice(request % 4 === 0 ? 0 : 1).map(encodeCommand));
}
