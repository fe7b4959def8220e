/**
 * One machine of a simulated cluster: a disk that outlives crashes, and while it is up the real core of a replica server
 * (impl/server/replica-core.ts) over it. What arrives while it is busy waits and shares one turn, as in an event loop; a
 * sync takes its time, and frames leave when they would. Mirrors no spec module: the core does.
 */

import type { CommandResult } from '../../impl/kernel/command-result.ts';
import { AssertionError, assert } from '../../impl/ports/assert.ts';
import { LockstepError } from '../../impl/ports/lockstep-error.ts';
import { SimulatedDisk } from '../../impl/ports/simulated-disk.ts';
import { SimulatedRandom } from '../../impl/ports/simulated-random.ts';
import { ReplicaCore } from '../../impl/server/replica-core.ts';
import { serverLimitsWith } from '../../impl/server/server-limits.ts';
import { type DataDirectory, formatDataDirectory, openDataDirectory } from '../../impl/storage/data-directory.ts';
import type { Superblock } from '../../impl/storage/superblock.ts';
import { SESSION_BOUNDS, type SessionBounds } from '../../impl/vsr/client-sessions.ts';
import type { Prepare } from '../../impl/vsr/prepare.ts';
import type { PrepareLog } from '../../impl/vsr/prepare-log.ts';
import type { Replica } from '../../impl/vsr/replica.ts';
import type { ReplicaRecord } from '../../impl/vsr/replica-port.ts';
import { FRAME_KINDS, type FrameKind } from '../../impl/wire/frame.ts';
import type { BrokenParts } from './broken-parts.ts';
import type { Asking } from './client-world.ts';
import { SimClock, type VirtualTime } from './sim-clock.ts';
import type { Packet } from './sim-network.ts';
import { WaitingLine } from './waiting-line.ts';

export const CLUSTER = 7n;
export const DIRECTORY = '/data';
/** Small, so that opening scans little and growth happens. */
const SEGMENT_BYTES = 64 * 1024;
/** One run in so many compresses its records: most of the time of a record is in that. */
const COMPRESSING_RUN_OF = 4;
const LIMITS = serverLimitsWith({});
/** Turns in a row that a node may ask for without virtual time passing: more is a loop of ours. */
const TURNS_AT_ONCE_MAX = 1_000;

export type Waiting =
  | Packet
  | { readonly what: 'tick' }
  | { readonly what: 'peer-lost'; readonly peer: number }
  /** A client's request: handed to the core, answered through the function that it is given. */
  | { readonly what: 'ask'; readonly ask: Asking };

export interface NodeWorld extends VirtualTime {
  /** Draws the time of one sync of this node's disk. */
  syncUs(node: number): number;
  send(atUs: number, from: number, to: number, kind: FrameKind, payload: Uint8Array): void;
  answer(atUs: number, deliver: () => void): void;
  isConnected(from: number, to: number): boolean;
  applied(node: SimNode, prepare: Prepare, results: readonly CommandResult[]): void;
}

interface Gathered {
  readonly to: number;
  readonly kind: FrameKind;
  readonly payload: Uint8Array;
}

/** Formatted once for each place in a cluster of each size, then forked. */
const formatted = new Map<string, SimulatedDisk>();

function formattedDisk(replica: number, replicaCount: number): SimulatedDisk {
  const key = `${replica}/${replicaCount}`;
  let disk = formatted.get(key);
  if (disk === undefined) {
    disk = new SimulatedDisk({ pageBytes: 4096 });
    formatDataDirectory(
      disk,
      DIRECTORY,
      { cluster: CLUSTER, replica, replicaCount },
      { log: { segmentBytes: SEGMENT_BYTES } },
    );
    formatted.set(key, disk);
  }
  return disk.fork();
}

export class SimNode {
  readonly index: number;
  readonly replicaCount: number;
  readonly disk: SimulatedDisk;
  readonly clock: SimClock;
  core: ReplicaCore | undefined;
  /** Of the last time that it was open. */
  directory: DataDirectory;
  log: PrepareLog;
  /** It does not come back: its machine is gone, or what it holds is not what it said it holds. */
  isGone = false;
  /** What its disk was made to forget or to change: the next stop is its last. */
  isForgetful = false;
  /** What its disk did may be refused loudly at the next start, and nothing was lost that was promised. */
  mayRefuse = false;
  /** What waits for the next turn. */
  inbox = new WaitingLine<Waiting>();
  /** The other inbox: what is taken in this turn, while more may come for the next one. */
  #taken = new WaitingLine<Waiting>();
  busyUntilUs = 0;
  pauses = 0;
  slowUs = 0;
  turnScheduled = false;
  restarts = 0;
  /** Frames counted by the world's history that have this node as their sender in this turn. */
  onEvent: ((record: ReplicaRecord) => void) | undefined;
  readonly #world: NodeWorld;
  readonly #broken: BrokenParts;
  readonly #sessionBounds: SessionBounds;
  readonly #seed: number;
  readonly #compresses: boolean;
  readonly #gathered = new WaitingLine<Gathered>();
  readonly #answers = new WaitingLine<() => void>();
  readonly #turnEnds = new WaitingLine<() => void>();
  #turnUs = 0;
  #eventsBefore = 0;
  #syncsSeen = 0;
  #turnsAtOnce = 0;
  #lastTurnUs = -1;

  constructor(
    index: number,
    replicaCount: number,
    seed: number,
    world: NodeWorld,
    broken: BrokenParts = {},
    sessionBounds: SessionBounds = SESSION_BOUNDS,
  ) {
    this.#sessionBounds = broken.sessionBounds?.(index) ?? sessionBounds;
    this.index = index;
    this.replicaCount = replicaCount;
    this.#world = world;
    this.#broken = broken;
    this.#seed = Math.imul(seed, 0x85eb_ca6b) + index * 0x61c8_8647;
    this.#compresses = seed % COMPRESSING_RUN_OF === 0;
    this.disk = formattedDisk(index, replicaCount);
    this.clock = new SimClock(world);
    const core = this.open();
    assert(core === undefined, 'a formatted disk opens');
    const opened = this.core as ReplicaCore | undefined;
    assert(opened !== undefined, 'a node is up at first');
    this.directory = this.#opened as DataDirectory;
    this.log = opened.log;
  }

  #opened: DataDirectory | undefined;

  /** Events that its machines have taken, in all its lives. */
  get eventsTaken(): number {
    return this.#eventsBefore + (this.core?.replica.eventsTaken ?? 0);
  }

  get isUp(): boolean {
    return this.core !== undefined;
  }

  get replica(): Replica | undefined {
    return this.core?.replica;
  }

  get superblock(): Superblock {
    return this.directory.superblock;
  }

  /** Opens what the disk holds. @returns why it will not: a loud stop; undefined when it is up */
  open(): LockstepError | undefined {
    const { replica: faults, log: logFaults, superblock: superblockFaults, opened, sessions } = this.#broken;
    try {
      const directory = openDataDirectory(
        this.disk,
        DIRECTORY,
        { cluster: CLUSTER, replica: this.index, replicaCount: this.replicaCount },
        {
          log: { segmentBytes: SEGMENT_BYTES, compress: this.#compresses, ...logFaults },
          ...(superblockFaults === undefined ? {} : { superblock: superblockFaults }),
        },
      );
      const core = new ReplicaCore({
        directory,
        network: {
          send: (to, frame) => this.#gathered.push({ to, kind: FRAME_KINDS.replica, payload: frame }),
          sendToPeer: (to, kind, payload) => {
            if (!this.#world.isConnected(this.index, to)) return false;
            this.#gathered.push({ to, kind, payload });
            return true;
          },
          flush: () => this.#flush(),
        },
        clock: this.clock,
        random: new SimulatedRandom(this.#seed + this.restarts),
        turn: { atEnd: (callback) => this.#turnEnds.push(callback) },
        limits: LIMITS,
        failed: (cause) => {
          throw cause;
        },
        onApplied: (prepare, results) => this.#world.applied(this, prepare, results),
        sessionBounds: this.#sessionBounds,
        ...(sessions === undefined ? {} : { sessionOptions: sessions }),
        ...faults,
      });
      core.replica.onEvent = this.onEvent;
      opened?.(core, { replica: this.index, replicaCount: this.replicaCount, restarts: this.restarts });
      this.#opened = directory;
      this.directory = directory;
      this.log = core.log;
      this.core = core;
      this.restarts++;
      core.begin();
      this.#turnEnds.push(() => core.turn.run());
      return undefined;
    } catch (cause) {
      if (!(cause instanceof LockstepError) || cause instanceof AssertionError) throw cause;
      this.core = undefined;
      return cause;
    }
  }

  /** The process is gone with all that it held in memory; the disk is the caller's. */
  drop(): void {
    this.#eventsBefore += this.core?.replica.eventsTaken ?? 0;
    this.core = undefined;
    this.inbox.clear();
    this.#taken.clear();
    this.#gathered.clear();
    this.#answers.clear();
    this.#turnEnds.clear();
    this.disk.disarm();
  }

  /** For the next turn. */
  take(waiting: Waiting): void {
    this.inbox.push(waiting);
  }

  get hasWork(): boolean {
    return this.inbox.length > 0 || this.#turnEnds.length > 0;
  }

  /**
   * One turn of the event loop with all that waits. @returns when it ends
   * @throws SimulatedStop when the world stops the node in the middle of it
   */
  turn(nowUs: number): number {
    const { core } = this;
    assert(core !== undefined, 'a node that is down has no turns');
    this.#turnsAtOnce = nowUs === this.#lastTurnUs ? this.#turnsAtOnce + 1 : 0;
    this.#lastTurnUs = nowUs;
    assert(this.#turnsAtOnce < TURNS_AT_ONCE_MAX, 'a node comes to rest');
    this.#turnUs = this.slowUs;
    this.#syncsSeen = this.disk.syncs;
    const items = this.inbox;
    this.inbox = this.#taken;
    this.#taken = items;
    while (items.length > 0) this.#take(core, items.shift());
    for (let left = this.#turnEnds.length; left > 0; left--) this.#turnEnds.shift()();
    this.#flush();
    return nowUs + this.#turnUs;
  }

  #take(core: ReplicaCore, item: Waiting): void {
    switch (item.what) {
      case 'frame':
        core.receivePeer(item.from, item.kind, item.payload);
        return;
      case 'tick':
        core.tick();
        return;
      case 'peer-lost':
        core.peerLost(item.peer);
        return;
      case 'ask':
        item.ask(core, (deliver) => {
          this.#answers.push(deliver);
          core.turn.wake();
        });
        return;
    }
  }

  /** What is gathered leaves now, after the syncs so far. */
  #flush(): void {
    // Storage may have taken the end of its process for a refusal of the disk: whatever it went on to say, nobody hears it.
    if (this.disk.stopped !== undefined) throw this.disk.stopped;
    for (; this.#syncsSeen < this.disk.syncs; this.#syncsSeen++) this.#turnUs += this.#world.syncUs(this.index);
    const atUs = this.#world.nowUs + this.#turnUs;
    while (this.#gathered.length > 0) {
      const { to, kind, payload } = this.#gathered.shift();
      this.#world.send(atUs, this.index, to, kind, payload);
    }
    while (this.#answers.length > 0) this.#world.answer(atUs, this.#answers.shift());
  }
}
