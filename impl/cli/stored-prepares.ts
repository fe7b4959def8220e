/**
 * The prepares in a log file, read only, for `lockstep verify`: every record decodes, each prepare names the hash of the one
 * before it, each truncation the head that it cut, each body is a batch of commands, and the superblock's commit is there.
 * Storage has verified the records before. Mirrors no spec module; the rules are those of impl/vsr/prepare-log.ts.
 */
import { decodeBatch } from '../kernel/command-codec.ts';
import type { Disk } from '../ports/disk.ts';
import { LockstepError } from '../ports/lockstep-error.ts';
import { LOG_RECORD_BYTES_MAX } from '../storage/data-directory.ts';
import { scanLog } from '../storage/log-scan.ts';
import type { VerifyFinding, VerifyReport } from '../storage/verify.ts';
import { decodePrepare } from '../vsr/prepare.ts';
import { PREPARE_RECORD_KIND, PrepareLog, type RecordLog } from '../vsr/prepare-log.ts';

export interface StoredPrepares {
  /** Highest op. */
  readonly op: number;
  /** Prepares that later ones took the place of, as view changes do. */
  readonly opsDiscarded: number;
}

/** @returns undefined where storage found so much that there is nothing to read on */
export function verifyPrepares(
  disk: Disk,
  { identity, superblock, log }: VerifyReport,
): { readonly prepares: StoredPrepares } | { readonly finding: VerifyFinding } | undefined {
  if (identity === undefined || superblock === undefined || log === undefined || log.verdict === 'damaged')
    return undefined;
  const { file, records } = log;
  let offset = 0;
  const fault = (code: string, what: string): { finding: VerifyFinding } => {
    const advice = 'every record is as it was written: this is a fault of Lockstep; keep the directory and report it';
    return { finding: { code, severity: 'fault', file, record: offset, what, advice } };
  };
  try {
    const source = new StoredRecords(disk, file, records, (record) => {
      offset = record.offset;
      if (record.kind === PREPARE_RECORD_KIND) decodeBatch(decodePrepare(record.payload).body);
    });
    const { report } = PrepareLog.open(source, BigInt(identity.cluster));
    if (report.op < superblock.commit)
      return fault(
        'PREPARE_LOG_GAP',
        `the superblock knows op ${superblock.commit} committed, the log ends at op ${report.op}`,
      );
    return { prepares: { op: report.op, opsDiscarded: report.opsDiscarded } };
  } catch (cause) {
    if (!(cause instanceof LockstepError)) throw cause;
    return fault(cause.code, cause.message);
  }
}

type Visit = Parameters<RecordLog['scan']>[1];
type LogRecord = ReturnType<RecordLog['read']>;

/** The records of a file in the order of the file; whatever would change it is refused. */
class StoredRecords implements RecordLog {
  readonly recordsWritten: number;
  readonly recordsDurable: number;
  readonly #disk: Disk;
  readonly #path: string;
  readonly #look: Visit;

  constructor(disk: Disk, path: string, records: number, look: Visit) {
    this.#disk = disk;
    this.#path = path;
    this.recordsWritten = records;
    this.recordsDurable = records;
    this.#look = look;
  }

  scan(from: number, visit: Visit): void {
    this.#scan((record) => {
      if (record.offset < from) return;
      this.#look(record);
      visit(record);
    });
  }

  append(): never {
    return this.#refuse();
  }

  fsync(): never {
    return this.#refuse();
  }

  /** From the start of the file: asked for only where a record cuts more of the log than anybody remembers. */
  read(offset: number): LogRecord {
    let found: LogRecord | undefined;
    this.#scan((record) => {
      if (record.offset === offset) found = { kind: record.kind, payload: record.payload.slice() };
    });
    return found ?? this.#refuse();
  }

  fork(): never {
    return this.#refuse();
  }

  close(): void {}

  #scan(visit: Visit): void {
    const file = this.#disk.open(this.#path, 'read');
    try {
      scanLog(file, { payloadBytesMax: LOG_RECORD_BYTES_MAX, reuses: true }, (record) => {
        if (record.offset < this.recordsWritten) visit(record);
      });
    } finally {
      file.close();
    }
  }

  #refuse(): never {
    throw new Error(`${this.#path} is open for verification only`);
  }
}
