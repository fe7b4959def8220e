/**
 * A batch of records as bytes: encoded, chained and placed, so that one vectored write puts it into the file. Pure.
 * Mirrors the argument of specs/AppendLog.tla, Append: the records behind the last one written.
 */
import { assert } from '../ports/assert.ts';
import { AppendLogError } from './append-log-error.ts';
import { encodeRecord, type NewRecord } from './log-record.ts';

export interface LogBatch {
  readonly records: number;
  readonly bytes: number;
  /** One a record, in order. */
  readonly chunks: readonly Uint8Array[];
  /** Where each record begins in the file. */
  readonly positions: readonly number[];
  /** Chain hash of the last record. */
  readonly headHash: Uint8Array;
}

/** The end of the log that the batch continues. */
export interface LogEnd {
  readonly path: string;
  readonly records: number;
  readonly endBytes: number;
  readonly headHash: Uint8Array;
}

/** @throws AppendLogError APPEND_LOG_RECORD_TOO_LARGE */
export function encodeBatch(
  end: LogEnd,
  records: readonly NewRecord[],
  { recordBytesMax, compress }: { readonly recordBytesMax: number; readonly compress: boolean },
): LogBatch {
  assert(records.length > 0, 'a batch has records');
  const chunks: Uint8Array[] = [];
  const positions: number[] = [];
  let { headHash } = end;
  let bytes = 0;
  for (const record of records) {
    const actual = record.payload.length;
    if (actual > recordBytesMax)
      throw new AppendLogError(
        'APPEND_LOG_RECORD_TOO_LARGE',
        `${end.path}: a payload of ${actual} bytes; at most ${recordBytesMax} fit in a record`,
        { file: end.path, expected: recordBytesMax, actual },
      );
    const encoded = encodeRecord(end.records + chunks.length, headHash, record, compress);
    positions.push(end.endBytes + bytes);
    chunks.push(encoded.bytes);
    bytes += encoded.bytes.length;
    headHash = encoded.hash;
  }
  return { records: records.length, bytes, chunks, positions, headHash };
}

/** The bytes of the batch behind the first `taken`. */
export function restOf({ chunks, bytes }: LogBatch, taken: number): Uint8Array {
  assert(taken >= 0 && taken <= bytes, 'a disk takes no more than it is given');
  const all = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all.subarray(taken);
}
