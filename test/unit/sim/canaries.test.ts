/**
 * Goal: the simulator runs every fault of the code that `make check` breaks, and the known liveness bugs.
 * Method: the registry is held to the components' lists.
 */
import { expect, test } from 'vitest';
import { components } from '../../../conformance/components/all.ts';
import { faultNames } from '../../../conformance/components/fault-names.ts';
import { knownCanaries } from '../../../conformance/mutants/known-canaries.ts';
import { canaryNamed, simCanaries } from '../../../conformance/sim/canaries.ts';
import { SimError } from '../../../conformance/sim/sim-error.ts';

test('Canaries: every fault of the spine is one, and each name stands once', () => {
  const names = simCanaries.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  const faults = components
    .filter(({ name }) => name !== 'Counter')
    .flatMap((component) => component.faults.map(({ name }) => `${component.name}.${name}`));
  expect(faults.length).toBeGreaterThan(90);
  expect(faults.filter((name) => !names.includes(name))).toEqual([]);
});

test('Canaries: what no run shows is killed by `make check`, but for five effects that another one makes good for', () => {
  const unseen = simCanaries.flatMap(({ name, unseen: why }) => (why === undefined ? [] : name));
  expect(unseen.length).toBeGreaterThan(50);
  expect(unseen.filter((name) => !faultNames.has(name)).sort()).toEqual([
    'Vsr.omit-AdoptLog.deliverCommitted',
    'Vsr.omit-EnterView.syncRest',
    'Vsr.omit-PersistCommit.syncRest',
    'Vsr.omit-PersistView.syncRest',
    'Vsr.omit-StartView.syncRest',
  ]);
});

test('Canaries: E23, E24 and E25 are among them, and each names a known bug or none', () => {
  const named = simCanaries.flatMap(({ canary }) => canary ?? []);
  expect(named).toEqual(expect.arrayContaining(['E6', 'E7', 'E13', 'E23', 'E24', 'E25']));
  const known = knownCanaries.map(({ id }) => id);
  expect(named.filter((canary) => !known.includes(canary))).toEqual([]);
});

test('Canaries: each run gets parts of its own, and an unknown name is told', () => {
  const { parts } = canaryNamed('Vsr.last-entry-view');
  expect(parts()).not.toBe(parts());
  expect(() => canaryNamed('Vsr.nothing')).toThrow(SimError);
});
