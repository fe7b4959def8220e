/** Contexts and events of machines/vsr.ts at random, small enough that guards often hold: far more than a cluster reaches. */
import fc from 'fast-check';
import { MESSAGE_ACTIONS, PLAIN_ACTIONS, TARGET_ACTIONS } from '../../../machines/vsr-context.ts';

const small = fc.integer({ min: 0, max: 3 });
const hash = fc.constantFrom('a', 'b', 'c');
const votes = fc
  .subarray([0, 1, 2])
  .chain((froms) =>
    fc.tuple(
      ...froms.map((from) =>
        fc.record({ view: small, logView: small, op: small, hash, commit: small, from: fc.constant(from) }),
      ),
    ),
  );
export const contexts = fc.record({
  replica: fc.integer({ min: 0, max: 2 }),
  replicaCount: fc.constant(3),
  pipelineMax: fc.integer({ min: 1, max: 3 }),
  view: small,
  viewDurable: small,
  logView: small,
  logViewDurable: small,
  op: small,
  headHash: hash,
  opDurable: small,
  headHashDurable: hash,
  commit: small,
  commitDurable: small,
  acked: fc.array(small, { minLength: 3, maxLength: 3 }),
  startVotes: fc.subarray([0, 1, 2]),
  changeVotes: votes,
  target: fc.record({ from: small, op: small, hash, commit: small, next: small }),
  reading: fc.record({ round: small, commit: small, oks: fc.subarray([0, 1, 2]) }),
  opBegun: small,
});
const message = fc.record(
  { from: small, view: small, to: small, op: small, logView: small, commit: small, round: small, hash, parent: hash },
  { requiredKeys: ['from', 'view'] },
);
export const events = fc.oneof(
  fc.record(
    { type: fc.constantFrom(...MESSAGE_ACTIONS), message, hashAtOp: fc.option(hash, { nil: undefined }) },
    { requiredKeys: ['type'] },
  ),
  fc.record(
    { type: fc.constantFrom(...TARGET_ACTIONS), hashAtTarget: fc.option(hash, { nil: undefined }) },
    { requiredKeys: ['type'] },
  ),
  fc.record({ type: fc.constantFrom(...PLAIN_ACTIONS) }),
);
export const statuses = fc.constantFrom('normal', 'view-change', 'recovering');
