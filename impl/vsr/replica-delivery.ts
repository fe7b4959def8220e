/**
 * Each committed prepare once, in order of op, to whoever applies them. Mirrors no spec module of its own: which ops are
 * committed is the machine's to say (`commit` of specs/Vsr.tla).
 */
import { assert } from '../ports/assert.ts';
import type { Prepare } from './prepare.ts';
import type { ReplicaLog } from './replica-effects.ts';

export class Delivery {
  readonly #log: ReplicaLog;
  #onCommitted: (prepare: Prepare) => void = () => {};
  /** Highest op given to onCommitted. */
  #delivered = 0;

  constructor(log: ReplicaLog) {
    this.#log = log;
  }

  get onCommitted(): (prepare: Prepare) => void {
    return this.#onCommitted;
  }

  /** @param delivered the op after which it begins */
  to(onCommitted: (prepare: Prepare) => void, delivered: number): void {
    this.#onCommitted = onCommitted;
    this.#delivered = delivered;
  }

  get delivered(): number {
    return this.#delivered;
  }

  upTo(commit: number): void {
    while (this.#delivered < commit) {
      const prepare = this.#log.prepareAt(this.#delivered + 1);
      assert(prepare !== undefined, 'a committed op is in the log');
      this.#delivered++;
      this.#onCommitted(prepare);
    }
  }
}
