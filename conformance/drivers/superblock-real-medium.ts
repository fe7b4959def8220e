/**
 * A medium of superblock-world.ts on the real file system: every write, sync and read goes to a real file; beside it a shadow
 * holds what a power loss now would leave, and a crash writes the shadow back. Each fork is a folder of its own.
 */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Disk, DiskError, type DiskFile } from '../../impl/ports/disk.ts';
import { RealDisk } from '../../impl/ports/real-disk.ts';
import type { DiskFault, FileRange, UnsyncedWrite } from '../../impl/ports/simulated-disk.ts';
import type { Medium } from './superblock-world.ts';

const real = new RealDisk();

export class RealMedium implements Medium {
  readonly #folder = mkdtempSync(join(tmpdir(), 'lockstep-medium-'));
  readonly #shadows = new Map<string, Uint8Array>();
  readonly #handles: DiskFile[] = [];
  #pending: UnsyncedWrite[] = [];
  #faults: DiskFault[] = [];
  #astray = false;

  fork(): RealMedium {
    const twin = new RealMedium();
    for (const [path, shadow] of this.#shadows) {
      twin.#shadows.set(path, Uint8Array.from(shadow));
      if (existsSync(this.#at(path))) copyFileSync(this.#at(path), twin.#at(path));
    }
    twin.#pending = [...this.#pending];
    twin.#faults = [...this.#faults];
    twin.#astray = this.#astray;
    return twin;
  }

  /** Closes and removes everything. */
  dispose(): void {
    for (const handle of this.#handles.splice(0)) handle.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  inject(fault: DiskFault): void {
    this.#faults.push(fault);
  }

  crash(): void {
    this.#pending = [];
    for (const path of this.#shadows.keys()) this.#restore(path);
  }

  damage(path: string, position: number, bytes: Uint8Array): void {
    this.#shadow(path, position + bytes.byteLength).set(bytes, position);
    const file = real.open(this.#at(path), 'existing');
    file.write(position, [bytes]);
    file.sync();
    file.close();
  }

  readMedium(path: string, position: number, target: Uint8Array): void {
    const shadow = this.#shadow(path, position + target.byteLength);
    target.set(shadow.subarray(position, position + target.byteLength));
  }

  pendingWrites(): readonly UnsyncedWrite[] {
    return this.#pending;
  }

  misdirect(_path: string, from: FileRange, to: number): void {
    this.#astray = true;
    const pieces = this.#pending.flatMap(({ position, bytes }) =>
      Array.from({ length: bytes.byteLength / from.byteCount }, (_, at) => ({
        position: position + at * from.byteCount,
        bytes: bytes.subarray(at * from.byteCount, (at + 1) * from.byteCount),
      })),
    );
    this.#pending = pieces.map((piece) => (piece.position === from.position ? { ...piece, position: to } : piece));
  }

  open(path: string, mode: 'create' | 'existing' | 'read'): DiskFile {
    const file = real.open(this.#at(path), mode);
    this.#handles.push(file);
    return {
      path,
      get sizeBytes() {
        return file.sizeBytes;
      },
      read: (position, target) => file.read(position, target),
      write: (position, chunks) => this.#write(file, position, chunks),
      sync: () => this.#sync(file, path),
      preallocate: (sizeBytes) => file.preallocate(sizeBytes),
      truncate: (sizeBytes) => file.truncate(sizeBytes),
      close: () => {}, // with the medium
    };
  }

  exists(path: string): boolean {
    return real.exists(this.#at(path));
  }

  list(directory: string): readonly string[] {
    return real.list(this.#at(directory));
  }

  makeDirectory(path: string): void {
    real.makeDirectory(this.#at(path));
  }

  rename(from: string, to: string): void {
    real.rename(this.#at(from), this.#at(to));
    const shadow = this.#shadows.get(from);
    if (shadow !== undefined) this.#shadows.set(to, shadow);
    this.#shadows.delete(from);
  }

  remove(path: string): void {
    real.remove(this.#at(path));
    this.#shadows.delete(path);
  }

  syncDirectory(path: string): void {
    real.syncDirectory(this.#at(path));
  }

  lock(directory: string): ReturnType<Disk['lock']> {
    return real.lock(this.#at(directory));
  }

  #write(file: DiskFile, position: number, chunks: readonly Uint8Array[]): number {
    const fault = this.#takeFault('write');
    const bytes = Uint8Array.from(Buffer.concat(chunks));
    if (fault?.operation === 'write' && fault.kind === 'io') {
      for (const range of fault.lands ?? []) {
        const part = bytes.subarray(range.position - position, range.position - position + range.byteCount);
        this.#land(file, range.position, part);
      }
      throw new DiskError('DISK_IO', `${file.path}: write failed`, { path: file.path });
    }
    const taken = fault?.operation === 'write' && fault.kind === 'short' ? bytes.subarray(0, fault.bytes) : bytes;
    if (taken.byteLength > 0) this.#land(file, position, taken);
    return taken.byteLength;
  }

  #land(file: DiskFile, position: number, bytes: Uint8Array): void {
    file.write(position, [bytes]);
    this.#pending.push({ position, bytes });
  }

  #sync(file: DiskFile, path: string): void {
    if (this.#takeFault('sync') !== undefined)
      throw new DiskError('DISK_SYNC_FAILED', `${path}: fdatasync failed`, { path });
    file.sync();
    for (const { position, bytes } of this.#pending)
      this.#shadow(path, position + bytes.byteLength).set(bytes, position);
    this.#pending = [];
    if (this.#astray) this.#restore(path);
    this.#astray = false;
  }

  /** The file as the medium has it. */
  #restore(path: string): void {
    const file = real.open(this.#at(path), 'existing');
    file.write(0, [this.#shadow(path, 0)]);
    file.sync();
    file.close();
  }

  #shadow(path: string, bytesMin: number): Uint8Array {
    const before = this.#shadows.get(path) ?? new Uint8Array(0);
    if (this.#shadows.has(path) && before.byteLength >= bytesMin) return before;
    const grown = new Uint8Array(Math.max(bytesMin, before.byteLength));
    grown.set(before);
    this.#shadows.set(path, grown);
    return grown;
  }

  #takeFault(operation: DiskFault['operation']): DiskFault | undefined {
    const index = this.#faults.findIndex((fault) => fault.operation === operation);
    return index < 0 ? undefined : this.#faults.splice(index, 1)[0];
  }

  #at(path: string): string {
    return join(this.#folder, path);
  }
}
