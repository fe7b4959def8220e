/** Goal: the explanations show what the specs say today. Method: the index written again, and compared; its parts looked at. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { indexSpec } from '../../../conformance/spec-parser/spec-index.ts';
import { SPEC_INDEX, specIndexText } from '../../../conformance/spec-parser/write-index.ts';
import { specIndex } from '../../../impl/dx/spec-index.ts';

describe('the index of the specs', () => {
  test('is up to date: run `make spec-index` when it is not', async () => {
    expect(await specIndexText('.')).toBe(readFileSync(SPEC_INDEX, 'utf8'));
  });

  test.each(specIndex.map((spec) => [spec.name, spec] as const))('%s: every action and guard has words', (_, spec) => {
    const silent = [...spec.actions, ...spec.guards].filter(({ comment }) => comment === '').map(({ name }) => name);
    expect(silent).toEqual([]);
  });

  test.each(specIndex.map((spec) => [spec.name, spec] as const))('%s: every place is where it says', (_, spec) => {
    for (const { name, file, line } of [...spec.actions, ...spec.guards, ...spec.invariants, ...spec.definitions])
      expect(readFileSync(file, 'utf8').split('\n')[line - 1]).toMatch(new RegExp(`^ *(?:LOCAL )?${name}\\b`));
  });

  test('an action lists its guards in the order of the text', async () => {
    const counter = await indexSpec('docs/example/Counter.tla', ['SavedWasCounted']);
    expect(counter.actions.map(({ name, guards }) => [name, guards])).toEqual([
      ['Increment', ['BelowLimit']],
      ['Save', ['Unsaved']],
      ['Crash', []],
      ['Restart', []],
    ]);
    expect(counter.guards.map(({ name, text }) => [name, text])).toContainEqual([
      'Unsaved',
      'Unsaved == count # saved',
    ]);
    expect(counter.invariants.map(({ comment }) => comment)).toEqual([
      'Forbids a disk that knows more than was ever counted.',
    ]);
  });
});
