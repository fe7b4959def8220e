/**
 * The data directory of one replica: `superblock`, `log-000000.lockstep`, `lock`, and `started` after the first start.
 * Formatting makes the superblock last, under its name at once: a directory is formatted as a whole or not at all.
 * Opening looks before it touches: a directory of another cluster or replica, of a newer version or without a superblock
 * is told so, and nothing in it is written. Mirrors no spec module: specs/Superblock.tla and AppendLog.tla are its parts.
 */
import { newBytes } from '../ports/byte-pool.ts';
import { type Disk, DiskError } from '../ports/disk.ts';
import type { Evidence } from '../ports/lockstep-error.ts';
import { AppendLog, type OpenReport } from './append-log.ts';
import { AppendLogError } from './append-log-error.ts';
import type { AppendLogOptions } from './append-log-options.ts';
import { DirectoryError, type DirectoryErrorCode } from './directory-error.ts';
import { Superblock, type SuperblockOptions, type SuperblockReport } from './superblock.ts';
import {
  COPY_COUNT,
  type DecodedCopy,
  decodeCopy,
  SECTOR_BYTES,
  SUPERBLOCK_VERSION,
  type SuperblockIdentity,
} from './superblock-copy.ts';
import { SuperblockError } from './superblock-error.ts';

export const SUPERBLOCK_FILE = 'superblock';
export const LOG_FILE = 'log-000000.lockstep';
const LOCK_FILE = 'lock';
/** Made durable by the first start: from then on a replica restarts, and never begins view 0 again. */
const STARTED_FILE = 'started';
/** Payload of one log record: the largest prepare body and its header. Never made smaller: the log would not open. */
export const LOG_RECORD_BYTES_MAX = 1024 * 1024 + 4096;
const U64_MAX = 2n ** 64n - 1n;
/** Bytes that are compared with zeros at once when format looks at a leftover log. */
const CHUNK_BYTES = 1024 * 1024;

export interface DataDirectoryOptions {
  readonly log?: AppendLogOptions;
  /** Only the harness passes it: a broken superblock. */
  readonly superblock?: SuperblockOptions;
}

export interface DataDirectoryReport {
  /** Whether no replica was ever started on it: only then it may begin in view 0 without asking the others. */
  readonly firstStart: boolean;
  readonly superblock: SuperblockReport;
  readonly log: OpenReport;
}

export interface DataDirectory {
  readonly path: string;
  readonly superblock: Superblock;
  readonly log: AppendLog;
  readonly lock: { release(): void };
  readonly report: DataDirectoryReport;
  /** Closes the files and lets the directory go. Syncs nothing. */
  close(): void;
}

/**
 * Makes a directory for one replica, durable on return; it may exist when it is empty. A format that a crash cut short may
 * be run again. @throws DirectoryError, and then the directory is not formatted.
 */
export function formatDataDirectory(
  disk: Disk,
  directory: string,
  identity: SuperblockIdentity,
  options: DataDirectoryOptions = {},
): void {
  const path = withoutSlash(directory);
  requireIdentity(path, identity);
  translated(path, 'format', () => {
    makeDirectoryDurably(disk, path);
    requireUnused(disk, path);
    const lock = disk.lock(path);
    try {
      requireUnused(disk, path); // again: another format may have been faster
      removeLeftovers(disk, path);
      AppendLog.create(disk, `${path}/${LOG_FILE}`, logOptions(options)).close();
      Superblock.format(disk, `${path}/${SUPERBLOCK_FILE}`, identity);
    } catch (cause) {
      undo(disk, path);
      throw cause;
    } finally {
      lock.release();
    }
  });
}

/**
 * Takes the directory for this process, reads and repairs the superblock, opens the log and cuts its torn tail.
 * @param expected what the caller knows of the identity; anything else is refused before a byte is written
 * @throws DirectoryError; then the lock is free again, and a damaged log or superblock is as it was
 */
export function openDataDirectory(
  disk: Disk,
  directory: string,
  expected: Partial<SuperblockIdentity> = {},
  options: DataDirectoryOptions = {},
): DataDirectory {
  const path = withoutSlash(directory);
  return translated(path, 'open', () => {
    requireExpected(path, readIdentity(disk, path), expected);
    const lock = disk.lock(path);
    const opened: { close(): void }[] = [{ close: () => lock.release() }];
    const close = (): void => {
      for (const part of opened.splice(0).reverse()) part.close();
    };
    try {
      const { superblock, report } = Superblock.open(disk, `${path}/${SUPERBLOCK_FILE}`, options.superblock);
      opened.push(superblock);
      requireExpected(path, superblock.state, expected);
      if (!disk.exists(`${path}/${LOG_FILE}`)) throw logMissing(path);
      const recordsDurableMin = superblock.state.commit;
      const settings = Object.assign({}, logOptions(options), { recordsDurableMin });
      const { log, report: logReport } = AppendLog.open(disk, `${path}/${LOG_FILE}`, settings);
      opened.push(log);
      if (log.status === 'damaged') throw logDamaged(path, logReport);
      const firstStart = superblock.state.sequence === 0 && log.recordsWritten === 0 && !hasStarted(disk, path);
      markStarted(disk, path);
      return { path, superblock, log, lock, report: { firstStart, superblock: report, log: logReport }, close };
    } catch (cause) {
      close();
      throw cause;
    }
  });
}

/** What the four copies hold; changes nothing. @throws DirectoryError when there is no superblock to read */
export function readSuperblockCopies(disk: Disk, directory: string): readonly DecodedCopy[] {
  const path = withoutSlash(directory);
  return translated(path, 'read', () => {
    requireDirectory(disk, path);
    if (!disk.exists(`${path}/${SUPERBLOCK_FILE}`))
      throw new DirectoryError(
        'DIRECTORY_UNFORMATTED',
        `${path}: not formatted, it has no ${SUPERBLOCK_FILE}; run lockstep format first, or check the path`,
        { directory: path },
      );
    const file = disk.open(`${path}/${SUPERBLOCK_FILE}`, 'read');
    try {
      return Array.from({ length: COPY_COUNT }, (_, place) => {
        const sector = newBytes(SECTOR_BYTES);
        return decodeCopy(sector.subarray(0, file.read(place * SECTOR_BYTES, sector)));
      });
    } finally {
      file.close();
    }
  });
}

/** The identity, which no update changes: so it may be read while another process writes. Undefined when none is whole. */
function readIdentity(disk: Disk, path: string): SuperblockIdentity | undefined {
  const copies = readSuperblockCopies(disk, path);
  for (const copy of copies) if (copy.kind === 'newer') throw newerVersion(path, copy.version);
  const identities = copies.flatMap((copy) => (copy.kind === 'whole' ? [copy.state] : []));
  const [first] = identities;
  const agree = identities.every(
    ({ cluster, replica, replicaCount }) =>
      cluster === first?.cluster && replica === first.replica && replicaCount === first.replicaCount,
  );
  return agree ? first : undefined; // opening says what is wrong
}

function requireExpected(
  path: string,
  actual: SuperblockIdentity | undefined,
  expected: Partial<SuperblockIdentity>,
): void {
  if (actual === undefined) return;
  const wrong = (code: DirectoryErrorCode, what: keyof SuperblockIdentity, advice: string): void => {
    const wanted = expected[what];
    if (wanted === undefined || wanted === actual[what]) return;
    const message = `${path}: formatted for ${what} ${actual[what]}, not ${wanted}; ${advice}`;
    throw new DirectoryError(code, message, { directory: path, expected: wanted, actual: actual[what] });
  };
  wrong('DIRECTORY_FOREIGN_CLUSTER', 'cluster', 'this is the data of another cluster: check the path');
  wrong('DIRECTORY_WRONG_REPLICA', 'replica', 'each replica has a directory of its own: check the path');
  wrong('DIRECTORY_WRONG_REPLICA_COUNT', 'replicaCount', 'give as many addresses as it was formatted for');
}

function requireIdentity(path: string, { cluster, replica, replicaCount }: SuperblockIdentity): void {
  const bad = (what: string, actual: bigint | number, expected: string): never => {
    const message = `${path}: ${what} is ${expected}, not ${actual}`;
    throw new DirectoryError('DIRECTORY_BAD_IDENTITY', message, { directory: path, what, expected, actual });
  };
  if (cluster < 1n || cluster > U64_MAX) bad('cluster', cluster, 'a number from 1 to 2^64-1');
  if (!Number.isInteger(replicaCount) || replicaCount < 1 || replicaCount > 0xffff_ffff)
    bad('replicaCount', replicaCount, 'a whole number from 1');
  if (!Number.isInteger(replica) || replica < 0 || replica >= replicaCount)
    bad('replica', replica, `a whole number from 0 to ${replicaCount - 1}`);
}

/** Refuses what holds anything that a format did not leave behind. */
function requireUnused(disk: Disk, path: string): void {
  const names = listDirectory(disk, path);
  if (names.includes(SUPERBLOCK_FILE))
    throw new DirectoryError(
      'DIRECTORY_FORMATTED',
      `${path}: formatted already, nothing was changed; to begin anew, choose another directory`,
      { directory: path },
    );
  const stranger = names.find((name) => !isLeftover(name)) ?? (hasRecords(disk, path, names) ? LOG_FILE : undefined);
  if (stranger === undefined) return;
  const why = stranger === LOG_FILE ? 'its log has records, and its superblock is gone' : `it holds ${stranger}`;
  throw new DirectoryError('DIRECTORY_NOT_EMPTY', `${path}: not empty (${why}); choose an empty directory`, {
    directory: path,
    file: stranger,
  });
}

function isLeftover(name: string): boolean {
  return name === LOG_FILE || name === `${SUPERBLOCK_FILE}.draft` || name === LOCK_FILE || /^lock\.\d+/.test(name);
}

function hasRecords(disk: Disk, path: string, names: readonly string[]): boolean {
  if (!names.includes(LOG_FILE)) return false;
  const file = disk.open(`${path}/${LOG_FILE}`, 'existing');
  try {
    const chunk = new Uint8Array(CHUNK_BYTES);
    for (let at = 0; at < file.sizeBytes; at += CHUNK_BYTES)
      if (chunk.subarray(0, file.read(at, chunk)).some((byte) => byte !== 0)) return true;
    return false;
  } finally {
    file.close();
  }
}

function removeLeftovers(disk: Disk, path: string): void {
  for (const name of [LOG_FILE, `${SUPERBLOCK_FILE}.draft`])
    if (disk.exists(`${path}/${name}`)) disk.remove(`${path}/${name}`);
}

/** Gives the space back; when even that fails, the next format finds what is left and removes it. */
function undo(disk: Disk, path: string): void {
  if (disk.exists(`${path}/${SUPERBLOCK_FILE}`)) return;
  try {
    removeLeftovers(disk, path);
  } catch (cause) {
    if (!(cause instanceof DiskError)) throw cause;
  }
}

/** A new directory is in its parent's list only once that is synced. */
function makeDirectoryDurably(disk: Disk, path: string): void {
  const parents: string[] = [];
  if (disk.exists(path)) listDirectory(disk, path);
  for (let at = path; !disk.exists(at); at = parentOf(at)) parents.push(parentOf(at));
  disk.makeDirectory(path);
  for (const parent of parents.reverse()) disk.syncDirectory(parent);
}

function hasStarted(disk: Disk, path: string): boolean {
  return disk.exists(`${path}/${STARTED_FILE}`);
}

function markStarted(disk: Disk, path: string): void {
  if (!hasStarted(disk, path)) disk.open(`${path}/${STARTED_FILE}`, 'create').close();
  disk.syncDirectory(path);
}

function requireDirectory(disk: Disk, path: string): void {
  if (!disk.exists(path))
    throw new DirectoryError(
      'DIRECTORY_NOT_FOUND',
      `${path}: no such directory; run lockstep format first, or check the path`,
      { directory: path },
    );
  listDirectory(disk, path);
}

function listDirectory(disk: Disk, path: string): readonly string[] {
  try {
    return disk.list(path);
  } catch (cause) {
    if (!(cause instanceof DiskError) || cause.evidence.system !== 'ENOTDIR') throw cause;
    const message = `${path}: a file, not a directory; check the path`;
    throw new DirectoryError('DIRECTORY_NOT_A_DIRECTORY', message, { directory: path }, cause);
  }
}

function logOptions({ log }: DataDirectoryOptions): AppendLogOptions {
  return { recordBytesMax: LOG_RECORD_BYTES_MAX, ...log };
}

function logMissing(path: string): DirectoryError {
  return new DirectoryError(
    'DIRECTORY_LOG_MISSING',
    `${path}: formatted, and ${LOG_FILE} is gone; restore it from a backup, or let the replica rejoin with a new directory`,
    { directory: path, file: LOG_FILE },
  );
}

function logDamaged(path: string, report: OpenReport): DirectoryError {
  const why = report.reason?.message ?? `damaged at byte ${report.endBytes}`;
  return new DirectoryError(
    'DIRECTORY_LOG_DAMAGED',
    `${why}; nothing was cut or changed. Run lockstep verify ${path}, then restore the file or let the replica rejoin with a new directory`,
    { directory: path, records: report.records, position: report.endBytes, ...report.reason?.evidence },
    report.reason,
  );
}

function newerVersion(path: string, version: number): DirectoryError {
  return new DirectoryError(
    'DIRECTORY_NEWER_VERSION',
    `${path}: format version ${version}, and this program knows up to ${SUPERBLOCK_VERSION}; use a newer lockstep`,
    { directory: path, expected: SUPERBLOCK_VERSION, actual: version },
  );
}

const FROM_DISK: Readonly<Record<DiskError['code'], DirectoryErrorCode>> = {
  DISK_FULL: 'DIRECTORY_DISK_FULL',
  DISK_IO: 'DIRECTORY_IO',
  DISK_SYNC_FAILED: 'DIRECTORY_IO',
  DISK_NOT_FOUND: 'DIRECTORY_IO',
  DISK_EXISTS: 'DIRECTORY_FORMATTED',
  DISK_NO_PERMISSION: 'DIRECTORY_NO_PERMISSION',
  DISK_LOCKED: 'DIRECTORY_IN_USE',
};

const ADVICE: Partial<Record<DirectoryErrorCode, string>> = {
  DIRECTORY_DISK_FULL: 'free some space, then try again',
  DIRECTORY_NO_PERMISSION: 'this user may not write there: change the owner or the rights',
  DIRECTORY_IO: 'the device refuses: check it, then try again',
};

/** Every error of the layers below as a DirectoryError, with the first one as its cause. */
function translated<T>(path: string, what: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    if (cause instanceof DirectoryError) throw cause;
    if (cause instanceof SuperblockError && cause.code === 'SUPERBLOCK_NEWER_VERSION')
      throw newerVersion(path, Number(cause.evidence.version));
    if (cause instanceof SuperblockError && !(cause.cause instanceof DiskError))
      throw new DirectoryError('DIRECTORY_SUPERBLOCK_DAMAGED', cause.message, evidence(path, cause.evidence), cause);
    const disk = cause instanceof DiskError ? cause : cause instanceof Error ? cause.cause : undefined;
    if (disk instanceof DiskError) {
      const code = FROM_DISK[disk.code];
      const advice = ADVICE[code];
      const message = `${path}: cannot ${what}: ${disk.message}${advice === undefined ? '' : `; ${advice}`}`;
      throw new DirectoryError(code, message, evidence(path, disk.evidence), cause);
    }
    if (cause instanceof AppendLogError)
      throw new DirectoryError('DIRECTORY_LOG_DAMAGED', cause.message, evidence(path, cause.evidence), cause);
    throw cause;
  }
}

function evidence(directory: string, below: Evidence): Evidence {
  return { directory, ...below };
}

function withoutSlash(path: string): string {
  const trimmed = path.replace(/\/+$/, '');
  return trimmed === '' ? (path === '' ? '.' : '/') : trimmed;
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash > 0 ? path.slice(0, slash) : slash === 0 ? '/' : '.';
}
