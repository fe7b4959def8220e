/**
 * The Disk port in memory: deterministic, forkable by copy-on-write pages, with the faults of a real one.
 * What a read sees (the cache) and what a power loss leaves (the medium) are apart. crash() keeps of each file any prefix of
 * the bytes that no sync has covered; powerLoss() keeps pages in the order of a writeback. Creations, renames and removals
 * wait for syncDirectory. armStop() ends the process at any operation, or in the middle of a write.
 * Mirrors no spec module.
 */
import { type Disk, DiskError, type DiskFile } from './disk.ts';
import type { Random } from './random.ts';
import { type DiskFault, SimulatedDevice } from './simulated-device.ts';
import { SimulatedFile } from './simulated-file.ts';
import { endOf, type FileRange, type PendingWrite, SimulatedNode, type UnsyncedWrite } from './simulated-node.ts';
import type { SimulatedStop } from './simulated-stop.ts';
import { WRITEBACK_PAGE_BYTES, type Writeback, type WritebackRequest, writebackOrder } from './writeback.ts';

export type { DiskFault } from './simulated-device.ts';
export type { FileRange, UnsyncedWrite } from './simulated-node.ts';
export { SimulatedStop } from './simulated-stop.ts';
export type { Writeback } from './writeback.ts';

export interface SimulatedDiskOptions {
  readonly capacityBytes?: number;
  /** Of its images: small copies less for each state of a model, large is faster for a long run. */
  readonly pageBytes?: number;
}

export interface PowerLoss {
  /** Share of the pages under way that are on the medium, in the order of the writeback. */
  readonly keptPerMille: number;
  readonly writeback: Writeback;
  /**
   * Of the next page a part is too: from its first byte up to any other. Devices promise whole sectors of 512 bytes, some
   * not even that; a cut at any byte is the harsher of the two, and no code may lean on the promise.
   */
  readonly torn: boolean;
  readonly random: Random;
}

/** What a power loss did. */
export interface PowerLossReport {
  /** Pages that were under way: whole ones and parts that a write touched. */
  readonly pages: number;
  readonly kept: number;
  /** A page was cut in two. */
  readonly torn: boolean;
  /** What was kept is not what was written first. */
  readonly reordered: boolean;
}

type NameChange = { readonly path: string; readonly node: SimulatedNode | undefined };

interface PageRequest extends WritebackRequest {
  readonly node: SimulatedNode;
  readonly bytes: Uint8Array;
}

export class SimulatedDisk implements Disk {
  readonly #device: SimulatedDevice;
  readonly #pageBytes: number | undefined;
  #names = new Map<string, SimulatedNode>();
  #durableNames = new Map<string, SimulatedNode>();
  #nameChanges: readonly NameChange[] = [];
  #directories = new Set<string>(['/']);
  /** By directory: the lock that holds it. */
  #locks = new Map<string, object>();

  constructor(options: SimulatedDiskOptions = {}, device = new SimulatedDevice(options.capacityBytes)) {
    this.#device = device;
    this.#pageBytes = options.pageBytes;
  }

  /** A disk of its own with the same content and armed faults; no page is copied before it is written. */
  fork(): SimulatedDisk {
    const pageBytes = this.#pageBytes;
    const twin = new SimulatedDisk(pageBytes === undefined ? {} : { pageBytes }, this.#device.fork());
    const copies = new Map<SimulatedNode, SimulatedNode>();
    const copyOf = (node: SimulatedNode): SimulatedNode => {
      let copy = copies.get(node);
      if (copy === undefined) {
        copy = node.fork();
        copies.set(node, copy);
      }
      return copy;
    };
    for (const [path, node] of this.#names) twin.#names.set(path, copyOf(node));
    for (const [path, node] of this.#durableNames) twin.#durableNames.set(path, copyOf(node));
    if (this.#nameChanges.length > 0)
      twin.#nameChanges = this.#nameChanges.map(({ path, node }) => ({ path, node: node && copyOf(node) }));
    for (const directory of this.#directories) twin.#directories.add(directory);
    for (const [directory, lock] of this.#locks) twin.#locks.set(directory, lock);
    return twin;
  }

  /** Operations so far that may have changed what a read sees: equal counts of a disk and its fork, equal content. */
  get writes(): number {
    return this.#device.writes;
  }

  /** Operations so far that may have changed what a power loss leaves. */
  get syncs(): number {
    return this.#device.syncs;
  }

  /** Operations so far that change something or make it durable: what armStop() counts. */
  get operations(): number {
    return this.#device.operations;
  }

  /** Called when a fault is used up, an inject()ed one or a disk that is full. A fork has none of its own. */
  set onFault(report: ((fault: DiskFault, path: string) => void) | undefined) {
    this.#device.onFault = report;
  }

  inject(fault: DiskFault): void {
    this.#device.faults = [...this.#device.faults, fault];
  }

  /**
   * Stops the process at the atOperation-th operation from now that changes something (1: the next). Of a write that many
   * thousandths of its bytes go to the cache before, of anything else all (share from 500) or nothing. It throws
   * SimulatedStop, and so does every operation after it until exitProcess(), crash() or powerLoss() say what has ended.
   */
  armStop(atOperation: number, share: number, why = 'a stop'): void {
    this.#device.arm(atOperation, share, why);
  }

  /** Whether a stop waits for its operation. */
  get isStopArmed(): boolean {
    return this.#device.isStopArmed;
  }

  /** The stop that has happened and that nobody has cleared up after. */
  get stopped(): SimulatedStop | undefined {
    return this.#device.stopped;
  }

  /** Takes back the faults and the stop that no operation has used up. */
  disarm(): void {
    this.#device.disarm();
  }

  setCapacity(capacityBytes: number | undefined): void {
    this.#device.capacityBytes = capacityBytes;
  }

  sizeBytes(path: string): number {
    return this.#nodeAt(path).sizeBytes;
  }

  /** Where the durable content of the file ends: the position after the last byte of the medium that is not zero. */
  writtenBytes(path: string): number {
    return this.#nodeAt(path).medium.contentBytes;
  }

  /** Bytes of this file that a power loss may take, in the order of writing: 0 after a sync. */
  unsyncedBytes(path: string): number {
    const node = this.#nodeAt(path);
    return lengthOf(node.forgotten) + lengthOf(node.unsynced);
  }

  /** Writes of this file that a power loss may take, in order: forgotten by a sync that failed or lied, then waiting for one. */
  pendingWrites(path: string): readonly UnsyncedWrite[] {
    return pendingOf(this.#nodeAt(path));
  }

  /** What waits for a sync in the first range will land at another position; reads go on to see it where it was sent. */
  misdirect(path: string, from: FileRange, to: number): void {
    this.#nodeAt(path).misdirect(from, to);
  }

  /** Whether a sync of this file would make everything durable, or the kernel has forgotten some of it. */
  everythingQueued(path: string): boolean {
    return this.#nodeAt(path).forgotten.length === 0;
  }

  /**
   * Power loss: of each file the first keepBytes(path) unsynced bytes survive (0..unsyncedBytes(path), none unless told),
   * of the changes of names the first keepNames. Every handle and lock of before is void.
   */
  crash(keepBytes: (path: string) => number = () => 0, keepNames = 0): void {
    const paths = new Map<SimulatedNode, string>();
    for (const [path, node] of this.#names) paths.set(node, path);
    this.#losePower(keepNames, (node, path) => prefixOf(pendingOf(node), keepBytes(paths.get(node) ?? path)));
  }

  /**
   * Power loss as a disk with requests in flight leaves it: what no sync has covered, of all files in the order of writing,
   * is cut at the file's multiples of 4 KiB, put into the order of the writeback, and the first of it is on the medium. Of
   * the changes of names any prefix is. Every handle and lock of before is void.
   */
  powerLoss({ keptPerMille, writeback, torn, random }: PowerLoss): PowerLossReport {
    const requests = this.#requests();
    const order = writebackOrder(requests, writeback, random);
    const kept = Math.floor((requests.length * keptPerMille) / 1000);
    const landed = order.slice(0, kept);
    const next = order[kept];
    const isTorn = torn && next !== undefined && next.bytes.byteLength > 1;
    if (isTorn) landed.push({ ...next, bytes: next.bytes.subarray(0, 1 + random.below(next.bytes.byteLength - 1)) });
    const keepNames = this.#nameChanges.length === 0 ? 0 : random.below(this.#nameChanges.length + 1);
    const reordered = order.slice(0, kept + (isTorn ? 1 : 0)).some((request, at) => request !== requests[at]);
    this.#losePower(keepNames, (node) => landed.filter((request) => request.node === node));
    return { pages: requests.length, kept, torn: isTorn, reordered };
  }

  /** The process dies and the machine lives on: the cache stays, locks and handles go. */
  exitProcess(): void {
    this.#device.restart();
    this.#locks = new Map();
  }

  /** Rot: changes bytes on the medium and in the cache, as durable as anything. */
  damage(path: string, position: number, bytes: Uint8Array): void {
    this.#device.writes++;
    this.#device.syncs++;
    this.#nodeAt(path).damage(position, bytes);
  }

  /** What a read would see after a power loss now that keeps nothing: for projections and tests. */
  readMedium(path: string, position: number, target: Uint8Array): void {
    this.#nodeAt(path).medium.read(position, target);
  }

  open(path: string, mode: 'create' | 'existing' | 'read'): DiskFile {
    this.#device.requireRunning();
    const present = this.#names.get(path);
    if (mode !== 'create') {
      if (present === undefined) throw new DiskError('DISK_NOT_FOUND', `${path}: no such file`, { path });
      return new SimulatedFile(path, present, this.#device);
    }
    if (present !== undefined) throw new DiskError('DISK_EXISTS', `${path}: exists already`, { path });
    this.#requireDirectory(parentOf(path));
    const node = SimulatedNode.empty(this.#pageBytes);
    this.#device.mutate('create', path, () => this.#changeName(path, node));
    return new SimulatedFile(path, node, this.#device);
  }

  exists(path: string): boolean {
    this.#device.requireRunning();
    return this.#names.has(path) || this.#directories.has(path);
  }

  list(directory: string): readonly string[] {
    this.#device.requireRunning();
    this.#requireDirectory(directory);
    const children = [...this.#names.keys(), ...this.#directories].filter(
      (path) => path !== '/' && parentOf(path) === directory,
    );
    return children.map((path) => path.slice(path.lastIndexOf('/') + 1)).sort();
  }

  makeDirectory(path: string): void {
    if (path === '/' || path === '' || this.#directories.has(path)) return;
    this.makeDirectory(parentOf(path));
    this.#device.mutate('make-directory', path, () => this.#directories.add(path));
  }

  rename(from: string, to: string): void {
    const node = this.#nodeAt(from);
    this.#device.mutate('rename', from, () => {
      this.#changeName(to, node);
      this.#changeName(from, undefined);
    });
  }

  remove(path: string): void {
    this.#nodeAt(path);
    this.#device.mutate('remove', path, () => this.#changeName(path, undefined));
  }

  syncDirectory(path: string): void {
    this.#requireDirectory(path);
    this.#device.mutate('sync-directory', path, () => {
      this.#device.syncs++;
      for (const change of this.#nameChanges)
        if (parentOf(change.path) === path) setName(this.#durableNames, change.path, change.node);
      this.#nameChanges = this.#nameChanges.filter((change) => parentOf(change.path) !== path);
    });
  }

  lock(directory: string): { release(): void } {
    this.#device.requireRunning();
    this.#requireDirectory(directory);
    if (this.#locks.has(directory)) {
      throw new DiskError('DISK_LOCKED', `${directory} is in use by another process; stop it first`, { directory });
    }
    const lock = {
      release: () => {
        if (this.#locks.get(directory) === lock) this.#locks.delete(directory);
      },
    };
    this.#locks.set(directory, lock);
    return lock;
  }

  #losePower(keepNames: number, landedOf: (node: SimulatedNode, path: string) => readonly UnsyncedWrite[]): void {
    this.#device.writes++;
    this.#device.syncs++;
    for (const { path, node } of this.#nameChanges.slice(0, keepNames)) setName(this.#durableNames, path, node);
    const renewed = new Map<SimulatedNode, SimulatedNode>();
    for (const [path, node] of this.#durableNames) {
      let after = renewed.get(node);
      if (after === undefined) {
        after = node.afterPowerLoss(landedOf(node, path));
        renewed.set(node, after);
      }
      this.#durableNames.set(path, after);
    }
    this.#names = new Map(this.#durableNames);
    this.#nameChanges = [];
    this.exitProcess();
  }

  /** What waits in all files, in the order of writing, by page. */
  #requests(): readonly PageRequest[] {
    const pending: { readonly file: number; readonly node: SimulatedNode; readonly write: PendingWrite }[] = [];
    const files = new Map<SimulatedNode, number>();
    for (const path of [...this.#names.keys()].sort()) {
      const node = this.#nodeAt(path);
      if (files.has(node)) continue;
      const file = files.size;
      files.set(node, file);
      for (const write of node.forgotten) pending.push({ file, node, write });
      for (const write of node.unsynced) pending.push({ file, node, write });
    }
    pending.sort((a, b) => a.write.order - b.write.order);
    return pending.flatMap(({ file, node, write }) => {
      const bytes = node.bytesOf(write);
      return pagesOf(write).map(({ position, byteCount }) => {
        const at = position - write.position;
        return { file, node, position, bytes: bytes.subarray(at, at + byteCount) };
      });
    });
  }

  #nodeAt(path: string): SimulatedNode {
    const node = this.#names.get(path);
    if (node === undefined) throw new DiskError('DISK_NOT_FOUND', `${path}: no such file`, { path });
    return node;
  }

  #requireDirectory(path: string): void {
    if (!this.#directories.has(path)) throw new DiskError('DISK_NOT_FOUND', `${path}: no such directory`, { path });
  }

  #changeName(path: string, node: SimulatedNode | undefined): void {
    this.#device.writes++;
    setName(this.#names, path, node);
    this.#nameChanges = [...this.#nameChanges, { path, node }];
  }
}

function pendingOf(node: SimulatedNode): readonly UnsyncedWrite[] {
  return [...node.forgotten, ...node.unsynced].map((write) => ({
    position: write.position,
    bytes: node.bytesOf(write),
  }));
}

function prefixOf(writes: readonly UnsyncedWrite[], byteCount: number): readonly UnsyncedWrite[] {
  const prefix: UnsyncedWrite[] = [];
  let left = byteCount;
  for (const { position, bytes } of writes) {
    if (left <= 0) break;
    prefix.push({ position, bytes: bytes.subarray(0, left) });
    left -= bytes.byteLength;
  }
  return prefix;
}

function pagesOf(range: FileRange): readonly FileRange[] {
  const pages: FileRange[] = [];
  for (let position = range.position; position < endOf(range); ) {
    const next = Math.min(endOf(range), position - (position % WRITEBACK_PAGE_BYTES) + WRITEBACK_PAGE_BYTES);
    pages.push({ position, byteCount: next - position });
    position = next;
  }
  return pages;
}

function setName(names: Map<string, SimulatedNode>, path: string, node: SimulatedNode | undefined): void {
  if (node === undefined) names.delete(path);
  else names.set(path, node);
}

function lengthOf(writes: readonly PendingWrite[]): number {
  return writes.reduce((sum, { byteCount }) => sum + byteCount, 0);
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash <= 0 ? '/' : path.slice(0, slash);
}
