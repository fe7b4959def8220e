/**
 * The content of one simulated file: what a read sees (the cache), what a power loss leaves (the medium), and the writes
 * between the two, in order. A write is kept as a range of the cache; its bytes are copied only when something overwrites
 * them before they are on the medium. Decides nothing about faults. Mirrors no spec module: a part of simulated-disk.ts.
 */
import { assert } from './assert.ts';
import { PagedBytes } from './paged-bytes.ts';

export interface FileRange {
  readonly position: number;
  readonly byteCount: number;
}

export interface UnsyncedWrite {
  readonly position: number;
  readonly bytes: Uint8Array;
}

/** On its way to the medium. Forks share it: the bytes that it stands for never change. */
export interface PendingWrite extends FileRange {
  /** Number of the write on its disk: the order of writing over all files. */
  readonly order: number;
  /** Absent while the cache holds them at the same place. */
  bytes: Uint8Array | undefined;
}

export class SimulatedNode {
  readonly cache: PagedBytes;
  readonly medium: PagedBytes;
  sizeBytes: number;
  /** Written since the last sync, in order. */
  #unsynced: PendingWrite[] = [];
  /** Written before a sync that failed or lied: readable, perhaps on the medium, and no later sync writes them. */
  #forgotten: PendingWrite[] = [];
  /** Where pending writes lie: nothing outside of this range can overwrite one. */
  #pendingFrom = Number.POSITIVE_INFINITY;
  #pendingTo = 0;

  constructor(cache: PagedBytes, medium: PagedBytes, sizeBytes: number) {
    this.cache = cache;
    this.medium = medium;
    this.sizeBytes = sizeBytes;
  }

  static empty(pageBytes?: number): SimulatedNode {
    const cache = new PagedBytes(pageBytes);
    return new SimulatedNode(cache, cache.fork(), 0);
  }

  fork(): SimulatedNode {
    const twin = new SimulatedNode(this.cache.fork(), this.medium.fork(), this.sizeBytes);
    twin.#unsynced = this.#unsynced.slice();
    twin.#forgotten = this.#forgotten.slice();
    twin.#pendingFrom = this.#pendingFrom;
    twin.#pendingTo = this.#pendingTo;
    return twin;
  }

  get unsynced(): readonly PendingWrite[] {
    return this.#unsynced;
  }

  get forgotten(): readonly PendingWrite[] {
    return this.#forgotten;
  }

  bytesOf(write: PendingWrite): Uint8Array {
    if (write.bytes !== undefined) return write.bytes;
    const bytes = new Uint8Array(write.byteCount);
    this.cache.read(write.position, bytes);
    return bytes;
  }

  /** The first byteCount bytes of the chunks go to the cache, and wait for a sync. */
  write(position: number, chunks: readonly Uint8Array[], byteCount: number, order: number): void {
    this.writeCache(position, chunks, byteCount);
    this.#await({ position, byteCount, order, bytes: undefined });
  }

  /** Shown by every read, and on no way to the medium. */
  writeCache(position: number, chunks: readonly Uint8Array[], byteCount: number): void {
    this.#keepBytes(position, byteCount);
    let done = 0;
    for (const chunk of chunks) {
      const left = byteCount - done;
      if (left <= 0) break;
      this.cache.write(position + done, chunk.length <= left ? chunk : chunk.subarray(0, left));
      done += chunk.length;
    }
  }

  /** Waits for a sync, and no read shows it. */
  awaitSync(position: number, bytes: Uint8Array, order: number): void {
    this.#await({ position, byteCount: bytes.length, order, bytes });
  }

  /** What the write of that number has there stays in the cache, and no sync writes it. */
  lose(range: FileRange, order: number): void {
    this.#unsynced = this.#unsynced.flatMap((write) =>
      write.order === order ? this.#without([write], range) : [write],
    );
  }

  /** Everything that waits is on the medium. What covers a forgotten write has made good for it. */
  sync(): void {
    for (const write of this.#unsynced) {
      if (write.bytes === undefined) this.medium.copyFrom(this.cache, write.position, write.byteCount);
      else this.medium.write(write.position, write.bytes);
    }
    if (this.#forgotten.length > 0) {
      for (const write of this.#unsynced) this.#forgotten = this.#without(this.#forgotten, write);
    }
    this.#unsynced = [];
    if (this.#forgotten.length > 0) return;
    this.#pendingFrom = Number.POSITIVE_INFINITY;
    this.#pendingTo = 0;
  }

  /** The kernel takes what waits for clean: no later sync writes it. */
  forget(): void {
    this.#forgotten.push(...this.#unsynced);
    this.#unsynced = [];
  }

  /** What waits for a sync in the first range will land at another position. */
  misdirect(from: FileRange, to: number): void {
    this.#unsynced = this.#unsynced.flatMap((write) => {
      if (from.position < write.position || endOf(from) > endOf(write)) return [write];
      const bytes = this.bytesOf(write).slice(
        from.position - write.position,
        from.position - write.position + from.byteCount,
      );
      return [...this.#without([write], from), { position: to, byteCount: from.byteCount, order: write.order, bytes }];
    });
    this.#pendingFrom = Math.min(this.#pendingFrom, to);
    this.#pendingTo = Math.max(this.#pendingTo, to + from.byteCount);
  }

  /** Rot: changed in the cache and on the medium. */
  damage(position: number, bytes: Uint8Array): void {
    this.#keepBytes(position, bytes.length);
    this.cache.write(position, bytes);
    this.medium.write(position, bytes);
  }

  truncate(sizeBytes: number): void {
    assert(this.#unsynced.length === 0, 'sync before a truncation: their order is not simulated');
    for (const write of this.#forgotten) write.bytes ??= this.bytesOf(write);
    this.cache.truncate(sizeBytes);
    this.medium.truncate(sizeBytes);
    this.sizeBytes = sizeBytes;
  }

  /** The file after a power loss of which these writes had landed. */
  afterPowerLoss(landed: readonly UnsyncedWrite[]): SimulatedNode {
    const medium = this.medium.fork();
    for (const { position, bytes } of landed) medium.write(position, bytes);
    return new SimulatedNode(medium.fork(), medium, this.sizeBytes);
  }

  #await(write: PendingWrite): void {
    this.#unsynced.push(write);
    if (write.position < this.#pendingFrom) this.#pendingFrom = write.position;
    if (endOf(write) > this.#pendingTo) this.#pendingTo = endOf(write);
  }

  /** Before the cache changes there: writes that it holds the bytes of get their own. */
  #keepBytes(position: number, byteCount: number): void {
    if (position >= this.#pendingTo || position + byteCount <= this.#pendingFrom) return;
    const range = { position, byteCount };
    for (const write of this.#unsynced) if (overlap(write, range)) write.bytes ??= this.bytesOf(write);
    for (const write of this.#forgotten) if (overlap(write, range)) write.bytes ??= this.bytesOf(write);
  }

  /** The parts of the writes that lie outside of the range. */
  #without(writes: readonly PendingWrite[], range: FileRange): PendingWrite[] {
    return writes.flatMap((write) => {
      if (!overlap(write, range)) return [write];
      const part = (from: number, to: number): PendingWrite[] => {
        const bytes = write.bytes?.subarray(from - write.position, to - write.position);
        return from < to ? [{ position: from, byteCount: to - from, order: write.order, bytes }] : [];
      };
      return [...part(write.position, range.position), ...part(endOf(range), endOf(write))];
    });
  }
}

export function endOf({ position, byteCount }: FileRange): number {
  return position + byteCount;
}

function overlap(a: FileRange, b: FileRange): boolean {
  return a.position < endOf(b) && b.position < endOf(a);
}
