/**
 * Goal: `lockstep dev` is one command to a cluster that serves, its page and a stream that grows; `lockstep repl` runs one
 * command a line on it, goes on after a failing one, and a command that ends with Ctrl-C ends alone.
 * Method: both as processes, as a user starts them.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildOnce, HAS_DX, lockstep, REPOSITORY, RUN } from './cluster-harness.ts';

interface DevLine {
  readonly event: string;
  readonly url?: string;
  readonly urls?: readonly string[];
  readonly appended?: number;
}

const folder = mkdtempSync(join(tmpdir(), 'lockstep-dev-'));
const lines: DevLine[] = [];
let dev: ChildProcess;
let urls: readonly string[] = [];

beforeAll(async () => {
  buildOnce();
  dev = spawn(process.execPath, [RUN, 'dev', '--no-open', '--json', '--port', '0', '--data', join(folder, 'data')], {
    cwd: REPOSITORY,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said = createInterface({ input: dev.stdout as NodeJS.ReadableStream });
  for await (const line of said) {
    const told = JSON.parse(line) as DevLine;
    lines.push(told);
    if (told.event === 'serving') urls = told.urls ?? [];
    if (told.event === 'sample' && (told.appended ?? 0) >= 2) break;
  }
});

afterAll(async () => {
  if (dev.exitCode === null) {
    dev.kill('SIGKILL');
    await once(dev, 'exit');
  }
  rmSync(folder, { recursive: true, force: true });
});

test.runIf(HAS_DX)('the page that dev names is there', async () => {
  const page = lines.find(({ event }) => event === 'page')?.url ?? '';
  const answer = await fetch(page);
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toContain('text/html');
});

test('a session of the REPL: each line a command, a failing one does not end it', async () => {
  const input = [
    'streams --create letters',
    "append letters 'dear reader' yours",
    'read letters',
    'nothing',
    'read letters | head',
    'repl',
    'streams --json',
    'exit',
    'read not-run',
  ].join('\n');
  const { exitCode, stdout, stderr } = await lockstep(['repl', '--url', urls.join(',')], { input });
  expect(exitCode, stderr).toBe(0);
  expect(stdout).toContain('0\tdear reader\n1\tyours\n');
  expect(stdout).toContain('"name":"sample"');
  expect(stderr).toMatch(/unknown command 'nothing'/);
  expect(stderr).toContain('| is for a shell');
  expect(stderr).toContain('this is it already');
  expect(`${stdout}${stderr}`).not.toContain('not-run');
});

test('Tab in a shell knows the streams that are there', async () => {
  const env = { LOCKSTEP_URL: urls.join(',') };
  const { stdout } = await lockstep(['completion', 'words', '--', 'read', 'sam'], { env });
  expect(stdout).toBe('sample\n');
});

test('SIGINT ends dev and all its replicas', async () => {
  dev.kill('SIGINT');
  const [code] = (await once(dev, 'exit')) as [number];
  expect(code).toBe(0);
  await expect(fetch(`${urls[0]}/health`)).rejects.toThrow();
});
