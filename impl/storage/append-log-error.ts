/** What can go wrong with an AppendLog, each with a stable code and its evidence as data. Mirrors no spec module. */
import { AssertionError } from '../ports/assert.ts';
import { LockstepError } from '../ports/lockstep-error.ts';

export type AppendLogErrorCode =
  | 'APPEND_LOG_REFUSED' // a rule of specs/AppendLog.tla refuses the event; evidence.refusedBy names it
  | 'APPEND_LOG_RECORD_TOO_LARGE'
  | 'APPEND_LOG_BAD_OPTION'
  | 'APPEND_LOG_DISK_FULL' // status full: nothing of the batch was taken; resume() once there is space
  | 'APPEND_LOG_SHORT_WRITE' // status short: the disk took a part; finishWrite() writes the rest
  | 'APPEND_LOG_IO' // status failed: the device refused; only a restart helps
  | 'APPEND_LOG_SYNC_FAILED' // status unknown: reverify(), never a second fsync
  | 'APPEND_LOG_HEADER_INVALID' // offset, kind, compression or length of a record is impossible
  | 'APPEND_LOG_CRC_MISMATCH'
  | 'APPEND_LOG_CHAIN_BROKEN' // the record is whole, and its previous hash is not the hash of the one before
  | 'APPEND_LOG_DAMAGED' // damage before the tail: nothing was cut, nothing is taken
  | 'APPEND_LOG_RECORDS_MISSING' // fewer records than the caller knows to be durable
  | 'APPEND_LOG_NO_SUCH_RECORD'
  | 'APPEND_LOG_CLOSED';

/** evidence: file, offset of the record, position in the file, expected and actual, as far as they apply. */
export class AppendLogError extends LockstepError<AppendLogErrorCode> {}

/**
 * An error of the disk as one of the log, with what to do about it. What is none of the world's errors (a bug of ours, the
 * stop of a simulated process) is nobody's to translate: it goes on as it is.
 */
export function asAppendLogError(
  cause: unknown,
  file: string,
  code: AppendLogErrorCode,
  advice: string,
): AppendLogError {
  if (!(cause instanceof LockstepError) || cause instanceof AssertionError) throw cause;
  return new AppendLogError(code, `${cause.message}; ${advice}`, { file, disk: String(cause.code) }, cause);
}

export function damagedError(file: string, records: number, position: number, reason: unknown): AppendLogError {
  return new AppendLogError(
    'APPEND_LOG_DAMAGED',
    `${file}: damaged after ${records} good records, at byte ${position}; nothing was cut; do not write to it, restore it`,
    { file, offset: records, position },
    reason,
  );
}

export function chainBroken(file: string, offset: number): AppendLogError {
  return new AppendLogError(
    'APPEND_LOG_CHAIN_BROKEN',
    `${file}: what stands before record ${offset} is not what was written there`,
    { file, offset },
  );
}
