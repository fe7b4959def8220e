/**
 * The Disk port on node:fs, synchronous: writev, fdatasync, preallocation with real zeros, directories fsynced.
 * The lock is a file that names its owner (process id, boot and start time), made durable before anything else is written;
 * one that a dead process left behind is taken over. Mirrors no spec module; simulated-disk.ts has the same behaviour.
 */
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
  writevSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Disk, DiskError, type DiskErrorCode, type DiskFile } from './disk.ts';

/** One write of preallocation: large enough for the device, small enough for the cache. */
const ZEROS = new Uint8Array(1024 * 1024);
const LOCK_FILE = 'lock';
/** Rounds of taking over a stale lock: two starters at once settle in the second. */
const LOCK_ATTEMPTS_MAX = 4;
/** IOV_MAX of Linux and macOS: more chunks go in a second call. */
const CHUNKS_MAX = 1024;

const CODES: Readonly<Record<string, DiskErrorCode>> = {
  ENOSPC: 'DISK_FULL',
  EDQUOT: 'DISK_FULL',
  ENOENT: 'DISK_NOT_FOUND',
  EEXIST: 'DISK_EXISTS',
  EACCES: 'DISK_NO_PERMISSION',
  EPERM: 'DISK_NO_PERMISSION',
  EROFS: 'DISK_NO_PERMISSION',
};

const OPEN_FLAGS = { create: 'wx+', existing: 'r+', read: 'r' } as const;

export class RealDisk implements Disk {
  open(path: string, mode: 'create' | 'existing' | 'read'): DiskFile {
    return asDiskError(path, 'open', () => new RealFile(path, openSync(path, OPEN_FLAGS[mode], 0o600)));
  }

  exists(path: string): boolean {
    return existsSync(path);
  }

  list(directory: string): readonly string[] {
    return asDiskError(directory, 'list', () => readdirSync(directory).sort());
  }

  makeDirectory(path: string): void {
    asDiskError(path, 'make directory', () => mkdirSync(path, { recursive: true, mode: 0o700 }));
  }

  rename(from: string, to: string): void {
    asDiskError(from, `rename to ${to}`, () => renameSync(from, to));
  }

  remove(path: string): void {
    asDiskError(path, 'remove', () => rmSync(path));
  }

  syncDirectory(path: string): void {
    asDiskError(path, 'sync directory', () => syncPath(path));
  }

  lock(directory: string): { release(): void } {
    const path = join(directory, LOCK_FILE);
    const own = ownerOf(process.pid);
    const draft = join(directory, `${LOCK_FILE}.${process.pid}`);
    return asDiskError(path, 'lock', () => {
      writeFileSync(draft, own, { mode: 0o600, flush: true });
      try {
        takeLock(directory, path, draft);
      } finally {
        rmSync(draft, { force: true });
      }
      syncPath(directory);
      return { release: () => releaseLock(path, own) };
    });
  }
}

class RealFile implements DiskFile {
  readonly path: string;
  readonly #fd: number;
  #sizeBytes: number;

  constructor(path: string, fd: number) {
    this.path = path;
    this.#fd = fd;
    this.#sizeBytes = fstatSync(fd).size;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  read(position: number, target: Uint8Array): number {
    return asDiskError(this.path, 'read', () => {
      let done = 0;
      while (done < target.byteLength) {
        const count = readSync(this.#fd, target, done, target.byteLength - done, position + done);
        if (count === 0) break;
        done += count;
      }
      return done;
    });
  }

  write(position: number, chunks: readonly Uint8Array[]): number {
    return asDiskError(this.path, 'write', () => {
      const written = writeInParts(chunks, (part, at) => writevSync(this.#fd, part, position + at));
      this.#sizeBytes = Math.max(this.#sizeBytes, position + written);
      return written;
    });
  }

  sync(): void {
    try {
      fdatasyncSync(this.#fd);
    } catch (cause) {
      throw new DiskError(
        'DISK_SYNC_FAILED',
        `${this.path}: fdatasync failed; restart to read again what is there`,
        { path: this.path, system: systemCodeOf(cause) },
        cause,
      );
    }
  }

  preallocate(sizeBytes: number): void {
    if (sizeBytes <= this.#sizeBytes) return;
    asDiskError(this.path, 'preallocate', () => {
      for (let at = this.#sizeBytes; at < sizeBytes; )
        at += writevSync(this.#fd, [ZEROS.subarray(0, Math.min(ZEROS.byteLength, sizeBytes - at))], at);
      fsyncSync(this.#fd);
      this.#sizeBytes = sizeBytes;
    });
  }

  truncate(sizeBytes: number): void {
    asDiskError(this.path, 'truncate', () => {
      ftruncateSync(this.#fd, sizeBytes);
      fsyncSync(this.#fd);
      this.#sizeBytes = sizeBytes;
    });
  }

  close(): void {
    asDiskError(this.path, 'close', () => closeSync(this.#fd));
  }
}

/**
 * At most CHUNKS_MAX chunks a call. A call that fails after others have written makes it a short write: to throw would hide
 * from the caller what the file has taken.
 */
export function writeInParts(
  chunks: readonly Uint8Array[],
  write: (part: readonly Uint8Array[], at: number) => number,
): number {
  let written = 0;
  for (let from = 0; from < chunks.length; from += CHUNKS_MAX) {
    const part = chunks.slice(from, from + CHUNKS_MAX);
    const asked = part.reduce((sum, chunk) => sum + chunk.byteLength, 0);
    try {
      const count = write(part, written);
      written += count;
      if (count < asked) break;
    } catch (cause) {
      if (written === 0) throw cause;
      break;
    }
  }
  return written;
}

function takeLock(directory: string, path: string, draft: string): void {
  for (let attempt = 0; attempt < LOCK_ATTEMPTS_MAX; attempt++) {
    try {
      linkSync(draft, path); // atomic: exactly one of two starters gets it
      return;
    } catch (cause) {
      if (systemCodeOf(cause) !== 'EEXIST') throw cause;
    }
    const owner = readOwner(path);
    if (owner === undefined) continue; // released between the two calls
    if (isAlive(owner)) {
      const pid = Number.parseInt(owner, 10);
      throw new DiskError('DISK_LOCKED', `${directory} is in use by process ${pid}; stop it first`, { directory, pid });
    }
    const stale = `${draft}.stale`;
    renameSync(path, stale);
    // Another starter may have taken the stale lock over between our look and our rename: then it gets its own back.
    const moved = readOwner(stale);
    if (moved !== undefined && moved !== owner) linkSync(stale, path);
    rmSync(stale, { force: true });
  }
  throw new DiskError('DISK_LOCKED', `${directory} is wanted by several processes at once; try again`, { directory });
}

function releaseLock(path: string, own: string): void {
  if (readOwner(path) === own) rmSync(path, { force: true });
}

function readOwner(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (systemCodeOf(cause) === 'ENOENT') return undefined;
    throw cause;
  }
}

/** `pid start` where start tells a process from a later one with the same id (Linux; elsewhere the id alone). */
function ownerOf(pid: number): string {
  return `${pid} ${startOf(pid)}\n`;
}

function isAlive(owner: string): boolean {
  const pid = Number.parseInt(owner, 10);
  if (!Number.isSafeInteger(pid) || pid <= 0) return false; // torn: its writer never got as far as using the directory
  try {
    process.kill(pid, 0);
  } catch (cause) {
    if (systemCodeOf(cause) === 'ESRCH') return false;
  }
  return ownerOf(pid) === owner;
}

function startOf(pid: number): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    return `${boot} ${started}`;
  } catch {
    return '-';
  }
}

function syncPath(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function systemCodeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : 'unknown';
}

function asDiskError<T>(path: string, what: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    if (cause instanceof DiskError) throw cause;
    const system = systemCodeOf(cause);
    const code = CODES[system] ?? 'DISK_IO';
    throw new DiskError(code, `${path}: ${what} failed (${system})`, { path, what, system }, cause);
  }
}
