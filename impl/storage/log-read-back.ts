/**
 * Records read back from the file by their place in the index, checked before anything of them is used. Mirrors
 * ReadsBackWhole and ReadsBackDamaged of specs/AppendLog.tla. The chain is checked where records are read in a row.
 */
import { GENESIS_HASH, hashesEqual } from '../crypto/hash.ts';
import { AppendLogError, asAppendLogError, chainBroken } from './append-log-error.ts';
import { type DecodedRecord, decodeRecord } from './log-record.ts';
import type { ReadWindow } from './read-window.ts';
import type { SegmentFile } from './segment-file.ts';

/**
 * @param window for records that are read in a row
 * @throws AppendLogError, DiskError
 */
export function readRecord(
  segment: SegmentFile,
  offset: number,
  log: { readonly records: number; readonly endBytes: number },
  payloadBytesMax: number,
  window?: ReadWindow,
): DecodedRecord {
  const position = segment.positionOf(offset);
  const end = offset + 1 < log.records ? segment.positionOf(offset + 1) : log.endBytes;
  const at = window?.load(position, end - position) ?? 0;
  const bytes = window?.bytes ?? segment.read(position, end - position);
  const expected = { offset, previousHash: GENESIS_HASH, payloadBytesMax };
  return decodeRecord(bytes, at, expected, { file: segment.file.path, position }, { crc: true, chain: false });
}

/**
 * Why the records from..to-1 do not read back as they were written; undefined when they do.
 * @param headHash chain hash of record to-1
 * @throws AppendLogError APPEND_LOG_IO when the disk does not answer: then nothing is known
 */
export function firstUnreadable(
  file: string,
  from: number,
  to: number,
  headHash: Uint8Array,
  read: (offset: number) => DecodedRecord,
): AppendLogError | undefined {
  try {
    let hash: Uint8Array | undefined;
    for (let offset = from; offset < to; offset++) {
      const record = read(offset);
      if (hash !== undefined && !hashesEqual(hash, record.previousHash)) return chainBroken(file, offset);
      hash = record.hash;
    }
    return hash === undefined || hashesEqual(hash, headHash) ? undefined : chainBroken(file, to);
  } catch (cause) {
    if (cause instanceof AppendLogError) return cause;
    throw asAppendLogError(cause, file, 'APPEND_LOG_IO', 'what was written cannot be read back now');
  }
}
