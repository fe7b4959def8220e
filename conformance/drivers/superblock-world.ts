/**
 * What a run of the superblock's driver goes on: the real superblock, a disk that can lose power, and what an observer has
 * noted. Here happens what the disk does by itself: rot, strangers, misdirected writes, power loss. Environment of Superblock.tla.
 */
import { crc32 } from '../../impl/crypto/hash.ts';
import type { Disk } from '../../impl/ports/disk.ts';
import type { DiskFault, FileRange, UnsyncedWrite } from '../../impl/ports/simulated-disk.ts';
import { Superblock, type SuperblockOptions } from '../../impl/storage/superblock.ts';
import { childOf, decodeCopy, fieldsOf, firstState, SECTOR_BYTES } from '../../impl/storage/superblock-copy.ts';
import { COPIES, type SuperblockState } from '../../machines/superblock.ts';
import type { SuperblockView } from '../../machines/superblock-invariants.ts';
import type { Constants } from '../driver.ts';

export type Places = readonly number[];

/** One for each action of the spec, with its parameters. */
export type SuperblockStep =
  | { readonly type: 'Open' | 'HaltUnreadable' | 'HaltContradicted' }
  | { readonly type: 'WriteFirstHalf' | 'SyncFirstHalf' | 'WriteSecondHalf' | 'SyncSecondHalf' | 'SyncFails' }
  | { readonly type: 'Update'; readonly value: number }
  | { readonly type: 'WriteFirstFails' | 'WriteSecondFails'; readonly landed: Places }
  | { readonly type: 'Misdirect'; readonly from: number; readonly to: number }
  | { readonly type: 'Corrupt'; readonly copy: number }
  | { readonly type: 'Intrude'; readonly copy: number; readonly sequence: number }
  | { readonly type: 'Crash'; readonly torn: Places; readonly landed: Places };

/** A disk whose medium is seen apart from what reads see: simulated, or a real file with its shadow. */
export interface Medium extends Disk {
  fork(): Medium;
  crash(): void;
  inject(fault: DiskFault): void;
  damage(path: string, position: number, bytes: Uint8Array): void;
  readMedium(path: string, position: number, target: Uint8Array): void;
  pendingWrites(path: string): readonly UnsyncedWrite[];
  misdirect(path: string, from: FileRange, to: number): void;
}

/** The constants of MCSuperblock. */
interface Bounds {
  readonly damageMax: number;
  readonly openDamageMax: number;
  readonly maxValue: number;
  readonly maxDamage: number;
  readonly mayCorrupt: boolean;
  readonly mayMisdirect: boolean;
  readonly mayIntrude: boolean;
  readonly mayFail: boolean;
}

export const IDENTITY = { cluster: 1n, replica: 0, replicaCount: 3 };
/** In the zeros behind the fields: flipping it breaks the checksum and leaves the fields to be seen. */
const BROKEN_AT = 3000;
/** Stands for no state of this history. */
export const STRANGER_HASH = 'ff'.repeat(32);

interface Fields {
  readonly bounds: Bounds;
  readonly path: string;
  readonly disk: Medium;
  readonly superblock: Superblock;
  readonly acknowledged: SuperblockState;
  /** By hash. */
  readonly written: ReadonlyMap<string, SuperblockState>;
  readonly damage: number;
}

export class SuperblockWorld {
  readonly fields: Fields;
  readonly options: SuperblockOptions;
  #observed: SuperblockView | undefined;
  #copies: readonly KnownCopy[] | undefined;

  constructor(fields: Fields, options: SuperblockOptions) {
    this.fields = fields;
    this.options = options;
  }

  with(change: Partial<Fields>): SuperblockWorld {
    return new SuperblockWorld({ ...this.fields, ...change }, this.options);
  }

  /** What the medium has at each place; read once, for nothing changes a world that is in use. */
  copies(): readonly KnownCopy[] {
    this.#copies ??= this.copiesNow();
    return this.#copies;
  }

  /** As copies(), read anew: for the projection, which would show a world that was changed all the same. */
  copiesNow(): readonly KnownCopy[] {
    const { disk, path } = this.fields;
    return COPIES.map((place) => {
      disk.readMedium(path, place * SECTOR_BYTES, SCRATCH);
      return known(SCRATCH);
    });
  }

  wholeCopies(): readonly (SuperblockState | undefined)[] {
    return this.copies().map(({ state }) => state);
  }

  isWhole(place: number): boolean {
    return this.wholeCopies()[place] !== undefined;
  }

  /** Places where a write will land, with what it brings; of two for one place the later counts. */
  inFlight(): ReadonlyMap<number, Uint8Array> {
    const { disk, path } = this.fields;
    const landing = new Map<number, Uint8Array>();
    for (const { position, bytes } of disk.pendingWrites(path))
      for (let at = 0; at < bytes.byteLength; at += SECTOR_BYTES)
        landing.set((position + at) / SECTOR_BYTES, bytes.subarray(at, at + SECTOR_BYTES));
    return landing;
  }

  /** Once for all invariants of a state. */
  observed(): SuperblockView {
    this.#observed ??= this.#observe();
    return this.#observed;
  }

  #observe(): SuperblockView {
    const { superblock, bounds, acknowledged, written, damage } = this.fields;
    return {
      status: superblock.status,
      state: superblock.installing,
      stale: superblock.stale,
      copies: this.wholeCopies(),
      inFlight: [...this.inFlight().keys()],
      acknowledged,
      written,
      damage,
      damageMax: bounds.damageMax,
      openDamageMax: bounds.openDamageMax,
    };
  }
}

/** A sector as a model meets it again and again, decoded once. */
export interface KnownCopy {
  readonly sector: Uint8Array;
  /** Undefined when the copy is not whole. */
  readonly state: SuperblockState | undefined;
  /** As they stand, believed or not. */
  readonly fields: SuperblockState;
}

const SCRATCH = new Uint8Array(SECTOR_BYTES);
/** Distinct sectors that are remembered; a model has a few dozens. */
const KNOWN_MAX = 10_000;
const knownByCrc = new Map<number, KnownCopy>();

function known(sector: Uint8Array): KnownCopy {
  const key = crc32(sector);
  const before = knownByCrc.get(key);
  if (before !== undefined && Buffer.compare(before.sector, sector) === 0) return before;
  const copy = decodeCopy(sector);
  const state = copy.kind === 'whole' ? copy.state : undefined;
  const found = { sector: Uint8Array.from(sector), state, fields: fieldsOf(sector) };
  if (knownByCrc.size >= KNOWN_MAX) knownByCrc.clear();
  knownByCrc.set(key, found);
  return found;
}

export function boundsOf(constants: Constants): Bounds {
  const numberOf = (name: string): number => Number(constants[name]?.text);
  const isTrue = (name: string): boolean => constants[name]?.text === 'TRUE';
  return {
    damageMax: numberOf('DamageMax'),
    openDamageMax: numberOf('OpenDamageMax'),
    maxValue: numberOf('MaxValue'),
    maxDamage: numberOf('MaxDamage'),
    mayCorrupt: isTrue('MayCorrupt'),
    mayMisdirect: isTrue('MayMisdirect'),
    mayIntrude: isTrue('MayIntrude'),
    mayFail: isTrue('MayFail'),
  };
}

export function format(
  bounds: Bounds,
  options: SuperblockOptions,
  { disk, path }: { disk: Medium; path: string },
): SuperblockWorld {
  Superblock.format(disk, path, IDENTITY);
  const superblock = Superblock.attach(disk, path, options);
  const genesis = firstState(IDENTITY);
  const written = new Map([[genesis.hash, genesis]]);
  return new SuperblockWorld({ bounds, path, disk, superblock, acknowledged: genesis, written, damage: 0 }, options);
}

export function misdirect(world: SuperblockWorld, from: number, to: number): SuperblockWorld {
  const { disk, superblock, path, damage } = world.fields;
  const fork = disk.fork();
  fork.misdirect(path, rangeOf(from), to * SECTOR_BYTES);
  const lost = world.isWhole(from) ? 1 : 0;
  return world.with({ disk: fork, superblock: superblock.fork(fork), damage: damage + lost });
}

export function damaged(
  world: SuperblockWorld,
  place: number,
  change: (old: Uint8Array) => Uint8Array,
): SuperblockWorld {
  const { disk, superblock, path, damage } = world.fields;
  const fork = disk.fork();
  const old = world.copies()[place]?.sector ?? new Uint8Array(SECTOR_BYTES);
  fork.damage(path, place * SECTOR_BYTES, change(old));
  return world.with({ disk: fork, superblock: superblock.fork(fork), damage: damage + 1 });
}

/** Power loss: of what is in flight some tears, some lands, the rest is lost; then the file is there for the next open. */
export function crash(world: SuperblockWorld, torn: Places, landed: Places): SuperblockWorld {
  const { disk, path, damage } = world.fields;
  const whole = world.wholeCopies();
  const flying = world.inFlight();
  const fork = disk.fork();
  fork.crash();
  for (const place of [...torn, ...landed]) {
    const bytes = flying.get(place);
    if (bytes === undefined) throw new Error(`nothing is in flight for copy ${place}`);
    fork.damage(path, place * SECTOR_BYTES, torn.includes(place) ? brokenSector(bytes) : bytes);
  }
  const superblock = Superblock.attach(fork, path, world.options);
  const lost = torn.filter((place) => whole[place] !== undefined).length;
  return world.with({ disk: fork, superblock, damage: damage + lost });
}

export function brokenSector(sector: Uint8Array): Uint8Array {
  const broken = Uint8Array.from(sector);
  broken[BROKEN_AT] = 0xff;
  return broken;
}

export function strangerState(sequence: number): SuperblockState {
  const before = { ...firstState(IDENTITY), sequence: sequence - 1, hash: STRANGER_HASH };
  return childOf(before, valuesOf(0));
}

export function rangeOf(place: number): FileRange {
  return { position: place * SECTOR_BYTES, byteCount: SECTOR_BYTES };
}

export function valuesOf(value: number): { view: number; logView: number; commit: number } {
  return { view: value, logView: value, commit: value };
}
