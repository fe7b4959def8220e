/** A dumb AppendLog in memory, with a crash that keeps any number of the records that were not yet synced. */
import type { RecordLog } from '../../../impl/vsr/prepare-log.ts';

type LogRecord = Parameters<RecordLog['append']>[0][number];

export class RecordLogDouble implements RecordLog {
  readonly records: LogRecord[];
  recordsDurable: number;

  constructor(records: readonly LogRecord[] = [], recordsDurable = records.length) {
    this.records = [...records];
    this.recordsDurable = recordsDurable;
  }

  get recordsWritten(): number {
    return this.records.length;
  }

  /** What is there after a power loss that left `kept` of the unsynced records. */
  crashed(kept: number): RecordLogDouble {
    return new RecordLogDouble(this.records.slice(0, this.recordsDurable + kept));
  }

  append(records: readonly LogRecord[]): void {
    this.records.push(...records);
  }

  fsync(): void {
    this.recordsDurable = this.records.length;
  }

  read(offset: number): LogRecord {
    const record = this.records[offset];
    if (record === undefined) throw new Error(`no record ${offset}`);
    return record;
  }

  scan(from: number, visit: (record: LogRecord & { readonly offset: number }) => void): void {
    for (const [offset, record] of this.records.entries()) if (offset >= from) visit({ ...record, offset });
  }

  fork(): RecordLogDouble {
    return new RecordLogDouble(this.records, this.recordsDurable);
  }

  close(): void {}
}
