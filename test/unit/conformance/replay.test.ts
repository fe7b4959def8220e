/**
 * Goal: a saved trace is stepped on the real code, explains its states, and says by exit code what is wrong with it.
 * Method: the committed traces, whole and spoiled; what is printed is caught and compared in parts.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { components } from '../../../conformance/components/all.ts';
import { EXPLAIN_PAGE, explainPage } from '../../../conformance/replay/explain-page.ts';
import { runReplay } from '../../../conformance/replay/run-replay.ts';

const TRACE = 'traces/vsr/view-change-with-an-entry.itf.json';
const folders: string[] = [];

afterEach(() => {
  vi.restoreAllMocks();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

async function run(...argv: string[]): Promise<{ exit: number; out: string; err: string }> {
  let out = '';
  let err = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += String(text);
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    err += String(text);
    return true;
  });
  const exit = await runReplay(argv);
  vi.restoreAllMocks();
  return { exit, out, err };
}

function spoiled(change: (text: string) => string): string {
  const folder = mkdtempSync(join(tmpdir(), 'lockstep-replay-'));
  folders.push(folder);
  const file = join(folder, 'spoiled.itf.json');
  writeFileSync(file, change(readFileSync(TRACE, 'utf8')));
  return file;
}

describe('replay', () => {
  test('a trace is reproduced, step by step', async () => {
    const { exit, out } = await run(TRACE);
    expect(exit).toBe(0);
    expect(out).toMatch(/^ {2}24\. ReceivePrepareOk\(1/m);
    expect(out).toContain('24 steps');
  });

  test('a state that the code does not reach is told by step and variable', async () => {
    const { exit, out } = await run(
      spoiled((text) => text.replace(/"commit": \{[^}]*\}/s, (all) => all.replace('0', '7'))),
    );
    expect(exit).toBe(1);
    expect(out).toContain('diverges');
  });

  test.each([
    [['traces/none.itf.json'], 'no such file'],
    [['--nope'], 'unknown option --nope'],
    [['--explain'], '--explain needs a value'],
    [['--step', '3'], 'name a topic'],
    [
      [TRACE, '--explain', 'weather'],
      'no explanation of weather: ask for one of replica, commit, read, refusal, view-change',
    ],
    [[TRACE, '--explain', 'replica', '--step', '99'], 'it has no step 99'],
  ])('%j: exit 2, and why', async (argv, why) => {
    const { exit, err } = await run(...argv);
    expect(exit).toBe(2);
    expect(err).toContain(why);
  });
});

describe('replay --explain', () => {
  test('docs/explain.md is what `make explain-page` writes', async () => {
    const page = readFileSync(EXPLAIN_PAGE, 'utf8');
    expect(await explainPage(components)).toBe(page);
    expect(page.match(/^\$ bin\/lockstep replay .*\nreproduced/gm)).toHaveLength(4);
  });

  test('says why each replica is in its state, and that the state of the trace says the same', async () => {
    const { exit, out } = await run(TRACE, '--explain', 'view-change', '--step', '17');
    expect(exit).toBe(0);
    expect(out).toContain('after step 17, ReceiveStartView(2');
    expect(out).toContain("the view's log ends at op 1, named by replica 1; it fetches op 1 from there.");
    expect(out).toMatch(/holds {2}Vsr\.RequestEntry\.TargetNotReached\n.*\n.*event\.hashAtTarget/);
    expect(out).toMatch(/specs\/Vsr\.tla:\d+ {2}TargetNotReached\(r\)/);
    expect(out).toMatch(/machines\/vsr-guards\.ts:\d+/);
    expect(out).toContain('the state in the trace explains itself in the same words');
  });
});
