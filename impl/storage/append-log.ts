/**
 * AppendLog: a hash-chained log of records in one preallocated file. Mirrors specs/AppendLog.tla, one method an action.
 * append() writes a batch with one vectored write; what is written is durable only after fsync(), and only then may a caller
 * acknowledge it. Physically append-only: nothing that was written is ever changed, except the zeroing of a torn tail.
 * Synchronous: docs/storage.md says why, and what measures it.
 * Does not rotate (component Segments), repair damage (LogRepair) or lock its directory (data-directory.ts).
 */
import type { AnyMachineSnapshot } from 'xstate';
import { type AppendLogContext, type AppendLogEvent, appendLogEvents } from '../../machines/append-log.ts';
import { advance, type Effect, type RuleId, refusals, start } from '../../machines/stepper.ts';
import { GENESIS_HASH } from '../crypto/hash.ts';
import { assert } from '../ports/assert.ts';
import { type Disk, DiskError } from '../ports/disk.ts';
import { AppendLogError, asAppendLogError, damagedError } from './append-log-error.ts';
import { type AppendLogOptions, type AppendLogSettings, settingsOf } from './append-log-options.ts';
import { encodeBatch, type LogBatch, restOf } from './log-batch.ts';
import { examine, type OpenReport, reportOf } from './log-opening.ts';
import { firstUnreadable, RecordReader } from './log-read-back.ts';
import type { DecodedRecord, NewRecord } from './log-record.ts';
import { SegmentFile } from './segment-file.ts';

export type { OpenReport };
export type LogRecord = Omit<DecodedRecord, 'sizeBytes'>;
export type AppendLogStatus = 'down' | 'open' | 'full' | 'short' | 'unknown' | 'failed' | 'damaged';

export class AppendLog {
  readonly path: string;
  readonly #settings: AppendLogSettings;
  readonly #segment: SegmentFile;
  readonly #reader: RecordReader;
  #snapshot: AnyMachineSnapshot;
  #context: AppendLogContext; // of the snapshot; for a private getter V8 would call its runtime each time
  #headHash: Uint8Array = GENESIS_HASH;
  #reason: AppendLogError | undefined;
  /** What the disk still owes of a batch, and where it goes. */
  #pending: { readonly batch: LogBatch; readonly position: number; readonly rest: Uint8Array } | undefined;
  /** Time of the oldest write that waits for a sync; undefined when the caller gave none. */
  #waitingSince: number | undefined;

  private constructor(segment: SegmentFile, settings: AppendLogSettings, snapshot: AnyMachineSnapshot) {
    this.path = segment.file.path;
    this.#segment = segment;
    this.#settings = settings;
    this.#reader = new RecordReader(segment, settings.recordBytesMax);
    this.#snapshot = snapshot;
    this.#context = snapshot.context as AppendLogContext;
  }

  /** A new, empty log at path, durable on return. Throws DiskError, DISK_EXISTS among them. */
  static create(disk: Disk, path: string, options: AppendLogOptions = {}): AppendLog {
    const settings = settingsOf(options);
    SegmentFile.create(disk, path, settings.segmentBytes).file.close();
    disk.syncDirectory(path.slice(0, Math.max(1, path.lastIndexOf('/'))));
    return AppendLog.open(disk, path, options).log;
  }

  /**
   * AppendLog!Reopen, !ReopenCuttingTail, !ReopenDamaged: scans, cuts a torn tail, makes durable what is there, and reports.
   * Never throws for damage: the log is then in status damaged, takes nothing, and the report has the evidence.
   * @throws DiskError for a disk that cannot be read, written or synced: the log stays down, and open() may be tried again
   */
  static open(disk: Disk, path: string, options: AppendLogOptions = {}): { log: AppendLog; report: OpenReport } {
    const settings = settingsOf(options);
    const segment = SegmentFile.open(disk, path);
    const { facts, headHash, reason } = examine(segment, settings);
    const { segmentBytes: stepBytes, unsyncedBytesMax } = settings;
    const input = { stepBytes, unsyncedBytesMax, allocatedBytes: facts.allocatedBytes };
    const log = new AppendLog(segment, settings, start(settings.machine, input));
    const { reopen, reopenCuttingTail, reopenDamaged } = appendLogEvents;
    const event = [reopen(facts), reopenCuttingTail(facts), reopenDamaged(facts)].find(
      (candidate) => log.refusals(candidate).length === 0,
    );
    assert(event !== undefined, 'a file is whole, torn or damaged');
    log.#headHash = headHash;
    if (event.type === 'ReopenDamaged') log.#reason = damagedError(path, facts.records, facts.endBytes, reason);
    log.#take(event, facts.tornBytes);
    return { log, report: reportOf(event.type, facts, headHash, reason, settings.faults) };
  }

  get recordsWritten(): number {
    return this.#context.written;
  }

  get recordsDurable(): number {
    return this.#context.durable;
  }

  get bytesWritten(): number {
    return this.#context.endBytes;
  }

  /** Chain hash of the last record, GENESIS_HASH of an empty log. */
  get headHash(): Uint8Array {
    return this.#headHash;
  }

  get status(): AppendLogStatus {
    return String(this.#snapshot.value) as AppendLogStatus;
  }

  /** The error that led to this status; undefined while open. */
  get statusReason(): AppendLogError | undefined {
    return this.status === 'open' ? undefined : this.#reason;
  }

  get snapshot(): AnyMachineSnapshot {
    return this.#snapshot;
  }

  /** Rules that refuse this event here. */
  refusals(event: AppendLogEvent): readonly RuleId[] {
    return refusals(this.#settings.machine, this.#snapshot, event);
  }

  /**
   * Writes a batch: grows the file when it must, one vectored write, and the syncs that the policy asks for. Written is not
   * durable: see recordsDurable. On an error nothing of the batch counts as appended: in status `short` it will,
   * after finishWrite(); with every-record the records before the one that failed do.
   * @param nowMs the caller's clock, for group-commit's time bound
   * @throws AppendLogError APPEND_LOG_REFUSED, _RECORD_TOO_LARGE, _DISK_FULL, _SHORT_WRITE, _IO, _SYNC_FAILED
   */
  append(records: readonly NewRecord[], nowMs?: number): void {
    const { policy } = this.#settings;
    if (policy.kind === 'every-record') {
      for (const record of records) {
        this.#growAndWrite([record]);
        this.fsync();
      }
      return;
    }
    this.#growAndWrite(records);
    this.#waitingSince ??= nowMs;
    const waiting = this.#context.endBytes - this.#context.durableBytes;
    if (policy.kind === 'every-batch' || (policy.kind === 'group-commit' && waiting >= policy.bytes)) this.fsync();
  }

  /** Group commit's time bound: syncs when the oldest unsynced write has waited long enough. Returns whether it did. */
  fsyncIfDue(nowMs: number): boolean {
    const { policy } = this.#settings;
    if (policy.kind !== 'group-commit' || this.#waitingSince === undefined) return false;
    if (nowMs - this.#waitingSince < policy.milliseconds) return false;
    this.fsync();
    return true;
  }

  /**
   * AppendLog!Grow: one more step of zeros, durable, for a batch that has no room. Or !GrowNoSpace: status full.
   * @throws AppendLogError APPEND_LOG_REFUSED, _DISK_FULL
   */
  grow(batch: { readonly records: number; readonly bytes: number }): void {
    this.#mustBeTaken(appendLogEvents.grow(batch));
    try {
      this.#segment.file.preallocate(this.#context.allocatedBytes + this.#settings.segmentBytes);
    } catch (cause) {
      throw this.#afterFailedWrite(cause, appendLogEvents.growNoSpace(batch), undefined);
    }
    this.#take(appendLogEvents.grow(batch));
  }

  /**
   * AppendLog!AppendBatch: one vectored write of the batch into the room that there is; or !WriteNoSpace, !ShortWrite, !WriteFails,
   * as the disk answers. append() is this with growth and policy.
   */
  write(records: readonly NewRecord[]): void {
    this.#write(this.#encode(records));
  }

  /** AppendLog!FinishWrite: writes what a short write left over; the batch is then written as a whole. */
  finishWrite(): void {
    this.#mustBeTaken(appendLogEvents.finishWrite());
    const pending = this.#pending;
    assert(pending !== undefined, 'status short holds the rest of a batch');
    try {
      this.#segment.writeAll(pending.position, pending.rest);
    } catch (cause) {
      throw asAppendLogError(cause, this.path, 'APPEND_LOG_SHORT_WRITE', 'the rest of the batch is still not written');
    }
    this.#accept(pending.batch);
    this.#pending = undefined;
    this.#take(appendLogEvents.finishWrite());
  }

  /**
   * AppendLog!Fsync: what was written is durable when it returns; nothing to do when it is already. Or !FsyncFails: status
   * unknown, for the kernel may have dropped the pages and a second sync would say yes for nothing.
   */
  fsync(): void {
    const event = appendLogEvents.fsync();
    if (this.#context.written === this.#context.durable && this.#machineTakes(event)) return;
    this.#mustBeTaken(event);
    try {
      this.#sync();
    } catch (cause) {
      this.#take(appendLogEvents.fsyncFails());
      const advice = 'what is on the medium is unknown; reverify() before anything else';
      this.#reason = asAppendLogError(cause, this.path, 'APPEND_LOG_SYNC_FAILED', advice);
      throw this.#reason;
    }
    this.#synced();
  }

  /**
   * AppendLog!Reverify: after a failed sync, reads back what is not known durable, verifies it and writes it again, so that
   * the next fsync has something to make durable. Or !ReverifyDamaged, when it does not read back as it was written.
   * @throws AppendLogError the damage; APPEND_LOG_IO when the disk does not take it: the status stays unknown
   */
  reverify(): void {
    const reader = new RecordReader(this.#segment, this.#settings.recordBytesMax); // one that has nothing in memory yet
    const damage = firstUnreadable(this.path, this.recordsDurable, this.recordsWritten, this.#headHash, (offset) =>
      this.#readRecord(offset, reader),
    );
    const reverify = appendLogEvents.reverify(damage === undefined);
    const takes = damage === undefined || this.refusals(reverify).length === 0;
    const event = takes ? reverify : appendLogEvents.reverifyDamaged(false);
    this.#mustBeTaken(event);
    if (!takes) this.#reason = damage;
    try {
      this.#take(event);
    } catch (cause) {
      throw asAppendLogError(
        cause,
        this.path,
        'APPEND_LOG_IO',
        'it could not be written again: reverify() later, or restart',
      );
    }
    if (!takes) throw damage;
  }

  /** AppendLog!Resume: tries for one more step of space and writes again when it gets it. */
  resume(): void {
    this.#mustBeTaken(appendLogEvents.resume(true));
    try {
      this.#segment.file.preallocate(this.#context.allocatedBytes + this.#settings.segmentBytes);
    } catch (cause) {
      throw asAppendLogError(cause, this.path, 'APPEND_LOG_DISK_FULL', 'free some space, then resume again');
    }
    this.#take(appendLogEvents.resume(true));
  }

  /** The record with this offset, its crc checked again. */
  read(offset: number): LogRecord {
    if (!Number.isSafeInteger(offset) || offset < 0 || offset >= this.recordsWritten)
      throw new AppendLogError(
        'APPEND_LOG_NO_SUCH_RECORD',
        `${this.path}: no record ${offset}; there are ${this.recordsWritten}`,
        { file: this.path, offset, records: this.recordsWritten },
      );
    return this.#readRecord(offset);
  }

  /** Every record from offset `from` on, in order; each is valid until visit returns. */
  scan(from: number, visit: (record: LogRecord) => void): void {
    const reader = new RecordReader(this.#segment, this.#settings.recordBytesMax, true);
    for (let offset = from; offset < this.recordsWritten; offset++) visit(this.#readRecord(offset, reader));
  }

  /** A log of its own on a fork of the disk. */
  fork(disk: Disk): AppendLog {
    const twin = new AppendLog(this.#segment.fork(disk), this.#settings, this.#snapshot);
    twin.#headHash = this.#headHash;
    twin.#reason = this.#reason;
    twin.#pending = this.#pending;
    twin.#waitingSince = this.#waitingSince;
    return twin;
  }

  /** AppendLog!Exit: gives the file up. Syncs nothing: who wants that calls fsync() first. */
  close(): void {
    if (this.status === 'down') return;
    this.#segment.file.close();
    this.#take(appendLogEvents.exit());
  }

  #growAndWrite(records: readonly NewRecord[]): void {
    const batch = this.#encode(records);
    const event = appendLogEvents.appendBatch(batch);
    while (this.refusals(event).includes('AppendLog.AppendBatch.HasRoom')) this.grow(batch);
    const { policy, unsyncedBytesMax } = this.#settings;
    const waiting = this.#context.endBytes - this.#context.durableBytes;
    if (policy.kind === 'group-commit' && waiting > 0 && waiting + batch.bytes > unsyncedBytesMax) this.fsync();
    this.#write(batch, event);
  }

  #write(batch: LogBatch, event = appendLogEvents.appendBatch(batch)): void {
    this.#mustBeTaken(event);
    let taken: number;
    try {
      taken = this.#segment.file.write(this.#context.endBytes, batch.chunks);
    } catch (cause) {
      throw this.#afterFailedWrite(cause, appendLogEvents.writeNoSpace(batch), appendLogEvents.writeFails(batch));
    }
    if (taken < batch.bytes && !this.#settings.faults.has('short-write-ignored')) throw this.#shortWrite(batch, taken);
    this.#accept(batch);
    this.#take(event);
  }

  #shortWrite(batch: LogBatch, taken: number): AppendLogError {
    this.#pending = { batch, position: this.#context.endBytes + taken, rest: restOf(batch, taken) };
    this.#reason = new AppendLogError(
      'APPEND_LOG_SHORT_WRITE',
      `${this.path}: the disk took ${taken} of ${batch.bytes} bytes; finishWrite() writes the rest`,
      { file: this.path, position: this.#context.endBytes, expected: batch.bytes, actual: taken },
    );
    this.#take(appendLogEvents.shortWrite(batch));
    return this.#reason;
  }

  /** The named state for a write that the disk refused, and the error for the caller. */
  #afterFailedWrite(cause: unknown, full: AppendLogEvent, failed: AppendLogEvent | undefined): AppendLogError {
    const noSpace = cause instanceof DiskError && cause.code === 'DISK_FULL';
    const error = noSpace
      ? asAppendLogError(
          cause,
          this.path,
          'APPEND_LOG_DISK_FULL',
          'nothing of the batch was taken; free space, then resume()',
        )
      : asAppendLogError(cause, this.path, 'APPEND_LOG_IO', 'the device refuses; restart once it is well');
    const event = noSpace ? full : failed;
    if (event === undefined) return error;
    this.#reason = error;
    this.#take(event);
    return error;
  }

  #accept(batch: LogBatch): void {
    for (const position of batch.positions) this.#segment.index(position);
    this.#headHash = batch.headHash;
  }

  #sync(): void {
    const { faults } = this.#settings;
    if (faults.has('ack-before-fsync')) return;
    try {
      this.#segment.file.sync();
    } catch (cause) {
      if (!faults.has('retry-fsync')) throw cause;
      this.#segment.file.sync();
    }
  }

  #synced(): void {
    this.#take(appendLogEvents.fsync());
    this.#waitingSince = undefined;
    assert(this.recordsDurable === this.recordsWritten, 'a sync covers all that was written');
  }

  #encode(records: readonly NewRecord[]): LogBatch {
    const { path, recordsWritten, bytesWritten: endBytes, headHash } = this;
    return encodeBatch({ path, records: recordsWritten, endBytes, headHash }, records, this.#settings);
  }

  #readRecord(offset: number, reader = this.#reader): DecodedRecord {
    return reader.read(offset, { records: this.recordsWritten, endBytes: this.#context.endBytes });
  }

  #machineTakes(event: AppendLogEvent): boolean {
    return this.refusals(event).every((rule) => rule !== `AppendLog.${event.type}.status`);
  }

  #mustBeTaken(event: AppendLogEvent): void {
    const refusedBy = this.refusals(event);
    if (refusedBy.length === 0) return; // a refusal changes nothing
    throw new AppendLogError(
      this.status === 'down' ? 'APPEND_LOG_CLOSED' : 'APPEND_LOG_REFUSED',
      `${this.path}: ${event.type} is refused in status ${this.status}: ${refusedBy.join(', ')}`,
      { file: this.path, status: this.status, refusedBy: refusedBy.join(' ') },
      this.#reason,
    );
  }

  /**
   * The machine decides; its effects are performed before its new state counts, so one that throws changes no state.
   * @param tornBytes behind the end: what a cut clears
   */
  #take(event: AppendLogEvent, tornBytes = 0): void {
    const [next, effects] = advance(this.#settings.machine, this.#snapshot, event);
    assert(next !== this.#snapshot, 'an event is asked for before it is taken');
    const context = next.context as AppendLogContext;
    if (effects.length > 0) this.#perform(event, context, effects, tornBytes);
    this.#snapshot = next;
    this.#context = context;
  }

  #perform(
    event: AppendLogEvent,
    { endBytes, durableBytes, unsyncedBytesMax }: AppendLogContext,
    effects: readonly Effect[],
    tornBytes: number,
  ): void {
    const named = new Set(effects.map(({ type }) => type));
    // What a restart does not know to be durable: a sync that failed unseen may have left the last bytes in the cache only.
    const from = event.type === 'Reverify' ? durableBytes : this.#segment.startWithin(endBytes, unsyncedBytesMax);
    const { faults } = this.#settings;
    if (named.has('clearTail')) this.#segment.clear(endBytes, tornBytes);
    if (named.has('writeWindowAgain') && !faults.has('window-not-rewritten')) this.#segment.writeAgain(from, endBytes);
    if (named.has('sync')) this.#segment.file.sync();
  }
}
