/**
 * The file under an AppendLog: preallocated with real zeros in steps, written in batches, read by record. Positions and bytes
 * only: it knows no chain and decides nothing. Mirrors the variables file and allocated of specs/AppendLog.tla.
 */
import { assert } from '../ports/assert.ts';
import { newBytes } from '../ports/byte-pool.ts';
import { type Disk, DiskError, type DiskFile } from '../ports/disk.ts';
import { CHUNK_BYTES } from './read-window.ts';
import { RecordIndex, type RecordPlace } from './record-index.ts';

export class SegmentFile {
  readonly file: DiskFile;
  readonly #index: RecordIndex;

  private constructor(file: DiskFile, index: RecordIndex) {
    this.file = file;
    this.#index = index;
  }

  /** A new file of stepBytes zeros; the caller syncs the directory. */
  static create(disk: Disk, path: string, stepBytes: number): SegmentFile {
    const file = disk.open(path, 'create');
    file.preallocate(stepBytes);
    return new SegmentFile(file, new RecordIndex());
  }

  static open(disk: Disk, path: string): SegmentFile {
    return new SegmentFile(disk.open(path, 'existing'), new RecordIndex());
  }

  fork(disk: Disk): SegmentFile {
    return new SegmentFile(disk.open(this.file.path, 'existing'), this.#index.fork());
  }

  /** Undefined for a record that is too old to be known: see markBefore. */
  positionOf(offset: number): number | undefined {
    return this.#index.positionOf(offset);
  }

  markBefore(offset: number): RecordPlace {
    return this.#index.markBefore(offset);
  }

  /** Where the first record begins that does so at most `bytes` before endBytes, or one a little before it. */
  startWithin(endBytes: number, bytes: number): number {
    return this.#index.startWithin(endBytes, bytes);
  }

  /** Notes where the next record begins. */
  index(position: number): void {
    this.#index.push(position);
  }

  read(position: number, count: number): Uint8Array {
    const bytes = newBytes(count);
    const present = this.file.read(position, bytes);
    return present === count ? bytes : bytes.subarray(0, present);
  }

  /**
   * Writes [from, to) of what the file holds a second time, so that a sync makes all of it durable even when the kernel has
   * forgotten the first write. No byte changes.
   */
  writeAgain(from: number, to: number): void {
    const piece = newBytes(Math.min(to - from, CHUNK_BYTES));
    for (let position = from; position < to; ) {
      const bytes = piece.subarray(0, Math.min(piece.length, to - position));
      assert(this.file.read(position, bytes) === bytes.length, 'the window was read before');
      this.writeAll(position, bytes);
      position += bytes.length;
    }
  }

  /** Puts zeros where a torn tail stands. */
  clear(position: number, bytes: number): void {
    this.writeAll(position, new Uint8Array(bytes));
  }

  /** Writes all of bytes, in as many writes as the disk makes of it. @throws DiskError */
  writeAll(position: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      const taken = this.file.write(position + done, [bytes.subarray(done)]);
      if (taken === 0)
        throw new DiskError('DISK_FULL', `${this.file.path}: the disk takes nothing at byte ${position + done}`, {
          path: this.file.path,
          position: position + done,
        });
      done += taken;
    }
  }
}
