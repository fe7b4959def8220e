/**
 * Goal: docs/canaries.md lists every mutant and fault that there is, and each names a known bug or none.
 * Method: the page is written anew and compared; a red test says that `make canaries` has to run.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { components } from '../../conformance/components/all.ts';
import { canariesPage } from '../../conformance/mutants/canaries-page.ts';
import { knownCanaries } from '../../conformance/mutants/known-canaries.ts';
import { readSpecMutants } from '../../conformance/mutants/spec-mutant.ts';

test('docs/canaries.md is what `make canaries` writes', () => {
  expect(readFileSync('docs/canaries.md', 'utf8')).toBe(canariesPage('.', components));
});

test('every canary that a mutant names is a known one', () => {
  const known = new Set(knownCanaries.map(({ id }) => id));
  const named = components.flatMap((component) => [
    ...component.faults.flatMap(({ canary }) => canary ?? []),
    ...(component.name === 'Counter' ? [] : readSpecMutants('specs', component).flatMap(({ canary }) => canary ?? [])),
  ]);
  expect(named.filter((canary) => !known.has(canary))).toEqual([]);
  expect(knownCanaries).toHaveLength(30);
});

test('every file in specs/mutants belongs to a component of the check', () => {
  const listed = new Set(components.map(({ name }) => name));
  const files = readdirSync('specs/mutants').filter((file) => file.endsWith('.toml'));
  expect(files.filter((file) => !listed.has(file.slice(0, file.indexOf('-'))))).toEqual([]);
});
