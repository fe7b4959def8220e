/**
 * Goal: traces/ holds what was once found, and the code still does it right. Every component has a trace, every fault of the
 * code has the one that caught it, and all of them replay on the real code.
 * Method: the files by name, and `replay` on each, without a model checker.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { components } from '../../conformance/components/all.ts';
import { replayTrace } from '../../conformance/replay/run-replay.ts';
import { kebab } from '../../conformance/report/save-divergence.ts';

/** The example has its traces made anew by every run of test/broken. */
const own = components.filter(({ name }) => name !== 'Counter');
const traces = readdirSync('traces', { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.itf.json'),
);

describe('traces/', () => {
  test.each(own.map(({ name }) => name))('%s has a trace', (name) => {
    expect(existsSync(join('traces', kebab(name)))).toBe(true);
  });

  test('every fault of the code has the trace that caught it', () => {
    const missing = own.flatMap(({ name, faults }) =>
      faults
        .map((fault) => join(kebab(name), `${kebab(fault.name)}.itf.json`))
        .filter((path) => !existsSync(join('traces', path))),
    );
    expect(missing).toEqual([]);
  });

  test.each(traces)('%s replays on the real code', (path) => {
    const { result, trace } = replayTrace(readFileSync(join('traces', path), 'utf8'), components);
    expect(result.failure).toBeUndefined();
    expect(result.steps > 0 || trace.refused !== undefined, 'it holds a step or a refusal').toBe(true);
  });
});
