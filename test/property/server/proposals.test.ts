/**
 * Goal: every command ends exactly once, and its outcome is the truth: applied is in the log at that op, refused never will
 * be, and what may not be done twice is not. Method: random scripts against an adversary that drops frames, changes views,
 * leaves ops behind and brings them back, also after the answer was given.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { World } from './proposals-world.ts';

const RUNS = 4_000;
const STEPS_MAX = 60;

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('ask' as const),
      once: fc.constantFrom('plain' as const, 'keyed' as const, 'session' as const),
      fromPeer: fc.boolean(),
      barrier: fc.nat(5),
      withinMs: fc.nat(400),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('ask-again' as const),
      which: fc.nat(9),
      fromPeer: fc.boolean(),
      withinMs: fc.nat(400),
    }),
  },
  { weight: 6, arbitrary: fc.constant({ kind: 'propose' as const }) },
  { weight: 6, arbitrary: fc.constant({ kind: 'commit' as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'view-change' as const }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('new-view' as const),
      kept: fc.nat(3),
      ghost: fc.option(fc.nat(9), { nil: undefined }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('deliver' as const),
      which: fc.nat(9),
      commits: fc.boolean(),
      answered: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('lose-peer' as const), peer: fc.integer({ min: 1, max: 2 }) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('time' as const), ms: fc.nat(100) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const ASK = { kind: 'ask', fromPeer: false, barrier: 1, withinMs: 0 } as const;
const AGAIN = { kind: 'ask-again', which: 0, fromPeer: false, withinMs: 0 } as const;
/** Found by chance, after many runs of this property: a batch that a view change kept ended what had joined a later try. */
const KEPT_OVER_A_VIEW: Step[] = [
  { ...ASK, once: 'session' },
  { kind: 'propose' },
  { ...ASK, once: 'plain' },
  { kind: 'view-change' },
  { kind: 'view-change' },
  { kind: 'view-change' },
  { ...ASK, once: 'plain' },
  { ...ASK, once: 'plain' },
  { kind: 'new-view', kept: 1, ghost: undefined },
  AGAIN,
  AGAIN,
  { kind: 'propose' },
  { kind: 'commit' },
  { kind: 'propose' },
];

function run(steps: readonly Step[]): World {
  const world = new World();
  for (const taken of steps) {
    switch (taken.kind) {
      case 'ask':
        world.ask(taken.once, taken.fromPeer, taken.barrier === 0, taken.withinMs);
        break;
      case 'ask-again':
        world.askAgain(taken.which, taken.fromPeer, taken.withinMs);
        break;
      case 'propose':
        world.proposals.propose();
        break;
      case 'commit':
        world.commitOne();
        break;
      case 'view-change':
        world.beginViewChange();
        break;
      case 'new-view':
        world.endViewChange(taken.kept, taken.ghost);
        break;
      case 'deliver':
        world.deliver(taken.which, taken.commits, taken.answered);
        break;
      case 'lose-peer':
        world.losePeer(taken.peer);
        break;
      case 'time':
        world.nowMs += taken.ms;
        world.proposals.review();
        break;
    }
  }
  world.proposals.close();
  world.afterwards();
  return world;
}

describe('Proposals', () => {
  it('every command ends once; applied is in the log, refused is never; twice is only what may be, and no request of a session in one view', () => {
    const seen = { applied: 0, refused: 0, unknown: 0, returned: 0, again: 0 };
    fc.assert(
      fc.property(fc.array(step, { maxLength: STEPS_MAX, size: 'max' }), (steps) => {
        const world = run(steps);
        expect(world.doubled).toEqual([]);
        for (const { id, retrySafe, session, outcomes } of world.asked) {
          expect(outcomes.length).toBe(1);
          const [outcome] = outcomes;
          // Of a request that was asked twice: what is said of one try is not said of the other.
          const tries = session ? world.asked.filter((other) => other.id === id).length : 1;
          const times = tries === 1 ? world.timesApplied(id) : 0;
          if (tries > 1) seen.again++;
          if (!retrySafe) expect(times).toBeLessThanOrEqual(1);
          if (outcome === 'not-primary') {
            seen.returned++;
            expect(times).toBe(0);
          } else if (outcome !== undefined && 'op' in outcome) {
            seen.applied++;
            expect(world.truth[outcome.op - 1]?.hash).toEqual(outcome.hash);
            if (outcome.result !== undefined) expect(outcome.result).toBe(id);
          } else if (outcome?.outcome === 'refused') {
            seen.refused++;
            expect(times).toBe(0);
          } else seen.unknown++;
        }
        expect(world.proposals.waiting).toBe(0);
      }),
      { numRuns: RUNS, examples: [[KEPT_OVER_A_VIEW]] },
    );
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(RUNS / 20);
  });
});
