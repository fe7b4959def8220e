/**
 * Goal: the mirror check names every way in which machine and spec can part. Method: the example counter is clean; then
 * each test breaks one thing in a copy of its machine, driver or source text, and sees exactly that finding.
 */
import { describe, expect, test } from 'vitest';
import { type AnyStateMachine, and, createMachine, setup } from 'xstate';
import { anyComponent } from '../../../conformance/components/all.ts';
import { mirror } from '../../../conformance/mirror/mirror.ts';
import { mirrorMachine } from '../../../conformance/mirror/mirror-machine.ts';
import { restatedConstants } from '../../../conformance/mirror/restated-constants.ts';
import { parseSpec } from '../../../conformance/spec-parser/parse-spec.ts';
import { counterComponent } from '../../../docs/example/counter.ts';

const spec = await parseSpec('docs/example/Counter.tla');
const component = anyComponent(counterComponent);
const act = () => {};

interface Table {
  readonly guards?: readonly string[];
  readonly up?: Readonly<Record<string, unknown>>;
  readonly down?: Readonly<Record<string, unknown>>;
  readonly more?: Readonly<Record<string, unknown>>;
  readonly root?: Readonly<Record<string, unknown>>;
}

/** The counter's machine as a table, with something changed. */
function machineWith({ guards = ['BelowLimit', 'Unsaved'], up = {}, down = {}, more = {}, root = {} }: Table) {
  const named = Object.fromEntries(guards.map((name) => [name, () => true]));
  const config = {
    id: 'Counter',
    initial: 'up',
    ...root,
    states: {
      up: {
        on: {
          Increment: { guard: and(['BelowLimit']), actions: 'act' },
          Save: { guard: and(['Unsaved']), actions: 'act' },
          Crash: { target: 'down' },
          ...up,
        },
      },
      down: { on: { Restart: { target: 'up' }, ...down } },
      ...more,
    },
  };
  for (const node of Object.values(config.states) as { on?: Record<string, unknown> }[])
    for (const [event, transition] of Object.entries(node.on ?? {}))
      if (transition === undefined) delete node.on?.[event];
  return setup({ guards: named, actions: { act } }).createMachine(config as never) as unknown as AnyStateMachine;
}
const kindsOf = (table: Table) => mirrorMachine(spec, machineWith(table)).findings.map(({ kind }) => kind);

describe('machine against spec', () => {
  test('the counter and its copy are clean, with four actions and two guards', async () => {
    const clean = { actions: 4, guards: 2, invariants: 2, outside: {}, findings: [] };
    expect(await mirror(process.cwd(), component)).toEqual(clean);
    expect(kindsOf({})).toEqual([]);
  });

  test('an event that is no action, and an action that is no event', () => {
    expect(kindsOf({ up: { Reset: { actions: 'act' } } })).toEqual(['event-without-action']);
    expect(kindsOf({ up: { Crash: undefined } })).toEqual(['action-without-event']);
  });

  test('an action outside the machine needs a reason, must be an action, and must be outside', () => {
    const kinds = (outside: Readonly<Record<string, string>>, table: Table = {}) =>
      mirrorMachine(spec, machineWith(table), outside).findings.map(({ kind }) => kind);
    expect(kinds({ Crash: 'the driver kills and reopens' }, { up: { Crash: undefined } })).toEqual([]);
    expect(kinds({ Crash: ' ' }, { up: { Crash: undefined } })).toEqual(['outside-machine']);
    expect(kinds({ Flood: 'no such thing' })).toEqual(['outside-machine']);
    expect(kinds({ Crash: 'it is there all the same' })).toEqual(['outside-machine']);
  });

  test('a renamed guard is missing under one name and extra under the other', () => {
    const table = {
      guards: ['UnderLimit', 'Unsaved'],
      up: { Increment: { guard: and(['UnderLimit']), actions: 'act' } },
    };
    expect(kindsOf(table)).toEqual(['guard-missing', 'guard-extra']);
  });

  test('a dropped guard leaves it unused', () => {
    expect(kindsOf({ up: { Save: { actions: 'act' } } })).toEqual(['guard-missing', 'guard-unused']);
  });

  test('guards in another order', async () => {
    const twoGuards = {
      ...spec,
      actions: spec.actions.map((action) =>
        action.name === 'Save'
          ? {
              ...action,
              conjuncts: [{ kind: 'guard' as const, name: 'BelowLimit', text: '', line: 1 }, ...action.conjuncts],
            }
          : action,
      ),
    };
    const machine = machineWith({ up: { Save: { guard: and(['Unsaved', 'BelowLimit']), actions: 'act' } } });
    expect(mirrorMachine(twoGuards, machine).findings.map(({ kind }) => kind)).toEqual(['guard-order']);
  });

  test('an event in a status that its action does not name', () => {
    expect(kindsOf({ down: { Crash: { actions: 'act' } } })).toEqual(['event-in-wrong-status']);
    expect(kindsOf({ up: { Restart: { actions: 'act' } }, down: { Restart: undefined } })).toEqual([
      'event-in-wrong-status',
      'event-in-wrong-status',
    ]);
  });

  test('a transition that does nothing, which XState never counts as enabled', () => {
    expect(kindsOf({ up: { Crash: {} } })).toEqual(['event-without-effect']);
  });

  test('two transitions for one event', () => {
    expect(kindsOf({ up: { Crash: [{ target: 'down', guard: 'Unsaved' }, { target: 'down' }] } })).toEqual([
      'ambiguous-event',
    ]);
  });

  test('a node that status never is, and a status that is no node', () => {
    expect(kindsOf({ more: { resting: {} } })).toEqual(['node-without-status']);
    const lacking = { ...spec, statuses: [...spec.statuses, 'lost'] };
    expect(mirrorMachine(lacking, machineWith({})).findings.map(({ kind }) => kind)).toEqual(['status-without-node']);
  });

  test('transitions that no event shows', () => {
    expect(kindsOf({ root: { on: { Crash: { actions: 'act' } } } })).toEqual(['hidden-transition']);
    expect(kindsOf({ more: { down: { on: { Restart: { target: 'up' } }, after: { 5: 'up' } } } })).toContain(
      'hidden-transition',
    );
  });

  test('a condition of the spec that has no name', () => {
    const actions = spec.actions.map((action) => ({
      ...action,
      conjuncts: action.conjuncts.map((conjunct) =>
        conjunct.name === 'BelowLimit' ? { ...conjunct, kind: 'anonymous' as const, name: '' } : conjunct,
      ),
    }));
    const kinds = mirrorMachine({ ...spec, actions }, machineWith({})).findings.map(({ kind }) => kind);
    expect(kinds).toEqual(['guard-anonymous', 'guard-extra']);
  });

  test('a machine with nothing in it lacks everything', () => {
    const empty = createMachine({ id: 'Empty', initial: 'up', states: { up: {}, down: {} } });
    const kinds = mirrorMachine(spec, empty as unknown as AnyStateMachine).findings.map(({ kind }) => kind);
    expect(kinds).toEqual(Array(4).fill('action-without-event'));
  });
});

describe('driver against cfg', () => {
  test('an invariant without predicate, and a predicate without invariant', async () => {
    const invariants = { TypeOK: () => true, Unheard: () => true };
    const broken = { ...component, driver: { ...component.driver, invariants } };
    const { findings } = await mirror(process.cwd(), broken);
    expect(findings.map(({ kind }) => kind)).toEqual(['invariant-without-predicate', 'predicate-without-invariant']);
  });
});

describe('constants have one home', () => {
  const kinds = (source: string) => restatedConstants(['ReplicaCount', 'Limit'], source, 'x.ts').length;

  test.each([
    'const limit = 2;',
    'const LIMIT: number = 2;',
    '  replicaCount: 3,',
    "Limit: '2'",
    'const limit = Number(constants.Limit?.text ?? 2);',
    'static REPLICA_COUNT = 3;',
  ])('restated: %s', (source) => expect(kinds(source)).toBe(1));

  test.each([
    'readonly limit: number;',
    'if (count === 2 && limit === count) {}',
    'limit: Number(constants.Limit?.text),',
    '// limit = 2',
    '/* replicaCount: 3 */',
    'const belowLimit = 2;',
  ])('not restated: %s', (source) => expect(kinds(source)).toBe(0));
});
