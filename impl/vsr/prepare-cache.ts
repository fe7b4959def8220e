/**
 * The newest prepares of a log, decoded, and the one that was read last: what acknowledgements, backups that lag a little and
 * readers at the head ask for without a read of the disk. A part of prepare-log.ts; mirrors no spec module. Pure memory.
 */
import { assert } from '../ports/assert.ts';
import { encodedPrepareBytes, type Prepare } from './prepare.ts';

/** Newest prepares kept; more serves slower backups and readers without a read of the disk. */
const CACHE_OPS_MAX = 1024;
const CACHE_BYTES_MAX = 16 * 1024 * 1024;

export class PrepareCache {
  /** Prepares of the ops from #from on, in order; those before #begin are given up. */
  #prepares: Prepare[] = [];
  #begin = 0;
  #from = 1;
  #bytes = 0;
  #lastRead: Prepare | undefined = undefined;

  fork(): PrepareCache {
    const twin = new PrepareCache();
    twin.#prepares = this.#prepares.slice(this.#begin);
    twin.#from = this.#from + this.#begin;
    twin.#bytes = this.#bytes;
    twin.#lastRead = this.#lastRead;
    return twin;
  }

  at(op: number): Prepare | undefined {
    const index = op - this.#from;
    if (index >= this.#begin && index < this.#prepares.length) return this.#prepares[index];
    return this.#lastRead?.op === op ? this.#lastRead : undefined;
  }

  /** The new head of the log: what lies at its op and above is gone. */
  push(prepare: Prepare): void {
    this.truncateTo(prepare.op - 1);
    if (prepare.op !== this.#from + this.#prepares.length) this.#clear();
    this.#append(prepare);
  }

  /** What was read: kept among the newest when it goes on where they end, as while a log is replayed; else until the next. */
  remember(prepare: Prepare): void {
    this.#lastRead = prepare;
    if (this.#isEmpty() || prepare.op === this.#from + this.#prepares.length) this.#append(prepare);
  }

  /** Forgets everything above op. */
  truncateTo(op: number): void {
    if (this.#lastRead !== undefined && this.#lastRead.op > op) this.#lastRead = undefined;
    while (this.#prepares.length > this.#begin && this.#from + this.#prepares.length - 1 > op) {
      this.#bytes -= encodedPrepareBytes(this.#prepares.pop() as Prepare);
    }
  }

  #isEmpty(): boolean {
    return this.#prepares.length === this.#begin;
  }

  #append(prepare: Prepare): void {
    if (this.#isEmpty()) {
      this.#clear();
      this.#from = prepare.op;
    }
    this.#prepares.push(prepare);
    this.#bytes += encodedPrepareBytes(prepare);
    while (this.#prepares.length - this.#begin > CACHE_OPS_MAX || this.#bytes > CACHE_BYTES_MAX) this.#giveUpOldest();
    if (this.#begin < CACHE_OPS_MAX) return;
    this.#prepares = this.#prepares.slice(this.#begin);
    this.#from += this.#begin;
    this.#begin = 0;
  }

  #giveUpOldest(): void {
    const oldest = this.#prepares[this.#begin] as Prepare;
    this.#bytes -= encodedPrepareBytes(oldest);
    this.#begin++;
    assert(this.#bytes >= 0, 'bytes are counted as they come and go');
  }

  #clear(): void {
    this.#prepares = [];
    this.#begin = 0;
    this.#bytes = 0;
  }
}
