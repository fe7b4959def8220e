/**
 * Goal: Tab offers what the command line takes, and nothing else; a line of the REPL is read as a shell would read its words.
 * Method: the real definitions of the commands; where a replica is asked, none answers.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commands } from '../../../impl/cli/commands.ts';
import { completions as completionsOf } from '../../../impl/cli/completions.ts';
import { asCommand, wordsOf } from '../../../impl/cli/repl-line.ts';

const completions = (words: readonly string[]): Promise<readonly string[]> =>
  completionsOf({ commands, run: () => Promise.reject(new Error('completing runs nothing')) }, words);

test.each([
  [['st'], ['streams', 'status']],
  [['help', 'exp'], ['explain']],
  [['machines', 'Vsr', '--fo'], ['--format']],
  [
    ['machines', 'Vsr', '--format', ''],
    ['json', 'mermaid', 'scxml'],
  ],
  [['bench', '--reads', 'l'], ['linearizable']],
  [
    ['read', 'a-stream', '--consistency', ''],
    ['linearizable', 'committed'],
  ],
  [['explain', 'view'], ['view-change']],
  [['nothing', ''], []],
] as const)('after %j comes %j', async (words, expected) => {
  expect(await completions(words)).toEqual(expected);
});

test('every command is offered, and every option that it takes', async () => {
  expect(await completions([''])).toEqual(expect.arrayContaining(commands.map(({ name }) => name)));
  expect(await completions(['append', 's', '--'])).toEqual(
    expect.arrayContaining(['--create', '--expected-offset', '--text', '--url', '--json', '--help']),
  );
});

test('a replica that does not answer offers no streams, and does not fail', async () => {
  expect(await completions(['read', '--url', 'http://127.0.0.1:9', ''])).toEqual([]);
});

test('a line has the words of a shell; what only a shell can do is refused', () => {
  expect(wordsOf(`append greetings 'hello world' "it's" a\\ b $HOME *.txt`)).toEqual([
    ...['append', 'greetings', 'hello world', "it's", 'a b', '$HOME', '*.txt'],
  ]);
  expect(wordsOf('status # all of them')).toEqual(['status']);
  expect(wordsOf('   ')).toEqual([]);
  expect(() => wordsOf('read s | head')).toThrowError(expect.objectContaining({ code: 'CLI_USAGE' }));
});

test('append with words appends them; with options it is what it always was', () => {
  expect(asCommand(['append', 's', 'a', 'b'])).toEqual(['append', 's', '--text', 'a', 'b']);
  expect(asCommand(['append', 's', '--create', '--text', 'a'])).toEqual(['append', 's', '--create', '--text', 'a']);
  expect(asCommand(['read', 's'])).toEqual(['read', 's']);
});

test.each(['bash', 'zsh', 'fish'])('the script for %s is one that it can read', async (shell) => {
  const { status, stdout } = spawnSync(process.execPath, ['--import', 'tsx', 'impl/cli/run.ts', 'completion', shell], {
    encoding: 'utf8',
  });
  expect(status).toBe(0);
  expect(stdout).toContain('lockstep completion words --');
  const folder = mkdtempSync(join(tmpdir(), 'lockstep-completion-'));
  const file = join(folder, 'script');
  writeFileSync(file, stdout); // fish -n reads no pipe
  const read = spawnSync(shell, ['-n', file], { encoding: 'utf8' });
  rmSync(folder, { recursive: true, force: true });
  if (read.error === undefined) expect(read.stderr).toBe(''); // a shell that is not here cannot say
});
