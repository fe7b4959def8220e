/** A log of the anarchic cluster: what PrepareLog keeps, as two arrays. A part of anarchic-cluster.ts. */
import { GENESIS_HASH, hashesEqual } from '../../../impl/crypto/hash.ts';
import type { Prepare } from '../../../impl/vsr/prepare.ts';

export class AnarchicLog {
  readonly entries: Prepare[];
  durable: Prepare[];
  opShared: number;
  discards = 0;

  constructor(entries: readonly Prepare[]) {
    this.entries = [...entries];
    this.durable = [...entries];
    this.opShared = entries.length;
  }

  get op(): number {
    return this.entries.length;
  }

  get opDurable(): number {
    return this.durable.length;
  }

  get headHash(): Uint8Array {
    return this.entries.at(-1)?.hash ?? GENESIS_HASH;
  }

  prepareAt = (op: number): Prepare | undefined => this.entries[op - 1];
  durablePrepareAt = (op: number): Prepare | undefined => this.durable[op - 1];
  holds = (op: number, hash: Uint8Array): boolean => hashesEqual((this.entries[op - 1] as Prepare).hash, hash);
  holdsDurably = (op: number, hash: Uint8Array): boolean => hashesEqual((this.durable[op - 1] as Prepare).hash, hash);

  cutTo(op: number): void {
    if (op >= this.op) return;
    this.discards++;
    this.entries.length = op;
    this.opShared = Math.min(this.opShared, op);
  }

  sync(): void {
    this.durable = [...this.entries];
    this.opShared = this.op;
  }
}
