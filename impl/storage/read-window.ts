/**
 * Reading a file from front to back in large pieces. Mirrors no spec module: the ground under scans of the log.
 */
import type { DiskFile } from '../ports/disk.ts';

/** Bytes of one read of a scan: large enough for the device, small beside any log. */
export const CHUNK_BYTES = 1024 * 1024;

/** Up to count bytes from position on, as many as the file has. */
export function readBytes(file: DiskFile, position: number, count: number): Uint8Array {
  const bytes = new Uint8Array(Math.max(0, Math.min(count, file.sizeBytes - position)));
  return bytes.subarray(0, file.read(position, bytes));
}

/** A part of the file in memory, moved forward as the scan goes; what it gave out before stays valid. */
export class ReadWindow {
  readonly #file: DiskFile;
  readonly #chunkBytes: number;
  #start = 0;
  bytes: Uint8Array = new Uint8Array(0);

  constructor(file: DiskFile, chunkBytes = CHUNK_BYTES) {
    this.#file = file;
    this.#chunkBytes = chunkBytes;
  }

  /** Makes sure that `count` bytes from `position` are loaded, as far as the file has them; returns their index in bytes. */
  load(position: number, count: number): number {
    const at = position - this.#start;
    if (at >= 0 && at + count <= this.bytes.length) return at;
    this.bytes = readBytes(this.#file, position, Math.max(this.#chunkBytes, count));
    this.#start = position;
    return 0;
  }
}
