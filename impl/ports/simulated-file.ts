/** An open file of a simulated disk: the DiskFile port over its content, with the faults. Mirrors no spec module. */
import { assert } from './assert.ts';
import { DiskError, type DiskFile } from './disk.ts';
import { DISK_SECTOR_BYTES, type FaultOf, hiddenByTheStop, type SimulatedDevice } from './simulated-device.ts';
import { endOf, type FileRange, type SimulatedNode } from './simulated-node.ts';
import { WRITEBACK_PAGE_BYTES } from './writeback.ts';

export class SimulatedFile implements DiskFile {
  readonly path: string;
  readonly #node: SimulatedNode;
  readonly #device: SimulatedDevice;
  readonly #life: number;

  constructor(path: string, node: SimulatedNode, device: SimulatedDevice) {
    this.path = path;
    this.#node = node;
    this.#device = device;
    this.#life = device.lives;
  }

  get sizeBytes(): number {
    return this.#node.sizeBytes;
  }

  read(position: number, target: Uint8Array): number {
    this.#device.requireRunning();
    if (this.#device.takeFault('read', this.path) !== undefined) throw this.#error('DISK_IO', 'read failed');
    const count = Math.max(0, Math.min(target.length, this.#node.sizeBytes - position));
    this.#node.cache.read(position, count === target.length ? target : target.subarray(0, count));
    return count;
  }

  write(position: number, chunks: readonly Uint8Array[]): number {
    this.#requireAlive();
    const share = this.#device.begin();
    const byteCount = lengthOf(chunks);
    if (share === undefined) return this.#write(position, chunks, byteCount);
    const taken = Math.floor((byteCount * share) / 1000);
    if (taken > 0) hiddenByTheStop(() => this.#write(position, chunks, taken));
    throw this.#device.stop('write', this.path);
  }

  sync(): void {
    this.#requireAlive();
    const share = this.#device.begin();
    if (share === undefined) {
      this.#sync();
      return;
    }
    if (share >= 500) hiddenByTheStop(() => this.#sync());
    throw this.#device.stop('sync', this.path);
  }

  preallocate(sizeBytes: number): void {
    this.#requireAlive();
    this.#device.mutate('preallocate', this.path, () => {
      this.#device.writes++;
      this.#device.syncs++;
      const fault = this.#device.takeFault('preallocate', this.path);
      if (fault?.kind === 'full') throw this.#error('DISK_FULL', 'no space left');
      if (fault?.kind === 'io') throw this.#error('DISK_IO', 'preallocation failed');
      this.#grow(sizeBytes, 'preallocate');
    });
  }

  truncate(sizeBytes: number): void {
    this.#requireAlive();
    this.#device.mutate('truncate', this.path, () => {
      this.#device.writes++;
      this.#device.syncs++;
      this.#node.truncate(sizeBytes);
    });
  }

  close(): void {}

  #write(position: number, chunks: readonly Uint8Array[], byteCount: number): number {
    const device = this.#device;
    const node = this.#node;
    const order = device.writes++;
    const fault = device.takeFault('write', this.path, (candidate) => this.#fits(candidate, position, byteCount));
    if (fault?.kind === 'full') throw this.#error('DISK_FULL', 'no space left');
    if (fault?.kind === 'io') {
      const bytes = joined(chunks);
      for (const range of fault.lands ?? []) {
        if (range.position < position || endOf(range) > position + byteCount) continue;
        const landing = bytes.subarray(range.position - position, endOf(range) - position);
        node.write(range.position, [landing], range.byteCount, order);
      }
      throw this.#error('DISK_IO', 'write failed');
    }
    const taken = fault?.kind === 'short' ? Math.min(fault.bytes, byteCount) : byteCount;
    this.#grow(position + taken, 'write');
    if (fault?.kind === 'lost') this.#lose(position, chunks, byteCount, order, fault.atPerMille);
    else if (fault?.kind === 'misdirected') this.#misdirect(position, chunks, byteCount, order, fault.atPerMille);
    else node.write(position, chunks, taken, order);
    return taken;
  }

  #sync(): void {
    this.#device.syncs++;
    const fault = this.#device.takeFault('sync', this.path);
    if (fault === undefined) this.#node.sync();
    else this.#node.forget();
    if (fault?.kind === 'failed') throw this.#error('DISK_SYNC_FAILED', 'fdatasync failed');
  }

  #fits({ kind }: FaultOf<'write'>, position: number, byteCount: number): boolean {
    if (kind !== 'lost' && kind !== 'misdirected') return true;
    if (byteCount < DISK_SECTOR_BYTES) return false;
    return kind === 'lost' || this.#node.sizeBytes >= sectorsOf(position, byteCount).byteCount + DISK_SECTOR_BYTES;
  }

  #lose(
    position: number,
    chunks: readonly Uint8Array[],
    byteCount: number,
    order: number,
    atPerMille: number | undefined,
  ): void {
    if (atPerMille === undefined) {
      this.#node.writeCache(position, chunks, byteCount);
      return;
    }
    this.#node.write(position, chunks, byteCount, order);
    const hit = position + shareOf(byteCount - 1, atPerMille);
    const from = Math.max(position, hit - (hit % WRITEBACK_PAGE_BYTES));
    const to = Math.min(position + byteCount, from - (from % WRITEBACK_PAGE_BYTES) + WRITEBACK_PAGE_BYTES);
    this.#node.lose({ position: from, byteCount: to - from }, order);
  }

  /** A device moves sectors: those of the write as the cache shows them, with what stands before and behind it in them. */
  #misdirect(
    position: number,
    chunks: readonly Uint8Array[],
    byteCount: number,
    order: number,
    atPerMille: number,
  ): void {
    this.#node.writeCache(position, chunks, byteCount);
    const sent = sectorsOf(position, byteCount);
    const sectors = Math.floor((this.#node.sizeBytes - sent.byteCount) / DISK_SECTOR_BYTES);
    let sector = shareOf(sectors, atPerMille);
    if (sector * DISK_SECTOR_BYTES === sent.position) sector += sector < sectors ? 1 : -1;
    const bytes = new Uint8Array(sent.byteCount);
    this.#node.cache.read(sent.position, bytes);
    this.#node.awaitSync(sector * DISK_SECTOR_BYTES, bytes, order);
  }

  #grow(sizeBytes: number, operation: 'write' | 'preallocate'): void {
    const grown = sizeBytes - this.#node.sizeBytes;
    if (grown <= 0) return;
    const device = this.#device;
    if (device.capacityBytes !== undefined) {
      if (grown > device.capacityBytes) {
        device.onFault?.({ operation, kind: 'full' }, this.path);
        throw this.#error('DISK_FULL', 'no space left');
      }
      device.capacityBytes -= grown;
    }
    this.#node.sizeBytes = sizeBytes;
  }

  #requireAlive(): void {
    assert(this.#life === this.#device.lives, 'a process that has ended changes nothing');
  }

  #error(code: 'DISK_FULL' | 'DISK_IO' | 'DISK_SYNC_FAILED', what: string): DiskError {
    return new DiskError(code, `${this.path}: ${what}`, { path: this.path });
  }
}

function sectorsOf(position: number, byteCount: number): FileRange {
  const from = position - (position % DISK_SECTOR_BYTES);
  return {
    position: from,
    byteCount: Math.ceil((position + byteCount - from) / DISK_SECTOR_BYTES) * DISK_SECTOR_BYTES,
  };
}

function shareOf(whole: number, perMille: number): number {
  return Math.min(whole, Math.floor((whole * perMille) / 1000));
}

function lengthOf(chunks: readonly Uint8Array[]): number {
  let length = 0;
  for (const chunk of chunks) length += chunk.length;
  return length;
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(lengthOf(chunks));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}
