/**
 * Goal: the spec parser sees actions, conjuncts, comments and lines as a reader does. Method: the example's own module,
 * and a made-up one with every shape that an action may take.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parseSpec } from '../../../conformance/spec-parser/parse-spec.ts';

const folder = mkdtempSync(join(tmpdir(), 'lockstep-parser-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string): string {
  const file = join(folder, `${name}.tla`);
  writeFileSync(file, text);
  return file;
}

describe('the example counter', async () => {
  const counter = await parseSpec('docs/example/Counter.tla');

  test('constants and variables come with their comments', () => {
    expect(counter.name).toBe('Counter');
    expect(counter.constants.map(({ name }) => name)).toEqual(['Limit']);
    expect(counter.variables.map(({ name, comment }) => [name, comment])).toEqual([
      ['status', '"up" or "down"'],
      ['count', 'the value in memory; lost by a crash'],
      ['saved', 'the value on disk'],
    ]);
  });

  test('actions are the disjuncts of Next, conjuncts in the order of the text', () => {
    expect(counter.actions.map(({ name }) => name)).toEqual(['Increment', 'Save', 'Crash', 'Restart']);
    const increment = counter.actions[0];
    expect(increment?.conjuncts.map(({ kind, name }) => [kind, name])).toEqual([
      ['status', ''],
      ['guard', 'BelowLimit'],
      ['update', ''],
      ['update', ''],
    ]);
    expect(increment?.conjuncts[0]?.statuses).toEqual(['up']);
    expect(counter.statuses).toEqual(['down', 'up']);
    expect(counter.definitions.get('ComesBack')?.comment).toBe('Forbids a counter that stays down for ever.');
  });
});

describe('every shape of an action', async () => {
  write(
    'Base',
    `---- MODULE Base ----
EXTENDS Naturals
VARIABLES
    status, \\* where it stands
    x       \\* a number
Positive == x > 0
====`,
  );
  const file = write(
    'Shapes',
    `---- MODULE Shapes ----
EXTENDS Base
CONSTANTS R, S
VARIABLE messages
Small(m) == m.size < 3  \\* It fits.
MoveTo(v) == /\\ status' = "gone" /\\ x' = v
\\* Takes a message.
\\* And says so.
Receive(r) == \\E m \\in messages :
    /\\ m.type = "Prepare"
    /\\ status[r] \\in {"up", "down"}
    /\\ Small(m)
    /\\ LET y == m.size IN
       /\\ Positive
       /\\ x' = y
    /\\ UNCHANGED messages
Leave == status # "gone" /\\ Positive /\\ MoveTo(3)
Bare == /\\ x = 3
        /\\ ~Positive
        /\\ x' = 4
System == \\/ \\E r \\in R : Receive(r)
          \\/ Leave
Next == System \\/ (\\E r \\in R, s \\in S : Bare)
====`,
  );
  const shapes = await parseSpec(file);
  const conjuncts = (name: string) =>
    shapes.actions.find((action) => action.name === name)?.conjuncts.map((c) => `${c.kind} ${c.name}`.trim());

  test('named sub-disjunctions and quantifiers are opened', () => {
    expect(shapes.actions.map(({ name, path }) => [name, path])).toEqual([
      ['Receive', ['Next', 'System']],
      ['Leave', ['Next', 'System']],
      ['Bare', ['Next']],
    ]);
    expect(shapes.extended).toEqual(['Base']);
    expect(shapes.variables.map(({ name }) => name)).toEqual(['status', 'x', 'messages']);
  });

  test('a quantified action, LET and the type of a message', () => {
    expect(conjuncts('Receive')).toEqual(['selector', 'status', 'guard Small', 'guard Positive', 'update', 'update']);
    expect(shapes.actions[0]?.comment).toBe('Takes a message. And says so.');
    expect(shapes.actions[0]?.line).toBe(9);
    expect(shapes.definitions.get('Small')?.comment).toBe('It fits.');
    expect(shapes.definitions.get('MoveTo')?.comment).toBe('');
  });

  test('infix conjunctions; an operator with primes is opened, and # means every other status', () => {
    expect(conjuncts('Leave')).toEqual(['status', 'guard Positive', 'update', 'update']);
    expect(shapes.actions[1]?.conjuncts[0]?.statuses).toEqual(['down', 'up']);
  });

  test('a condition without a name is called anonymous', () => {
    expect(conjuncts('Bare')).toEqual(['anonymous', 'anonymous', 'update']);
  });
});

test('a text that is not TLA+ is refused with its line', async () => {
  const file = write('Wrong', '---- MODULE Wrong ----\nVARIABLE x\nInit == x = \nNext == /\\\n====\n');
  await expect(parseSpec(file)).rejects.toThrow(/Wrong\.tla:\d: not TLA\+ from here/);
});
