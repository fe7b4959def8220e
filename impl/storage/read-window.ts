/**
 * Reading a file from front to back in large pieces. Mirrors no spec module: the ground under scans of the log.
 */
import { newBytes } from '../ports/byte-pool.ts';
import type { DiskFile } from '../ports/disk.ts';

/** Bytes of one read of a scan: large enough for the device, small beside any log. */
export const CHUNK_BYTES = 1024 * 1024;

/** Up to count bytes from position on, as many as the file has. */
export function readBytes(file: DiskFile, position: number, count: number): Uint8Array {
  const bytes = newBytes(Math.max(0, Math.min(count, file.sizeBytes - position)));
  return bytes.subarray(0, file.read(position, bytes));
}

/** A part of the file in memory, moved forward as the scan goes. */
export class ReadWindow {
  readonly #file: DiskFile;
  readonly #chunkBytes: number;
  readonly #reuses: boolean;
  #start = 0;
  #piece: Uint8Array = new Uint8Array(0);
  bytes: Uint8Array = this.#piece;

  /** @param reuses one piece of memory for all: what the window gave out is gone when it moves; else it stays valid */
  constructor(file: DiskFile, { chunkBytes = CHUNK_BYTES, reuses = false } = {}) {
    this.#file = file;
    this.#chunkBytes = chunkBytes;
    this.#reuses = reuses;
  }

  /** Makes sure that `count` bytes from `position` are loaded, as far as the file has them; returns their index in bytes. */
  load(position: number, count: number): number {
    const at = position - this.#start;
    if (at >= 0 && at + count <= this.bytes.length) return at;
    const wanted = Math.max(0, Math.min(Math.max(this.#chunkBytes, count), this.#file.sizeBytes - position));
    if (!this.#reuses || this.#piece.length < wanted) this.#piece = newBytes(wanted);
    const target = this.#piece.subarray(0, wanted);
    this.bytes = target.subarray(0, this.#file.read(position, target));
    this.#start = position;
    return 0;
  }
}
