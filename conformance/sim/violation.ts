/** How an oracle ends a simulated run. Mirrors no spec module. */
import type { SimFailure } from './run-result.ts';

export class Violation extends Error {
  readonly failure: Omit<SimFailure, 'step' | 'atUs'>;

  constructor(failure: Omit<SimFailure, 'step' | 'atUs'>) {
    super(failure.message);
    this.failure = failure;
  }
}
