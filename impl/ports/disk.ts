/**
 * The Disk port: the only way a component sees a file. Real form: real-disk.ts; simulated form: simulated-disk.ts.
 * Synchronous on purpose: a protocol step has no await in it, and a blocking write + fdatasync is the shortest one
 * (bench/append-log.ts measures it beside the alternatives). Errors are DiskError, never a raw errno.
 */
import { LockstepError } from './lockstep-error.ts';

export type DiskErrorCode =
  | 'DISK_FULL' // ENOSPC, EDQUOT
  | 'DISK_IO' // EIO and everything else that the device refuses
  | 'DISK_SYNC_FAILED' // fdatasync failed: what is on the medium is unknown
  | 'DISK_NOT_FOUND'
  | 'DISK_EXISTS'
  | 'DISK_NO_PERMISSION'
  | 'DISK_LOCKED'; // another process owns the directory

/** What the world does to files. evidence holds path, position and the system's own code. */
export class DiskError extends LockstepError<DiskErrorCode> {}

export interface DiskFile {
  readonly path: string;
  /** Bytes, from 0. A preallocated file counts its zeros. */
  readonly sizeBytes: number;
  /** Reads up to target.byteLength bytes at position; returns the count, less only at the end of the file. */
  read(position: number, target: Uint8Array): number;
  /** Vectored write at position. Returns the bytes written, which may be fewer (a short write is the caller's to handle). */
  write(position: number, chunks: readonly Uint8Array[]): number;
  /** fdatasync: when it returns, everything written before is durable. Throws DISK_SYNC_FAILED. */
  sync(): void;
  /** Grows the file to sizeBytes with real zeros (never a hole) and makes the size durable. Throws DISK_FULL. */
  preallocate(sizeBytes: number): void;
  truncate(sizeBytes: number): void;
  close(): void;
}

export interface Disk {
  /**
   * Opens for reading and writing. mode 'create' fails with DISK_EXISTS, 'existing' with DISK_NOT_FOUND. 'read' is as
   * 'existing' and asks for no right to write: for looking at what must not change.
   */
  open(path: string, mode: 'create' | 'existing' | 'read'): DiskFile;
  exists(path: string): boolean;
  list(directory: string): readonly string[];
  makeDirectory(path: string): void;
  rename(from: string, to: string): void;
  remove(path: string): void;
  syncDirectory(path: string): void;
  /** Takes the directory for this process until release(); DISK_LOCKED names the owner. */
  lock(directory: string): { release(): void };
}
