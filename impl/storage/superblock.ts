/**
 * The superblock file of a replica: four copies in four sectors, read, repaired and updated so that a crash at any byte
 * leaves the newest acknowledged state readable. Mirrors specs/Superblock.tla; machines/superblock.ts decides.
 * Synchronous: update() returns when all four copies are durable. The directory's lock is data-directory.ts's part.
 */
import type { AnyMachineSnapshot } from 'xstate';
import { advance, type RuleId, refusals } from '../../machines/stepper.ts';
import {
  COPIES,
  type CopyFacts,
  FIRST_HALF,
  SECOND_HALF,
  type SuperblockContext,
  type SuperblockEvent,
  type SuperblockMachine,
  type SuperblockState,
  startSuperblock,
  superblockMachine,
} from '../../machines/superblock.ts';
import { assert } from '../ports/assert.ts';
import { newBytes } from '../ports/byte-pool.ts';
import { type Disk, DiskError, type DiskFile } from '../ports/disk.ts';
import {
  childOf,
  type DecodedCopy,
  decodeCopy,
  encodeCopies,
  fieldsOf,
  firstState,
  SECTOR_BYTES,
  SUPERBLOCK_FILE_BYTES,
  SUPERBLOCK_VERSION,
  type SuperblockIdentity,
  type SuperblockValues,
} from './superblock-copy.ts';
import { SuperblockError } from './superblock-error.ts';
import type { SuperblockFaultName } from './superblock-fault.ts';

export interface SuperblockOptions {
  readonly machine?: SuperblockMachine;
  /** Broken on purpose; only the harness passes one. */
  readonly faults?: ReadonlySet<SuperblockFaultName>;
}

/** What open() found and made good. */
export interface SuperblockReport {
  readonly copies: readonly DecodedCopy[];
  /** Copies that did not hold the chosen state, and were written again. */
  readonly repaired: readonly number[];
}

const NO_FAULTS: ReadonlySet<SuperblockFaultName> = new Set();
const VALUE_NAMES = ['view', 'logView', 'commit'] as const;

export class Superblock {
  readonly #machine: SuperblockMachine;
  readonly #faults: ReadonlySet<SuperblockFaultName>;
  readonly #file: DiskFile;
  readonly #path: string;
  #snapshot: AnyMachineSnapshot;
  #context: SuperblockContext; // of the snapshot; for a private getter V8 would call its runtime each time

  private constructor(file: DiskFile, path: string, snapshot: AnyMachineSnapshot, options: SuperblockOptions) {
    this.#machine = options.machine ?? superblockMachine;
    this.#faults = options.faults ?? NO_FAULTS;
    this.#file = file;
    this.#path = path;
    this.#snapshot = snapshot;
    this.#context = snapshot.context as SuperblockContext;
  }

  /** Creates the file whole: under another name first, durable, then renamed. Fails when there is one already. */
  static format(disk: Disk, path: string, identity: SuperblockIdentity): void {
    const state = firstState(identity);
    const draft = `${path}.draft`;
    if (disk.exists(path)) throw new DiskError('DISK_EXISTS', `${path}: exists already`, { path });
    if (disk.exists(draft)) disk.remove(draft);
    const file = disk.open(draft, 'create');
    const copies = encodeCopies(state, COPIES);
    const written = file.write(0, copies);
    if (written !== SUPERBLOCK_FILE_BYTES) throw shortWrite(draft, 0, SUPERBLOCK_FILE_BYTES, written);
    file.sync();
    file.close();
    disk.rename(draft, path);
    disk.syncDirectory(parentOf(path));
  }

  /** Closed: nothing read yet. open() is this and every step up to `open`. */
  static attach(disk: Disk, path: string, options: SuperblockOptions = {}): Superblock {
    return new Superblock(disk.open(path, 'existing'), path, startSuperblock(options.machine), options);
  }

  /** @throws SuperblockError when nothing whole is there, when copies contradict each other, when the disk refuses. */
  static open(
    disk: Disk,
    path: string,
    options: SuperblockOptions = {},
  ): { readonly superblock: Superblock; readonly report: SuperblockReport } {
    const superblock = Superblock.attach(disk, path, options);
    try {
      superblock.#syncFile(); // what a process before left in the cache may be read below: first it must be durable
      const copies = superblock.readCopies();
      superblock.#choose(copies);
      const repaired = superblock.stale;
      superblock.#install();
      superblock.#refresh();
      return { superblock, report: { copies, repaired } };
    } catch (cause) {
      superblock.close();
      throw cause;
    }
  }

  /**
   * Superblock!Update and the install that follows: durable in all four copies when it returns. Values that are there
   * already are durable already: nothing is written then.
   * @param values whole numbers; none may be less than now
   * @throws SuperblockError, and then the status is `open` as before (refused) or `halted` (the disk failed).
   */
  update(values: SuperblockValues): void {
    if (this.status === 'open' && sameValues(this.state, values)) return;
    const refusedBy = this.beginUpdate(values);
    if (refusedBy.length > 0) throw this.#refused('update', refusedBy);
    this.#install();
    assert(this.status === 'open', 'an install that did not throw has ended');
  }

  /** What the four places hold, as data. */
  readCopies(): readonly DecodedCopy[] {
    return COPIES.map((place) => decodeCopy(this.#readSector(place)));
  }

  /** Superblock!Open: takes the newest whole copy for the state; the install is still to come. Returns what refuses it. */
  open(copies: readonly DecodedCopy[] = this.readCopies()): readonly RuleId[] {
    return this.#take({ type: 'Open', copies: this.#facts(copies) });
  }

  haltUnreadable(copies: readonly DecodedCopy[] = this.readCopies()): readonly RuleId[] {
    return this.#take({ type: 'HaltUnreadable', copies: this.#facts(copies) });
  }

  haltContradicted(copies: readonly DecodedCopy[] = this.readCopies()): readonly RuleId[] {
    return this.#take({ type: 'HaltContradicted', copies: this.#facts(copies) });
  }

  /** Superblock!Update without its install. */
  beginUpdate(values: SuperblockValues): readonly RuleId[] {
    for (const name of VALUE_NAMES) {
      const value = values[name];
      if (!Number.isSafeInteger(value) || value < 0)
        throw new SuperblockError(
          'SUPERBLOCK_BAD_VALUE',
          `${this.#path}: ${name} must be a whole number from 0 to 2^53-1, not ${value}`,
          { file: this.#path, name, value },
        );
    }
    if (values.logView > values.view)
      throw new SuperblockError(
        'SUPERBLOCK_BAD_VALUE',
        `${this.#path}: logView ${values.logView} is beyond view ${values.view}`,
        { file: this.#path, name: 'logView', value: values.logView, view: values.view },
      );
    const state = this.#context.state;
    if (this.status !== 'open' || state === undefined) return ['Superblock.Update.status'];
    const parent = this.#faults.has('parent-not-linked') ? { ...state, hash: state.parent } : state;
    return this.#take({ type: 'Update', next: childOf(parent, values) });
  }

  writeFirstHalf(): readonly RuleId[] {
    return this.#take({ type: 'WriteFirstHalf' }, { type: 'WriteFirstFails' });
  }

  syncFirstHalf(): readonly RuleId[] {
    return this.#take({ type: 'SyncFirstHalf' }, { type: 'SyncFails' });
  }

  writeSecondHalf(): readonly RuleId[] {
    return this.#take({ type: 'WriteSecondHalf' }, { type: 'WriteSecondFails' });
  }

  syncSecondHalf(): readonly RuleId[] {
    return this.#take({ type: 'SyncSecondHalf' }, { type: 'SyncFails' });
  }

  get status(): string {
    return String(this.#snapshot.value);
  }

  /** The state that is installed. Only an open superblock shows one: what is still being installed may yet be lost. */
  get state(): SuperblockState {
    const { state } = this.#context;
    assert(this.status === 'open' && state !== undefined, 'only an open superblock shows its state');
    return state;
  }

  /** Being installed, or installed; undefined before the copies were read. */
  get installing(): SuperblockState | undefined {
    return this.#context.state;
  }

  get stale(): readonly number[] {
    return this.#context.stale;
  }

  get snapshot(): AnyMachineSnapshot {
    return this.#snapshot;
  }

  refusals(event: SuperblockEvent): readonly RuleId[] {
    return refusals(this.#machine, this.#snapshot, event);
  }

  /** The same superblock over another disk with the same content. */
  fork(disk: Disk): Superblock {
    return new Superblock(disk.open(this.#path, 'existing'), this.#path, this.#snapshot, {
      machine: this.#machine,
      faults: this.#faults,
    });
  }

  close(): void {
    this.#file.close();
  }

  #choose(copies: readonly DecodedCopy[]): void {
    const newer = copies.find((copy) => copy.kind === 'newer');
    if (newer?.kind === 'newer')
      throw new SuperblockError(
        'SUPERBLOCK_NEWER_VERSION',
        `${this.#path}: format version ${newer.version}, this program reads up to ${SUPERBLOCK_VERSION}; use a newer one`,
        { file: this.#path, version: newer.version, readable: SUPERBLOCK_VERSION },
      );
    const refusedBy = this.open(copies);
    if (refusedBy.length === 0) return;
    if (this.haltUnreadable(copies).length === 0)
      throw new SuperblockError(
        'SUPERBLOCK_UNREADABLE',
        `${this.#path}: none of the four copies is whole; run lockstep verify, then restore the directory or rejoin empty`,
        { file: this.#path, ...evidenceOf(copies) },
      );
    const halted = this.haltContradicted(copies);
    assert(halted.length === 0, 'what does not open halts');
    throw new SuperblockError(
      'SUPERBLOCK_CONTRADICTED',
      `${this.#path}: copies of two histories (${refusedBy.join(', ')}); nothing was changed, run lockstep verify`,
      { file: this.#path, refusedBy: refusedBy.join(' '), ...evidenceOf(copies) },
    );
  }

  #install(): void {
    for (const step of [this.writeFirstHalf, this.syncFirstHalf, this.writeSecondHalf, this.syncSecondHalf]) {
      if (this.status === 'open') return;
      const refusedBy = step.call(this);
      assert(refusedBy.length === 0, 'the steps of an install follow each other');
    }
  }

  /**
   * Writes all four once more, half by half, before the first state is shown: a sync that failed in a process before may
   * have left copies in the cache that no sync of ours writes. The bytes are those that were read, so the spec sees nothing.
   */
  #refresh(): void {
    for (const half of [FIRST_HALF, SECOND_HALF]) {
      try {
        this.#writeCopies(half);
      } catch (cause) {
        throw this.#failed('writing the copies again', cause);
      }
      this.#syncFile();
    }
  }

  #syncFile(): void {
    try {
      this.#file.sync();
    } catch (cause) {
      throw this.#failed('sync', cause);
    }
  }

  /** Asks, does the effects, advances; when the disk refuses an effect, `onFailure` is what happened instead. */
  #take(event: SuperblockEvent, onFailure?: SuperblockEvent): readonly RuleId[] {
    const refusedBy = refusals(this.#machine, this.#snapshot, event);
    if (refusedBy.length > 0) return refusedBy;
    const [next, effects] = advance(this.#machine, this.#snapshot, event);
    try {
      for (const { type, params } of effects) this.#perform(type, params as readonly number[]);
    } catch (cause) {
      if (onFailure === undefined) throw cause;
      this.#follow(advance(this.#machine, this.#snapshot, onFailure)[0]);
      throw this.#failed(event.type, cause);
    }
    this.#follow(next);
    return [];
  }

  #follow(snapshot: AnyMachineSnapshot): void {
    this.#snapshot = snapshot;
    this.#context = snapshot.context as SuperblockContext;
  }

  #perform(type: string, copies: readonly number[]): void {
    if (type === 'writeCopies') this.#writeCopies(this.#faults.size === 0 ? copies : this.#faultyHalf(copies));
    else if (type === 'sync' && !this.#faults.has('sync-skipped')) this.#sync();
  }

  #sync(): void {
    try {
      this.#file.sync();
    } catch (cause) {
      if (!this.#faults.has('sync-again')) throw cause;
      this.#file.sync();
    }
  }

  /** What a broken superblock writes instead; only the harness asks for one. */
  #faultyHalf(copies: readonly number[]): readonly number[] {
    const half = this.status === 'write-first' ? FIRST_HALF : SECOND_HALF;
    if (this.#faults.has('one-phase') && half === FIRST_HALF) return COPIES;
    if (this.#faults.has('second-half-not-written') && half === SECOND_HALF) return [];
    return this.#faults.has('repair-everything') ? half : copies;
  }

  /** One vectored write: the copies of a half lie side by side. */
  #writeCopies(copies: readonly number[]): void {
    const state = this.#context.state;
    assert(state !== undefined, 'there is a state to install');
    const [first] = copies;
    if (first === undefined) return;
    const bytes = encodeCopies(state, copies);
    const written = this.#file.write(first * SECTOR_BYTES, bytes);
    if (written !== bytes.length * SECTOR_BYTES && !this.#faults.has('short-write-ignored'))
      throw shortWrite(this.#path, first, bytes.length * SECTOR_BYTES, written);
  }

  #facts(copies: readonly DecodedCopy[]): CopyFacts {
    const facts = copies.map((copy) => (copy.kind === 'whole' ? copy.state : undefined));
    if (this.#faults.has('checksum-not-checked'))
      return facts.map((fact, place) => fact ?? fieldsOf(this.#readSector(place)));
    if (!this.#faults.has('first-whole-copy')) return facts;
    const first = facts.findIndex((fact) => fact !== undefined);
    return facts.map((fact, place) => (place === first ? fact : undefined));
  }

  #readSector(place: number): Uint8Array {
    const sector = newBytes(SECTOR_BYTES);
    try {
      const present = this.#file.read(place * SECTOR_BYTES, sector);
      return present === SECTOR_BYTES ? sector : sector.subarray(0, present);
    } catch (cause) {
      throw this.#failed(`reading copy ${place}`, cause);
    }
  }

  #refused(what: string, refusedBy: readonly RuleId[]): SuperblockError {
    return new SuperblockError(
      'SUPERBLOCK_REFUSED',
      `${this.#path}: ${what} refused by ${refusedBy.join(', ')} in status ${this.status}`,
      { file: this.#path, refusedBy: refusedBy.join(' '), status: this.status },
    );
  }

  #failed(what: string, cause: unknown): unknown {
    if (!(cause instanceof DiskError)) return cause; // a short write is already ours
    const code = cause.code === 'DISK_SYNC_FAILED' ? 'SUPERBLOCK_SYNC_FAILED' : 'SUPERBLOCK_IO';
    const message = `${this.#path}: ${what} failed (${cause.code}); what is on the medium is unknown, restart to read it`;
    return new SuperblockError(code, message, { file: this.#path, step: what, disk: cause.code }, cause);
  }
}

function sameValues(state: SuperblockValues, { view, logView, commit }: SuperblockValues): boolean {
  return state.view === view && state.logView === logView && state.commit === commit;
}

function shortWrite(file: string, copy: number, expected: number, actual: number): SuperblockError {
  return new SuperblockError('SUPERBLOCK_IO', `${file}: the disk took ${actual} of ${expected} bytes`, {
    file,
    copy,
    expected,
    actual,
  });
}

function evidenceOf(copies: readonly DecodedCopy[]): Record<string, string> {
  return Object.fromEntries(
    copies.map((copy, place) => [
      `copy${place}`,
      copy.kind === 'whole'
        ? `sequence ${copy.state.sequence} of cluster ${copy.state.cluster}, hash ${copy.state.hash}, parent ${copy.state.parent}`
        : copy.kind === 'newer'
          ? `version ${copy.version}`
          : `${copy.fault.what} at byte ${copy.fault.position}: expected ${copy.fault.expected}, is ${copy.fault.actual}`,
    ]),
  );
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash > 0 ? path.slice(0, slash) : slash === 0 ? '/' : '.';
}
