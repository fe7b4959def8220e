/**
 * `lockstep verify`: looks at everything in a data directory and names each fault with its place and what to do. Offline
 * and read-only: no byte changes, and a directory that a process has is refused. Mirrors no spec module; what a copy may
 * hold is specs/Superblock.tla, where a log ends is specs/AppendLog.tla.
 */
import type { SuperblockState } from '../../machines/superblock.ts';
import { mayOpen } from '../../machines/superblock.ts';
import { hashText } from '../crypto/hash.ts';
import { type Disk, DiskError } from '../ports/disk.ts';
import type { AppendLogError } from './append-log-error.ts';
import { LOG_FILE, LOG_RECORD_BYTES_MAX, readSuperblockCopies, SUPERBLOCK_FILE } from './data-directory.ts';
import { DirectoryError } from './directory-error.ts';
import { type DecodedCopy, SECTOR_BYTES, SUPERBLOCK_VERSION } from './superblock-copy.ts';
import { examineLog, type LogExamination } from './verify-log.ts';

export interface VerifyFinding {
  /** Of SuperblockError, AppendLogError or DirectoryError, or `SUPERBLOCK_COPY_BROKEN` and the like for a single copy. */
  readonly code: string;
  /** fault: something is damaged or lost. note: what a crash may leave, and the next start makes good. */
  readonly severity: 'fault' | 'note';
  readonly file: string;
  /** Byte in the file. */
  readonly position?: number;
  /** Offset of the record, for the log. */
  readonly record?: number;
  /** Place of the copy, 0..3, for the superblock. */
  readonly copy?: number;
  readonly what: string;
  readonly expected?: string;
  readonly actual?: string;
  readonly advice: string;
}

export interface VerifyReport {
  readonly directory: string;
  /** No fault; there may be notes. */
  readonly ok: boolean;
  readonly identity?: { readonly cluster: string; readonly replica: number; readonly replicaCount: number };
  readonly superblock?: {
    readonly sequence: number;
    readonly view: number;
    readonly logView: number;
    readonly commit: number;
    readonly hash: string;
    /** Of four. */
    readonly copiesWhole: number;
  };
  readonly log?: {
    readonly file: string;
    readonly verdict: 'whole' | 'torn' | 'damaged';
    readonly records: number;
    /** Records that are whole behind a damaged place. */
    readonly recordsBehindDamage: number;
    readonly bytes: number;
    readonly allocatedBytes: number;
    readonly headHash: string;
  };
  readonly findings: readonly VerifyFinding[];
  /** Whether there were more than are listed. */
  readonly more: boolean;
}

export interface VerifyOptions {
  readonly progress?: (doneBytes: number, allBytes: number) => void;
}

const REJOIN = 'restore the directory from a backup, or move it away and let the replica rejoin with a new one';

/** @throws DirectoryError when there is nothing to verify, the directory is in use, or the disk refuses to be read */
export function verifyDataDirectory(disk: Disk, directory: string, options: VerifyOptions = {}): VerifyReport {
  const copies = readSuperblockCopies(disk, directory);
  const lock = takeForReading(disk, directory);
  try {
    const states = copies.map((copy) => (copy.kind === 'whole' ? copy.state : undefined));
    const newest = mayOpen(states) ? newestOf(states) : undefined;
    const findings = superblockFindings(`${directory}/${SUPERBLOCK_FILE}`, copies, newest);
    const path = `${directory}/${LOG_FILE}`;
    if (!disk.exists(path)) {
      findings.push({
        code: 'DIRECTORY_LOG_MISSING',
        severity: 'fault',
        file: path,
        what: 'the log is gone',
        advice: REJOIN,
      });
      return report(directory, newest, copies, undefined, findings);
    }
    const examined = examine(disk, path, newest?.commit ?? 0, options);
    findings.push(...logFindings(path, examined.examination));
    return report(directory, newest, copies, examined, findings);
  } catch (cause) {
    if (!(cause instanceof DiskError)) throw cause;
    throw new DirectoryError('DIRECTORY_IO', `${cause.message}; the device refuses to be read`, cause.evidence, cause);
  } finally {
    lock?.release();
  }
}

/** A server may be at work; a directory that may not be written (a backup on read-only media) has none. */
function takeForReading(disk: Disk, directory: string): { release(): void } | undefined {
  try {
    return disk.lock(directory);
  } catch (cause) {
    if (!(cause instanceof DiskError)) throw cause;
    if (cause.code === 'DISK_NO_PERMISSION' || cause.code === 'DISK_FULL') return undefined;
    throw new DirectoryError('DIRECTORY_IN_USE', cause.message, { ...cause.evidence, directory }, cause);
  }
}

interface ExaminedLog {
  readonly examination: LogExamination;
  readonly path: string;
  readonly allocatedBytes: number;
}

function examine(disk: Disk, path: string, commit: number, { progress }: VerifyOptions): ExaminedLog {
  const file = disk.open(path, 'read');
  try {
    const options = { payloadBytesMax: LOG_RECORD_BYTES_MAX, recordsDurableMin: commit };
    const examination = examineLog(file, options, (position) => progress?.(position, file.sizeBytes));
    return { examination, path, allocatedBytes: file.sizeBytes };
  } finally {
    file.close();
  }
}

function superblockFindings(
  file: string,
  copies: readonly DecodedCopy[],
  newest: SuperblockState | undefined,
): VerifyFinding[] {
  const findings: VerifyFinding[] = copies.flatMap((copy, place): VerifyFinding[] => {
    const at = { file, copy: place };
    if (copy.kind === 'newer')
      return [
        {
          ...at,
          code: 'SUPERBLOCK_NEWER_VERSION',
          severity: 'fault',
          position: place * SECTOR_BYTES + 8,
          what: `copy ${place} has a newer format version`,
          expected: `up to ${SUPERBLOCK_VERSION}`,
          actual: `${copy.version}`,
          advice: 'use a newer lockstep',
        },
      ];
    if (copy.kind === 'broken') return [brokenCopy(at, place, copy, newest)];
    return [...staleCopy(at, place, copy.state, newest), ...strayCopy(at, place, copy.place)];
  });
  if (newest === undefined) findings.push(unopenable(file, copies));
  return findings;
}

type CopyPlace = { readonly file: string; readonly copy: number };

function brokenCopy(
  at: CopyPlace,
  place: number,
  { fault }: Extract<DecodedCopy, { readonly kind: 'broken' }>,
  newest: SuperblockState | undefined,
): VerifyFinding {
  return {
    ...at,
    code: 'SUPERBLOCK_COPY_BROKEN',
    severity: 'fault',
    position: place * SECTOR_BYTES + fault.position,
    what: `copy ${place} is not whole: its ${fault.what} does not hold`,
    expected: fault.expected,
    actual: fault.actual,
    advice: newest === undefined ? REJOIN : 'the next start writes it again from a whole copy; watch this disk',
  };
}

function staleCopy(
  at: CopyPlace,
  place: number,
  state: SuperblockState,
  newest: SuperblockState | undefined,
): readonly VerifyFinding[] {
  if (newest === undefined || state.hash === newest.hash) return [];
  return [
    {
      ...at,
      code: 'SUPERBLOCK_COPY_STALE',
      severity: 'note',
      position: place * SECTOR_BYTES + 32,
      what: `copy ${place} holds an older state: an update was cut short, or its write went astray`,
      expected: `sequence ${newest.sequence}`,
      actual: `sequence ${state.sequence}`,
      advice: 'the next start writes it again',
    },
  ];
}

function strayCopy(at: CopyPlace, place: number, writtenFor: number): readonly VerifyFinding[] {
  if (writtenFor === place) return [];
  return [
    {
      ...at,
      code: 'SUPERBLOCK_COPY_MISDIRECTED',
      severity: 'fault',
      position: place * SECTOR_BYTES + 12,
      what: `copy ${place} holds what was written for copy ${writtenFor}: the disk wrote to the wrong place`,
      expected: `copy ${place}`,
      actual: `copy ${writtenFor}`,
      advice: 'the next update writes it again; do not trust this disk',
    },
  ];
}

function unopenable(file: string, copies: readonly DecodedCopy[]): VerifyFinding {
  const whole = copies.some(({ kind }) => kind === 'whole');
  return {
    code: whole ? 'SUPERBLOCK_CONTRADICTED' : 'SUPERBLOCK_UNREADABLE',
    severity: 'fault',
    file,
    what: whole
      ? `the copies are of two histories: ${copies.map(historyOf).join(', ')}`
      : 'no copy is whole: what was acknowledged cannot be known',
    advice: REJOIN,
  };
}

function historyOf(copy: DecodedCopy, place: number): string {
  if (copy.kind !== 'whole') return `copy ${place} ${copy.kind}`;
  const { cluster, replica, sequence, hash } = copy.state;
  return `copy ${place} cluster ${cluster} replica ${replica} sequence ${sequence} hash ${hash.slice(0, 8)}`;
}

function logFindings(file: string, { scan, faults }: LogExamination): readonly VerifyFinding[] {
  if (scan.verdict !== 'torn') return faults.map((fault) => logFault(file, fault));
  return [
    {
      code: 'APPEND_LOG_TORN_TAIL',
      severity: 'note',
      file,
      position: scan.endBytes,
      record: scan.records,
      what: `${scan.tornBytes} bytes after the last record are no record: what a crash left of a batch that was not synced`,
      advice: 'the next start cuts them and says so; nothing in them was acknowledged',
    },
  ];
}

function logFault(file: string, { code, message, evidence }: AppendLogError): VerifyFinding {
  const numberOf = (name: string): number | undefined => {
    const value = evidence[name];
    return typeof value === 'number' ? value : undefined;
  };
  const position = numberOf('position');
  const record = numberOf('offset');
  return {
    code,
    severity: 'fault',
    file,
    ...(position === undefined ? {} : { position }),
    ...(record === undefined ? {} : { record }),
    what: message.startsWith(`${file}: `) ? message.slice(file.length + 2) : message,
    ...(evidence.expected === undefined ? {} : { expected: String(evidence.expected) }),
    ...(evidence.actual === undefined ? {} : { actual: String(evidence.actual) }),
    advice: `nothing is cut or repaired by guessing: ${REJOIN}`,
  };
}

function newestOf(states: readonly (SuperblockState | undefined)[]): SuperblockState | undefined {
  return states.reduce((best, state) => (state && (!best || state.sequence > best.sequence) ? state : best), undefined);
}

function report(
  directory: string,
  newest: SuperblockState | undefined,
  copies: readonly DecodedCopy[],
  log: ExaminedLog | undefined,
  findings: readonly VerifyFinding[],
): VerifyReport {
  return {
    directory,
    ok: findings.every(({ severity }) => severity === 'note'),
    ...(newest === undefined ? {} : summaryOf(newest, copies)),
    ...(log === undefined ? {} : { log: logSummary(log) }),
    findings,
    more: log?.examination.more ?? false,
  };
}

function summaryOf(
  state: SuperblockState,
  copies: readonly DecodedCopy[],
): Pick<VerifyReport, 'identity' | 'superblock'> {
  const { cluster, replica, replicaCount, sequence, view, logView, commit, hash } = state;
  const copiesWhole = copies.filter(({ kind }) => kind === 'whole').length;
  return {
    identity: { cluster: `${cluster}`, replica, replicaCount },
    superblock: { sequence, view, logView, commit, hash, copiesWhole },
  };
}

function logSummary({ examination, path, allocatedBytes }: ExaminedLog): NonNullable<VerifyReport['log']> {
  const { scan, recordsGood } = examination;
  const { verdict, records, endBytes: bytes, headHash } = scan;
  const recordsBehindDamage = recordsGood - records;
  return { file: path, verdict, records, recordsBehindDamage, bytes, allocatedBytes, headHash: hashText(headHash) };
}
