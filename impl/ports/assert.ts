/** Assertions are for our own bugs and stay on in production; errors (lockstep-error.ts) are for the world. */
import { LockstepError } from './lockstep-error.ts';

export class AssertionError extends LockstepError<'ASSERTION_FAILED'> {}

export function assert(holds: boolean, rule: string): asserts holds {
  if (!holds) throw new AssertionError('ASSERTION_FAILED', `assertion failed: ${rule}`);
}
