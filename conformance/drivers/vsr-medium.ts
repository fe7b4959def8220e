/**
 * The disk under one replica of a model, and what the world does to it. In memory it is the simulated disk, forked at will.
 * On a real file system every operation goes to both: the simulated disk says what a power loss leaves, the real files are
 * what is written, synced and read; there is one line of time, so it cannot be forked. A part of the driver vsr.ts.
 */
import { rmSync } from 'node:fs';
import type { Disk, DiskFile } from '../../impl/ports/disk.ts';
import { RealDisk } from '../../impl/ports/real-disk.ts';
import { SimulatedDisk } from '../../impl/ports/simulated-disk.ts';

export interface Medium {
  /** What the code is given. */
  readonly port: Disk;
  /** Knows what a power loss leaves. */
  readonly simulated: SimulatedDisk;
  readonly isForkable: boolean;
  fork(): Medium;
  /** Power loss: nothing that waits for a sync survives. */
  crash(): void;
  dispose(): void;
}

export class SimulatedMedium implements Medium {
  readonly simulated: SimulatedDisk;
  readonly isForkable = true;

  constructor(simulated = new SimulatedDisk()) {
    this.simulated = simulated;
  }

  get port(): Disk {
    return this.simulated;
  }

  fork(): Medium {
    return new SimulatedMedium(this.simulated.fork());
  }

  crash(): void {
    this.simulated.crash();
  }

  dispose(): void {}
}

export class RealMedium implements Medium {
  readonly simulated = new SimulatedDisk();
  readonly isForkable = false;
  readonly port: Disk;
  readonly #real = new RealDisk();
  readonly #root: string;

  /** @param root a folder of its own, which exists and is empty */
  constructor(root: string) {
    this.#root = root;
    this.port = this.#both();
  }

  fork(): Medium {
    return this;
  }

  /** The real files become what the medium of the simulated disk holds. */
  crash(): void {
    this.simulated.crash();
    for (const directory of this.simulated.list('/')) {
      for (const name of this.simulated.list(`/${directory}`)) this.#restore(`/${directory}/${name}`);
    }
  }

  dispose(): void {
    rmSync(this.#root, { recursive: true, force: true });
  }

  #restore(path: string): void {
    const file = this.#real.open(this.#root + path, 'existing');
    const bytes = new Uint8Array(file.sizeBytes);
    this.simulated.readMedium(path, 0, bytes);
    file.write(0, [bytes]);
    file.sync();
    file.close();
  }

  #both(): Disk {
    const { simulated } = this;
    const real = this.#real;
    const at = (path: string): string => this.#root + path;
    return {
      open: (path, mode) => new TwoFiles(simulated.open(path, mode), real.open(at(path), mode)),
      exists: (path) => real.exists(at(path)),
      list: (directory) => real.list(at(directory)),
      makeDirectory: (path) => {
        simulated.makeDirectory(path);
        real.makeDirectory(at(path));
      },
      rename: (from, to) => {
        simulated.rename(from, to);
        real.rename(at(from), at(to));
      },
      remove: (path) => {
        simulated.remove(path);
        real.remove(at(path));
      },
      syncDirectory: (path) => {
        simulated.syncDirectory(path);
        real.syncDirectory(at(path));
      },
      lock: (directory) => real.lock(at(directory)),
    };
  }
}

/** Writes go to both, reads come from the real one. */
class TwoFiles implements DiskFile {
  readonly #simulated: DiskFile;
  readonly #real: DiskFile;

  constructor(simulated: DiskFile, real: DiskFile) {
    this.#simulated = simulated;
    this.#real = real;
  }

  get path(): string {
    return this.#simulated.path;
  }

  get sizeBytes(): number {
    return this.#real.sizeBytes;
  }

  read(position: number, target: Uint8Array): number {
    return this.#real.read(position, target);
  }

  write(position: number, chunks: readonly Uint8Array[]): number {
    this.#simulated.write(position, chunks);
    return this.#real.write(position, chunks);
  }

  sync(): void {
    this.#simulated.sync();
    this.#real.sync();
  }

  preallocate(sizeBytes: number): void {
    this.#simulated.preallocate(sizeBytes);
    this.#real.preallocate(sizeBytes);
  }

  truncate(sizeBytes: number): void {
    this.#simulated.truncate(sizeBytes);
    this.#real.truncate(sizeBytes);
  }

  close(): void {
    this.#simulated.close();
    this.#real.close();
  }
}
