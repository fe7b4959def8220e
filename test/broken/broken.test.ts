/**
 * Goal: `make check` fails on everything that it says it fails on, each by its own name and with the right exit code.
 * Method: the example counter, broken in one place each (cases.ts), goes through the real check with all its stages; then the
 * real command runs once on the unbroken copy and once on a broken one.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test, vi } from 'vitest';
import { check, exitCodeOf } from '../../conformance/check/run-check.ts';
import { stages } from '../../conformance/check/stages.ts';
import type { BrokenCase } from './cases.ts';
import { cases } from './cases.ts';
import { counterCopy } from './counter-copy.ts';

/** Seconds each, and minutes on a machine that has other things to do. */
vi.setConfig({ testTimeout: 240_000 });

async function run({ name, changes, engine, env }: Omit<BrokenCase, 'code' | 'exit'>) {
  const { root, component } = await counterCopy(name, changes);
  const lines: string[] = [];
  const outcome = await check({
    root,
    components: [component],
    stages,
    only: [],
    engine,
    deep: false,
    print: (line) => lines.push(line),
    ...(env === undefined ? {} : { env }),
  });
  const problems = [...outcome.problems, ...outcome.components.flatMap((row) => row.problems)];
  return { problems, exit: exitCodeOf(outcome), lines };
}

describe.concurrent('one broken thing, one verdict', () => {
  test.each(cases)('$name: $code, exit $exit', async (broken) => {
    const { problems, exit } = await run(broken);
    const said = problems.map(({ message }) => message).join('\n');
    expect([...new Set(problems.map(({ code }) => code))], said).toEqual([broken.code]);
    expect(exit).toBe(broken.exit);
    if (broken.says !== undefined) expect(said).toMatch(broken.says);
  });
});

describe('what is not broken', () => {
  test('the copy itself is green', async () => {
    expect(await run({ name: 'green', changes: [] })).toMatchObject({ problems: [], exit: 0 });
  });

  test('without Java the embedded engine runs alone, and the first line says so', async () => {
    const { problems, exit, lines } = await run({ name: 'no-java', changes: [], env: { PATH: '' } });
    expect(problems).toEqual([]);
    expect(exit).toBe(0);
    expect(lines[0]).toMatch(/ALONE\. TLC did not run: no Java found/);
  });
});

describe('the command', () => {
  const command = (root: string) => {
    const loader = pathToFileURL(resolve('node_modules', 'tsx', 'dist', 'loader.mjs')).href;
    const main = resolve('conformance', 'check', 'main.ts');
    const run = spawnSync(process.execPath, ['--import', loader, main, '--components', 'components.ts'], {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' },
    });
    const json = JSON.parse(readFileSync(join(root, 'build', 'report', 'check.json'), 'utf8')) as { ok: boolean };
    return { status: run.status, out: run.stdout, json };
  };

  test('exit 0 and the table of mutants for a green one', async () => {
    const { root } = await counterCopy('command-green', []);
    const { status, out, json } = command(root);
    expect(status).toBe(0);
    expect(json.ok).toBe(true);
    expect(out).toMatch(/all (?:green|that was checked is green) in/); // with TLC, or without
    expect(out).toMatch(/count-beyond-limit .*TypeOK/);
  });

  test('exit 1, the path, the guards and the sources for a red one', async () => {
    const { root } = await counterCopy('command-red', [['counter.ts', 'context.count !== context.saved', 'true']]);
    const { status, out, json } = command(root);
    expect(status).toBe(1);
    expect(json.ok).toBe(false);
    expect(out).toMatch(/EXTRA Counter Counter_small\.cfg: Save: the code does what the spec forbids here/);
    expect(out).toMatch(/shortest path, 0 steps/);
    expect(out).toMatch(/holds Counter\.Save\.Unsaved/);
    expect(out).toMatch(/replay it: make replay T=/);
    const page = readFileSync('docs/conformance.md', 'utf8');
    const shown = /<!-- divergence -->\n```\n([\s\S]*?)```\n<!-- \/divergence -->/.exec(page)?.[1] ?? 'no block';
    expect(out, 'docs/conformance.md shows what the command prints').toContain(shown);
  });
});
