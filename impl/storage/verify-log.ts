/**
 * Every fault of a log file, not the first alone: after a bad place the next whole record is looked for, and the chain is
 * held from there on. Reads only. Mirrors no spec module; log-scan.ts says where the log ends, and why (specs/AppendLog.tla).
 */
import { GENESIS_HASH } from '../crypto/hash.ts';
import type { DiskFile } from '../ports/disk.ts';
import { AppendLogError } from './append-log-error.ts';
import {
  claimedOffset,
  claimedSize,
  decodeRecord,
  isWholeRecord,
  RECORD_FRAME_BYTES,
  RECORD_HEADER_BYTES,
} from './log-record.ts';
import { type LogScan, scanLog } from './log-scan.ts';

/** Faults that are kept; more would not help anybody, and a file of noise has one at every byte. */
export const LOG_FAULTS_MAX = 100;
const CHUNK_BYTES = 1024 * 1024;

export interface LogExamination {
  readonly scan: LogScan;
  /** Records that are whole and in place, over the whole file. */
  readonly recordsGood: number;
  /** Each with evidence: file, offset of the record, position, expected, actual. Empty when nothing is damaged. */
  readonly faults: readonly AppendLogError[];
  /** Whether there are more than are kept. */
  readonly more: boolean;
}

/** @param progress called now and then with the position reached */
export function examineLog(
  file: DiskFile,
  options: { readonly payloadBytesMax: number; readonly recordsDurableMin: number },
  progress: (positionBytes: number) => void = () => {},
): LogExamination {
  const scan = scanLog(file, options, (_, position) => progress(position));
  if (scan.verdict !== 'damaged') return { scan, recordsGood: scan.records, faults: [], more: false };
  const faults: AppendLogError[] = scan.reason === undefined ? [] : [scan.reason];
  let { records: offset, endBytes: position } = scan;
  let recordsGood = scan.records;
  const writtenTo = scan.endBytes + scan.tornBytes;
  while (position < writtenTo) {
    const next = nextWholeRecord(file, position, writtenTo, offset, options.payloadBytesMax);
    if (next === undefined) break;
    if (faults.length >= LOG_FAULTS_MAX) return { scan, recordsGood, faults, more: true };
    if (next.offset > offset + 1) faults.push(recordsLost(file, offset, next.offset - 1, position, next.position));
    const walked = walk(file, next, options.payloadBytesMax, progress);
    recordsGood += walked.records;
    position = walked.position;
    offset = next.offset + walked.records;
    if (walked.fault !== undefined && position < writtenTo) faults.push(walked.fault);
  }
  return { scan, recordsGood, faults, more: false };
}

interface Place {
  readonly position: number;
  readonly offset: number;
}

/** Reads records from a whole one on, each chained to the one before, until one is bad or the zeros begin. */
function walk(
  file: DiskFile,
  from: Place,
  payloadBytesMax: number,
  progress: (positionBytes: number) => void,
): { readonly records: number; readonly position: number; readonly fault: AppendLogError | undefined } {
  let { position, offset } = from;
  let previousHash: Uint8Array = GENESIS_HASH;
  for (let first = true; position + RECORD_FRAME_BYTES <= file.sizeBytes; first = false) {
    const bytes = readBytes(file, position, Math.min(sizeAt(file, position), RECORD_FRAME_BYTES + payloadBytesMax));
    const expected = { offset, previousHash, payloadBytesMax };
    try {
      // Of the first the record before is lost: its place in the chain cannot be asked.
      const record = decodeRecord(bytes, 0, expected, { file: file.path, position }, { crc: true, chain: !first });
      previousHash = record.hash;
      position += record.sizeBytes;
      offset++;
      progress(position);
    } catch (cause) {
      if (!(cause instanceof AppendLogError)) throw cause;
      return { records: offset - from.offset, position, fault: cause };
    }
  }
  return { records: offset - from.offset, position, fault: undefined };
}

/** The next place at which fields, bounds and crc of a record hold, with this offset or a later one. */
function nextWholeRecord(
  file: DiskFile,
  from: number,
  to: number,
  offsetMin: number,
  payloadBytesMax: number,
): Place | undefined {
  const offsetMax = offsetMin + Math.ceil((to - from) / RECORD_FRAME_BYTES);
  for (let start = from; start < to; start += CHUNK_BYTES) {
    const bytes = readBytes(file, start, CHUNK_BYTES + RECORD_FRAME_BYTES + payloadBytesMax);
    const last = Math.min(CHUNK_BYTES, to - start, bytes.byteLength - RECORD_HEADER_BYTES);
    for (let at = 0; at < last; at++) {
      if (bytes[at + 7] !== 0 || bytes[at + 6] !== 0) continue; // an offset below 2^48; most bytes fail here
      const offset = claimedOffset(bytes, at);
      if (offset < offsetMin || offset > offsetMax) continue;
      if (isWholeRecord(bytes, at, payloadBytesMax)) return { position: start + at, offset };
    }
  }
  return undefined;
}

function sizeAt(file: DiskFile, position: number): number {
  return claimedSize(readBytes(file, position, RECORD_HEADER_BYTES), 0) ?? RECORD_HEADER_BYTES;
}

function readBytes(file: DiskFile, position: number, count: number): Uint8Array {
  const bytes = new Uint8Array(Math.max(0, Math.min(count, file.sizeBytes - position)));
  return bytes.subarray(0, file.read(position, bytes));
}

function recordsLost(file: DiskFile, first: number, last: number, from: number, to: number): AppendLogError {
  return new AppendLogError(
    'APPEND_LOG_RECORDS_MISSING',
    `${file.path}: records ${first} to ${last} are not readable, from byte ${from} to byte ${to}`,
    { file: file.path, offset: first, position: from, expected: last - first + 1, actual: 0 },
  );
}
