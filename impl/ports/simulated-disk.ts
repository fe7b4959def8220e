/**
 * The Disk port in memory: deterministic, forkable by copy-on-write pages, with the faults of a real one.
 * What a read sees (the cache) and what a power loss leaves (the medium) are apart; crash() keeps any prefix of the bytes
 * written since the last sync, so a write tears at any byte. Creations, renames and removals wait for syncDirectory.
 * Does not reorder the writes of one file: a crash keeps a prefix in the order of writing.
 */
import { assert } from './assert.ts';
import { type Disk, DiskError, type DiskFile } from './disk.ts';
import { PagedBytes } from './paged-bytes.ts';

/** Armed with inject(); each is used up by the first operation that it fits. */
export type DiskFault =
  | { readonly operation: 'write'; readonly kind: 'full' }
  /** The write is refused; what it has for these ranges of the file is on its way all the same. */
  | { readonly operation: 'write'; readonly kind: 'io'; readonly lands?: readonly FileRange[] }
  /** The write takes this many bytes and returns that count. */
  | { readonly operation: 'write'; readonly kind: 'short'; readonly bytes: number }
  | { readonly operation: 'preallocate'; readonly kind: 'full' | 'io' }
  | { readonly operation: 'read'; readonly kind: 'io' }
  /** The sync fails, and the kernel forgets that the pages were dirty: a second sync says yes and writes nothing. */
  | { readonly operation: 'sync'; readonly kind: 'failed' };

export interface FileRange {
  readonly position: number;
  readonly byteCount: number;
}

export interface UnsyncedWrite {
  readonly position: number;
  readonly bytes: Uint8Array;
}

interface Node {
  cache: PagedBytes;
  medium: PagedBytes;
  sizeBytes: number;
  /** Written since the last sync, in order. */
  unsynced: readonly UnsyncedWrite[];
  /** Written before a failed sync: readable, perhaps on the medium, and no later sync writes them. */
  forgotten: readonly UnsyncedWrite[];
}

type NameChange = { readonly path: string; readonly node: Node | undefined };

export class SimulatedDisk implements Disk {
  #names: Map<string, Node>;
  #durableNames: Map<string, Node>;
  #nameChanges: NameChange[] = [];
  #directories: Set<string>;
  #locked = new Set<string>();
  #faults: readonly DiskFault[] = [];
  /** Bytes that preallocation may still take in all; undefined: no limit. */
  #capacityBytes: number | undefined;
  #writes = 0;
  #syncs = 0;

  constructor(options: { readonly capacityBytes?: number } = {}) {
    this.#names = new Map();
    this.#durableNames = new Map();
    this.#directories = new Set(['/']);
    this.#capacityBytes = options.capacityBytes;
  }

  /** A disk of its own with the same content and armed faults; no page is copied before it is written. */
  fork(): SimulatedDisk {
    const twin = new SimulatedDisk();
    const copies = new Map<Node, Node>();
    const copyOf = (node: Node): Node => {
      let copy = copies.get(node);
      if (copy === undefined) {
        copy = { ...node, cache: node.cache.fork(), medium: node.medium.fork() };
        copies.set(node, copy);
      }
      return copy;
    };
    for (const [path, node] of this.#names) twin.#names.set(path, copyOf(node));
    for (const [path, node] of this.#durableNames) twin.#durableNames.set(path, copyOf(node));
    twin.#nameChanges = this.#nameChanges.map(({ path, node }) => ({ path, node: node && copyOf(node) }));
    twin.#directories = new Set(this.#directories);
    twin.#locked = new Set(this.#locked);
    twin.#faults = this.#faults;
    twin.#capacityBytes = this.#capacityBytes;
    twin.#writes = this.#writes;
    twin.#syncs = this.#syncs;
    return twin;
  }

  /** Operations so far that may have changed what a read sees: equal counts of a disk and its fork, equal content. */
  get writes(): number {
    return this.#writes;
  }

  /** Operations so far that may have changed what a power loss leaves. */
  get syncs(): number {
    return this.#syncs;
  }

  inject(fault: DiskFault): void {
    this.#faults = [...this.#faults, fault];
  }

  /** Takes back the faults that no operation has used up. */
  disarm(): void {
    this.#faults = [];
  }

  setCapacity(capacityBytes: number | undefined): void {
    this.#capacityBytes = capacityBytes;
  }

  /** Bytes of this file that a power loss may take, in the order of writing: 0 after a sync. */
  unsyncedBytes(path: string): number {
    const node = this.#nodeAt(path);
    return lengthOf(node.forgotten) + lengthOf(node.unsynced);
  }

  /** Writes of this file that a power loss may take, in order: forgotten by a failed sync, then waiting for one. */
  pendingWrites(path: string): readonly UnsyncedWrite[] {
    const { forgotten, unsynced } = this.#nodeAt(path);
    return [...forgotten, ...unsynced];
  }

  /** What waits for a sync in the first range will land at another position; reads go on to see it where it was sent. */
  misdirect(path: string, from: FileRange, to: number): void {
    const node = this.#nodeAt(path);
    node.unsynced = node.unsynced.flatMap((write) => {
      const { inside, outside } = split(write, from);
      return inside === undefined ? [write] : [...outside, { position: to, bytes: inside.bytes }];
    });
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
    this.#writes++;
    this.#syncs++;
    for (const { path, node } of this.#nameChanges.slice(0, keepNames)) setName(this.#durableNames, path, node);
    const pathOf = new Map<Node, string>();
    for (const [path, node] of this.#names) pathOf.set(node, path);
    const renewed = new Map<Node, Node>();
    for (const [path, node] of this.#durableNames) {
      let after = renewed.get(node);
      if (after === undefined) {
        after = crashed(node, keepBytes(pathOf.get(node) ?? path));
        renewed.set(node, after);
      }
      this.#durableNames.set(path, after);
    }
    this.#names = new Map(this.#durableNames);
    this.#nameChanges = [];
    this.#locked = new Set();
  }

  /** The process dies and the machine lives on: the cache stays, locks and handles go. */
  exitProcess(): void {
    this.#locked = new Set();
  }

  /** Rot: changes bytes on the medium and in the cache, as durable as anything. */
  damage(path: string, position: number, bytes: Uint8Array): void {
    this.#writes++;
    this.#syncs++;
    const node = this.#nodeAt(path);
    node.cache.write(position, bytes);
    node.medium.write(position, bytes);
  }

  /** What a read would see after a power loss now that keeps nothing: for projections and tests. */
  readMedium(path: string, position: number, target: Uint8Array): void {
    this.#nodeAt(path).medium.read(position, target);
  }

  open(path: string, mode: 'create' | 'existing' | 'read'): DiskFile {
    const present = this.#names.get(path);
    if (mode !== 'create') {
      if (present === undefined) throw new DiskError('DISK_NOT_FOUND', `${path}: no such file`, { path });
      return this.#handle(path, present);
    }
    if (present !== undefined) throw new DiskError('DISK_EXISTS', `${path}: exists already`, { path });
    this.#requireDirectory(parentOf(path));
    const cache = new PagedBytes();
    const node: Node = { cache, medium: cache.fork(), sizeBytes: 0, unsynced: [], forgotten: [] };
    this.#changeName(path, node);
    return this.#handle(path, node);
  }

  exists(path: string): boolean {
    return this.#names.has(path) || this.#directories.has(path);
  }

  list(directory: string): readonly string[] {
    this.#requireDirectory(directory);
    const children = [...this.#names.keys(), ...this.#directories].filter(
      (path) => path !== '/' && parentOf(path) === directory,
    );
    return children.map((path) => path.slice(path.lastIndexOf('/') + 1)).sort();
  }

  makeDirectory(path: string): void {
    if (path === '/' || path === '' || this.#directories.has(path)) return;
    this.makeDirectory(parentOf(path));
    this.#directories.add(path);
  }

  rename(from: string, to: string): void {
    const node = this.#nodeAt(from);
    this.#changeName(to, node);
    this.#changeName(from, undefined);
  }

  remove(path: string): void {
    this.#nodeAt(path);
    this.#changeName(path, undefined);
  }

  syncDirectory(path: string): void {
    this.#requireDirectory(path);
    this.#syncs++;
    for (const change of this.#nameChanges)
      if (parentOf(change.path) === path) setName(this.#durableNames, change.path, change.node);
    this.#nameChanges = this.#nameChanges.filter((change) => parentOf(change.path) !== path);
  }

  lock(directory: string): { release(): void } {
    this.#requireDirectory(directory);
    if (this.#locked.has(directory)) {
      throw new DiskError('DISK_LOCKED', `${directory} is in use by another process; stop it first`, { directory });
    }
    this.#locked.add(directory);
    return { release: () => void this.#locked.delete(directory) };
  }

  #handle(path: string, node: Node): DiskFile {
    const takeFault = (operation: DiskFault['operation']): DiskFault | undefined => this.#takeFault(operation);
    const fail = (code: 'DISK_FULL' | 'DISK_IO' | 'DISK_SYNC_FAILED', what: string): never => {
      throw new DiskError(code, `${path}: ${what}`, { path });
    };
    const grow = (sizeBytes: number): void => {
      const grown = sizeBytes - node.sizeBytes;
      if (grown <= 0) return;
      if (this.#capacityBytes !== undefined && grown > this.#capacityBytes) fail('DISK_FULL', 'no space left');
      if (this.#capacityBytes !== undefined) this.#capacityBytes -= grown;
      node.sizeBytes = sizeBytes;
    };
    return {
      path,
      get sizeBytes() {
        return node.sizeBytes;
      },
      read: (position, target) => {
        if (takeFault('read') !== undefined) fail('DISK_IO', 'read failed');
        const count = Math.max(0, Math.min(target.byteLength, node.sizeBytes - position));
        node.cache.read(position, target.subarray(0, count));
        return count;
      },
      write: (position, chunks) => {
        this.#writes++;
        const fault = takeFault('write');
        if (fault?.kind === 'full') fail('DISK_FULL', 'no space left');
        const all = joined(chunks);
        if (fault?.operation === 'write' && fault.kind === 'io') {
          const landed = (fault.lands ?? []).flatMap((range) => split({ position, bytes: all }, range).inside ?? []);
          for (const write of landed) node.cache.write(write.position, write.bytes);
          node.unsynced = [...node.unsynced, ...landed];
          fail('DISK_IO', 'write failed');
        }
        const bytes = fault?.kind === 'short' ? all.subarray(0, fault.bytes) : all;
        grow(position + bytes.byteLength);
        node.cache.write(position, bytes);
        node.unsynced = [...node.unsynced, { position, bytes }];
        return bytes.byteLength;
      },
      sync: () => {
        this.#syncs++;
        if (takeFault('sync') !== undefined) {
          node.forgotten = [...node.forgotten, ...node.unsynced];
          node.unsynced = [];
          fail('DISK_SYNC_FAILED', 'fdatasync failed');
        }
        for (const { position, bytes } of node.unsynced) node.medium.write(position, bytes);
        // A rewrite of the forgotten bytes has made them durable; without one they stay at the mercy of a power loss.
        node.forgotten = node.forgotten.filter((lost) => !node.unsynced.some((write) => covers(write, lost)));
        node.unsynced = [];
      },
      preallocate: (sizeBytes) => {
        this.#writes++;
        this.#syncs++;
        const fault = takeFault('preallocate');
        if (fault?.kind === 'full') fail('DISK_FULL', 'no space left');
        if (fault?.kind === 'io') fail('DISK_IO', 'preallocation failed');
        grow(sizeBytes);
      },
      truncate: (sizeBytes) => {
        this.#writes++;
        this.#syncs++;
        assert(node.unsynced.length === 0, 'sync before a truncation: their order is not simulated');
        node.cache.truncate(sizeBytes);
        node.medium.truncate(sizeBytes);
        node.sizeBytes = sizeBytes;
      },
      close: () => {},
    };
  }

  #takeFault(operation: DiskFault['operation']): DiskFault | undefined {
    const index = this.#faults.findIndex((fault) => fault.operation === operation);
    if (index < 0) return undefined;
    const fault = this.#faults[index];
    this.#faults = this.#faults.filter((_, at) => at !== index);
    return fault;
  }

  #nodeAt(path: string): Node {
    const node = this.#names.get(path);
    if (node === undefined) throw new DiskError('DISK_NOT_FOUND', `${path}: no such file`, { path });
    return node;
  }

  #requireDirectory(path: string): void {
    if (!this.#directories.has(path)) throw new DiskError('DISK_NOT_FOUND', `${path}: no such directory`, { path });
  }

  #changeName(path: string, node: Node | undefined): void {
    this.#writes++;
    setName(this.#names, path, node);
    this.#nameChanges = [...this.#nameChanges, { path, node }];
  }
}

function crashed(node: Node, keepBytes: number): Node {
  const medium = node.medium.fork();
  let left = keepBytes;
  for (const { position, bytes } of [...node.forgotten, ...node.unsynced]) {
    if (left <= 0) break;
    medium.write(position, bytes.subarray(0, left));
    left -= bytes.byteLength;
  }
  return { cache: medium.fork(), medium, sizeBytes: node.sizeBytes, unsynced: [], forgotten: [] };
}

function setName(names: Map<string, Node>, path: string, node: Node | undefined): void {
  if (node === undefined) names.delete(path);
  else names.set(path, node);
}

/** The part of a write that lies in the range, when it covers all of it, and the parts before and behind. */
function split(
  { position, bytes }: UnsyncedWrite,
  range: FileRange,
): { readonly inside: UnsyncedWrite | undefined; readonly outside: readonly UnsyncedWrite[] } {
  const from = range.position - position;
  const to = from + range.byteCount;
  if (from < 0 || to > bytes.byteLength) return { inside: undefined, outside: [] };
  const before = { position, bytes: bytes.subarray(0, from) };
  const behind = { position: position + to, bytes: bytes.subarray(to) };
  const outside = [before, behind].filter((part) => part.bytes.byteLength > 0);
  return { inside: { position: range.position, bytes: bytes.subarray(from, to) }, outside };
}

function covers(write: UnsyncedWrite, lost: UnsyncedWrite): boolean {
  return (
    write.position <= lost.position && write.position + write.bytes.byteLength >= lost.position + lost.bytes.byteLength
  );
}

function lengthOf(writes: readonly UnsyncedWrite[]): number {
  return writes.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.byteLength;
  }
  return all;
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash <= 0 ? '/' : path.slice(0, slash);
}
