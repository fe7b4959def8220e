/**
 * The smallest system that the conformance library can hold to a spec: Counter.tla as an XState machine, its code and its
 * driver in one file. See docs/conformance.md. A system of your own keeps the three apart.
 */
import { type AnyMachineSnapshot, and, assign, setup } from 'xstate';
import type { Component } from '../../conformance/component.ts';
import type { Constants, Driver } from '../../conformance/driver.ts';
import { tlaInteger, tlaString } from '../../conformance/values/tla-value.ts';
import { advance, evaluate, refusals, start } from '../../machines/stepper.ts';

interface CounterContext {
  readonly limit: number;
  readonly count: number;
  readonly saved: number;
}
type CounterEvent =
  | { readonly type: 'Increment' }
  | { readonly type: 'Save' }
  | { readonly type: 'Crash' }
  | { readonly type: 'Restart' };

const counterSetup = setup({
  types: {} as { context: CounterContext; events: CounterEvent; input: { limit: number } },
  guards: {
    BelowLimit: ({ context }) => context.count < context.limit,
    Unsaved: ({ context }) => context.count !== context.saved,
  },
  actions: {
    countUp: assign(({ context }) => ({ count: context.count + 1 })),
    save: assign(({ context }) => ({ saved: context.count })),
    forget: assign({ count: 0 }),
    load: assign(({ context }) => ({ count: context.saved })),
  },
});

export const counterMachine = counterSetup.createMachine({
  id: 'Counter',
  initial: 'up',
  context: ({ input }) => ({ limit: input.limit, count: 0, saved: 0 }),
  states: {
    up: {
      on: {
        Increment: { guard: and(['BelowLimit']), actions: 'countUp' },
        Save: { guard: and(['Unsaved']), actions: 'save' },
        Crash: { target: 'down', actions: 'forget' },
      },
    },
    down: { on: { Restart: { target: 'up', actions: 'load' } } },
  },
});

/** The code: it asks the machine, and changes only when the machine takes the event. */
export class Counter {
  readonly machine: typeof counterMachine;
  readonly snapshot: AnyMachineSnapshot;

  private constructor(machine: typeof counterMachine, snapshot: AnyMachineSnapshot) {
    this.machine = machine;
    this.snapshot = snapshot;
  }

  static open(limit: number, machine = counterMachine): Counter {
    return new Counter(machine, start(machine, { limit }));
  }

  /** The same counter when a rule refuses the event, a new one otherwise. */
  deliver(event: CounterEvent): Counter {
    if (refusals(this.machine, this.snapshot, event).length > 0) return this;
    return new Counter(this.machine, advance(this.machine, this.snapshot, event)[0]);
  }

  get status(): string {
    return String(this.snapshot.value);
  }

  get context(): CounterContext {
    return this.snapshot.context as CounterContext;
  }
}

const EVENTS: readonly CounterEvent[] = [
  { type: 'Increment' },
  { type: 'Save' },
  { type: 'Crash' },
  { type: 'Restart' },
];

export function counterDriverOver(machine: typeof counterMachine): Driver<Counter, CounterEvent> {
  return {
    initial: (constants: Constants) => Counter.open(Number(constants.Limit?.text), machine),
    alphabet: () => EVENTS,
    step: (counter, event) => counter.deliver(event),
    project: (counter) => ({
      status: tlaString(counter.status),
      count: tlaInteger(counter.context.count),
      saved: tlaInteger(counter.context.saved),
    }),
    guards: (counter, event) => evaluate(machine, counter.snapshot, event),
    invariants: {
      TypeOK: ({ context }) => context.count <= context.limit && context.saved <= context.limit,
      SavedWasCounted: ({ status, context }) => status !== 'up' || context.saved <= context.count,
    },
  };
}

export const counterComponent: Component<Counter, CounterEvent> = {
  name: 'Counter',
  sources: {
    spec: 'docs/example/Counter.tla',
    machine: 'docs/example/counter.ts',
    implementation: ['docs/example/counter.ts'],
    driver: 'docs/example/counter.ts',
  },
  machine: counterMachine,
  driver: counterDriverOver(counterMachine),
  models: [{ cfg: 'Counter_small.cfg', module: 'Counter', kind: 'small', distinct: 9 }],
  faults: [
    {
      name: 'drop-Unsaved',
      rule: 'Save happens only when there is something to save',
      cfgs: ['Counter_small.cfg'],
      driver: counterDriverOver(counterMachine.provide({ guards: { Unsaved: () => true } })),
    },
  ],
  abstracted: {},
  random: {
    cfg: 'Counter_random.cfg',
    module: 'Counter',
    driver: counterDriverOver(counterMachine),
    traces: 200,
    depth: 60,
  },
};
