/**
 * Log, superblock and disk of one replica in a state of a model: those of the state before until the first write, then
 * forks of them, so that a step that writes nothing copies nothing. Reads and writes are those of the real storage code.
 * A part of the driver vsr.ts; decides nothing.
 */
import { assert } from '../../impl/ports/assert.ts';
import { AppendLog } from '../../impl/storage/append-log.ts';
import { Superblock } from '../../impl/storage/superblock.ts';
import {
  SUPERBLOCK_FILE_BYTES,
  type SuperblockIdentity,
  type SuperblockValues,
} from '../../impl/storage/superblock-copy.ts';
import type { Prepare } from '../../impl/vsr/prepare.ts';
import { PrepareLog } from '../../impl/vsr/prepare-log.ts';
import type { ReplicaLog, ReplicaSuperblock } from '../../impl/vsr/replica-effects.ts';
import { type Medium, SimulatedMedium } from './vsr-medium.ts';

const DIRECTORY = '/replica';
const SUPERBLOCK = `${DIRECTORY}/superblock`;
const LOG = `${DIRECTORY}/log`;
/** One step holds every record of a model; the trace of a long run takes more. */
const SEGMENT_BYTES = 8192;

interface Parts {
  readonly medium: Medium;
  readonly superblock: Superblock;
  readonly log: PrepareLog;
}

/** What is on a medium, as the real code reads it after a power loss. */
export interface Durable {
  readonly view: number;
  readonly logView: number;
  readonly commit: number;
  /** From op 1. */
  readonly entries: readonly Prepare[];
}

export class VsrStorage {
  #parts: Parts;
  #isShared: boolean;
  readonly log: ReplicaLog;
  readonly superblock: ReplicaSuperblock;

  private constructor(parts: Parts, isShared: boolean) {
    this.#parts = parts;
    this.#isShared = isShared;
    this.log = new SharedLog(this);
    this.superblock = new SharedSuperblock(this);
  }

  /** @param content written and synced before the replica opens it */
  static format(medium: Medium, identity: SuperblockIdentity, content: Durable): VsrStorage {
    const disk = medium.port;
    disk.makeDirectory(DIRECTORY);
    Superblock.format(disk, SUPERBLOCK, identity);
    AppendLog.create(disk, LOG, { segmentBytes: SEGMENT_BYTES }).close();
    const parts = opened(medium);
    const { view, logView, commit, entries } = content;
    parts.log.append(entries);
    if (entries.length > 0) parts.log.fsync();
    if (view + commit > 0) parts.superblock.update({ view, logView, commit });
    closeParts(parts);
    return new VsrStorage(opened(medium), false);
  }

  /** On a real file system there is one line of time: the same storage. */
  fork(): VsrStorage {
    return this.#parts.medium.isForkable ? new VsrStorage(this.#parts, true) : this;
  }

  /** Cuts the power of a fork and opens what is left. */
  crashed(): VsrStorage {
    if (!this.#parts.medium.isForkable) closeParts(this.#parts);
    const medium = this.#parts.medium.fork();
    medium.crash();
    return new VsrStorage(opened(medium), false);
  }

  dispose(): void {
    if (this.#parts.medium.isForkable) return;
    closeParts(this.#parts);
    this.#parts.medium.dispose();
  }

  get parts(): Parts {
    return this.#parts;
  }

  /** For everything that writes. */
  get own(): Parts {
    if (this.#isShared) {
      const medium = this.#parts.medium.fork();
      const superblock = this.#parts.superblock.fork(medium.port);
      this.#parts = { medium, superblock, log: this.#parts.log.fork(medium.port) };
      this.#isShared = false;
    }
    return this.#parts;
  }

  /** Changes that a read may see so far, and changes that a power loss may leave. */
  get writes(): number {
    return this.#parts.medium.simulated.writes;
  }

  get syncs(): number {
    return this.#parts.medium.simulated.syncs;
  }

  /** Every byte that a power loss leaves. */
  mediumText(): string {
    const disk = this.#parts.medium.simulated;
    const logBytes = disk.open(LOG, 'read').sizeBytes;
    assert(logBytes >= SEGMENT_BYTES, 'a log has at least one step');
    const medium = logBytes === SEGMENT_BYTES ? MEDIUM : Buffer.alloc(SUPERBLOCK_FILE_BYTES + logBytes);
    disk.readMedium(SUPERBLOCK, 0, medium.subarray(0, SUPERBLOCK_FILE_BYTES));
    disk.readMedium(LOG, 0, medium.subarray(SUPERBLOCK_FILE_BYTES));
    return medium.toString('latin1');
  }

  durable(): Durable {
    const medium = new SimulatedMedium(this.#parts.medium.simulated.fork());
    medium.crash();
    const { superblock, log } = opened(medium);
    const { view, logView, commit } = superblock.state;
    const entries = Array.from({ length: log.op }, (_, at) => log.prepareAt(at + 1) as Prepare);
    return { view, logView, commit, entries };
  }
}

/** For logs of one step. */
const MEDIUM = Buffer.alloc(SUPERBLOCK_FILE_BYTES + SEGMENT_BYTES);

function opened(medium: Medium): Parts {
  const { superblock } = Superblock.open(medium.port, SUPERBLOCK);
  const { log } = AppendLog.open(medium.port, LOG, { segmentBytes: SEGMENT_BYTES });
  return { medium, superblock, log: PrepareLog.open(log, superblock.state.cluster).prepareLog };
}

function closeParts({ superblock, log }: Parts): void {
  superblock.close();
  log.close();
}

class SharedLog implements ReplicaLog {
  readonly #storage: VsrStorage;

  constructor(storage: VsrStorage) {
    this.#storage = storage;
  }

  get op(): number {
    return this.#storage.parts.log.op;
  }

  get headHash(): Uint8Array {
    return this.#storage.parts.log.headHash;
  }

  get isSynced(): boolean {
    return this.#storage.parts.log.isSynced;
  }

  hashAt(op: number): Uint8Array {
    return this.#storage.parts.log.hashAt(op);
  }

  prepareAt(op: number): Prepare | undefined {
    return this.#storage.parts.log.prepareAt(op);
  }

  refusalOf(prepare: Prepare): Error | undefined {
    return this.#storage.parts.log.refusalOf(prepare);
  }

  append(prepares: readonly Prepare[]): void {
    this.#storage.own.log.append(prepares);
  }

  truncateTo(op: number): void {
    this.#storage.own.log.truncateTo(op);
  }

  fsync(): void {
    this.#storage.own.log.fsync();
  }

  close(): void {
    this.#storage.own.log.close();
  }
}

class SharedSuperblock implements ReplicaSuperblock {
  readonly #storage: VsrStorage;

  constructor(storage: VsrStorage) {
    this.#storage = storage;
  }

  get state(): ReplicaSuperblock['state'] {
    return this.#storage.parts.superblock.state;
  }

  update(values: SuperblockValues): void {
    this.#storage.own.superblock.update(values);
  }

  close(): void {
    this.#storage.own.superblock.close();
  }
}
