/**
 * `lockstep inspect`: what is on disk in a data directory, as data: the four copies of the superblock as they stand and the
 * records of the log. Reads only, takes no lock, judges nothing (verify.ts does). Mirrors no spec module.
 */
import { hashText } from '../crypto/hash.ts';
import { type Disk, DiskError } from '../ports/disk.ts';
import { LOG_FILE, LOG_RECORD_BYTES_MAX, readSuperblockCopies, SUPERBLOCK_FILE } from './data-directory.ts';
import { DirectoryError } from './directory-error.ts';
import { type LogScan, scanLog } from './log-scan.ts';
import { type DecodedCopy, SECTOR_BYTES } from './superblock-copy.ts';

/** Records that a listing shows unless told; more scroll by unread. */
const RECORDS_SHOWN = 100;

export interface InspectedCopy {
  readonly copy: number;
  /** Byte in the file. */
  readonly position: number;
  readonly kind: DecodedCopy['kind'];
  /** Of a whole copy. */
  readonly state?: {
    readonly cluster: string;
    readonly replica: number;
    readonly replicaCount: number;
    readonly sequence: number;
    readonly view: number;
    readonly logView: number;
    readonly commit: number;
    readonly parent: string;
    readonly hash: string;
  };
  /** Of one that is not whole, or of a newer version. */
  readonly why?: string;
}

export interface InspectedRecord {
  /** Sequence number in the log, from 0. */
  readonly offset: number;
  readonly position: number;
  readonly kind: number;
  /** Uncompressed. */
  readonly payloadBytes: number;
  /** The whole record as stored. */
  readonly storedBytes: number;
  readonly previousHash: string;
  readonly hash: string;
  /** What options.describe said about the payload. */
  readonly payload?: Readonly<Record<string, string | number>>;
}

export interface InspectReport {
  readonly directory: string;
  readonly superblock: { readonly file: string; readonly copies: readonly InspectedCopy[] };
  readonly log?: {
    readonly file: string;
    readonly allocatedBytes: number;
    readonly verdict: LogScan['verdict'];
    readonly records: number;
    readonly bytes: number;
    readonly tornBytes: number;
    readonly headHash: string;
    /** The records asked for. */
    readonly listed: readonly InspectedRecord[];
  };
}

export interface InspectOptions {
  /** First record listed; from the end when negative. Default: the last ones. */
  readonly from?: number;
  readonly limit?: number;
  /** Says what is in a payload; storage does not know. */
  readonly describe?: (kind: number, payload: Uint8Array) => Readonly<Record<string, string | number>>;
}

/** @throws DirectoryError when there is no superblock, or the disk refuses to be read */
export function inspectDataDirectory(disk: Disk, directory: string, options: InspectOptions = {}): InspectReport {
  const superblock = {
    file: `${directory}/${SUPERBLOCK_FILE}`,
    copies: readSuperblockCopies(disk, directory).map(inspectedCopy),
  };
  const file = `${directory}/${LOG_FILE}`;
  if (!disk.exists(file)) return { directory, superblock };
  try {
    return { directory, superblock, log: inspectLog(disk, file, options) };
  } catch (cause) {
    if (!(cause instanceof DiskError)) throw cause;
    throw new DirectoryError('DIRECTORY_IO', `${cause.message}; the device refuses to be read`, cause.evidence, cause);
  }
}

function inspectLog(disk: Disk, path: string, options: InspectOptions): NonNullable<InspectReport['log']> {
  const limit = options.limit ?? RECORDS_SHOWN;
  const from = options.from ?? -limit;
  const file = disk.open(path, 'read');
  try {
    const listed: InspectedRecord[] = [];
    const scan = scanLog(file, { payloadBytesMax: LOG_RECORD_BYTES_MAX }, (record, position) => {
      if (from >= 0 && (record.offset < from || listed.length >= limit)) return;
      const { offset, kind, payload, sizeBytes: storedBytes } = record;
      const described = options.describe?.(kind, payload);
      listed.push({
        offset,
        position,
        kind,
        payloadBytes: payload.byteLength,
        storedBytes,
        previousHash: hashText(record.previousHash),
        hash: hashText(record.hash),
        ...(described === undefined ? {} : { payload: described }),
      });
      if (from < 0 && listed.length > -from) listed.shift();
    });
    const { verdict, records, endBytes: bytes, tornBytes, headHash } = scan;
    const summary = { verdict, records, bytes, tornBytes, headHash: hashText(headHash) };
    return { file: path, allocatedBytes: file.sizeBytes, ...summary, listed: listed.slice(0, limit) };
  } finally {
    file.close();
  }
}

function inspectedCopy(copy: DecodedCopy, place: number): InspectedCopy {
  const at = { copy: place, position: place * SECTOR_BYTES, kind: copy.kind };
  if (copy.kind === 'newer') return { ...at, why: `format version ${copy.version}` };
  if (copy.kind === 'broken') {
    const { what, position, expected, actual } = copy.fault;
    return { ...at, why: `${what} at byte ${at.position + position}: expected ${expected}, is ${actual}` };
  }
  const { cluster, replica, replicaCount, sequence, view, logView, commit, parent, hash } = copy.state;
  const numbers = { replica, replicaCount, sequence, view, logView, commit };
  return { ...at, state: { cluster: `${cluster}`, ...numbers, parent, hash } };
}
