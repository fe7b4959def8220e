/**
 * Goal: the commands that talk to a cluster do what their help says, and refuse what the cluster refuses with its own words.
 * Method: one cluster of three processes, each command as a process.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CommandResult, HAS_DX, lockstep, RUN, TestCluster } from './cluster-harness.ts';

let cluster: TestCluster;
let env: { LOCKSTEP_URL: string };
beforeAll(async () => {
  cluster = await TestCluster.start();
  env = { LOCKSTEP_URL: cluster.urls.join(',') };
});
afterAll(() => cluster.close());

const run = (args: readonly string[], input?: string | Uint8Array): Promise<CommandResult> =>
  lockstep(args, { env, ...(input === undefined ? {} : { input }) });

async function done(args: readonly string[], input?: string | Uint8Array): Promise<string> {
  const result = await run(args, input);
  expect(result, result.stderr).toMatchObject({ exitCode: 0 });
  return result.stdout;
}

async function refused(args: readonly string[], message: RegExp, input?: string): Promise<void> {
  const { exitCode, stdout, stderr } = await run(args, input);
  expect(stderr).toMatch(message);
  expect([exitCode, stdout]).toEqual([1, '']);
  expect(stderr).not.toContain('fault of Lockstep');
}

const jsonOf = (text: string): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>;

describe('append and read', () => {
  it('an unknown stream is refused, --create makes it, and makes it only once', async () => {
    await refused(['append', 'letters'], /letters/, 'a\n');
    await refused(['read', 'letters'], /STREAM_NOT_FOUND/);
    await done(['append', 'letters', '--create'], 'a\n');
    await done(['append', 'letters', '--create'], 'b\n');
    expect(await done(['read', 'letters'])).toBe('0\ta\n1\tb\n');
  });

  it('a name that no stream may have is refused with what it may have', async () => {
    await refused(['append', '../etc', '--create'], /REQUEST_INVALID/, 'a\n');
    await refused(['read', 'a b'], /REQUEST_INVALID/);
    await refused(['read', 'a.b'], /there is no stream a.b: `lockstep append --create` makes it/);
  });

  it('--expected-offset that does not hold names the offset that would', async () => {
    await done(['append', 'expected', '--create'], 'a\nb\n');
    await refused(['append', 'expected', '--expected-offset', '1'], /OFFSET_MISMATCH.*2/s, 'x\n');
    const taken = await done(['append', 'expected', '--expected-offset', '2', '--json'], 'x\n');
    expect(jsonOf(taken)).toMatchObject({ firstOffset: 2, lastOffset: 2, count: 1 });
  });

  it('what lies before a bad line is appended and said', async () => {
    const { exitCode, stdout, stderr } = await run(['append', 'partly', '--create'], 'one\ntwo\n\nfour\n');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/line 3 is empty/);
    const read = await run(['read', 'partly', '--plain']);
    const appended = stdout === '' ? '' : 'one\ntwo\n';
    expect(read.stdout).toBe(appended);
  });

  it('5,000 lines of any text come back as they went in, page by page', async () => {
    const lines = Array.from({ length: 5_000 }, (_, index) => `${index} "é" \\ 🙂 ${'x'.repeat(index % 97)}`);
    await done(['append', 'many', '--create'], `${lines.join('\n')}\n`);
    expect(await done(['read', 'many', '--plain'])).toBe(`${lines.join('\n')}\n`);
    const [first, ...rest] = (await done(['read', 'many', '--from', '4998', '--json'])).trim().split('\n');
    expect([jsonOf(first as string).offset, rest.length]).toEqual([4_998, 1]);
    expect(await done(['read', 'many', '--from', '10', '--limit', '2'])).toBe(`10\t${lines[10]}\n11\t${lines[11]}\n`);
    expect(await done(['read', 'many', '--from', '5000'])).toBe('');
  });

  it('a read from any replica sees what was acknowledged before', async () => {
    await done(['append', 'everywhere', '--create'], 'seed\n');
    for (let round = 0; round < 6; round++) {
      await lockstep(['append', 'everywhere', '--url', cluster.urls[round % 3] as string], { input: `${round}\n` });
      const read = await lockstep(['read', 'everywhere', '--plain', '--url', cluster.urls[(round + 1) % 3] as string]);
      expect(read.stdout.trim().split('\n').at(-1)).toBe(String(round));
    }
  });

  it('--follow prints entries as they come, until it is interrupted', async () => {
    await done(['append', 'followed', '--create'], 'first\n');
    const child = spawn(process.execPath, [RUN, 'read', 'followed', '--plain', '--follow'], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    const lines: string[] = [];
    const all = new Promise<void>((resolve) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        lines.push(line);
        if (lines.length === 1) void done(['append', 'followed'], 'second\nthird\n');
        if (lines.length === 3) resolve();
      });
    });
    await all;
    child.kill('SIGINT');
    expect([await ended, lines]).toEqual([0, ['first', 'second', 'third']]);
  });
});

describe.runIf(HAS_DX)('questions', () => {
  it('status shows one primary and its backups', async () => {
    const table = await done(['status']);
    expect(table.match(/\bprimary\b/g)?.length).toBe(1);
    expect(table.match(/\bbackup\b/g)?.length).toBe(2);
  });

  it.each(['replica', 'commit', 'refusal', 'view-change'])(
    'explain %s gives a conclusion and rules by name',
    async (topic) => {
      const text = await done(['explain', topic]);
      expect(text.split('\n')[0]?.length).toBeGreaterThan(10);
      const { data } = jsonOf(await done(['explain', topic, '--json'])) as { data: Record<string, unknown> };
      expect(Object.keys(data)).toEqual(
        expect.arrayContaining(['explanation_type', 'observed_snapshot', 'inputs', 'rules_applied', 'conclusion']),
      );
    },
  );

  it('machines lists them, shows one, its history and a dry run', async () => {
    const list = await done(['machines']);
    for (const name of ['Vsr', 'AppendLog', 'Superblock']) expect(list).toContain(name);
    expect(await done(['machines', 'Vsr'])).toContain('NextInSequence');
    expect(await done(['machines', 'Vsr', '--history', '3'])).toMatch(/normal/);
    expect(await done(['machines', 'Vsr', '--can', 'ClientRequest'])).toMatch(/Vsr\.ClientRequest\.IsPrimary/);
    expect(await done(['machines', 'Vsr', '--format', 'mermaid'])).toMatch(/stateDiagram/);
    expect(await done(['machines', 'Vsr', '--format', 'scxml'])).toMatch(/<scxml/);
  });

  it('an unknown machine and an unknown event are refused with the ones that there are', async () => {
    await refused(['machines', 'Vst'], /Vst.*Vsr/s);
    await refused(['machines', 'Vsr', '--can', 'Sneeze'], /Sneeze.*ClientRequest/s);
  });

  it('explain of a commit that is not there says so', async () => {
    const { stdout, stderr } = await run(['explain', 'commit', '--commit-id', '999999999']);
    expect(stdout + stderr).toMatch(/999999999/);
  });
});

describe('bench', () => {
  it('prints one JSON object with what it measured', async () => {
    const args = [
      'bench',
      '--addresses',
      cluster.addresses.join(','),
      '--clients',
      '16',
      '--seconds',
      '1',
      '--warm',
      '0',
    ];
    const figures = jsonOf(await done([...args, '--json']));
    expect(figures).toMatchObject({ inFlight: 16, bytes: 256, errors: 0 });
    expect(figures.opsPerSecond).toBeGreaterThan(0);
    expect((figures.quantiles as number[]).length).toBe(400);
  });
});
