/**
 * Goal: the repository keeps its own rules (rules.ts), and each rule can fail.
 * Method: every rule over every tracked file; then every rule over a made-up file that breaks it and one that does not.
 */
import { describe, expect, test } from 'vitest';
import { rules } from './rules.ts';
import { codeOf, type SourceFile, trackedFiles } from './source-file.ts';

const head = '/** A file. */\n';
const source = (path: string, text: string): SourceFile => ({ path, text: `${head}${text}` });

/** By rule: what breaks it, each once, and what looks alike and does not. */
const fixtures: Readonly<
  Record<string, { readonly breaks: readonly SourceFile[]; readonly keeps: readonly SourceFile[] }>
> = {
  'only impl/ports touches disk, network, time, timers and randomness': {
    breaks: [
      source('impl/vsr/a.ts', "import { readFileSync } from 'node:fs';\n"),
      source('impl/server/b.ts', "import net from 'net';\n"),
      source('impl/kernel/c.ts', 'export const now = () => Date.now();\n'),
      source('impl/storage/d.ts', 'setTimeout(() => {}, 1);\n'),
      source('machines/e.ts', 'const draw = Math.random();\n'),
      source('impl/dx/f.ts', "const fs = await import('node:fs/promises');\n"),
      source('impl/server/g.ts', "import { randomUUID } from 'node:crypto';\n"),
      source('impl/cli/settings.ts', 'const nothing = 1;\n'),
    ],
    keeps: [
      source('impl/ports/real-disk.ts', "import { openSync } from 'node:fs';\n"),
      source('impl/vsr/a.ts', "// Date.now() and node:fs are for ports\nconst text = 'setTimeout(';\n"),
      source('impl/cli/settings.ts', "import { readFileSync } from 'node:fs';\n"),
      source('impl/cli/settings-schema.ts', 'const isDate = (value: unknown) => value instanceof Date;\n'),
    ],
  },
  'machines/ imports nothing but XState and machines/': {
    breaks: [source('machines/a.ts', "import { hash } from '../impl/crypto/hash.ts';\n")],
    keeps: [source('machines/a.ts', "import { setup } from 'xstate';\nimport { advance } from './stepper.ts';\n")],
  },
  'conformance/ imports impl/ only in drivers, components and the validation of clusters': {
    breaks: [source('conformance/check/a.ts', "import { Replica } from '../../impl/vsr/replica.ts';\n")],
    keeps: [source('conformance/drivers/vsr.ts', "import { Replica } from '../../impl/vsr/replica.ts';\n")],
  },
  'no file is longer than 400 lines': {
    breaks: [source('impl/a.ts', 'a;\n'.repeat(400))],
    keeps: [source('impl/a.ts', 'a;\n'.repeat(399))],
  },
  'every source file opens with a comment that says what it is': {
    breaks: [
      { path: 'impl/a.ts', text: 'export const a = 1;\n' },
      { path: 'specs/A_small.cfg', text: 'SPECIFICATION Spec\n' },
      { path: 'impl/b.ts', text: '/** */\nexport const b = 1;\n' },
    ],
    keeps: [
      { path: 'impl/a.ts', text: '// What it is.\n' },
      { path: 'specs/A_small.cfg', text: '\\* Shows all. Too small to show nothing.\n' },
    ],
  },
  'no open ends in the code': {
    breaks: [source('impl/a.ts', '// TODO later\n'), { path: 'specs/A.tla', text: '\\* FIXME\n' }],
    keeps: [source('impl/a.ts', 'const todos = 1;\n')],
  },
  'no test is skipped without its reason, and none runs alone': {
    breaks: [
      source('test/a.test.ts', "\ntest.skip('x', () => {});\n"),
      source('test/b.test.ts', "describe.only('x', () => {});\n"),
      source('test/c.test.ts', "\ntest.skipIf(true)('x', () => {});\n"),
    ],
    keeps: [
      source('test/a.test.ts', "// Without Java there is no TLC.\ntest.skip('x', () => {});\n"),
      source('test/b.test.ts', "\ntest.skipIf(tlc === undefined)('x', () => {});\n"),
    ],
  },
  'names of files: kebab-case, and none that says nothing': {
    breaks: [
      source('impl/utils.ts', ''),
      source('impl/vsr/index.ts', ''),
      source('impl/appendLog.ts', ''),
      source('impl/log-manager.ts', ''),
    ],
    keeps: [source('impl/client/index.ts', ''), source('test/append-log.test.ts', '')],
  },
  'a limit says its unit, and its bound last': {
    breaks: [
      source('impl/a.ts', 'const TIMEOUT = 5;\n'),
      source('impl/b.ts', 'export const MAX_REPAIRS = 5;\n'),
      source('impl/c.ts', 'const READ_TIMEOUT = 5;\n'),
    ],
    keeps: [source('impl/a.ts', 'const READ_MS_MAX = 5;\nconst HEARTBEAT_TIMEOUT_TICKS = 3;\n')],
  },
  'package-lock.json names no download address': {
    breaks: [{ path: 'package-lock.json', text: '{ "resolved": "https://somewhere/a.tgz" }\n' }],
    keeps: [{ path: 'package-lock.json', text: '{ "integrity": "sha512-x" }\n' }],
  },
  'no path of a machine and no host of a registry': {
    breaks: [
      source('impl/a.ts', "const home = '/home/somebody/lockstep';\n"),
      { path: 'docs/a.md', text: 'see https://registry.somewhere.org/x\n' },
    ],
    keeps: [source('impl/a.ts', "const temporary = '/tmp/x'; const url = 'http://127.0.0.1:7100/home';\n")],
  },
};

describe('the repository', () => {
  const files = trackedFiles();

  test('is there', () => expect(files.length).toBeGreaterThan(100));

  test.each(rules)('$name', ({ check }) => {
    expect(check(files)).toEqual([]);
  });
});

describe('every rule can fail', () => {
  test.each(rules)('$name', ({ name, check }) => {
    const { breaks, keeps } = fixtures[name] ?? { breaks: [], keeps: [] };
    expect(breaks.length, 'a rule without a fixture is no rule').toBeGreaterThan(0);
    for (const file of breaks) expect(check([file]), file.path).toHaveLength(1);
    for (const file of keeps) expect(check([file]), file.path).toEqual([]);
  });
});

describe('code without prose', () => {
  test.each([
    ["a('x // y'); // z", "a('      ');     "],
    ['/* a */ b', '        b'],
    ['`a $' + '{b(`c`)} d` e', '                e'],
    ["c = /'/g; d('e')", "c =    g; d(' ')"],
    ['a / b / c', 'a / b / c'],
    ["'it\\'s' + x", "'     ' + x"],
  ])('%s', (text, code) => {
    expect(codeOf(text)).toBe(code);
    expect(codeOf(text)).toHaveLength(text.length);
  });
});
