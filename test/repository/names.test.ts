/**
 * Goal: one name, three places: every action, guard, status and invariant of a spec stands in its machine under that name.
 * Method: the mirror check of `make check` over every spec that has a machine, in a second and without an engine; then over
 * one whose guard was renamed.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import type { Component } from '../../conformance/component.ts';
import { components } from '../../conformance/components/all.ts';
import { mirror } from '../../conformance/mirror/mirror.ts';
import { mirrorMachine } from '../../conformance/mirror/mirror-machine.ts';
import { parseSpec } from '../../conformance/spec-parser/parse-spec.ts';

const kebab = (name: string): string => name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '-').toLowerCase();
const specs = readdirSync('specs')
  .filter((file) => file.endsWith('.tla'))
  .map((file) => file.replace('.tla', ''))
  .filter((name) => existsSync(join('machines', `${kebab(name)}.ts`)));

async function machineOf(name: string): Promise<AnyStateMachine> {
  const exported = (await import(pathToFileURL(join('machines', `${kebab(name)}.ts`)).href)) as Record<string, unknown>;
  const machine = exported[`${name[0]?.toLowerCase()}${name.slice(1)}Machine`];
  expect(machine, `machines/${kebab(name)}.ts exports its machine`).toBeDefined();
  return machine as AnyStateMachine;
}

describe('spec and machine', () => {
  test('there are some', () => expect(specs.length).toBeGreaterThan(0));

  test.each(specs)('%s: every name of the machine stands in the spec', async (name) => {
    const component = components.find((listed) => listed.name === name);
    const spec = await parseSpec(join('specs', `${name}.tla`));
    const { findings, actions } = mirrorMachine(spec, await machineOf(name), component?.outsideMachine);
    // Which actions are the environment's alone, with conjuncts of its own, only a component says.
    const known = findings.filter(
      ({ kind }) => component !== undefined || !['action-without-event', 'guard-anonymous'].includes(kind),
    );
    expect(known.map(({ message }) => message)).toEqual([]);
    expect(actions).toBeGreaterThan(0);
  });

  test('every spec that has a machine is a row of the check', () => {
    const listed = new Set(components.map(({ name }) => name));
    expect(specs.filter((name) => !listed.has(name))).toEqual([]);
  });

  test.each(components.map((component): [string, Component] => [component.name, component]))(
    '%s: with driver and cfgs',
    async (_name, component) => {
      expect((await mirror('.', component)).findings.map(({ message }) => message)).toEqual([]);
    },
  );
});

describe('a name that differs', () => {
  test('is found', async () => {
    const spec = await parseSpec(join('docs', 'example', 'Counter.tla'));
    const machine = components.find(({ name }) => name === 'Counter')?.machine;
    expect(machine).toBeDefined();
    const renamed = { ...spec, actions: spec.actions.map((action) => ({ ...action, name: `${action.name}Again` })) };
    const kinds = mirrorMachine(renamed, machine as AnyStateMachine).findings.map(({ kind }) => kind);
    expect(new Set(kinds)).toEqual(new Set(['action-without-event', 'event-without-action', 'guard-unused']));
  });
});
