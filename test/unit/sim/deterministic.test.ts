/**
 * Goal: a simulated run cannot touch the real world, and whoever runs it still can.
 * Method: each touch in a guarded run throws and names itself; the same touch outside works; a touch that the run catches
 * fails the run all the same.
 */
import childProcess, { spawnSync } from 'node:child_process';
import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import fs, { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import net from 'node:net';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { guarded, guardedNames } from '../../../conformance/sim/deterministic.ts';

const nothing = (): void => {};
/** What is touched, by the words that the message must have. Named imports, members and globals. */
const touches: Readonly<Record<string, () => unknown>> = {
  'new Date()': () => new Date(),
  'Date()': () => Date(),
  'Date.now': () => Date.now(),
  'Date.getHours': () => new Date(0).getHours(),
  'performance.now': () => performance.now(),
  'process.hrtime': () => process.hrtime(),
  'process.hrtime.bigint': () => process.hrtime.bigint(),
  'process.memoryUsage': () => process.memoryUsage(),
  'Math.random': () => Math.random(),
  'crypto.randomBytes': () => randomBytes(4),
  'crypto.randomInt': () => randomInt(4),
  'crypto.randomUUID': () => randomUUID(),
  'webcrypto.randomUUID': () => globalThis.crypto.randomUUID(),
  'webcrypto.getRandomValues': () => globalThis.crypto.getRandomValues(new Uint8Array(4)),
  setTimeout: () => setTimeout(nothing, 1),
  setInterval: () => setInterval(nothing, 1),
  setImmediate: () => setImmediate(nothing),
  queueMicrotask: () => queueMicrotask(nothing),
  'timers.promises.setTimeout': () => sleep(1),
  'fs.readFileSync': () => readFileSync('package.json'),
  'fs.existsSync': () => existsSync('package.json'),
  'fs.openSync': () => fs.openSync('package.json', 'r'),
  'fs.promises.readFile': () => readFile('package.json'),
  'net.connect': () => net.connect(1),
  'net.Socket.connect': () => new net.Socket().connect(1),
  'childProcess.spawnSync': () => spawnSync('true'),
  'childProcess.fork': () => childProcess.fork('nothing'),
  'os.hostname': () => hostname(),
  fetch: () => fetch('http://127.0.0.1:1'),
  WeakRef: () => new WeakRef({}),
  'String.localeCompare': () => 'a'.localeCompare('b'),
  'Number.toLocaleString': () => (1).toLocaleString(),
  'Intl.Collator': () => new Intl.Collator(),
};

describe('a touch inside of a run', () => {
  test.each(Object.entries(touches))('%s throws and names itself', (name, act) => {
    expect(() => guarded(act)).toThrowError(
      expect.objectContaining({
        code: 'SIM_REAL_WORLD',
        evidence: { touched: name },
        message: expect.stringContaining(` touched ${name}:`),
      }),
    );
  });

  test('process.nextTick, too, in a process of its own: Vitest puts its own in its place between tests', () => {
    const program = [
      "import { guarded } from './conformance/sim/deterministic.ts';",
      'try { guarded(() => process.nextTick(() => {})); } catch (error) { console.log(error.evidence.touched); }',
    ].join('\n');
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '--eval', program],
      { encoding: 'utf8' },
    );
    expect(stdout.trim(), stderr).toBe('process.nextTick');
  });

  test('fails the run also when the code in it caught the error', () => {
    const swallowing = (): number => {
      try {
        return Date.now();
      } catch {
        return 0;
      }
    };
    expect(() => guarded(swallowing)).toThrowError(/Date\.now/);
  });

  test('is known by name for all of the functions of files', () => {
    const files = Object.entries(fs).flatMap(([name, value]) =>
      typeof value === 'function' && /^[a-z]\w+Sync$/.test(name) ? name : [],
    );
    expect(files.length).toBeGreaterThan(30);
    expect(guardedNames()).toEqual(expect.arrayContaining(files.map((name) => `fs.${name}`)));
  });
});

describe('what depends on nothing but its arguments', () => {
  test('stays: a date of a number, in UTC; a hash; a result', () => {
    expect(guarded(() => new Date(0).toISOString())).toBe('1970-01-01T00:00:00.000Z');
    expect(guarded(() => new Date(5) instanceof Date)).toBe(true);
    expect(guarded(() => Math.max(1, 2))).toBe(2);
  });
});

describe('outside of a run', () => {
  test('everything works, before, between and after a run that failed', async () => {
    expect(() =>
      guarded(() => {
        throw new Error('the run');
      }),
    ).toThrowError('the run');
    expect(Date.now()).toBeGreaterThan(0);
    expect(new Date().toISOString()).toMatch(/Z$/);
    expect(JSON.parse(readFileSync('package.json', 'utf8'))).toHaveProperty('name');
    expect(await readFile('package.json', 'utf8')).toContain('lockstep');
    expect(randomBytes(4).byteLength).toBe(4);
    expect(fs.realpathSync.native('.')).toBe(fs.realpathSync('.'));
    await sleep(1);
    await new Promise((resolve) => setImmediate(resolve));
  });

  test('a run inside of a run is refused', () => {
    expect(() => guarded(() => guarded(nothing))).toThrowError(/inside/);
  });
});
