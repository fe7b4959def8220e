/**
 * One state of the walk: a real AppendLog on a disk that the world plays, and what the world keeps count of. Every event is
 * delivered to the code, the ones that it must refuse too; which action happened is read off what the code did.
 */
import { GENESIS_HASH } from '../../impl/crypto/hash.ts';
import { AppendLog } from '../../impl/storage/append-log.ts';
import { AppendLogError } from '../../impl/storage/append-log-error.ts';
import { type AppendLogContext, type AppendLogEvent, appendLogMachine } from '../../machines/append-log.ts';
import type { AppendLogView, CellView } from '../../machines/append-log-invariants.ts';
import { start } from '../../machines/stepper.ts';
import { CELL_BYTES, foreignRecord, payloadOf, ROT_AT, ROTTEN_BYTE, TEAR_BYTES } from './append-log-cells.ts';
import { LOG_PATH, type LogDisk } from './append-log-disk.ts';
import { type AppendLogModelEvent, alphabetOf } from './append-log-events.ts';
import { optionsOf, PLAIN, type World } from './append-log-setting.ts';

/** A crash may keep any number of bytes; these are enough to leave every number of cells, whole and torn. */
const KEEP_STEP_BYTES = 16;

/** One state. What is not the log's is what the world counts. */
export class LogWorld {
  readonly world: World;
  readonly disk: LogDisk;
  /** undefined while no process runs. */
  log: AppendLog | undefined;
  spaceLeft = true;
  appended = 0;
  acknowledged: readonly number[] = [];
  cuts = 0;
  reported = 0;
  damage = 0;
  damageAtOpen = 0;
  #view: AppendLogView | undefined;

  constructor(world: World, disk: LogDisk, log: AppendLog | undefined) {
    this.world = world;
    this.disk = disk;
    this.log = log;
  }

  static create(world: World): LogWorld {
    const disk = world.setting.disk();
    const log = AppendLog.create(disk.disk, LOG_PATH, optionsOf(world));
    return new LogWorld(world, disk, log);
  }

  fork(): LogWorld {
    const disk = this.disk.fork();
    const twin = new LogWorld(this.world, disk, this.log?.fork(disk.disk));
    twin.spaceLeft = this.spaceLeft;
    twin.appended = this.appended;
    twin.acknowledged = this.acknowledged;
    twin.cuts = this.cuts;
    twin.reported = this.reported;
    twin.damage = this.damage;
    twin.damageAtOpen = this.damageAtOpen;
    return twin;
  }

  dispose(): void {
    this.log?.close();
    this.disk.dispose();
  }

  /** What is observed, once no step changes it any more. */
  get view(): AppendLogView {
    this.#view ??= this.observe();
    return this.#view;
  }

  observe(): AppendLogView {
    const { log } = this;
    const { file, medium, allocated } = this.cells();
    return {
      status: log?.status ?? 'down',
      written: log?.recordsWritten ?? 0,
      durable: log?.recordsDurable ?? 0,
      head:
        log === undefined
          ? 0
          : this.world.reader.valueOf(log.status === 'damaged' ? this.headWhenDamaged(log) : log.headHash),
      owed: (log?.snapshot.context as AppendLogContext | undefined)?.owed ?? 0,
      allocated,
      file,
      medium,
      forgotten: this.isForgotten(file),
      spaceLeft: this.spaceLeft,
      appended: this.appended,
      acknowledged: this.acknowledged,
      cuts: this.cuts,
      reported: this.reported,
      damage: this.damage,
      damageAtOpen: this.damageAtOpen,
      unsyncedMax: this.world.bounds.unsyncedMax,
    };
  }

  /** A log that was opened damaged knows no record; one that was found damaged later still knows its head. */
  private headWhenDamaged(log: AppendLog): Uint8Array {
    return log.recordsWritten === 0 ? GENESIS_HASH : log.headHash;
  }

  /** Cells as a read sees them and as a power loss leaves them, each up to its last byte that is not zero. */
  cells(disk = this.disk): {
    readonly file: readonly CellView[];
    readonly medium: readonly CellView[];
    readonly allocated: number;
  } {
    const handle = disk.disk.open(LOG_PATH, 'existing');
    const read = new Uint8Array(handle.sizeBytes);
    handle.read(0, read);
    handle.close();
    const left = new Uint8Array(read.byteLength);
    disk.readMedium(0, left);
    const { reader } = this.world;
    return { file: reader.cellsOf(read), medium: reader.cellsOf(left), allocated: read.byteLength / CELL_BYTES };
  }

  /** Whether a sync now would leave something of the file off the medium: tried, by syncing. */
  private isForgotten(file: readonly CellView[]): boolean {
    if (this.disk.unsyncedBytes() === 0) return false;
    const trial = this.disk.trial();
    trial.disarm();
    trial.disk.open(LOG_PATH, 'existing').sync();
    return !sameCells(this.cells(trial).medium, file);
  }

  /** Puts this state through the event; returns the name of the action that happened, undefined when none did. */
  deliver(event: AppendLogModelEvent): string | undefined {
    const { log, disk } = this;
    switch (event.type) {
      case 'Crash':
      case 'CrashTearing':
        return this.crash(event.keepBytes);
      case 'Rot':
        return this.damageCell(event.cell, ROT_AT, ROTTEN_BYTE, 'Rot');
      case 'Intrude':
        return this.damageCell(event.cell, 0, foreignRecord(event.cell), 'Intrude');
      case 'Evict':
        return this.evict();
      case 'SpaceRunsOut':
        return this.setSpace(false, 'SpaceRunsOut');
      case 'SpaceReturns':
        return this.setSpace(true, 'SpaceReturns');
      case 'Reopen':
      case 'ReopenCuttingTail':
      case 'ReopenDamaged':
        return log === undefined ? this.reopen() : undefined;
      default:
        break;
    }
    if (log === undefined) return undefined;
    switch (event.type) {
      case 'Exit':
        log.close();
        disk.exitProcess();
        this.log = undefined;
        return 'Exit';
      case 'Grow':
      case 'GrowNoSpace': {
        const batch = { records: event.records, bytes: event.records * CELL_BYTES };
        return attempt(() => log.grow(batch), 'Grow', { APPEND_LOG_DISK_FULL: 'GrowNoSpace' });
      }
      case 'ShortWrite':
        disk.inject({ operation: 'write', kind: 'short', bytes: event.taken * CELL_BYTES + TEAR_BYTES });
        return this.write(log, event.records);
      case 'WriteNoSpace':
        if (!this.spaceLeft) disk.inject({ operation: 'write', kind: 'full' });
        return this.write(log, event.records);
      case 'WriteFails':
        disk.inject({ operation: 'write', kind: 'io' });
        return this.write(log, event.records);
      case 'AppendBatch':
        return this.write(log, event.records);
      case 'FinishWrite':
        return attempt(() => log.finishWrite(), 'FinishWrite', {});
      case 'FsyncFails':
        disk.inject({ operation: 'sync', kind: 'failed' });
        return this.fsync(log);
      case 'Fsync':
        return this.fsync(log);
      case 'Reverify':
      case 'ReverifyDamaged':
        return attempt(() => log.reverify(), 'Reverify', {
          APPEND_LOG_HEADER_INVALID: 'ReverifyDamaged',
          APPEND_LOG_CRC_MISMATCH: 'ReverifyDamaged',
          APPEND_LOG_CHAIN_BROKEN: 'ReverifyDamaged',
        });
      case 'Resume':
        return attempt(() => log.resume(), 'Resume', { APPEND_LOG_DISK_FULL: undefined });
    }
  }

  private write(log: AppendLog, records: number): string | undefined {
    const first = this.appended + 1;
    const batch = Array.from({ length: records }, (_, index) => ({ kind: 1, payload: payloadOf(first + index) }));
    const happened = attempt(() => log.write(batch), 'AppendBatch', {
      APPEND_LOG_DISK_FULL: 'WriteNoSpace',
      APPEND_LOG_IO: 'WriteFails',
      APPEND_LOG_SHORT_WRITE: 'ShortWrite',
    });
    if (happened === 'AppendBatch' || happened === 'ShortWrite') this.appended += records;
    return happened;
  }

  private fsync(log: AppendLog): string | undefined {
    const before = log.recordsDurable;
    const happened = attempt(() => log.fsync(), 'Fsync', { APPEND_LOG_SYNC_FAILED: 'FsyncFails' });
    if (happened === 'Fsync') this.acknowledge(log);
    return happened === 'Fsync' && log.recordsDurable === before ? undefined : happened;
  }

  private reopen(): string {
    const before = this.cells().file;
    const { log, report } = AppendLog.open(this.disk.disk, LOG_PATH, optionsOf(this.world));
    this.log = log;
    const after = this.cells().file;
    if (after.length < before.length) this.cuts++;
    if (report.tornBytes > 0) this.reported++;
    if (log.status !== 'damaged') {
      this.acknowledge(log);
      this.damageAtOpen = this.damage;
    }
    return report.action;
  }

  /** What the log calls durable is what a caller may acknowledge. */
  private acknowledge(log: AppendLog): void {
    const values = this.cells().file.slice(this.acknowledged.length, log.recordsDurable);
    this.acknowledged = [...this.acknowledged, ...values.map(({ value }) => value)];
  }

  private crash(keepBytes: number): string | undefined {
    const loss = this.powerLoss(keepBytes);
    if (loss === undefined) return undefined;
    this.log?.close();
    this.log = undefined;
    this.disk.crash(keepBytes);
    return loss.type;
  }

  /** What a power loss would leave, and its name by that; undefined when it would change nothing. */
  private powerLoss(keepBytes: number): { type: 'Crash' | 'CrashTearing'; left: readonly CellView[] } | undefined {
    const { file, medium } = this.cells();
    if (this.log === undefined && sameCells(file, medium)) return undefined;
    const trial = this.disk.trial();
    trial.crash(keepBytes);
    const left = this.cells(trial).file;
    const tears = left.some((cell, index) => cell.state === 'torn' && file[index]?.state === 'whole');
    return { type: tears ? 'CrashTearing' : 'Crash', left };
  }

  private damageCell(cell: number, at: number, bytes: Uint8Array, name: string): string | undefined {
    if (this.cells().medium[cell]?.state !== 'whole') return undefined;
    this.disk.damage(cell * CELL_BYTES + at, bytes);
    this.damage++;
    return name;
  }

  /** The cache drops what it has forgotten; the process goes on with the same file. */
  private evict(): string | undefined {
    if (!this.isForgotten(this.cells().file)) return undefined;
    this.disk.crash(0);
    const { log } = this;
    this.log = log?.fork(this.disk.disk);
    log?.close();
    return 'Evict';
  }

  private setSpace(spaceLeft: boolean, name: string): string | undefined {
    if (this.spaceLeft === spaceLeft) return undefined;
    this.spaceLeft = spaceLeft;
    this.disk.setSpaceLeft(spaceLeft);
    return name;
  }

  alphabet(): readonly AppendLogModelEvent[] {
    return alphabetOf(this.view, this.world.bounds, this.crashes());
  }

  /** A crash for every prefix of what was not synced, one for each different outcome, by the name that the outcome has. */
  private crashes(): readonly AppendLogModelEvent[] {
    const pending = this.disk.unsyncedBytes();
    const outcomes = new Map<string, AppendLogModelEvent>();
    for (let keepBytes = 0; keepBytes <= pending; keepBytes += KEEP_STEP_BYTES) {
      const loss = this.powerLoss(keepBytes);
      if (loss === undefined) break;
      const outcome = JSON.stringify(loss);
      if (!outcomes.has(outcome)) outcomes.set(outcome, { type: loss.type, keepBytes });
    }
    return [...outcomes.values()];
  }

  /** The event as the machine takes it, with the facts of this world; undefined for what is no event of the machine. */
  machineEvent(event: AppendLogModelEvent): AppendLogEvent | undefined {
    const spaceLeft = this.spaceLeft;
    switch (event.type) {
      case 'Reopen':
      case 'ReopenCuttingTail':
      case 'ReopenDamaged':
        return { type: event.type, scan: this.scanFacts() };
      case 'Grow':
      case 'GrowNoSpace':
      case 'AppendBatch':
      case 'WriteNoSpace':
      case 'ShortWrite':
      case 'WriteFails':
        return { type: event.type, records: event.records, bytes: event.records * CELL_BYTES, spaceLeft };
      case 'Reverify':
      case 'ReverifyDamaged':
        return { type: event.type, readsBack: this.readsBack() };
      case 'Resume':
        return { type: event.type, spaceLeft };
      case 'FinishWrite':
      case 'Fsync':
      case 'FsyncFails':
      case 'Exit':
        return { type: event.type };
      default:
        return undefined;
    }
  }

  /** What opening a fork of the disk finds out. */
  private scanFacts(): Extract<AppendLogEvent, { scan: unknown }>['scan'] {
    const trial = this.disk.fork();
    const { log, report } = AppendLog.open(trial.disk, LOG_PATH, optionsOf({ ...this.world, setting: PLAIN }));
    log.close();
    trial.dispose();
    const { verdict, records, endBytes } = report;
    return { verdict, records, endBytes, allocatedBytes: this.view.allocated * CELL_BYTES };
  }

  private readsBack(): boolean {
    if (this.log?.status !== 'unknown') return true;
    const trial = this.fork();
    const happened = trial.deliver({ type: 'Reverify' });
    trial.dispose();
    return happened === 'Reverify';
  }

  get snapshot(): ReturnType<typeof start> {
    const input = { stepBytes: 1, unsyncedBytesMax: 1, allocatedBytes: 0 };
    return this.log?.snapshot ?? start(this.world.setting.machine ?? appendLogMachine, input);
  }
}

function sameCells(a: readonly CellView[], b: readonly CellView[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Runs a method of the log: the name for success, the one for each error that is an action, undefined when it refuses. */
function attempt(
  act: () => void,
  success: string,
  failures: Readonly<Record<string, string | undefined>>,
): string | undefined {
  try {
    act();
    return success;
  } catch (error) {
    if (!(error instanceof AppendLogError)) throw error;
    if (error.code === 'APPEND_LOG_REFUSED' || error.code === 'APPEND_LOG_CLOSED') return undefined;
    if (!(error.code in failures)) throw error;
    return failures[error.code];
  }
}
