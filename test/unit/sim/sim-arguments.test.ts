/**
 * Goal: what `lockstep sim` is asked for is understood, or refused with what, where and what to do.
 * Method: words in, task or error out; progress and names beside it, with a clock that is set.
 */
import { describe, expect, test } from 'vitest';
import { FAULT_KINDS } from '../../../conformance/sim/plan.ts';
import { commandOf } from '../../../conformance/sim/runner/command-line.ts';
import { nearest } from '../../../conformance/sim/runner/nearest.ts';
import { Progress, rateText, timeText } from '../../../conformance/sim/runner/progress.ts';
import { SeedQueue, withoutRanges, withRange } from '../../../conformance/sim/runner/seed-ranges.ts';
import { simTaskOf } from '../../../conformance/sim/runner/sim-arguments.ts';
import { neverInjected } from '../../../conformance/sim/runner/sim-report.ts';
import { EMPTY_TALLY } from '../../../conformance/sim/runner/tally.ts';

const known = { scenarios: ['swarm', 'calm', 'network'], canaries: ['Vsr.longest-log', 'Vsr.shortest-log'] };
const taskOf = (line: string) => simTaskOf(line === '' ? [] : line.split(' '), known);

describe('words that are understood', () => {
  test.each([
    ['', { kind: 'runs', seeds: { first: 1, count: 2_000 }, settings: {}, resume: true, coverage: true, json: false }],
    ['--runs 10 --first-seed 5 --workers 3', { seeds: { first: 5, count: 10 }, workers: 3 }],
    ['--runs 1 --first-seed 4294967295', { seeds: { first: 4_294_967_295, count: 1 } }],
    ['--seed 0', { kind: 'one', seed: 0 }],
    [
      '--scenario calm --replicas 5 --workload bursts',
      { settings: { name: 'calm', replicaCount: 5, workload: 'bursts' } },
    ],
    ['--replicas swarm --beyond', { settings: { replicaCount: 'swarm', beyond: true } }],
    ['--without loss,delay,loss', { settings: { without: ['loss', 'delay'] } }],
    ['--runs 50 --judge 7', { judge: 7 }],
    ['--runs 50 --judge all', { judge: 50 }],
    ['--canary Vsr.shortest-log --no-resume --no-coverage', { resume: false, coverage: false }],
    ['--guided --runs 9 --first-seed 3', { kind: 'guided', runs: 9, firstSeed: 3, settings: {}, json: false }],
    ['--bundle f', { kind: 'replay', file: 'f' }],
    ['shrink f --json', { kind: 'shrink', file: 'f', json: true }],
    ['bisect f', { kind: 'bisect', file: 'f' }],
    ['trace f --out p', { kind: 'trace', file: 'f', out: 'p', json: false }],
    ['timeline f --html p', { kind: 'timeline', file: 'f', html: 'p', mermaid: false }],
    ['regression f --fixed-by x', { kind: 'regression', file: 'f', fixedBy: 'x', name: undefined }],
    ['scenarios', { kind: 'scenarios' }],
    ['canaries --json', { kind: 'canaries', json: true }],
  ])('%s', (line, task) => expect(taskOf(line)).toMatchObject(task));
});

describe('words that are refused', () => {
  test.each([
    ['--scenario swam', 'SIM_UNKNOWN_SCENARIO', /no scenario "swam" \(did you mean swarm\?\): there is swarm, calm/],
    ['--scenario zzzzzzzzz', 'SIM_UNKNOWN_SCENARIO', /no scenario "zzzzzzzzz": there is/],
    ['--without loss,torn', 'SIM_UNKNOWN_FAULT', /no kind of fault "torn"/],
    ['--workload burst', 'SIM_UNKNOWN_WORKLOAD', /did you mean bursts\?/],
    ['--canary vsr.longest-log', 'SIM_UNKNOWN_CANARY', /did you mean Vsr\.longest-log\?/],
    ['--seed 4294967296', 'SIM_SEED_OUT_OF_RANGE', /from 0 to 4294967295/],
    ['--seed=-1', 'SIM_SEED_OUT_OF_RANGE', /--seed -1 is no seed/],
    ['--seed 1.5', 'SIM_SEED_OUT_OF_RANGE', /1\.5/],
    ['--first-seed 4294967290 --runs 7', 'SIM_SEED_OUT_OF_RANGE', /end at seed 4294967296.*ask for 6 runs/],
    ['--runs 0', 'SIM_NO_RUNS', /whole number from 1/],
    ['--runs 1e3', 'SIM_NO_RUNS', /1e3/],
    ['--runs', 'SIM_USAGE', /runs/],
    ['--seed 1 --runs 2', 'SIM_USAGE', /leave out --runs/],
    ['--guided --seed 2', 'SIM_USAGE', /leave out --guided/],
    ['--guided --workers 2 --judge 1', 'SIM_USAGE', /leave out --workers, --judge/],
    ['--bundle f --seed 1', 'SIM_USAGE', /leave out --seed/],
    ['--replicas 4', 'SIM_USAGE', /3, 5 or 7/],
    ['--workers 0', 'SIM_USAGE', /from 1 to 256/],
    ['--sed 1', 'SIM_USAGE', /--sed/],
    ['shrnk f', 'SIM_USAGE', /did you mean shrink\?/],
    ['shrink', 'SIM_USAGE', /needs a bundle/],
    ['shrink a b', 'SIM_USAGE', /takes one bundle/],
    ['regression f', 'SIM_USAGE', /needs --fixed-by/],
    ['canaries x', 'SIM_USAGE', /takes nothing/],
  ])('%s', (line, code, message) => {
    expect(() => taskOf(line)).toThrowError(expect.objectContaining({ code, message: expect.stringMatching(message) }));
  });
});

describe('the command that does the same again', () => {
  test('is understood as the same settings', () => {
    const line =
      '--seed 9 --scenario calm --replicas 7 --workload bursts --beyond --canary Vsr.longest-log --without loss,delay';
    const task = taskOf(line);
    if (task.kind !== 'one') throw new Error('not one run');
    const command = commandOf(task.settings, '--seed', '9');
    expect(command).toMatch(/^lockstep sim --seed 9 /);
    expect(taskOf(command.replace('lockstep sim ', ''))).toEqual(task);
  });
});

describe('ranges of seeds', () => {
  test('join their neighbours, whatever their order, and leave the rest', () => {
    const all = { first: 10, count: 30 };
    const parts = [
      { first: 30, count: 5 },
      { first: 10, count: 5 },
      { first: 20, count: 10 },
      { first: 15, count: 1 },
    ];
    const done = parts.reduce<readonly { first: number; count: number }[]>(withRange, []);
    expect(done).toEqual([
      { first: 10, count: 6 },
      { first: 20, count: 15 },
    ]);
    expect(withoutRanges(all, done)).toEqual([
      { first: 16, count: 4 },
      { first: 35, count: 5 },
    ]);
    expect(withoutRanges(all, [])).toEqual([all]);
    expect(withoutRanges(all, [all])).toEqual([]);
  });

  test('are handed out in pieces, each seed once', () => {
    const queue = new SeedQueue([
      { first: 3, count: 5 },
      { first: 10, count: 1 },
    ]);
    expect([2, 9, 4, 4].map((most) => queue.take(most))).toEqual([
      { first: 3, count: 2 },
      { first: 5, count: 3 },
      { first: 10, count: 1 },
      undefined,
    ]);
  });
});

describe('progress', () => {
  const shown = (
    terminal: boolean,
    updates: readonly (readonly [done: number, failed: number, nowMs: number])[],
  ): string => {
    let text = '';
    const write = (part: string): void => {
      text += part;
    };
    const progress = new Progress({ terminal, columns: 100, write, runs: 1_000, doneBefore: 0 }, 0);
    for (const update of updates) progress.update(...update);
    return text;
  };

  test('on a terminal is one line that replaces itself, ten times a second at most', () => {
    const text = shown(true, [
      [1, 0, 10],
      [2, 0, 20],
      [400, 0, 2_000],
      [500, 3, 2_050],
      [600, 3, 3_000],
    ]);
    expect(text.split('\r\x1b[2K').slice(1)).toEqual([
      'sim: 1 of 1,000 runs (0 %), no failure',
      'sim: 400 of 1,000 runs (40 %), 200/s, 3 s left, no failure',
      'sim: 600 of 1,000 runs (60 %), 200/s, 2 s left, 3 failed',
    ]);
  });

  test('elsewhere is a line at the start and a line a tenth, and one an hour when a tenth takes longer', () => {
    const hour = 3_600_000;
    const lines = shown(false, [
      [10, 0, 1_000],
      [99, 0, 2_000],
      [100, 0, 3_000],
      [150, 0, 4_000],
      [160, 0, 3_000 + hour],
      [200, 0, 4_000 + hour],
      [1_000, 0, 5_000 + hour],
    ]);
    expect(
      lines
        .trimEnd()
        .split('\n')
        .map((line) => line.slice(0, 26)),
    ).toEqual([
      'sim: 10 of 1,000 runs (1 %',
      'sim: 100 of 1,000 runs (10',
      'sim: 160 of 1,000 runs (16',
      'sim: 200 of 1,000 runs (20',
    ]);
  });

  test('rates and times read as a person says them', () => {
    expect([rateText(0.25), rateText(9.94), rateText(1_234.5)]).toEqual(['0.3', '9.9', '1,235']);
    expect([timeText(0.2), timeText(61), timeText(7_260)]).toEqual(['1 s', '1 min 1 s', '2 h 1 min']);
  });
});

describe('names', () => {
  test('the nearest is the one with the fewest edits, and nothing when it is another word', () => {
    expect(nearest('partition-symetric', FAULT_KINDS)).toBe('partition-symmetric');
    expect(nearest('LOSS', FAULT_KINDS)).toBe('loss');
    expect(nearest('earthquake', FAULT_KINDS)).toBeUndefined();
  });
});

describe('a kind of fault that never happened', () => {
  const injected = Object.fromEntries(FAULT_KINDS.filter((kind) => kind !== 'loss').map((kind) => [kind, 1]));

  test('is missed in many runs of a scenario that has it, unless it is switched off', () => {
    const tally = { ...EMPTY_TALLY, runs: 2_000, injected };
    expect(neverInjected(tally, {})).toEqual(['loss']);
    expect(neverInjected(tally, { without: ['loss'] })).toEqual([]);
    expect(neverInjected({ ...tally, runs: 20 }, {})).toEqual([]);
    expect(neverInjected(tally, { name: 'calm' })).toEqual([]);
    expect(neverInjected({ ...tally, planned: { loss: 3 } }, { name: 'network' })).toEqual(['loss']);
  });
});
