/** The Disk port with a watch on fsync: the metric of what bounds this server. Changes nothing. Mirrors no spec module. */
import type { Clock } from '../ports/clock.ts';
import type { Disk, DiskFile } from '../ports/disk.ts';

export class MeasuredDisk implements Disk {
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #onSync: (seconds: number) => void;

  constructor(disk: Disk, clock: Clock, onSync: (seconds: number) => void) {
    this.#disk = disk;
    this.#clock = clock;
    this.#onSync = onSync;
  }

  open(path: string, mode: 'create' | 'existing' | 'read'): DiskFile {
    return new MeasuredFile(this.#disk.open(path, mode), this.#clock, this.#onSync);
  }

  exists(path: string): boolean {
    return this.#disk.exists(path);
  }

  list(directory: string): readonly string[] {
    return this.#disk.list(directory);
  }

  makeDirectory(path: string): void {
    this.#disk.makeDirectory(path);
  }

  rename(from: string, to: string): void {
    this.#disk.rename(from, to);
  }

  remove(path: string): void {
    this.#disk.remove(path);
  }

  syncDirectory(path: string): void {
    this.#disk.syncDirectory(path);
  }

  lock(directory: string): { release(): void } {
    return this.#disk.lock(directory);
  }
}

class MeasuredFile implements DiskFile {
  readonly #file: DiskFile;
  readonly #clock: Clock;
  readonly #onSync: (seconds: number) => void;

  constructor(file: DiskFile, clock: Clock, onSync: (seconds: number) => void) {
    this.#file = file;
    this.#clock = clock;
    this.#onSync = onSync;
  }

  get path(): string {
    return this.#file.path;
  }

  get sizeBytes(): number {
    return this.#file.sizeBytes;
  }

  read(position: number, target: Uint8Array): number {
    return this.#file.read(position, target);
  }

  write(position: number, chunks: readonly Uint8Array[]): number {
    return this.#file.write(position, chunks);
  }

  sync(): void {
    const startedMs = this.#clock.monotonicMs();
    this.#file.sync();
    this.#onSync((this.#clock.monotonicMs() - startedMs) / 1_000);
  }

  preallocate(sizeBytes: number): void {
    this.#file.preallocate(sizeBytes);
  }

  truncate(sizeBytes: number): void {
    this.#file.truncate(sizeBytes);
  }

  close(): void {
    this.#file.close();
  }
}
