/**
 * Goal: many runs in worker processes come to the same report whoever ran them; a worker that dies costs its run; what is
 * done survives a stop. Method: the real runner with real processes over a made-up world whose seeds misbehave on order.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { evenly, judgeShare } from '../../../conformance/sim/runner/judged-share.ts';
import { runMany, type Surroundings } from '../../../conformance/sim/runner/many-runs.ts';
import type { RunsTask } from '../../../conformance/sim/runner/sim-arguments.ts';
import type { SimReport } from '../../../conformance/sim/runner/sim-report.ts';

const WORLD = new URL('./made-up-world.ts', import.meta.url).href;

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lockstep-sim-runner-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

interface Outcome {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
  readonly report: SimReport;
}

async function run(
  task: Partial<RunsTask> & { readonly canary?: string },
  around: Partial<Surroundings> = {},
): Promise<Outcome> {
  let out = '';
  let err = '';
  let now = 0;
  const { canary, ...asked } = task;
  const exitCode = await runMany(
    {
      kind: 'runs',
      settings: canary === undefined ? {} : { canary },
      seeds: { first: 1, count: 100 },
      ...{ workers: 2, coverage: true, resume: true, judge: 0, keep: undefined, json: false },
      ...asked,
    },
    {
      world: WORLD,
      origin: () => ({ lockstep: '0', sources: 'these', node: 'v0' }),
      root,
      build: join(root, 'build'),
      outsideBudget: [{ what: 'flying', until: 'Wings' }],
      print: (text) => {
        out += text;
      },
      progress: {
        terminal: false,
        columns: 80,
        write: (text) => {
          err += text;
        },
      },
      stop: new AbortController().signal,
      nowMs: () => {
        now += 1_000;
        return now;
      },
      ...around,
    },
  );
  const report = JSON.parse(readFileSync(join(root, 'build', 'report', 'sim.json'), 'utf8')) as SimReport;
  return { exitCode, out, err, report };
}

describe('the report', () => {
  test('is the same for the same runs, whatever the workers', async () => {
    const seeds = { first: 11, count: 150 };
    const canary = 'fails@3;fails@8;';
    const one = await run({ workers: 1, seeds, canary });
    const three = await run({ workers: 3, seeds, canary });
    expect(three.report.result).toEqual(one.report.result);
    expect(JSON.stringify(three.report.result)).toBe(JSON.stringify(one.report.result));
    const { tally, coverage } = one.report.result;
    expect(tally).toMatchObject({ runs: 150, failedRuns: 30, viewMax: 6, replicas: { 3: 75, 5: 75 } });
    expect(tally.halts).toEqual({ SOME_HALT: 30 });
    expect(coverage?.seen).toBe(41);
    expect(tally.failures.map(({ seed, rule, count }) => [seed, rule, count])).toEqual([
      [13, 'Rule1', 10],
      [18, 'Rule0', 10],
      [23, 'Rule2', 10],
    ]);
  });

  test('says what was found and what is outside of the budget', async () => {
    const { exitCode, out } = await run({});
    expect(exitCode).toBe(0);
    expect(out).toMatch(/loss .* 4 .* 150 .* 100 /);
    expect(out).toContain('flying: until Wings');
    expect(out).toContain('100 runs, seeds 1 to 100: 0 violations');
  });

  test('tells the rate of the second half, and of all of it', async () => {
    const { out, report } = await run({ workers: 1, seeds: { first: 1, count: 400 } });
    const { runs, workingSeconds, secondHalf } = report.measured;
    expect(runs).toBe(400);
    expect(secondHalf?.runs).toBeGreaterThan(100);
    expect(secondHalf?.runs).toBeLessThanOrEqual(200);
    expect(secondHalf?.seconds).toBeGreaterThan(0);
    expect(secondHalf?.seconds).toBeLessThan(workingSeconds);
    expect(out).toMatch(/runs in the second half$/m);
  });

  test('differs when one history differs', async () => {
    const some = await run({ seeds: { first: 1, count: 10 } });
    const others = await run({ seeds: { first: 2, count: 10 } });
    expect(some.report.result.tally.hash).not.toBe(others.report.result.tally.hash);
  });
});

describe('a failure', () => {
  test('is printed once a kind, with its bundle and the commands that go on; the others are counted', async () => {
    const { exitCode, out, report } = await run({ canary: 'fails@4;' });
    expect(exitCode).toBe(1);
    expect(report.result.tally.failedRuns).toBe(10);
    expect(out.match(/^FAILED: seed 4 at step 7, 9 ms of virtual time: Rule1 \(agreement\)$/gm)).toHaveLength(1);
    const file = join(root, 'build', 'sim', 'failures', '4.bundle');
    expect(readFileSync(file, 'utf8')).toBe('4');
    expect(out).toContain(`lockstep sim --bundle ${file}`);
    expect(out).toContain(`lockstep sim shrink ${file}`);
    expect(out).toContain('lockstep sim --seed 4 --canary');
    expect(out).toContain('10 failed, in 3 way(s)');
  });

  test('is printed all the same when its bundle cannot be written', async () => {
    const notFolder = join(root, 'file');
    writeFileSync(notFolder, '');
    const { exitCode, out } = await run({ canary: 'fails@4;', keep: join(notFolder, 'failures') });
    expect(exitCode).toBe(1);
    expect(out).toMatch(/FAILED: seed 4 .*\n {2}of 4\n {2}replay: .*\n {2}no bundle was saved: ENOTDIR/);
  });

  test('a kind of fault that never happens in many runs fails them all', async () => {
    const { exitCode, out } = await run({ canary: 'calm', seeds: { first: 1, count: 500 } });
    expect(exitCode).toBe(1);
    expect(out).toContain('never injected: delay, loss,');
  });
});

describe('a worker', () => {
  test.each([
    ['throws', /RangeError: the run threw/],
    ['touches', /touched Math\.random/],
    ['dies', /ended by SIGABRT/],
    ['exits', /ended with exit code 9/],
  ])('whose run %s costs that run alone', async (what, words) => {
    const { exitCode, report } = await run({ canary: `${what}@20` });
    expect(exitCode).toBe(1);
    const { runs, failedRuns, failures } = report.result.tally;
    expect([runs, failedRuns, failures[0]?.seed, failures[0]?.oracle]).toEqual([100, 1, 20, 'runner']);
    expect(failures[0]?.message).toMatch(words);
  });

  test('whose run does not end is replaced', async () => {
    const { report } = await run({ canary: 'hangs@20', seeds: { first: 15, count: 10 } }, { runMsMax: 1_500 });
    expect(report.result.tally).toMatchObject({ runs: 10, failedRuns: 1 });
    expect(report.result.tally.failures[0]).toMatchObject({ seed: 20, message: 'a run does not end within 1.5 s' });
  });

  test('that never starts ends the runs with its last words', async () => {
    await expect(run({}, { world: new URL('./no-such-world.ts', import.meta.url).href })).rejects.toMatchObject({
      code: 'SIM_WORKER_BROKEN',
      message: expect.stringContaining('no-such-world'),
    });
  });
});

describe('a stop', () => {
  /** Aborts when so many lines of progress were written. */
  const stopping = (): Partial<Surroundings> & { lines: string[] } => {
    const stop = new AbortController();
    const lines: string[] = [];
    const write = (text: string): void => {
      lines.push(text);
      if (text.includes(' runs (')) stop.abort();
    };
    return { lines, stop: stop.signal, progress: { terminal: false, columns: 80, write } };
  };

  test('keeps what is done, and the same command goes on with the rest and comes to the same', async () => {
    const seeds = { first: 1, count: 400 };
    const canary = 'fails@4;';
    const stopped = stopping();
    const first = await run({ seeds, canary }, stopped);
    expect(first.exitCode).toBe(1);
    expect(first.report.complete).toBe(false);
    expect(first.report.result.tally.runs).toBeLessThan(400);
    expect(stopped.lines.join('')).toMatch(/stopped after \d+ runs.*lockstep sim --runs 400 --first-seed 1 --canary/);
    const second = await run({ seeds, canary });
    expect(second.err).toMatch(/going on: \d+ of 400 runs were done before/);
    expect(second.out).toContain('FAILED: seed 4 ');
    const [{ tally }] = [second.report.result];
    rmSync(join(root, 'build', 'sim'), { recursive: true });
    const whole = await run({ seeds, canary });
    expect(tally).toEqual(whole.report.result.tally);
    expect(second.report.result).toEqual(whole.report.result);
  });

  test('without a failure is no success', async () => {
    expect((await run({ seeds: { first: 1, count: 400 } }, stopping())).exitCode).toBe(130);
  });

  test('is forgotten when the runs are complete, with other settings, and with --no-resume', async () => {
    const seeds = { first: 1, count: 400 };
    await run({ seeds }, stopping());
    const unfinished = join(root, 'build', 'sim', 'unfinished');
    expect(readdirSync(unfinished)).toHaveLength(1);
    expect((await run({ seeds: { first: 1, count: 40 } })).err).not.toContain('going on');
    expect((await run({ seeds, resume: false })).err).not.toContain('going on');
    expect(existsSync(join(unfinished, readdirSync(unfinished)[0] ?? 'none'))).toBe(false);
  });
});

describe('A share of the runs goes to TLC', () => {
  const seeds = { first: 1, count: 40 };
  const judged = { runs: 4, steps: 900, stepsPerSecond: 300, wrong: [] };

  test('spread over the seeds, none twice, and all when that is asked', () => {
    expect(evenly({ first: 11, count: 100 }, 4)).toEqual([11, 36, 61, 86]);
    expect(evenly({ first: 1, count: 3 }, 9)).toEqual([1, 2, 3]);
    expect(evenly({ first: 1, count: 3 }, 0)).toEqual([]);
  });

  test('what the spec does not allow fails the runs', async () => {
    const wrong = ['the simulated run swarm of seed 11 is refused at step 3'];
    const { exitCode, out, report } = await run({ seeds, judge: 4 }, { judgeRuns: async () => ({ ...judged, wrong }) });
    expect(exitCode).toBe(1);
    expect(out).toContain('1 the spec does not allow');
    expect(out).toContain(wrong[0]);
    expect(report.judged?.wrong).toEqual(wrong);
  });

  test('what it allows is told with its rate, and where TLC is missing that is told', async () => {
    const good = await run({ seeds, judge: 4 }, { judgeRuns: async () => judged });
    expect(good.exitCode).toBe(0);
    expect(good.out).toContain('TLC judged 4 of the runs by specs/Vsr.tla: 900 steps, 300 a second');
    const around = { findTlc: () => ({ missing: 'no Java found' }) };
    const none = await run(
      { seeds, judge: 4 },
      { judgeRuns: (range, settings, share, options) => judgeShare(range, settings, share, { ...options, ...around }) },
    );
    expect(none.exitCode).toBe(0);
    expect(none.out).toContain('TLC did not judge any run: no Java found');
  });
});
