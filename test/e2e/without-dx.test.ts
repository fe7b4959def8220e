/**
 * Goal: the DX API is removable: a server with it, with --no-dx, and from sources without impl/dx writes the same log.
 * Method: a copy of the sources without the folder; three servers of one replica, the same requests, a clock that stands still,
 * since each entry carries the time; the log files are compared byte by byte, the first one read by the DX API meanwhile.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { REPOSITORY } from './cluster-harness.ts';

const COPIED = [
  'bin',
  'machines',
  'impl',
  'conformance',
  'docs/example',
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
];
const STANDING_CLOCK = 'Date.now = () => 1_700_000_000_000;\n';
const READY_MS_MAX = 30_000;
const DX_PATHS = ['status', 'machines', 'machines/Vsr', 'machines/Vsr/history', 'explain/replica', 'explain/commit'];

const folder = mkdtempSync(join(tmpdir(), 'lockstep-no-dx-'));
const children: ChildProcess[] = [];

beforeAll(() => {
  writeFileSync(join(folder, 'clock.mjs'), STANDING_CLOCK);
  for (const withDx of [true, false]) {
    const root = rootOf(withDx);
    for (const path of COPIED) cpSync(join(REPOSITORY, path), join(root, path), { recursive: true });
    symlinkSync(join(REPOSITORY, 'node_modules'), join(root, 'node_modules'));
    if (!withDx) rmSync(join(root, 'impl', 'dx'), { recursive: true });
    const { status, stderr } = spawnSync(process.execPath, [join(root, 'bin', 'lockstep'), '--version'], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`the copy does not build:\n${stderr}`);
  }
}, 120_000);

afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

function rootOf(withDx: boolean): string {
  return join(folder, withDx ? 'whole' : 'without');
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

interface Run {
  readonly dxStatus: number;
  /** Of the whole log file. */
  readonly log: string;
  readonly bytesWritten: number;
}

/** Formats, serves, appends, asks the DX API in between, stops, and looks at the log. */
async function serve(name: string, withDx: boolean, args: readonly string[]): Promise<Run> {
  const root = rootOf(withDx);
  const data = join(folder, name);
  const run = join(root, 'dist', 'impl', 'cli', 'run.js');
  const identity = ['--cluster', '77', '--replica', '0', '--replica-count', '1'];
  const formatted = spawnSync(process.execPath, [run, 'format', ...identity, data], { encoding: 'utf8' });
  expect(formatted.status, formatted.stderr).toBe(0);

  const [peerPort, httpPort] = [await freePort(), await freePort()];
  const addresses = ['--addresses', `127.0.0.1:${peerPort}`, '--http', `127.0.0.1:${httpPort}`];
  const child = spawn(
    process.execPath,
    ['--import', join(folder, 'clock.mjs'), run, 'server', ...addresses, ...args, data],
    { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  children.push(child);
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const url = `http://127.0.0.1:${httpPort}`;
  await ready(url);

  let dxStatus = 0;
  const look = async (): Promise<void> => {
    for (const path of DX_PATHS) dxStatus = (await fetch(`${url}/v1/dx/${path}`)).status;
  };
  await look();
  await post(`${url}/v1/streams`, 'create', { name: 'orders' });
  for (const text of ['one', 'two', 'three']) {
    await post(`${url}/v1/streams/orders/events`, `key-${text}`, { events: [{ data: text }] });
    await look();
  }
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
  const bytes = readFileSync(join(data, 'log-000000.lockstep'));
  const bytesWritten = bytes.findLastIndex((byte) => byte !== 0) + 1;
  return { dxStatus, log: createHash('sha256').update(bytes).digest('hex'), bytesWritten };
}

async function ready(url: string): Promise<void> {
  const deadline = performance.now() + READY_MS_MAX;
  for (;;) {
    const answer = await fetch(`${url}/ready`).catch(() => undefined);
    if (answer?.ok === true) return;
    if (performance.now() > deadline) throw new Error(`${url} is not ready after ${READY_MS_MAX} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function post(url: string, key: string, body: unknown): Promise<void> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify(body),
  });
  expect(answer.ok, await answer.text()).toBe(true);
}

test('No DX: with it, with --no-dx, and without its sources the log has the same bytes', async () => {
  const whole = await serve('with', true, []);
  const off = await serve('off', true, ['--no-dx']);
  const without = await serve('without-folder', false, []);
  expect([whole.dxStatus, off.dxStatus, without.dxStatus]).toEqual([200, 404, 404]);
  expect(whole.bytesWritten).toBeGreaterThan(4 * 100);
  expect(off.log).toBe(whole.log);
  expect(without.log).toBe(whole.log);
}, 120_000);

test('No DX: no type error comes of the missing folder', () => {
  const tsc = join(REPOSITORY, 'node_modules', 'typescript', 'bin', 'tsc');
  const args = [tsc, '-p', 'tsconfig.build.json', '--noEmit'];
  const { stdout } = spawnSync(process.execPath, args, { cwd: rootOf(false), encoding: 'utf8' });
  // TS2307: no such module. Any other error is one of the whole sources too, and `make types` is there for it.
  expect(stdout.split('\n').filter((line) => /TS2307|\bdx\b/.test(line))).toEqual([]);
}, 60_000);
