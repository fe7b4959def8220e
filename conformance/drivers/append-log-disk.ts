/**
 * The disk under the log of specs/AppendLog.tla, as the world plays it: what a read sees, what a power loss leaves, and the
 * failures. In memory it is the simulated disk. On a real file system every operation goes to the simulated disk first,
 * which decides what fails and what a power loss keeps, and then to a real file, from which everything is read.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Disk, DiskFile } from '../../impl/ports/disk.ts';
import { RealDisk } from '../../impl/ports/real-disk.ts';
import { type DiskFault, SimulatedDisk } from '../../impl/ports/simulated-disk.ts';

export const LOG_PATH = '/log';

export interface LogDisk {
  /** The port that the log is given. */
  readonly disk: Disk;
  fork(): LogDisk;
  /** A fork in memory that fails and crashes in the same way: to find out what would happen. */
  trial(): LogDisk;
  inject(fault: DiskFault): void;
  /** Takes back what was injected and not used up. */
  disarm(): void;
  setSpaceLeft(spaceLeft: boolean): void;
  /** Bytes that a power loss may take. */
  unsyncedBytes(): number;
  /** Power loss: the first keepBytes unsynced bytes survive. */
  crash(keepBytes: number): void;
  exitProcess(): void;
  damage(position: number, bytes: Uint8Array): void;
  readMedium(position: number, target: Uint8Array): void;
  dispose(): void;
}

export class SimulatedLogDisk implements LogDisk {
  readonly disk: SimulatedDisk;

  constructor(disk = new SimulatedDisk()) {
    this.disk = disk;
  }

  fork(): LogDisk {
    return new SimulatedLogDisk(this.disk.fork());
  }

  trial(): LogDisk {
    return this.fork();
  }

  inject(fault: DiskFault): void {
    this.disk.inject(fault);
  }

  disarm(): void {
    this.disk.disarm();
  }

  setSpaceLeft(spaceLeft: boolean): void {
    this.disk.setCapacity(spaceLeft ? undefined : 0);
  }

  unsyncedBytes(): number {
    return this.disk.unsyncedBytes(LOG_PATH);
  }

  crash(keepBytes: number): void {
    this.disk.crash(() => keepBytes);
  }

  exitProcess(): void {
    this.disk.exitProcess();
  }

  damage(position: number, bytes: Uint8Array): void {
    this.disk.damage(LOG_PATH, position, bytes);
  }

  readMedium(position: number, target: Uint8Array): void {
    this.disk.readMedium(LOG_PATH, position, target);
  }

  dispose(): void {}
}

/** The same on a folder of its own below the system's temporary one, removed by dispose(). */
export class RealLogDisk implements LogDisk {
  readonly disk: Disk;
  readonly #shadow: SimulatedLogDisk;
  readonly #folder: string;

  constructor(shadow = new SimulatedLogDisk(), content?: Uint8Array) {
    this.#shadow = shadow;
    this.#folder = mkdtempSync(join(tmpdir(), 'lockstep-append-log-'));
    if (content !== undefined) writeFileSync(this.#path, content);
    this.disk = new ShadowedDisk(shadow.disk, this.#folder);
  }

  fork(): LogDisk {
    return new RealLogDisk(new SimulatedLogDisk(this.#shadow.disk.fork()), readFileSync(this.#path));
  }

  trial(): LogDisk {
    return this.#shadow.fork();
  }

  inject(fault: DiskFault): void {
    this.#shadow.inject(fault);
  }

  disarm(): void {
    this.#shadow.disarm();
  }

  setSpaceLeft(spaceLeft: boolean): void {
    this.#shadow.setSpaceLeft(spaceLeft);
  }

  unsyncedBytes(): number {
    return this.#shadow.unsyncedBytes();
  }

  crash(keepBytes: number): void {
    this.#shadow.crash(keepBytes);
    this.#copyShadow();
  }

  exitProcess(): void {
    this.#shadow.exitProcess();
  }

  damage(position: number, bytes: Uint8Array): void {
    this.#shadow.damage(position, bytes);
    this.#copyShadow();
  }

  readMedium(position: number, target: Uint8Array): void {
    this.#shadow.readMedium(position, target);
  }

  dispose(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #path(): string {
    return join(this.#folder, LOG_PATH);
  }

  #copyShadow(): void {
    const file = this.#shadow.disk.open(LOG_PATH, 'existing');
    const content = new Uint8Array(file.sizeBytes);
    file.read(0, content);
    writeFileSync(this.#path, content);
  }
}

class ShadowedDisk implements Disk {
  readonly #shadow: SimulatedDisk;
  readonly #folder: string;
  readonly #real = new RealDisk();

  constructor(shadow: SimulatedDisk, folder: string) {
    this.#shadow = shadow;
    this.#folder = folder;
  }

  open(path: string, mode: 'create' | 'existing'): DiskFile {
    const shadow = this.#shadow.open(path, mode);
    const real = this.#real.open(join(this.#folder, path), mode);
    return {
      path,
      get sizeBytes() {
        return real.sizeBytes;
      },
      read: (position, target) => {
        shadow.read(position, new Uint8Array(target.byteLength));
        return real.read(position, target);
      },
      write: (position, chunks) => {
        const taken = shadow.write(position, chunks);
        const all = Buffer.concat(chunks);
        return real.write(position, [all.subarray(0, taken)]);
      },
      sync: () => {
        shadow.sync();
        real.sync();
      },
      preallocate: (sizeBytes) => {
        shadow.preallocate(sizeBytes);
        real.preallocate(sizeBytes);
      },
      truncate: (sizeBytes) => {
        shadow.truncate(sizeBytes);
        real.truncate(sizeBytes);
      },
      close: () => {
        shadow.close();
        real.close();
      },
    };
  }

  exists(path: string): boolean {
    return this.#real.exists(join(this.#folder, path));
  }

  list(directory: string): readonly string[] {
    return this.#real.list(join(this.#folder, directory));
  }

  makeDirectory(path: string): void {
    this.#shadow.makeDirectory(path);
    this.#real.makeDirectory(join(this.#folder, path));
  }

  rename(from: string, to: string): void {
    this.#shadow.rename(from, to);
    this.#real.rename(join(this.#folder, from), join(this.#folder, to));
  }

  remove(path: string): void {
    this.#shadow.remove(path);
    this.#real.remove(join(this.#folder, path));
  }

  syncDirectory(path: string): void {
    this.#shadow.syncDirectory(path);
    this.#real.syncDirectory(join(this.#folder, path));
  }

  lock(directory: string): { release(): void } {
    return this.#shadow.lock(directory);
  }
}
