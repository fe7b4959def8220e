/**
 * Goal: the script of the page is checked as strictly as the rest of the code, though it is text here. Method: the compiler,
 * with the browser's types and the types of the page's data, in a folder of its own.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PAGE_SCRIPT } from '../../../../conformance/sim/timeline/html-timeline.ts';

const DATA = resolve(import.meta.dirname, '../../../../conformance/sim/timeline/page/page-types.ts');
const COMPILER = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc');
const TYPES = ['PageData', 'PageEvent', 'PageGuard'].map(
  (name) => `type ${name} = import(${JSON.stringify(DATA)}).${name};\n`,
);
const OPTIONS = {
  target: 'ES2023',
  lib: ['ES2023', 'DOM', 'DOM.Iterable'],
  module: 'NodeNext',
  moduleResolution: 'NodeNext',
  types: ['node'],
  typeRoots: [resolve(import.meta.dirname, '../../../../node_modules/@types')],
  strict: true,
  noUncheckedIndexedAccess: true,
  noUnusedLocals: true,
  noUnusedParameters: true,
  noImplicitReturns: true,
  allowJs: true,
  checkJs: true,
  noEmit: true,
  skipLibCheck: true,
  allowImportingTsExtensions: true,
};

function complaints(script: string): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), 'lockstep-page-script-'));
  try {
    writeFileSync(join(folder, 'script.js'), script);
    writeFileSync(join(folder, 'data.d.ts'), TYPES.join(''));
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: OPTIONS, files: ['script.js', 'data.d.ts'] }),
    );
    const { stdout } = spawnSync(process.execPath, [COMPILER, '-p', folder], { encoding: 'utf8' });
    return stdout.split('\n').filter((line) => line.includes('script.js('));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('the script of the page', () => {
  it('has no error of types, no name that nobody uses, and names no field that the data does not have', () => {
    expect(complaints(PAGE_SCRIPT)).toEqual([]);
    const broken = PAGE_SCRIPT.replace('event.sentUs === undefined', 'event.sendUs === undefined');
    expect(complaints(broken).join('\n')).toContain("'sendUs'");
  });

  it('ends no script element and holds no template literal, in which it stands itself', () => {
    expect(PAGE_SCRIPT).not.toMatch(/<\/script|<!--/i);
    expect(PAGE_SCRIPT).not.toMatch(/`|\$\{/);
  });
});
