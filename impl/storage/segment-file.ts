/**
 * The file under an AppendLog: preallocated with real zeros in steps, written in batches, read by record. Positions and bytes
 * only: it knows no chain and decides nothing. Mirrors the variables file and allocated of specs/AppendLog.tla.
 */
import { assert } from '../ports/assert.ts';
import { type Disk, DiskError, type DiskFile } from '../ports/disk.ts';

/** Records between two capacity doublings of the index at its start; 8 bytes each. */
const INDEX_RECORDS_MIN = 64;

export class SegmentFile {
  readonly file: DiskFile;
  /** Where each record begins; 8 bytes a record, shared with forks and copied by the first that writes to it. */
  #positions: Float64Array;
  #records: number;
  #shared: boolean;

  private constructor(file: DiskFile, positions: Float64Array, records: number, shared: boolean) {
    this.file = file;
    this.#positions = positions;
    this.#records = records;
    this.#shared = shared;
  }

  /** A new file of stepBytes zeros; the caller syncs the directory. */
  static create(disk: Disk, path: string, stepBytes: number): SegmentFile {
    const file = disk.open(path, 'create');
    file.preallocate(stepBytes);
    return new SegmentFile(file, new Float64Array(INDEX_RECORDS_MIN), 0, false);
  }

  static open(disk: Disk, path: string): SegmentFile {
    return new SegmentFile(disk.open(path, 'existing'), new Float64Array(INDEX_RECORDS_MIN), 0, false);
  }

  fork(disk: Disk): SegmentFile {
    this.#shared = true;
    return new SegmentFile(disk.open(this.file.path, 'existing'), this.#positions, this.#records, true);
  }

  positionOf(offset: number): number {
    assert(offset >= 0 && offset < this.#records, 'a record that the index holds');
    return this.#positions[offset] as number;
  }

  /** Where the first record begins that does so at most `bytes` before endBytes; endBytes when none does. */
  startWithin(endBytes: number, bytes: number): number {
    let low = 0;
    let high = this.#records;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (endBytes - (this.#positions[middle] as number) <= bytes) high = middle;
      else low = middle + 1;
    }
    return low < this.#records ? (this.#positions[low] as number) : endBytes;
  }

  /** Notes where the next record begins. */
  index(position: number): void {
    if (this.#shared || this.#records === this.#positions.length) {
      const grown = new Float64Array(Math.max(INDEX_RECORDS_MIN, this.#records * 2)); // a fork may hold fewer than fit
      grown.set(this.#positions.subarray(0, this.#records));
      this.#positions = grown;
      this.#shared = false;
    }
    this.#positions[this.#records++] = position;
  }

  read(position: number, count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    return bytes.subarray(0, this.file.read(position, bytes));
  }

  /**
   * Writes [from, to) of what the file holds a second time, so that a sync makes all of it durable even when the kernel has
   * forgotten the first write. No byte changes.
   */
  writeAgain(from: number, to: number): void {
    const bytes = this.read(from, to - from);
    assert(bytes.length === to - from, 'the window was read before');
    if (bytes.length > 0) this.writeAll(from, bytes);
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
