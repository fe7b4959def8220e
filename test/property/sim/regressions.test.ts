/**
 * Goal: what the simulator once found and was mended stays mended, and a file of traces/sim that is damaged is told, not
 * passed over. Method: every scenario of traces/sim, run; files saved, read back and damaged.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeBundle } from '../../../conformance/sim/bundle.ts';
import { BundleError } from '../../../conformance/sim/bundle-error.ts';
import { readRegression, regressionsIn, saveRegression } from '../../../conformance/sim/regression.ts';
import { runScenario } from '../../../conformance/sim/run.ts';
import { fakeRun, noise, scenarioOf } from '../../unit/sim/fake-plan-run.ts';

const kept = regressionsIn('traces/sim');

describe(`traces/sim: ${kept.length === 0 ? 'no regression yet' : `${kept.length} regressions`}`, () => {
  test('is read without an error, and every file in it is a regression', () => {
    for (const { file, fixedBy, was } of kept) expect(`${fixedBy}${was.rule}`, file).not.toBe('');
    expect(kept.every(({ scenario }) => scenario.canary === undefined)).toBe(true);
  });

  for (const { file, scenario, was } of kept)
    test(`${file}: ${was.oracle}, ${was.rule}, does not come again`, () => {
      expect(runScenario(scenario).failure).toBeUndefined();
    });
});

describe('A regression', () => {
  const origin = { lockstep: '0.1.0', sources: 'a'.repeat(64), node: 'v20.20.2' };
  const { run } = fakeRun({ fails: () => ({ after: 3, rule: 'CommittedSurvives' }) });
  const bundle = makeBundle(run, scenarioOf(noise(6)), origin);
  const fixedBy = 'Vsr: a view is durable before it is told';

  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sim-regression-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  function codeOf(made: () => unknown): string {
    try {
      made();
    } catch (error) {
      if (error instanceof BundleError) return `${error.code}: ${error.message}`;
      throw error;
    }
    return 'nothing was thrown';
  }

  test('is read back as it was saved, also from a folder that was not there', () => {
    const below = join(folder, 'traces', 'sim');
    const file = saveRegression(bundle, { folder: below, fixedBy });
    expect(file).toBe(join(below, 'agreement-committed-survives-7.scenario.json'));
    expect(regressionsIn(below)).toEqual([{ file, scenario: bundle.scenario, was: bundle.failure, fixedBy }]);
    expect(regressionsIn(join(folder, 'none'))).toEqual([]);
  });

  test('reads well as a diff: keys sorted, one a line, whatever their order was', () => {
    const first = saveRegression(bundle, { folder, fixedBy, name: 'first' });
    const turned = { ...bundle, scenario: Object.fromEntries(Object.entries(bundle.scenario).reverse()) as never };
    const second = saveRegression(turned, { folder, fixedBy, name: 'second' });
    const text = readFileSync(first, 'utf8');
    expect(readFileSync(second, 'utf8')).toBe(text);
    expect(text.split('\n').slice(0, 4)).toEqual([
      '{',
      `  "fixedBy": "${fixedBy}",`,
      '  "scenario": {',
      '    "beyond": false,',
    ]);
    expect(text.endsWith('}\n')).toBe(true);
  });

  test('is replaced by one of the same scenario, and by no other', () => {
    const file = saveRegression(bundle, { folder, fixedBy });
    saveRegression(bundle, { folder, fixedBy: 'said better' });
    expect(readRegression(file).fixedBy).toBe('said better');
    const other = { ...bundle, scenario: { ...bundle.scenario, safetyUs: 99_999 } };
    expect(codeOf(() => saveRegression(other, { folder, fixedBy }))).toMatch(/^SIM_REGRESSION_EXISTS: .*another name/);
    expect(readRegression(file).scenario).toEqual(bundle.scenario);
    expect(readdirSync(folder)).toHaveLength(1);
  });

  test('is never one of a canary', () => {
    const broken = { ...bundle, scenario: { ...bundle.scenario, canary: 'Vsr.longest-log' } };
    expect(codeOf(() => saveRegression(broken, { folder, fixedBy }))).toMatch(
      /^SIM_REGRESSION_OF_CANARY: .*longest-log/,
    );
    expect(readdirSync(folder)).toEqual([]);
  });

  const { scenario, failure: was } = bundle;
  test.each<[string, string, RegExp]>([
    ['cut off', JSON.stringify({ scenario, was, fixedBy }).slice(0, -9), /JSON/],
    ['empty', '', /JSON/],
    ['a number', '7', /no object/],
    ['without a scenario', JSON.stringify({ was, fixedBy }), /scenario/],
    ['with a wrong plan', JSON.stringify({ scenario: { ...scenario, plan: [{}] }, was, fixedBy }), /scenario\/plan\/0/],
    ['without its failure', JSON.stringify({ scenario, fixedBy }), /was: failure/],
    ['without what mended it', JSON.stringify({ scenario, was, fixedBy: ' ' }), /fixedBy does not say/],
    ['with a field too many', JSON.stringify({ scenario, was, fixedBy, notes: 1 }), /notes is no field/],
  ])('%s is refused, and the folder with it', (_, text, words) => {
    const file = join(folder, 'x.scenario.json');
    writeFileSync(file, text);
    const told = codeOf(() => regressionsIn(folder));
    expect(told).toMatch(/^SIM_REGRESSION_DAMAGED: .*x\.scenario\.json is no regression/);
    expect(told).toMatch(words);
  });
});
