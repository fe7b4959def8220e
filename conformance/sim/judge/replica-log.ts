/**
 * One replica's log as a simulated run tells it, op by op: hashes of what it holds, of what a crash would surely leave, and of
 * what the disk may have written back on its own since the last fsync. A record has only the log's ends; the rest follows.
 * Mirrors log and logDurable of specs/Vsr.tla.
 */
import type { RecordedState } from '../../../impl/server/recorder.ts';
import { NO_ENTRY_HASH } from '../../../machines/vsr-context.ts';

const FSYNCS: ReadonlySet<string> = new Set(['BackupFsync', 'PrimaryFsync', 'ViewChangeFsync']);
const APPENDS: ReadonlySet<string> = new Set(['ClientRequest', 'ReceivePrepare', 'ReceiveMissingEntry']);

export class ReplicaLog {
  /** Op 1 first. */
  #hashes: string[] = [];
  /** Up to this op the log is what a crash leaves; above it stands in #durableSuffix what a crash would leave instead. */
  #shared = 0;
  #durableSuffix: readonly string[] = [];

  /** Undefined above the head. */
  hashAt(op: number): string | undefined {
    return op === 0 ? NO_ENTRY_HASH : this.#hashes[op - 1];
  }

  get hashes(): readonly string[] {
    return this.#hashes;
  }

  get durable(): readonly string[] {
    return [...this.#hashes.slice(0, this.#shared), ...this.#durableSuffix];
  }

  /**
   * Whether a disk that wrote back on its own, in the order of the writes, could hold the log up to this op: each write since the
   * last fsync appended one entry to what stays of the log.
   */
  mayHoldUpTo(op: number, hash: string): boolean {
    return op >= this.#shared && op <= this.#hashes.length && this.hashAt(op) === hash;
  }

  /** What is in the log after a taken event: what a record says of its ends is believed here, and judged by TLC. */
  take(action: string, { op, headHash, opDurable }: Pick<RecordedState, 'op' | 'headHash' | 'opDurable'>): void {
    if (FSYNCS.has(action)) {
      if (opDurable === op) this.#sync(); // else it was none, and the record says so
    } else if (APPENDS.has(action)) {
      this.#cutTo(Math.max(0, op - 1));
      this.#hashes.push(headHash);
    } else if (op < this.#hashes.length) this.#cutTo(op);
  }

  /** The disk has written the log back up to this op. */
  writeBack(op: number): void {
    this.#shared = op;
    this.#durableSuffix = [];
  }

  /** Everything that no fsync covered is gone. */
  crash(): void {
    this.#hashes.length = Math.min(this.#hashes.length, this.#shared);
    this.#hashes.push(...this.#durableSuffix);
    this.#sync();
  }

  #sync(): void {
    this.#shared = this.#hashes.length;
    this.#durableSuffix = [];
  }

  #cutTo(op: number): void {
    if (op < this.#shared) {
      this.#durableSuffix = [...this.#hashes.slice(op, this.#shared), ...this.#durableSuffix];
      this.#shared = op;
    }
    this.#hashes.length = op;
  }
}
