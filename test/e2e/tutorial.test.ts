/**
 * Goal: docs/tutorial.md is true, word by word: each of its commands runs and prints what the page says. Method: the page's
 * own text; a shell in the repository's folder as a user has it. Only what a shared machine needs is different: other ports,
 * a folder of its own, and the pids of this run.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { buildOnce, HAS_DX, REPOSITORY } from './cluster-harness.ts';
import { differenceOf, type Step, stepsOf } from './tutorial.ts';

const COMMAND_MS_MAX = 60_000;
const STEP_MS_MAX = 60_000;
const folder = mkdtempSync(join(tmpdir(), 'lockstep-tutorial-'));
const data = join(folder, 'lockstep-data');
let cluster: ChildProcess | undefined;
let said = '';

afterAll(async () => {
  if (cluster !== undefined && cluster.exitCode === null) {
    cluster.kill('SIGKILL');
    await once(cluster, 'exit');
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 20 });
});

test.runIf(HAS_DX)('each command of docs/tutorial.md does what the page says', async () => {
  buildOnce();
  const steps = stepsOf(readFileSync(join(REPOSITORY, 'docs', 'tutorial.md'), 'utf8'));
  expect(steps.length).toBeGreaterThan(15);
  for (const step of steps) {
    const wrong = await wrongWith(step);
    expect(wrong, `docs/tutorial.md:${step.line}: ${step.command}`).toBeUndefined();
  }
});

test('a page that says something else is told so', () => {
  expect(differenceOf(['0\tcoffee', '…', 'end …'], '0\tcoffee\nmore\nand more\nend of it\n')).toBeUndefined();
  expect(differenceOf([], '')).toBeUndefined();
  expect(differenceOf(['0\tcoffee'], '0\ttea\n')).toContain('it printed\n0\ttea');
  expect(differenceOf(['a', '…', 'b'], 'a\nc\n')).toBeDefined();
  expect(differenceOf(['a'], 'a\nb\n')).toBeDefined();
});

async function wrongWith(step: Step): Promise<string | undefined> {
  switch (step.kind) {
    case 'cluster':
      return startCluster(step);
    case 'stop':
      return stopCluster(step);
    case 'until':
      return askedAgain(step);
    default:
      return differenceOf(step.expected.map(withoutPadding), asOnPage(await shell(step.command)));
  }
}

async function startCluster({ command, expected }: Step): Promise<string | undefined> {
  cluster = spawn('bash', ['-c', `exec ${command}`], {
    cwd: REPOSITORY,
    env: { ...process.env, NO_COLOR: '1', LOCKSTEP_PORT: '0', LOCKSTEP_DATA: data },
  });
  const { stdout, stderr } = cluster;
  const take = (part: Buffer): void => {
    said += part.toString('utf8');
  };
  stdout?.on('data', take);
  stderr?.on('data', take);
  await until('the cluster serves', () => said.includes('Ctrl-C stops it.'));
  return differenceOf(expected, asOnPage(said));
}

async function stopCluster({ expected }: Step): Promise<string | undefined> {
  const before = said.length;
  cluster?.kill('SIGINT');
  await once(cluster as ChildProcess, 'exit');
  return differenceOf(expected, said.slice(before));
}

async function askedAgain({ command, expected }: Step): Promise<string | undefined> {
  const deadline = performance.now() + STEP_MS_MAX;
  for (;;) {
    const wrong = differenceOf(expected.map(withoutPadding), asOnPage(await shell(command)));
    if (wrong === undefined || performance.now() > deadline) return wrong;
  }
}

/** Both streams, as a terminal shows them. */
async function shell(command: string): Promise<string> {
  const child = spawn('bash', ['-c', `{ ${asHere(command)}\n} 2>&1`], {
    cwd: REPOSITORY,
    env: { ...process.env, NO_COLOR: '1', LOCKSTEP_URL: urls().join(',') },
    timeout: COMMAND_MS_MAX,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    printed += part;
  });
  await once(child, 'close');
  return printed;
}

interface Ready {
  readonly http: string;
  readonly address: string;
  readonly pid: string;
}

/** By replica, from what the cluster printed last of each. */
function replicas(): readonly Ready[] {
  const found: Ready[] = [];
  for (const [, replica, http, address, pid] of said.matchAll(
    /replica (\d) {2}http:\/\/(\S+) {2}peers and clients (\S+) {2}pid (\d+)/g,
  ))
    found[Number(replica)] = { http: http as string, address: address as string, pid: pid as string };
  return found;
}

const urls = (): readonly string[] => replicas().map(({ http }) => `http://${http}`);
const portOf = (address: string): string => address.slice(address.lastIndexOf(':') + 1);

/** The page's command with this run's ports, pids and folder. */
function asHere(command: string): string {
  let here = command.replaceAll('lockstep-data', data);
  for (const [index, { http, address, pid }] of replicas().entries())
    here = here
      .replaceAll(`127.0.0.1:710${index}`, http)
      .replaceAll(`720${index}`, portOf(address))
      .replaceAll(`PID_OF_REPLICA_${index}`, pid);
  return here;
}

/** What was printed, with the page's ports and folder. */
function asOnPage(printed: string): string {
  let page = printed.replaceAll(data, 'lockstep-data');
  for (const [index, { http, address }] of replicas().entries())
    page = page.replaceAll(http, `127.0.0.1:710${index}`).replaceAll(address, `127.0.0.1:720${index}`);
  return withoutPadding(page);
}

/** A table is as wide as this run's ports are long. */
function withoutPadding(text: string): string {
  return text.replace(/ +│/g, ' │').replace(/│ +/g, '│ ');
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + STEP_MS_MAX;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`not so within ${STEP_MS_MAX} ms: ${what}\n${said}`);
    await new Promise((wake) => setTimeout(wake, 25));
  }
}
