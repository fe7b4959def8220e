/**
 * Goal: a failure that was found is kept whole or not at all, is read back as it was, and whoever gives another file is told
 * what is wrong with it. A replayed bundle says what became of the failure.
 * Method: bundles of a fake run on the real disk and on a full one; damaged files of every kind.
 */
import { spawnSync } from 'node:child_process';
import {
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BUNDLE_EVENTS_MAX, type Bundle, bundleText, makeBundle } from '../../../conformance/sim/bundle.ts';
import { BundleError } from '../../../conformance/sim/bundle-error.ts';
import { readBundle, type WriteCalls, writeBundle } from '../../../conformance/sim/bundle-file.ts';
import { compressed } from '../../../conformance/sim/compressed-text.ts';
import { type Origin, originOf } from '../../../conformance/sim/origin.ts';
import { replayBundle } from '../../../conformance/sim/replay-bundle.ts';
import { fakeRun, noise, scenarioOf } from './fake-plan-run.ts';

const origin: Origin = { lockstep: '0.1.0', sources: 'a'.repeat(64), commit: 'c0ffee', node: 'v20.20.2' };
const scenario = scenarioOf(noise(40));
const failing = fakeRun({ fails: () => ({ after: 30, rule: 'CommittedSurvives' }) });
const bundle = makeBundle(failing.run, scenario, origin);
const calls: WriteCalls = { openSync, writeSync, fsyncSync, renameSync };

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sim-bundle-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function pathOf(written: ReturnType<typeof writeBundle>): string {
  if ('error' in written) throw written.error;
  return written.path;
}

function errorOf(made: () => unknown): BundleError {
  try {
    made();
  } catch (error) {
    if (error instanceof BundleError) return error;
    throw error;
  }
  throw new Error('it did not throw');
}

describe('A bundle', () => {
  test('is read back as it was written', () => {
    const path = pathOf(writeBundle(join(folder, 'new', 'folder'), bundle));
    expect(path).toMatch(/swarm-7-agreement-committed-survives\.bundle\.zst$/);
    expect(readBundle(path)).toEqual(bundle);
  });

  test('is a zstd file as others read it', ({ skip }) => {
    const path = pathOf(writeBundle(folder, bundle));
    const { status, stdout, error } = spawnSync('zstd', ['-dc', path], { encoding: 'utf8' });
    // No zstd on this machine: nobody else to ask.
    if (error !== undefined) return skip();
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toEqual(bundle);
  });

  test('holds the last events only, in order', () => {
    const long = makeBundle(
      fakeRun({ fails: () => ({ after: 'end' }) }).run,
      scenarioOf(noise(BUNDLE_EVENTS_MAX + 10)),
      origin,
    );
    expect(long.events).toHaveLength(BUNDLE_EVENTS_MAX);
    expect(long.events.at(-1)?.kind).toBe('failure');
    expect(long.events.at(-2)?.kind).toBe('heal');
    const steps = long.events.map(({ step }) => step);
    expect(steps).toEqual([...steps].sort((a, b) => a - b));
    expect(long.events[0]?.step).toBe(130); // 12 of the BUNDLE_EVENTS_MAX + 12 are left out, 10 steps each
  });

  test('is of the run without a listener, should a listener ever change it', () => {
    const other = fakeRun({ fails: () => ({ after: 2, rule: 'Listening' }) });
    const run: typeof failing.run = (one, options) =>
      (options?.onEvent === undefined ? failing : other).run(one, options);
    const made = makeBundle(run, scenario, origin);
    expect(made).toEqual({ ...bundle, events: [] });
    expect(replayBundle(run, made, origin).verdict).toBe('same-history');
  });

  test('keeps evidence that JSON has no word for', () => {
    const guards = [{ name: 'Enough', holds: false, evidence: { cluster: 7n, votes: new Set([1, 2]) } }];
    const text = bundleText({ ...bundle, events: [{ kind: 'machine', step: 1, atUs: 1, guards } as never] });
    expect(text).toContain('"evidence":{"cluster":"7","votes":[1,2]}');
  });

  test('is not made of a run that does not fail', () => {
    const { code, message } = errorOf(() => makeBundle(fakeRun({ fails: () => undefined }).run, scenario, origin));
    expect(code).toBe('SIM_BUNDLE_DOES_NOT_FAIL');
    expect(message).toContain('seed 7');
  });
});

describe('A bundle on a full disk', () => {
  const full = (): never => {
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  };

  test.each<[string, Partial<WriteCalls>]>([
    ['at open', { openSync: full }],
    ['at the first write', { writeSync: full }],
    [
      'at the second write',
      { writeSync: (file, bytes) => (bytes.byteLength > 99 ? writeSync(file, bytes, 0, 99) : full()) },
    ],
    ['when nothing is taken', { writeSync: () => 0 }],
    ['at the sync', { fsyncSync: full }],
    ['at the rename', { renameSync: full }],
  ])('%s: the failure is told all the same, what was there stays, nothing half is left', (_, broken) => {
    const path = pathOf(writeBundle(folder, bundle));
    const written = writeBundle(folder, { ...bundle, steps: 1 }, { ...calls, ...broken });
    expect('error' in written && written.error.code).toBe('SIM_BUNDLE_NOT_SAVED');
    const message = 'error' in written ? written.error.message : '';
    expect(message).toMatch(/no space left|no more/);
    expect(message).toContain('agreement, CommittedSurvives: it broke at 31000 us');
    expect(message).toContain('seed 7');
    expect(readdirSync(folder)).toHaveLength(1);
    expect(readBundle(path)).toEqual(bundle);
  });

  test('a plan that was shrunk is told whole: its seed does not make it again', () => {
    const written = writeBundle(folder, { ...bundle, shrunkFrom: 900 }, { ...calls, writeSync: full });
    const message = 'error' in written ? written.error.message : '';
    expect(JSON.parse(message.slice(message.lastIndexOf('\n') + 1))).toEqual(scenario);
  });

  test('a disk that takes a few bytes at a time gets them all', () => {
    const slow: WriteCalls = {
      ...calls,
      writeSync: (file, bytes) => writeSync(file, bytes, 0, Math.min(7, bytes.length)),
    };
    expect(readBundle(pathOf(writeBundle(folder, bundle, slow)))).toEqual(bundle);
  });

  test.runIf(process.getuid?.() === 0)('a real one of 16 KiB', ({ skip }) => {
    const small = join(folder, 'small');
    mkdirSync(small);
    // Without the right to mount there is no small file system.
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', small]).status !== 0) return skip();
    try {
      writeFileSync(join(small, 'filler'), new Uint8Array(12 * 1024));
      const noisy = makeBundle(failing.run, { ...scenario, plan: noise(4000) }, origin);
      const written = writeBundle(small, noisy);
      expect('error' in written && written.error.evidence.system).toBe('ENOSPC');
      expect(readdirSync(small)).toEqual(['filler']);
    } finally {
      spawnSync('umount', [small]);
    }
  });
});

describe('A file that is no bundle', () => {
  const wrong = (changes: object): Buffer => compressed(JSON.stringify({ ...bundle, ...changes }));
  const good = compressed(bundleText(bundle));

  test.each<[string, Uint8Array, string, RegExp]>([
    ['another file', Buffer.from('{}'), 'SIM_BUNDLE_NOT_ZSTD', /does not begin as a zstd file/],
    ['an empty file', Buffer.alloc(0), 'SIM_BUNDLE_NOT_ZSTD', /does not begin/],
    ['not JSON', compressed('{"format":1,'), 'SIM_BUNDLE_NOT_JSON', /not JSON/],
    ['a list', compressed('[]'), 'SIM_BUNDLE_NOT_A_BUNDLE', /format is not 1/],
    ['a format of later', wrong({ format: 2 }), 'SIM_BUNDLE_NEWER', /format 2.*version 0\.1\.0 commit c0ffee/],
    ['no hash', wrong({ hash: 'x' }), 'SIM_BUNDLE_NOT_A_BUNDLE', /hash is not/],
    ['no plan', wrong({ scenario: { ...scenario, plan: undefined } }), 'SIM_BUNDLE_NOT_A_BUNDLE', /scenario\/plan/],
    ['a wrong seed', wrong({ scenario: { ...scenario, seed: 2 ** 32 } }), 'SIM_BUNDLE_NOT_A_BUNDLE', /scenario\/seed/],
    [
      'an unknown kind of fault',
      wrong({ scenario: { ...scenario, plan: [{ type: 'fault', atUs: 1, fault: { kind: 'flood' } }] } }),
      'SIM_BUNDLE_NOT_A_BUNDLE',
      /scenario\/plan\/0/,
    ],
    [
      'a plan out of order',
      wrong({ scenario: { ...scenario, plan: [...scenario.plan].reverse() } }),
      'SIM_BUNDLE_NOT_A_BUNDLE',
      /plan\/1 is earlier/,
    ],
    [
      'a replica too many',
      wrong({
        scenario: { ...scenario, plan: [{ type: 'fault', atUs: 1, fault: { kind: 'process-pause', replica: 3 } }] },
      }),
      'SIM_BUNDLE_NOT_A_BUNDLE',
      /plan\/0 names replica 3 of 3/,
    ],
    [
      'no oracle',
      wrong({ failure: { ...bundle.failure, oracle: 'moon' } }),
      'SIM_BUNDLE_NOT_A_BUNDLE',
      /failure\/oracle/,
    ],
    ['a stranger event', wrong({ events: [{ kind: 'send' }] }), 'SIM_BUNDLE_NOT_A_BUNDLE', /events\/0/],
    ['cut off', good.subarray(0, good.length - 1), 'SIM_BUNDLE_DAMAGED', /cut off or damaged/],
  ])('%s', (_, bytes, code, words) => {
    const path = join(folder, 'x.bundle.zst');
    writeFileSync(path, bytes);
    const error = errorOf(() => readBundle(path));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(words);
    expect(error.message).toContain(path);
  });

  test('no file, a folder, and a path through a file', () => {
    expect(errorOf(() => readBundle(join(folder, 'none'))).code).toBe('SIM_BUNDLE_NOT_FOUND');
    expect(errorOf(() => readBundle(folder)).code).toBe('SIM_BUNDLE_UNREADABLE');
    const path = pathOf(writeBundle(folder, bundle));
    expect(errorOf(() => readBundle(join(path, 'below'))).code).toBe('SIM_BUNDLE_NOT_FOUND');
  });
});

describe('A bundle that is replayed', () => {
  const other = { ...origin, sources: 'b'.repeat(64) };

  test('by the same code: the same failure in the same history', () => {
    const { verdict, sentence, doubt } = replayBundle(failing.run, bundle, origin);
    expect({ verdict, doubt }).toEqual({ verdict: 'same-history', doubt: undefined });
    expect(sentence).toContain('agreement, CommittedSurvives');
  });

  test('by other code with the same history: a warning that names what to check out', () => {
    const { verdict, doubt } = replayBundle(failing.run, bundle, other);
    expect({ verdict, level: doubt?.level }).toEqual({ verdict: 'same-history', level: 'warning' });
    expect(doubt?.error.code).toBe('SIM_BUNDLE_OTHER_SOURCES');
    expect(doubt?.error.message).toContain('version 0.1.0 commit c0ffee');
    expect(doubt?.error.message).toContain('check out c0ffee');
  });

  test('by other code with another history: the same failure, and an error', () => {
    const moved = fakeRun({ fails: () => ({ after: 30, rule: 'CommittedSurvives' }), code: 'new' });
    const { verdict, doubt } = replayBundle(moved.run, bundle, other);
    expect({ verdict, level: doubt?.level }).toEqual({ verdict: 'same-failure', level: 'error' });
  });

  test('by the same code with another history: a run is not decided by its scenario', () => {
    const moved = fakeRun({ fails: () => ({ after: 30, rule: 'CommittedSurvives' }), code: 'new' });
    const { doubt } = replayBundle(moved.run, bundle, { ...origin, node: 'v24.1.0' });
    expect(doubt?.error.code).toBe('SIM_BUNDLE_NOT_REPEATED');
    expect(doubt?.error.message).toContain('Node v20.20.2 then and v24.1.0 now');
  });

  test('when it fails otherwise, or not any more', () => {
    const otherwise = replayBundle(fakeRun({ fails: () => ({ after: 3, rule: 'Agreement' }) }).run, bundle, other);
    expect(otherwise.verdict).toBe('other-failure');
    expect(otherwise.sentence).toMatch(
      /it was agreement, CommittedSurvives, and it is agreement, Agreement at step 40/,
    );
    const fixed = replayBundle(fakeRun({ fails: () => undefined }).run, bundle, other);
    expect(fixed.verdict).toBe('no-failure');
    expect(fixed.sentence).toContain('Is it fixed?');
  });
});

describe('Where a bundle comes from', () => {
  const entry = 'conformance/sim/bundle.ts';

  test('this checkout: version and sources; the commit where there is git', () => {
    const here = originOf('.', entry);
    expect(here.lockstep).toBe(
      (JSON.parse(readFileSync('package.json', 'utf8')) as Bundle['scenario'] & { version: string }).version,
    );
    expect(here.sources).toMatch(/^[0-9a-f]{64}$/);
    expect(originOf('.', entry)).toEqual(here);
    if (here.commit !== undefined) expect(here.commit).toMatch(/^[0-9a-f]{40}$/);
  });

  test('another byte in a file that decides a run is other sources; one in another file is not', () => {
    const write = (file: string, text: string): void => writeFileSync(join(folder, file), text);
    write('package.json', '{"version":"9.9.9"}');
    write('run.ts', "import { a } from './a.ts';");
    write('a.ts', 'export const a = 1;');
    const before = originOf(folder, 'run.ts');
    expect(before).toEqual({ lockstep: '9.9.9', sources: before.sources, node: process.version });
    write('b.ts', 'export const b = 1;');
    expect(originOf(folder, 'run.ts').sources).toBe(before.sources);
    write('a.ts', 'export const a = 2;');
    expect(originOf(folder, 'run.ts').sources).not.toBe(before.sources);
  });
});
