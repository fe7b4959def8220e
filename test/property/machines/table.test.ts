/**
 * Goal: a machine read into a table takes events exactly as XState takes them. Method: contexts and events of Vsr at random;
 * the refusals, and the next state, context and effects of each taken event, against XState's own answers.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { and, assign, setup } from 'xstate';
import { appendLogMachine } from '../../../machines/append-log.ts';
import { advance, advanceByXState, refusals, start, startByXState } from '../../../machines/stepper.ts';
import { superblockMachine } from '../../../machines/superblock.ts';
import { tableOf } from '../../../machines/table.ts';
import { vsrMachine } from '../../../machines/vsr.ts';
import { contexts, events, statuses } from './vsr-arbitraries.ts';

type Advance = typeof advance;

function outcome(step: Advance, snapshot: Parameters<Advance>[1], event: { readonly type: string }): unknown {
  try {
    const [{ value, context, status }, effects] = step(vsrMachine, snapshot, event as never);
    return { value, context, status, effects };
  } catch (error) {
    return String(error);
  }
}

describe('a machine read into a table', () => {
  test('every machine of a component has one', () => {
    expect(tableOf(vsrMachine)).toBeDefined();
  });

  test('refuses and takes what XState refuses and takes, with the same effects', () => {
    let taken = 0;
    fc.assert(
      fc.property(statuses, contexts, events, (value, context, event) => {
        const snapshot = vsrMachine.resolveState({ value, context });
        const enabled = refusals(vsrMachine, snapshot, event).length === 0;
        expect(enabled).toBe(snapshot.can(event as never));
        if (!enabled) return;
        taken += 1;
        expect(outcome(advance, snapshot, event)).toEqual(outcome(advanceByXState, snapshot, event));
      }),
      { numRuns: 20_000, seed: 20 },
    );
    expect(taken).toBeGreaterThan(1_000);
  });

  test('begins as XState begins', () => {
    const scan = { stepBytes: 512, unsyncedBytesMax: 4096, allocatedBytes: 1024 };
    for (const [machine, input] of [
      [appendLogMachine, scan],
      [superblockMachine, {}],
      [counter, undefined],
    ] as const) {
      expect(tableOf(machine)).toBeDefined();
      const [begun, byXState] = [start(machine, input), startByXState(machine, input)];
      const shown = ({ value, context, status, children, tags }: typeof begun): unknown => [
        value,
        context,
        status,
        children,
        [...tags],
      ];
      expect(shown(begun)).toEqual(shown(byXState));
      expect(start(machine, input).context).not.toBe(begun.context);
    }
  });

  test('leaves the snapshot it began from as it was', () => {
    const snapshot = counter.resolveState({ value: 'on', context: Object.freeze({ n: 1, log: [] }) });
    const [next, effects] = advance(counter, snapshot, { type: 'Add', by: 2 });
    expect(snapshot.context).toEqual({ n: 1, log: [] });
    expect(next.context).toEqual({ n: 3, log: [3] });
    expect(effects).toEqual([{ type: 'tell', params: { n: 3 } }]);
  });

  test('does not read a form that it does not know', () => {
    const nested = setup({}).createMachine({
      id: 'Nested',
      initial: 'a',
      states: { a: { initial: 'b', states: { b: {} } } },
    });
    const inline = setup({}).createMachine({
      id: 'Inline',
      initial: 'a',
      states: { a: { on: { Go: { actions: () => {} } } } },
    });
    const always = setup({}).createMachine({ id: 'Always', initial: 'a', states: { a: { always: 'b' }, b: {} } });
    const entering = setup({ actions: { note: () => {} } }).createMachine({
      id: 'Entering',
      initial: 'a',
      entry: 'note',
      states: { a: {} },
    });
    for (const machine of [nested, inline, always, entering]) expect(tableOf(machine)).toBeUndefined();
  });
});

const counter = setup({
  types: { context: {} as { n: number; log: readonly number[] }, events: {} as { type: 'Add'; by: number } },
  guards: { Small: ({ context }) => context.n < 5, Positive: ({ event }) => event.by > 0 },
  actions: {
    add: assign({ n: ({ context, event }) => context.n + event.by }),
    note: assign(({ context }) => ({ log: [...context.log, context.n] })),
    tell: (_, _params: { n: number }) => {},
  },
}).createMachine({
  id: 'Counter',
  initial: 'on',
  context: { n: 0, log: [] },
  states: {
    on: {
      on: {
        Add: {
          guard: and(['Small', 'Positive']),
          actions: ['add', 'note', { type: 'tell', params: ({ context }) => ({ n: context.n }) }],
        },
      },
    },
  },
});
