/**
 * Records read back from the file by their place in the index, checked before anything of them is used. Mirrors
 * ReadsBackWhole and ReadsBackDamaged of specs/AppendLog.tla. The chain is checked where records are read in a row.
 */
import { GENESIS_HASH, hashesEqual } from '../crypto/hash.ts';
import { AppendLogError, asAppendLogError, chainBroken } from './append-log-error.ts';
import {
  claimedOffset,
  claimedSize,
  type DecodedRecord,
  decodeRecord,
  RECORD_FRAME_BYTES,
  RECORD_HEADER_BYTES,
} from './log-record.ts';
import { ReadWindow } from './read-window.ts';
import { MARK_BYTES, type RecordPlace } from './record-index.ts';
import type { SegmentFile } from './segment-file.ts';

const CHECKS = { crc: true, chain: false };

/**
 * Reads records one by one: one whose place is known with one read of the file; an older one from the mark before it, or
 * from the record that was read last, over the headers between.
 */
export class RecordReader {
  readonly #segment: SegmentFile;
  readonly #payloadBytesMax: number;
  /** For records in a row, also those whose place is known. */
  readonly #window: ReadWindow | undefined;
  #oldWindow: ReadWindow | undefined;
  /** What comes after the old record that was read last. */
  #next: RecordPlace = { record: 0, position: 0 };

  /** @param inARow for reading forward only, each record until the next one is read */
  constructor(segment: SegmentFile, payloadBytesMax: number, inARow = false) {
    this.#segment = segment;
    this.#payloadBytesMax = payloadBytesMax;
    this.#window = inARow ? new ReadWindow(segment.file, { reuses: true }) : undefined;
    this.#oldWindow = this.#window;
  }

  /**
   * @param log the end of what was written; the record is before it
   * @throws AppendLogError, DiskError
   */
  read(offset: number, log: { readonly records: number; readonly endBytes: number }): DecodedRecord {
    const position = this.#segment.positionOf(offset);
    if (position === undefined) return this.#readOld(offset);
    const end = offset + 1 < log.records ? (this.#segment.positionOf(offset + 1) as number) : log.endBytes;
    const at = this.#window?.load(position, end - position) ?? 0;
    const bytes = this.#window?.bytes ?? this.#segment.read(position, end - position);
    return this.#decoded(bytes, at, { record: offset, position });
  }

  #readOld(offset: number): DecodedRecord {
    let place = this.#next;
    if (place.record !== offset) {
      const mark = this.#segment.markBefore(offset);
      if (place.record > offset || place.record < mark.record) place = mark;
    }
    while (place.record < offset) place = this.#after(place);
    const next = this.#after(place);
    const window = this.#windowOfOld();
    const at = window.load(place.position, next.position - place.position);
    const found = this.#decoded(window.bytes, at, place);
    this.#next = next;
    return found;
  }

  /** By the header alone: what else the record says is not asked. */
  #after(place: RecordPlace): RecordPlace {
    const window = this.#windowOfOld();
    const at = window.load(place.position, RECORD_HEADER_BYTES);
    const { bytes } = window;
    const size = claimedSize(bytes, at);
    const isIt = size !== undefined && claimedOffset(bytes, at) === place.record && size <= this.#recordBytesMax;
    // What is wrong with a header that is none, decoding says.
    const sizeBytes = isIt ? size : this.#decoded(bytes, at, place).sizeBytes;
    return { record: place.record + 1, position: place.position + sizeBytes };
  }

  #windowOfOld(): ReadWindow {
    this.#oldWindow ??= new ReadWindow(this.#segment.file, { chunkBytes: MARK_BYTES });
    return this.#oldWindow;
  }

  get #recordBytesMax(): number {
    return RECORD_FRAME_BYTES + this.#payloadBytesMax;
  }

  #decoded(bytes: Uint8Array, at: number, { record: offset, position }: RecordPlace): DecodedRecord {
    const expected = { offset, previousHash: GENESIS_HASH, payloadBytesMax: this.#payloadBytesMax };
    return decodeRecord(bytes, at, expected, { file: this.#segment.file.path, position }, CHECKS);
  }
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
