/** The last commands that rules of the kernel refused, for dx: which rule, and what decided. Mirrors no spec module. */
import type { CommandResult } from '../kernel/command-result.ts';
import { assert } from '../ports/assert.ts';
import type { KernelRefusal } from './dx-source.ts';

export class KernelRefusals {
  readonly #refusalsMax: number;
  /** Up to twice as many: cut at once now and then, not one by one. */
  readonly #refusals: KernelRefusal[] = [];

  constructor(refusalsMax: number) {
    assert(refusalsMax > 0, 'one is kept at least');
    this.#refusalsMax = refusalsMax;
  }

  /** What became of the commands of one op, in their order. */
  note(commitId: number, results: readonly CommandResult[]): void {
    for (const [command, result] of results.entries()) {
      if (result.kind !== 'Refused') continue;
      this.#refusals.push({ commitId, command, rule: result.rule, evidence: result.evidence });
    }
    const { length } = this.#refusals;
    if (length > 2 * this.#refusalsMax) this.#refusals.splice(0, length - this.#refusalsMax);
  }

  /** The newest last. */
  last(): readonly KernelRefusal[] {
    return this.#refusals.slice(-this.#refusalsMax);
  }
}
