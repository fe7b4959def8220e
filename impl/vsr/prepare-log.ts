/**
 * The replica's log of prepares on an AppendLog: `log` and `logDurable` of Vsr.tla. Nothing on disk is ever rewritten: a
 * prepare with an op up to the head overrides the suffix from that op on, a truncate record (kind 2) cuts it, and opening
 * replays the records in order. Between two fsyncs the log that a crash would leave is kept apart (opDurable, isDurable).
 * Decides nothing about views or commits: that is the machine's.
 */
import { GENESIS_HASH, HASH_BYTES, hashesEqual } from '../crypto/hash.ts';
import { assert } from '../ports/assert.ts';
import type { Disk } from '../ports/disk.ts';
import { readU64, writeU64 } from '../ports/little-endian.ts';
import { type Evidence, LockstepError } from '../ports/lockstep-error.ts';
import { decodePrepare, encodePrepare, type Prepare } from './prepare.ts';
import { PrepareCache } from './prepare-cache.ts';
import { PrepareIndex } from './prepare-index.ts';

/** Payload: one encoded prepare. */
export const PREPARE_RECORD_KIND = 1;
/** Payload: op u64 and hash of the head that stays, op u64 and hash of the head that goes. */
export const TRUNCATE_RECORD_KIND = 2;
const TRUNCATE_BYTES = 2 * (8 + HASH_BYTES);

export type PrepareLogErrorCode =
  | 'PREPARE_LOG_UNKNOWN_RECORD' // a record of a kind or shape that is not this log's
  | 'PREPARE_LOG_WRONG_CLUSTER' // a prepare of another cluster
  | 'PREPARE_LOG_GAP' // a prepare above the op after the head
  | 'PREPARE_LOG_BROKEN_CHAIN' // a prepare whose parent is not the hash of the op before it
  | 'PREPARE_LOG_MISMATCH'; // what is read back is not what was appended

/** The records do not make a log: a peer's entry that does not fit, or a damaged or foreign directory. */
export class PrepareLogError extends LockstepError<PrepareLogErrorCode> {}

interface LogRecord {
  readonly kind: number;
  readonly payload: Uint8Array;
}

/** What is needed of AppendLog (impl/storage/append-log.ts). */
export interface RecordLog {
  readonly recordsWritten: number;
  readonly recordsDurable: number;
  append(records: readonly LogRecord[]): void;
  fsync(): void;
  read(offset: number): LogRecord;
  scan(from: number, visit: (record: LogRecord & { readonly offset: number }) => void): void;
  fork(disk: Disk): RecordLog;
  close(): void;
}

/** What opening found: records read, and how many ops were overridden or cut by later records. */
export interface PrepareLogReport {
  readonly records: number;
  readonly op: number;
  readonly opsDiscarded: number;
}

export class PrepareLog {
  readonly #log: RecordLog;
  readonly #cluster: bigint;
  #index = new PrepareIndex();
  #cache = new PrepareCache();
  /** The durable log is the index below #durableFrom, then #durableSuffix: entries whose discarding is not durable yet. */
  #durableFrom = 1;
  #durableSuffix: readonly { readonly record: number; readonly hash: Uint8Array }[] = [];
  #discards = 0;

  private constructor(log: RecordLog, cluster: bigint) {
    this.#log = log;
    this.#cluster = cluster;
  }

  /** Replays the records of log. @throws PrepareLogError, PrepareError, and what the log throws */
  static open(log: RecordLog, cluster: bigint): { prepareLog: PrepareLog; report: PrepareLogReport } {
    const prepareLog = new PrepareLog(log, cluster);
    let records = 0;
    let opsDiscarded = 0;
    log.scan(0, (record) => {
      if (record.offset === log.recordsDurable) prepareLog.#markDurable();
      opsDiscarded += prepareLog.#replay(record);
      records++;
    });
    if (log.recordsDurable === log.recordsWritten) prepareLog.#markDurable();
    assert(records === log.recordsWritten, 'opening replays every record');
    return { prepareLog, report: { records, op: prepareLog.op, opsDiscarded } };
  }

  /** The same log on the fork of its disk: both go on apart. */
  fork(disk: Disk): PrepareLog {
    const twin = new PrepareLog(this.#log.fork(disk), this.#cluster);
    twin.#index = this.#index.fork();
    twin.#cache = this.#cache.fork();
    twin.#durableFrom = this.#durableFrom;
    twin.#durableSuffix = this.#durableSuffix;
    twin.#discards = this.#discards;
    return twin;
  }

  /** Highest op, 0 when empty. */
  get op(): number {
    return this.#index.op;
  }

  /** Highest op that a crash now would surely leave: above op while a truncation is not durable. */
  get opDurable(): number {
    return this.#durableFrom - 1 + this.#durableSuffix.length;
  }

  /**
   * LogIsDurable of Vsr.tla, `log = logDurable`: the same entries, compared by the hash of the last, which stands for all.
   * Not enough before the superblock is written: see isSynced.
   */
  get isDurable(): boolean {
    if (this.opDurable !== this.op) return false;
    const last = this.#durableSuffix.at(-1);
    return last === undefined || hashesEqual(last.hash, this.headHash);
  }

  /**
   * Nothing written waits for an fsync. Stricter than isDurable: after append(e) and truncateTo(op before it) the log is what
   * it durably was, but a crash may leave e without the truncation. So whoever makes a logView durable syncs first (in the
   * spec a stutter): 1. a backup appends e in view 0, 2. adopts an empty log in view 1 and writes logView 1, 3. crashes and
   * finds e again, 4. brings e to view 2 as an entry of view 1.
   */
  get isSynced(): boolean {
    return this.#log.recordsDurable === this.#log.recordsWritten;
  }

  /** Up to this op the log and what a crash would leave are the same entries: up to opDurable, or to a discard below it. */
  get opShared(): number {
    return this.#durableFrom - 1;
  }

  /** How often entries were discarded since it was opened: while it stays the same, the log only grows. */
  get discards(): number {
    return this.#discards;
  }

  get headHash(): Uint8Array {
    return this.hashAt(this.op);
  }

  /** Hash of the prepare at op, from 0 (genesis) to the head. Of an old one it is read. @throws as prepareAt */
  hashAt(op: number): Uint8Array {
    if (op === 0) return GENESIS_HASH;
    return this.#index.hashAt(op) ?? new Uint8Array((this.prepareAt(op) as Prepare).hash);
  }

  /** Whether this is the hash of the prepare at op, from 1 to the head. @throws as hashAt */
  holds(op: number, hash: Uint8Array): boolean {
    return this.#index.mayHold(op, hash) && (this.#index.knows(op) || hashesEqual(this.hashAt(op), hash));
  }

  /** The same of what a crash now would leave, from 1 to opDurable. */
  holdsDurably(op: number, hash: Uint8Array): boolean {
    if (op < this.#durableFrom) return this.holds(op, hash);
    const entry = this.#durableSuffix[op - this.#durableFrom];
    return entry !== undefined && hashesEqual(entry.hash, hash);
  }

  /** The prepare at op, undefined outside 1..op. @throws what the log throws when its disk fails or lies */
  prepareAt(op: number): Prepare | undefined {
    if (op < 1 || op > this.op) return undefined;
    const cached = this.#cache.at(op);
    if (cached !== undefined) return cached;
    const record = this.#index.recordOf(op);
    const prepare = this.#read(record, op);
    if (!this.#index.mayHold(op, prepare.hash)) throw mismatch(op, record);
    this.#cache.remember(prepare);
    return prepare;
  }

  /** The prepare at op of the log that a crash now would leave. */
  durablePrepareAt(op: number): Prepare | undefined {
    if (op < this.#durableFrom) return this.prepareAt(op);
    const entry = this.#durableSuffix[op - this.#durableFrom];
    if (entry === undefined) return undefined;
    const prepare = this.#read(entry.record, op);
    if (!hashesEqual(prepare.hash, entry.hash)) throw mismatch(op, entry.record);
    return prepare;
  }

  /** Whether append() would take this prepare: it follows the head, or overrides from its op on. */
  refusalOf(prepare: Prepare): PrepareLogError | undefined {
    const { op, parent } = prepare;
    const isKnown = op <= this.op + 1; // else the op alone refuses it
    return this.#refusalAfter(
      prepare,
      this.op,
      isKnown && (op === 1 ? hashesEqual(parent, GENESIS_HASH) : this.holds(op - 1, parent)),
    );
  }

  /**
   * Writes prepares as one batch; not yet durable. The first may override from its op on, the others follow one another.
   * @throws PrepareLogError when they do not make a log (nothing is written), and what the log throws
   */
  append(prepares: readonly Prepare[]): void {
    const first = prepares[0];
    if (first === undefined) return;
    let previous: Prepare | undefined;
    for (const prepare of prepares) {
      const refusal: PrepareLogError | undefined =
        previous === undefined
          ? this.refusalOf(prepare)
          : this.#refusalAfter(prepare, previous.op, hashesEqual(prepare.parent, previous.hash));
      if (refusal !== undefined) throw refusal;
      assert(previous === undefined || prepare.op === previous.op + 1, 'only the first of a batch overrides');
      previous = prepare;
    }
    const from = this.#log.recordsWritten;
    this.#log.append(prepares.map((prepare) => ({ kind: PREPARE_RECORD_KIND, payload: encodePrepare(prepare) })));
    assert(this.#log.recordsWritten === from + prepares.length, 'a batch is written whole or refused whole');
    this.#discardFrom(first.op);
    let record = from;
    for (const prepare of prepares) {
      this.#index.push(record++, prepare.hash);
      this.#cache.push(prepare);
    }
  }

  /** Cuts everything above op; not yet durable. */
  truncateTo(op: number): void {
    assert(op >= 0 && op <= this.op, 'a truncation does not grow the log');
    if (op === this.op) return;
    const payload = new Uint8Array(TRUNCATE_BYTES);
    writeU64(payload, 0, op);
    payload.set(this.hashAt(op), 8);
    writeU64(payload, 8 + HASH_BYTES, this.op);
    payload.set(this.headHash, 16 + HASH_BYTES);
    this.#log.append([{ kind: TRUNCATE_RECORD_KIND, payload }]);
    this.#discardFrom(op + 1);
  }

  /** Everything written is durable when this returns. */
  fsync(): void {
    this.#log.fsync();
    this.#markDurable();
  }

  close(): void {
    this.#log.close();
  }

  /** Takes one record of the disk; returns how many ops it discarded. */
  #replay(record: LogRecord & { readonly offset: number }): number {
    const opBefore = this.op;
    if (record.kind === TRUNCATE_RECORD_KIND) {
      const op = this.#truncationOf(record);
      this.#discardFrom(op + 1);
      return opBefore - op;
    }
    if (record.kind !== PREPARE_RECORD_KIND) {
      throw wrong('PREPARE_LOG_UNKNOWN_RECORD', 'a record is of no known kind', {
        offset: record.offset,
        kind: record.kind,
      });
    }
    const prepare = decodePrepare(record.payload);
    const refusal = this.refusalOf(prepare);
    if (refusal !== undefined) throw refusal;
    this.#discardFrom(prepare.op);
    this.#index.push(record.offset, prepare.hash);
    return opBefore - (prepare.op - 1);
  }

  #truncationOf({ offset, payload }: LogRecord & { readonly offset: number }): number {
    const head = { offset, op: this.op };
    if (payload.length !== TRUNCATE_BYTES) {
      throw wrong('PREPARE_LOG_UNKNOWN_RECORD', 'a truncate record has a wrong length', head);
    }
    const op = readU64(payload, 0);
    const opDiscarded = readU64(payload, 8 + HASH_BYTES);
    if (op >= this.op || opDiscarded !== this.op) {
      throw wrong('PREPARE_LOG_GAP', 'a truncate record names another head', { ...head, to: op, from: opDiscarded });
    }
    const hashesRight =
      hashesEqual(payload.subarray(8, 8 + HASH_BYTES), this.hashAt(op)) &&
      hashesEqual(payload.subarray(16 + HASH_BYTES), this.headHash);
    if (!hashesRight) throw wrong('PREPARE_LOG_BROKEN_CHAIN', 'a truncate record names other hashes', head);
    return op;
  }

  #refusalAfter(prepare: Prepare, head: number, isChained: boolean): PrepareLogError | undefined {
    const { op, cluster } = prepare;
    if (cluster !== this.#cluster) {
      return wrong('PREPARE_LOG_WRONG_CLUSTER', 'a prepare is of another cluster', { op, cluster });
    }
    if (op > head + 1) return wrong('PREPARE_LOG_GAP', 'a prepare does not follow the head', { op, head });
    if (isChained) return undefined;
    return wrong('PREPARE_LOG_BROKEN_CHAIN', 'a prepare does not follow the one before it', { op });
  }

  /** Forgets the ops from this one on. Those that a crash would still leave go to the durable suffix. */
  #discardFrom(op: number): void {
    if (op > this.op) return;
    this.#discards++;
    if (op < this.#durableFrom) {
      const suffix = [];
      for (let kept = op; kept < this.#durableFrom; kept++) {
        suffix.push({ record: this.#index.recordOf(kept), hash: this.hashAt(kept) });
      }
      this.#durableSuffix = [...suffix, ...this.#durableSuffix];
      this.#durableFrom = op;
    }
    this.#index.truncateTo(op - 1);
    this.#cache.truncateTo(op - 1);
  }

  #markDurable(): void {
    this.#durableFrom = this.op + 1;
    this.#durableSuffix = [];
  }

  #read(record: number, op: number): Prepare {
    const { kind, payload } = this.#log.read(record);
    const prepare = kind === PREPARE_RECORD_KIND ? decodePrepare(payload) : undefined;
    if (prepare?.op !== op) throw mismatch(op, record);
    return prepare;
  }
}

function mismatch(op: number, offset: number): PrepareLogError {
  return wrong('PREPARE_LOG_MISMATCH', 'a record is not the prepare that was appended there', { op, offset });
}

function wrong(code: PrepareLogErrorCode, what: string, evidence: Evidence): PrepareLogError {
  return new PrepareLogError(code, `the log of prepares: ${what}; run lockstep verify on the directory`, evidence);
}
