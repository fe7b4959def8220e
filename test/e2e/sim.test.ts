/**
 * Goal: `lockstep sim` does what its help says: runs, stops on Ctrl-C with what it has, goes on, and refuses what it cannot do.
 * Method: the real command over the real simulated world, in processes; the signal goes to the process by its id.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildOnce, type CommandResult, lockstep, REPOSITORY, RUN } from './cluster-harness.ts';

const RUNS_MS_MAX = 300_000;
/** Nobody else's seeds: what is done is known by them. */
const FIRST_SEED = 7_000_000 + (process.pid % 100_000) * 10_000;
const FAILING = ['--canary', 'Vsr.omit-PrimaryFsync.syncLog'];

let keep: string;
beforeAll(() => {
  buildOnce();
  keep = mkdtempSync(join(tmpdir(), 'lockstep-sim-e2e-'));
}, RUNS_MS_MAX);
afterAll(() => rmSync(keep, { recursive: true, force: true }));

const sim = (...args: readonly string[]): Promise<CommandResult> => lockstep(['sim', ...args]);

/** Sends SIGINT to the command when it has said that runs are done. */
async function interrupted(...args: readonly string[]): Promise<CommandResult> {
  const child = spawn(process.execPath, [RUN, 'sim', ...args], {
    env: { ...process.env, NO_COLOR: '1' },
    cwd: REPOSITORY,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr, sent] = ['', '', false];
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    stdout += part;
  });
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    stderr += part;
    if (sent || !/ of [\d,]+ runs \(/.test(stderr)) return;
    sent = true;
    child.kill('SIGINT');
  });
  const exitCode = await new Promise<number | null>((done) => child.on('close', done));
  return { exitCode, stdout, stderr };
}

describe('lockstep sim', () => {
  it('--seed is one run, and the same seed is the same history', { timeout: RUNS_MS_MAX }, async () => {
    const [once, again] = await Promise.all([sim('--seed', '17'), sim('--seed', '17', '--json')]);
    expect(once.stdout).toMatch(/^seed 17: [\d,]+ steps/);
    expect(once.exitCode).toBe(0);
    const { result } = JSON.parse(again.stdout) as { result: { hash: string; seed: number } };
    expect(once.stdout).toContain(result.hash);
  });

  it('a few runs end with the table, and are in build/report/sim.json', { timeout: RUNS_MS_MAX }, async () => {
    const { exitCode, stdout } = await sim('--runs', '6', '--first-seed', String(FIRST_SEED), '--no-resume');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/│ partition-asymmetric +│/);
    expect(stdout).toContain('LogRepair');
    expect(stdout).toMatch(/6 runs, seeds \d+ to \d+: 0 violations/);
    const report = JSON.parse(readFileSync(join(REPOSITORY, 'build', 'report', 'sim.json'), 'utf8')) as object;
    expect(report).toMatchObject({ schema: 1, complete: true, result: { tally: { runs: 6 } } });
  });

  it('a failure comes with a bundle that replays, shrinks and is shown', { timeout: RUNS_MS_MAX }, async () => {
    const failed = await sim('--seed', '1', ...FAILING, '--keep', keep);
    expect(failed.exitCode).toBe(1);
    const bundle = /lockstep sim --bundle (\S+)/.exec(failed.stdout)?.[1] ?? 'none';
    expect(readdirSync(keep)).toHaveLength(1);
    const replayed = await sim('--bundle', bundle);
    expect(replayed.stdout).toMatch(/^The same failure in the same history/);
    expect(replayed.exitCode).toBe(1);
    const shrunk = await sim('shrink', bundle);
    expect(shrunk.stdout).toMatch(/events of the plan -> \d+/);
    expect(shrunk.exitCode).toBe(0);
    const smaller = /lockstep sim timeline (\S+)/.exec(shrunk.stdout)?.[1] ?? 'none';
    expect((await sim('timeline', smaller)).stdout).toMatch(/FAILURE after step/);
    const out = join(keep, 'failing.itf.json');
    const traced = await sim('trace', smaller, '--out', out);
    expect(traced.stdout).toMatch(/^TLC: (?:refused at step \d+|did not run)/);
    expect(traced.stdout).toMatch(/^code: the whole code differs at step \d+/m);
    const stepped = await lockstep(['replay', out]);
    expect(stepped.stdout).toMatch(/^diverges .*step \d+/m);
    expect(stepped.exitCode).toBe(1);
  });

  it('Ctrl-C keeps what is done, and the same command goes on there', { timeout: RUNS_MS_MAX }, async () => {
    const runs = ['--runs', '9000', '--first-seed', String(FIRST_SEED)];
    const first = await interrupted(...runs);
    expect(first.exitCode, first.stderr).toBe(130);
    expect(first.stdout).toMatch(/[\d,]+ of 9,000 runs, seeds/);
    const done = Number(/stopped after (\d+) runs; they are kept/.exec(first.stderr)?.[1]);
    expect(done).toBeGreaterThan(0);
    expect(first.stderr).toContain(`lockstep sim --runs 9000 --first-seed ${FIRST_SEED}`);
    const second = await interrupted(...runs);
    expect(second.stderr).toContain(`going on: ${done} of 9000 runs were done before`);
    expect(Number(/stopped after (\d+) runs/.exec(second.stderr)?.[1])).toBeGreaterThanOrEqual(done);
  });
});

describe('what it cannot do', () => {
  it.each([
    [['--scenario', 'swam'], 'SIM_UNKNOWN_SCENARIO', /did you mean swarm/],
    [['--seed', '4294967296'], 'SIM_SEED_OUT_OF_RANGE', /0 to 4294967295/],
    [['--runs', '0'], 'SIM_NO_RUNS', /from 1/],
    [['--without', 'rain'], 'SIM_UNKNOWN_FAULT', /rain/],
    [['--canary', 'tweety'], 'SIM_UNKNOWN_CANARY', /tweety/],
    [['--bundle', 'no-such-file'], 'SIM_BUNDLE_NOT_FOUND', /no-such-file/],
  ])('%s is refused with its code', { timeout: RUNS_MS_MAX }, async (args, code, message) => {
    const { exitCode, stdout, stderr } = await sim(...args);
    expect(stderr).toContain(code);
    expect(stderr).toMatch(message);
    expect([exitCode, stdout]).toEqual([2, '']);
  });

  it('a damaged bundle is refused, in JSON too', { timeout: RUNS_MS_MAX }, async () => {
    const file = join(keep, 'damaged.bundle.zst');
    writeFileSync(file, 'this is no bundle');
    const { exitCode, stderr } = await sim('shrink', file, '--json');
    expect(exitCode).toBe(2);
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'SIM_BUNDLE_NOT_ZSTD', evidence: { file } } });
  });
});
