/**
 * Goal: the cache answers only when nothing changed, and never with anything but green.
 * Method: a small repository in a temporary folder; each of its sources is changed by one byte, and the key must move.
 */
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { cacheKey, sourcesOf } from '../../../conformance/cache/cache-key.ts';
import { importClosure } from '../../../conformance/cache/import-closure.ts';
import { OutcomeCache } from '../../../conformance/cache/outcome-cache.ts';
import type { ComponentOutcome } from '../../../conformance/check/outcome.ts';
import { check } from '../../../conformance/check/run-check.ts';
import { anyComponent } from '../../../conformance/components/all.ts';
import { counterComponent } from '../../../docs/example/counter.ts';

const SOURCES: Readonly<Record<string, string>> = {
  'specs/Tap.tla': '---- MODULE Tap ----\nEXTENDS Naturals, Pipe\n====',
  'specs/Pipe.tla': '---- MODULE Pipe ----\n====',
  'specs/MCTap.tla': '---- MODULE MCTap ----\nInner == INSTANCE Tap\n====',
  'specs/Tap_small.cfg': '\\* small',
  'specs/Tap_mutants.cfg': '\\* for mutants only',
  'specs/mutants/Tap-leaks.toml': 'name = "leaks"',
  'machines/tap.ts': "import { step } from './stepper.ts';",
  'machines/stepper.ts': 'export const step = 1;',
  'impl/tap.ts': "import type { Disk } from './ports/disk.ts';\nexport { step } from '../machines/stepper.ts';",
  'impl/ports/disk.ts': 'export interface Disk {}',
  'conformance/drivers/tap.ts': "import '../../impl/tap.ts';\nconst late = await import('./late.ts');",
  'conformance/drivers/late.ts': 'export {};',
  'conformance/components/tap.ts': "import '../drivers/tap.ts';",
  'conformance/check/run-check.ts': 'export {};',
  'conformance/engines/docker/Dockerfile': 'FROM scratch',
  'package-lock.json': '{}',
};
const OTHERS: Readonly<Record<string, string>> = {
  'specs/Sink.tla': '---- MODULE Sink ----\n====',
  'specs/Sink_small.cfg': '\\* small',
  'specs/mutants/Sink-leaks.toml': 'name = "leaks"',
  'machines/sink.ts': 'export {};',
  'conformance/drivers/sink.ts': 'export {};',
  'README.md': 'words',
};

const root = mkdtempSync(join(tmpdir(), 'lockstep-cache-'));
afterAll(() => rmSync(root, { recursive: true }));
beforeEach(() => {
  rmSync(root, { recursive: true });
  for (const [file, text] of Object.entries({ ...SOURCES, ...OTHERS })) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
});

const counter = anyComponent(counterComponent);
const { random: _, ...withoutRandom } = counter;
const tap = {
  ...withoutRandom,
  name: 'Tap',
  sources: {
    spec: 'specs/Tap.tla',
    machine: 'machines/tap.ts',
    implementation: ['impl/tap.ts'],
    driver: 'conformance/drivers/tap.ts',
  },
  models: [{ cfg: 'Tap_small.cfg', module: 'MCTap', kind: 'small', distinct: 1 }],
  faults: [],
} as const;
const engines = [{ name: 'embedded', version: '1', origin: 'npm' }] as const;
const key = (component: typeof counter = tap, deep = false, env: NodeJS.ProcessEnv = {}): string =>
  cacheKey({ root, component, engines, deep, env });

describe('the key of the cache', () => {
  test('names every source, and nothing of another component', () => {
    expect(sourcesOf(root, tap)).toEqual(Object.keys(SOURCES).sort());
  });

  test.each(Object.keys(SOURCES))('a changed byte in %s misses the cache', (file) => {
    const before = key();
    appendFileSync(join(root, file), ' ');
    expect(key()).not.toBe(before);
  });

  test.each(Object.keys(OTHERS))('a changed byte in %s, which is of no concern, does not', (file) => {
    const before = key();
    appendFileSync(join(root, file), ' ');
    expect(key()).toBe(before);
  });

  test('a new mutant, a new cfg and a new engine source miss the cache', () => {
    const keys = [key()];
    for (const file of ['specs/mutants/Tap-bursts.toml', 'specs/Tap_more.cfg', 'conformance/check/stage.ts']) {
      writeFileSync(join(root, file), '');
      keys.push(key());
    }
    expect(new Set(keys).size).toBe(4);
  });

  test('other engines, --deep, another jar and another descriptor miss the cache', () => {
    const jar = join(root, 'tlc.jar');
    writeFileSync(jar, 'a jar');
    const moved = { ...tap, models: [{ ...tap.models[0], distinct: 2 }] };
    const other = { ...engines[0], version: '2' };
    const keys = [key(), key(tap, true), key(tap, false, { TLA2TOOLS_JAR: jar }), key(moved)];
    keys.push(cacheKey({ root, component: tap, engines: [other], deep: false, env: {} }));
    expect(new Set(keys).size).toBe(5);
  });

  test('the import closure follows types, exports, side effects and late imports', () => {
    expect(importClosure(root, ['conformance/drivers/tap.ts'])).toEqual([
      'conformance/drivers/late.ts',
      'conformance/drivers/tap.ts',
      'impl/ports/disk.ts',
      'impl/tap.ts',
      'machines/stepper.ts',
    ]);
  });
});

describe('the cache', () => {
  const green: ComponentOutcome = {
    name: 'Tap',
    models: [],
    liveness: { properties: [], ok: true },
    problems: [],
    seconds: 1,
    cached: false,
  };

  test('answers for the same key only, and says that it did', () => {
    const cache = new OutcomeCache(root);
    cache.write('1', green);
    expect(cache.read('Tap', '1')).toEqual({ ...green, cached: true });
    expect(cache.read('Tap', '2')).toBeUndefined();
    expect(cache.read('Sink', '1')).toBeUndefined();
  });

  test('keeps no red outcome, and reads no broken file', () => {
    const cache = new OutcomeCache(root);
    cache.write('1', { ...green, problems: [{ code: 'extra', component: 'Tap', message: '' }] });
    expect(existsSync(join(root, 'build'))).toBe(false);
    cache.write('2', green);
    writeFileSync(join(root, 'build', 'cache', 'Tap-2.json'), '{ cut');
    expect(cache.read('Tap', '2')).toBeUndefined();
  });

  test('keeps a few outcomes a component, the newest among them', () => {
    const cache = new OutcomeCache(root);
    for (let turn = 1; turn <= 9; turn++) cache.write(String(turn), green);
    expect(readdirSync(join(root, 'build', 'cache'))).toHaveLength(4);
  });

  test('is not allowed with NO_CACHE, --no-cache or in CI', () => {
    expect(OutcomeCache.isAllowed({}, false)).toBe(true);
    expect(OutcomeCache.isAllowed({ NO_CACHE: '' }, false)).toBe(true);
    expect(OutcomeCache.isAllowed({}, true)).toBe(false);
    expect(OutcomeCache.isAllowed({ NO_CACHE: '1' }, false)).toBe(false);
    expect(OutcomeCache.isAllowed({ CI: 'true' }, false)).toBe(false);
  });

  test('a checked component comes back whole, maps and sets included', async () => {
    const cache = new OutcomeCache(root);
    const settings = { root: process.cwd(), only: [], engine: 'embedded', deep: false, print: () => {} } as const;
    const run = () => check({ ...settings, components: [counter], stages: {}, cache });
    const [first] = (await run()).components;
    const [second] = (await run()).components;
    expect(first?.cached).toBe(false);
    expect(second).toEqual({ ...first, cached: true });
  });
});
