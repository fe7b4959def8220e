/**
 * Goal: `lockstep sim --guided` says what its runs reached, keeps a bundle of what fails, and ends when it is told to.
 * Method: the real runner over the real world, whole and broken, with a few runs.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runGuided } from '../../../conformance/sim/runner/guided-runs.ts';
import type { GuidedTask } from '../../../conformance/sim/runner/sim-arguments.ts';

const RUNS = 12;

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lockstep-guided-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

async function run(task: Partial<GuidedTask>, stop = new AbortController().signal) {
  let out = '';
  const exitCode = await runGuided(
    { kind: 'guided', settings: {}, firstSeed: 3, runs: RUNS, keep: undefined, json: true, ...task },
    {
      world: '',
      origin: () => ({ lockstep: '0', sources: 'these', node: 'v0' }),
      root,
      build: root,
      outsideBudget: [],
      print: (text) => {
        out += text;
      },
      progress: { terminal: false, columns: 80, write: () => {} },
      stop,
      nowMs: () => 0,
    },
  );
  return { exitCode, out };
}

test('The whole implementation: what was reached and how, the same each time', async () => {
  const { exitCode, out } = await run({});
  expect(exitCode).toBe(0);
  const told = JSON.parse(out);
  expect(told).toMatchObject({ schema: 1, runs: RUNS, failures: [] });
  expect(told.keys).toBeGreaterThan(60);
  const counts = Object.values(told.ways as Record<string, { runs: number }>).map(({ runs }) => runs);
  expect(counts.reduce((sum, runs) => sum + runs, 0)).toBe(RUNS);
  expect((await run({})).out).toBe(out);
  expect((await run({ json: false })).out).toMatch(
    /12 runs, \d+ of \d+ keys, \d+ shapes, corpus \d+: 0 kinds of failure/,
  );
});

test('A broken one: a bundle of each kind of failure, and exit code 1', async () => {
  const { exitCode, out } = await run({ settings: { canary: 'Vsr.shortest-log' }, json: false });
  expect(exitCode).toBe(1);
  const [, file = ''] = /replay: +lockstep sim --bundle (\S+)/.exec(out) ?? [];
  expect(existsSync(file), out).toBe(true);
});

test('Stopped before the first run: 130, and nothing is claimed', async () => {
  const { exitCode, out } = await run({ json: false }, AbortSignal.abort());
  expect([exitCode, out]).toEqual([130, 'no run was made\n']);
});
