/**
 * Goal: asking a guard under watch changes no answer, and names what decided. Method: contexts and events of Vsr at random;
 * the watched answers against the plain ones; and a fact that is not named may take any value without changing the answer.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { answerWithEvidence, evaluateWithEvidence } from '../../../machines/evidence.ts';
import { evaluate } from '../../../machines/stepper.ts';
import { vsrMachine } from '../../../machines/vsr.ts';
import { contexts, events, statuses } from './vsr-arbitraries.ts';

describe('the evidence of a guard', () => {
  test('watching changes no answer', () => {
    fc.assert(
      fc.property(statuses, contexts, events, (value, context, event) => {
        const snapshot = vsrMachine.resolveState({ value, context: deepFreeze(context) });
        const plain = evaluate(vsrMachine, snapshot, event);
        const watched = evaluateWithEvidence(vsrMachine, snapshot, event);
        expect(watched.map(({ rule, guard, holds }) => ({ rule, guard, holds }))).toEqual(plain);
      }),
      { numRuns: 2000 },
    );
  });

  test('a fact that is not named decides nothing', () => {
    fc.assert(
      fc.property(statuses, contexts, contexts, events, (value, context, other, event) => {
        const snapshot = vsrMachine.resolveState({ value, context });
        for (const { guard, holds, facts } of evaluateWithEvidence(vsrMachine, snapshot, event)) {
          if (guard === 'status') continue;
          const kept = Object.keys(facts).flatMap((path) =>
            path.startsWith('context.') ? [path.split('.')[1] ?? ''] : [],
          );
          const mixed = {
            ...other,
            ...Object.fromEntries(kept.map((key) => [key, (context as Record<string, unknown>)[key]])),
          };
          const again = evaluate(vsrMachine, vsrMachine.resolveState({ value, context: mixed as never }), event);
          expect(again.find((answer) => answer.guard === guard)?.holds).toBe(holds);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('what is noted', () => {
  test('values by path, a list as one fact, an absent fact as missing', () => {
    const args = { context: { op: 4, acked: [1, 2], none: undefined }, event: { type: 'X', message: { from: 1 } } };
    const { answer, facts, missing } = answerWithEvidence(
      ({ context, event }: typeof args) =>
        context.acked[event.message.from] === 2 &&
        context.none === undefined &&
        !('op' in event.message) &&
        context.op > 3,
      args,
    );
    expect(answer).toBe(true);
    expect(facts).toEqual({ 'context.acked': [1, 2], 'event.message.from': 1, 'context.none': null, 'context.op': 4 });
    expect(missing).toEqual(['event.message.op']);
  });

  test('an event that the status does not take: the status, and those that would', () => {
    const snapshot = vsrMachine.resolveState({
      value: 'recovering',
      context: fc.sample(contexts, { numRuns: 1, seed: 1 })[0] as never,
    });
    const [evidence] = evaluateWithEvidence(vsrMachine, snapshot, { type: 'JoinView' });
    expect(evidence).toMatchObject({
      rule: 'Vsr.JoinView.status',
      holds: false,
      facts: { status: 'recovering', 'status of the action': ['normal', 'view-change'] },
    });
  });
});

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const part of Object.values(value)) deepFreeze(part);
  return Object.freeze(value);
}
