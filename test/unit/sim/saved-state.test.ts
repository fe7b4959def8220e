/**
 * Goal: what is done of many runs is found again by the same runs of the same code, whole or not at all.
 * Method: the file itself, with other settings, other code, and damage.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RunSettings } from '../../../conformance/sim/runner/messages.ts';
import { StateFile } from '../../../conformance/sim/runner/saved-state.ts';
import { EMPTY_TALLY } from '../../../conformance/sim/runner/tally.ts';

const RUNS = { first: 5, count: 100 };
const state = { done: [{ first: 5, count: 3 }], tally: { ...EMPTY_TALLY, runs: 3 }, coverage: ['a'], bundles: {} };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lockstep-sim-state-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const fileOf = (settings: RunSettings = {}, sources = 'these', runs = RUNS): StateFile =>
  new StateFile(folder, settings, true, runs, sources);

describe('what is done', () => {
  test('is found by the same runs, however their settings were said', () => {
    fileOf({ name: 'calm', without: ['loss', 'delay'] }).save(state);
    expect(fileOf({ without: ['delay', 'loss'], name: 'calm' }).load()).toMatchObject(state);
  });

  test('is not found by other settings, seeds or code', () => {
    fileOf().save(state);
    expect(fileOf().load()).toMatchObject(state);
    expect(fileOf({ beyond: true }).load()).toBeUndefined();
    expect(fileOf({}, 'those').load()).toBeUndefined();
    expect(fileOf({}, 'these', { first: 5, count: 101 }).load()).toBeUndefined();
  });

  test('is as if it were not there when it is cut off, of another form, or does not add up', () => {
    const file = fileOf();
    file.save(state);
    const text = readFileSync(file.path, 'utf8');
    for (const damaged of [
      text.slice(0, -9),
      '',
      text.replace('"schema":1', '"schema":2'),
      text.replace('"count":3', '"count":4'),
      text.replace('"first":5', '"first":4'),
    ]) {
      writeFileSync(file.path, damaged);
      expect(file.load(), damaged.slice(0, 80)).toBeUndefined();
    }
  });

  test('leaves no draft behind, is removed when it is over, and only the newest few are kept', () => {
    for (let first = 0; first < 12; first++) fileOf({}, 'these', { first, count: 100 }).save({ ...state, done: [] });
    const file = fileOf();
    file.save(state);
    const names = readdirSync(dirname(file.path));
    expect(names).toHaveLength(8);
    expect(names.filter((name) => !name.endsWith('.json'))).toEqual([]);
    file.remove();
    expect(file.load()).toBeUndefined();
  });

  test('that cannot be written throws what the disk says, and leaves what was there', () => {
    const file = fileOf();
    file.save(state);
    mkdirSync(`${file.path}.${process.pid}`); // in the place of the draft
    expect(() => file.save({ ...state, coverage: [] })).toThrowError(/EISDIR/);
    expect(file.load()).toMatchObject(state);
  });
});
