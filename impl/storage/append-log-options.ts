/**
 * What the caller of an AppendLog may choose, with the defaults and the limits. specs/AppendLog.tla: the constants.
 */
import { appendLogMachine } from '../../machines/append-log.ts';
import { AppendLogError } from './append-log-error.ts';
import { RECORD_FRAME_BYTES } from './log-record.ts';

/** Growth of the file. More: fewer pauses for zeroing, more space taken in advance. At the end of it: one more step. */
export const SEGMENT_STEP_BYTES = 16 * 1024 * 1024;
/** Payload of one record. Chosen for the largest batch of a prepare; a larger record is refused before anything is written. */
export const RECORD_BYTES_MAX = 1024 * 1024;
/**
 * Most bytes written and not synced. At it append() refuses until fsync(). It is also what open() writes again, so that a
 * sync that failed unseen before a restart loses nothing: more would make the start slower, less would cut batches short.
 * Must not be made smaller for a log that exists.
 */
export const UNSYNCED_BYTES_MAX = 16 * 1024 * 1024;

/** When append() syncs by itself. none and group-commit leave it to the caller; none acknowledges nothing (tests only). */
export type FsyncPolicy =
  | { readonly kind: 'every-record' | 'every-batch' | 'none' }
  /** append() syncs when so many bytes wait; the caller calls fsyncIfDue(now) for the time bound. */
  | { readonly kind: 'group-commit'; readonly bytes: number; readonly milliseconds: number };

export interface AppendLogOptions {
  readonly segmentBytes?: number;
  readonly recordBytesMax?: number;
  readonly unsyncedBytesMax?: number;
  readonly policy?: FsyncPolicy;
  readonly compress?: boolean;
  /** Records that the caller knows to be durable (a superblock's commit): fewer at open are damage. */
  readonly recordsDurableMin?: number;
  /** Broken rules by name, for the harness; the server never passes one. */
  readonly faults?: ReadonlySet<string>;
  readonly machine?: typeof appendLogMachine;
}

export interface AppendLogSettings {
  readonly segmentBytes: number;
  readonly recordBytesMax: number;
  readonly unsyncedBytesMax: number;
  readonly recordsDurableMin: number;
  readonly policy: FsyncPolicy;
  readonly compress: boolean;
  readonly faults: ReadonlySet<string>;
  readonly machine: typeof appendLogMachine;
}

/** @throws AppendLogError APPEND_LOG_BAD_OPTION */
export function settingsOf(options: AppendLogOptions): AppendLogSettings {
  const settings: AppendLogSettings = {
    segmentBytes: options.segmentBytes ?? SEGMENT_STEP_BYTES,
    recordBytesMax: options.recordBytesMax ?? RECORD_BYTES_MAX,
    unsyncedBytesMax: options.unsyncedBytesMax ?? UNSYNCED_BYTES_MAX,
    recordsDurableMin: options.recordsDurableMin ?? 0,
    policy: options.policy ?? {
      kind: 'group-commit',
      bytes: UNSYNCED_BYTES_MAX,
      milliseconds: Number.POSITIVE_INFINITY,
    },
    compress: options.compress ?? true,
    faults: options.faults ?? NO_FAULTS,
    machine: options.machine ?? appendLogMachine,
  };
  const { segmentBytes, recordBytesMax, unsyncedBytesMax, recordsDurableMin } = settings;
  requireWhole('segmentBytes', segmentBytes, 1);
  requireWhole('recordBytesMax', recordBytesMax, 1);
  requireWhole('unsyncedBytesMax', unsyncedBytesMax, recordBytesMax + RECORD_FRAME_BYTES);
  requireWhole('recordsDurableMin', recordsDurableMin, 0);
  return settings;
}

const NO_FAULTS: ReadonlySet<string> = new Set();

function requireWhole(option: string, actual: number, min: number): void {
  if (Number.isSafeInteger(actual) && actual >= min) return;
  throw new AppendLogError('APPEND_LOG_BAD_OPTION', `${option} is ${actual}; it is a whole number from ${min} on`, {
    option,
    actual,
    expected: min,
  });
}
