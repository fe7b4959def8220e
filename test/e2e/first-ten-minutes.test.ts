/**
 * Goal: what the README shows a new user works as it stands there: a cluster with one command, append, read, kill -9 of the
 * primary, status, why. Method: the commands themselves as processes, in the README's order; the cluster on free ports.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, expect, it } from 'vitest';
import { until } from '../until.ts';
import { buildOnce, type CommandResult, HAS_DX, lockstep, REPOSITORY } from './cluster-harness.ts';

interface ClusterLine {
  readonly event: string;
  readonly replica?: number;
  readonly pid?: number;
  readonly http?: string;
  readonly urls?: readonly string[];
}

/** Until processes have died or come back. */
const CHANGE_MS_MAX = 20_000;

const folders: string[] = [];
const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const ended = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL'); // its replicas end with it: their standard input closes
    await ended;
  }
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true, maxRetries: 20 });
});

/** Starts `lockstep cluster` and waits until it serves. */
async function startCluster(
  folder: string,
  more: readonly string[] = [],
): Promise<{
  child: ChildProcess;
  lines: ClusterLine[];
  url: string;
  ended: Promise<number | null>;
}> {
  buildOnce();
  const launcher = join(REPOSITORY, 'bin', 'lockstep');
  const child = spawn(process.execPath, [launcher, 'cluster', '--json', '--data', folder, '--port', '0', ...more], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    said += part;
  });
  const lines: ClusterLine[] = [];
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const serving = new Promise<ClusterLine>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (text) => {
      const line = JSON.parse(text) as ClusterLine;
      lines.push(line);
      if (line.event === 'serving') resolve(line);
    });
    void ended.then((code) => reject(new Error(`lockstep cluster ended with ${code}:\n${said}`)));
  });
  const { urls = [] } = await serving;
  return { child, lines, url: urls.join(','), ended };
}

function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lockstep-first-'));
  folders.push(folder);
  return join(folder, 'data');
}

function done(result: CommandResult): string {
  expect(result, result.stderr).toMatchObject({ exitCode: 0 });
  return result.stdout;
}

const jsonLines = (text: string): Record<string, unknown>[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

it.runIf(HAS_DX)(
  'First ten minutes: cluster, append, read, kill -9 of the primary, append again, status, explain, Ctrl-C',
  async () => {
    const folder = freshFolder();
    const { child, lines, url, ended } = await startCluster(folder);
    const env = { LOCKSTEP_URL: url };
    expect(lines.filter(({ event }) => event === 'ready').length).toBe(3);

    const first = done(await lockstep(['append', 'greetings', '--create'], { env, input: 'hello\nworld\n' }));
    expect(first).toMatch(/^offsets 0\.\.1 {2}commit \d+ {2}hash [0-9a-f]{64}\n$/);
    expect(done(await lockstep(['read', 'greetings'], { env }))).toBe('0\thello\n1\tworld\n');

    const statusOf = async (): Promise<{ exitCode: number | null; data: Record<string, unknown>[] }> => {
      const { exitCode, stdout } = await lockstep(['status', '--json'], { env });
      return {
        exitCode,
        data: jsonLines(stdout).flatMap(({ data }) => (data === undefined ? [] : [data as Record<string, unknown>])),
      };
    };
    const before = await statusOf();
    expect(before.exitCode).toBe(0);
    const primary = before.data.find(({ role }) => role === 'primary') as { replica: number; view: number };
    const pid = lines.find(({ event, replica }) => event === 'ready' && replica === primary.replica)?.pid as number;
    process.kill(pid, 'SIGKILL');

    const killed = performance.now();
    const second = done(await lockstep(['append', 'greetings', '--json'], { env, input: 'still here\n' }));
    const waitedMs = performance.now() - killed;
    expect(jsonLines(second)[0]).toMatchObject({ firstOffset: 2, count: 1 });
    expect(waitedMs).toBeLessThan(15_000);
    expect(done(await lockstep(['read', 'greetings', '--from', '1'], { env }))).toBe('1\tworld\n2\tstill here\n');

    const after = await statusOf();
    expect(after.exitCode).toBe(1); // one replica does not answer
    expect(after.data.map(({ replica }) => replica)).not.toContain(primary.replica);
    expect(after.data.find(({ role }) => role === 'primary')?.view).toBeGreaterThan(primary.view);
    expect(lines.at(-1)).toMatchObject({ event: 'died', replica: primary.replica, signal: 'SIGKILL' });

    const why = done(await lockstep(['explain', 'view-change'], { env }));
    expect(why).toMatch(/Vsr\.[A-Za-z]+\.[A-Za-z]+/);

    child.kill('SIGINT');
    expect(await ended).toBe(0);

    // What was acknowledged is there after everything was stopped, on a cluster that is formatted only once.
    const again = await startCluster(folder);
    const read = await lockstep(['read', 'greetings', '--plain'], { env: { LOCKSTEP_URL: again.url } });
    expect(done(read)).toBe('hello\nworld\nstill here\n');
    again.child.kill('SIGTERM');
    expect(await again.ended).toBe(0);
    console.log(`append after kill -9 of the primary: ${Math.round(waitedMs)} ms, with the start of the command`);
  },
  120_000,
);

it('Cluster: with --restart a replica that dies comes back, and Ctrl-C stops it all the same', async () => {
  const { child, lines, url, ended } = await startCluster(freshFolder(), ['--restart']);
  const readyOf = (): readonly ClusterLine[] =>
    lines.filter(({ event, replica }) => event === 'ready' && replica === 2);
  process.kill(readyOf()[0]?.pid as number, 'SIGKILL');
  await until('the replica comes back', () => readyOf().length === 2, CHANGE_MS_MAX);
  done(await lockstep(['append', 's', '--create'], { env: { LOCKSTEP_URL: url }, input: 'x\n' }));
  process.kill(readyOf()[1]?.pid as number, 'SIGKILL');
  await until(
    'its second death is noticed',
    () => lines.filter(({ event }) => event === 'died').length === 2,
    CHANGE_MS_MAX,
  );
  child.kill('SIGINT'); // while the next start waits
  expect(await ended).toBe(0);
}, 60_000);

it('Stop: a connection on which nobody ever asks anything does not hold up SIGTERM', async () => {
  const { child, url, ended } = await startCluster(freshFolder());
  const sockets = url.split(',').map((one) => connect(Number(new URL(one).port), '127.0.0.1').on('error', () => {}));
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  for (const socket of sockets) socket.destroy();
}, 60_000);

it('Cluster: when it is killed itself, its replicas end with it', async () => {
  const { child, lines, ended } = await startCluster(freshFolder());
  const pids = lines.flatMap(({ event, pid }) => (event === 'ready' && pid !== undefined ? [pid] : []));
  expect(pids.length).toBe(3);
  child.kill('SIGKILL');
  await ended;
  await until('the replicas end with their cluster', () => !pids.some(isAlive), CHANGE_MS_MAX);
}, 60_000);

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
