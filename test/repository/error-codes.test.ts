/**
 * Goal: docs/errors.md explains every code that a user may meet, and no other.
 * Method: the codes of the sources (error-codes.ts) and the rows of the page are the same set; each way is seen to fail.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { codesOf, documentedCodes } from './error-codes.ts';
import { trackedFiles } from './source-file.ts';

const page = readFileSync('docs/errors.md', 'utf8');
const documented = documentedCodes(page);

describe('docs/errors.md', () => {
  const used = codesOf(trackedFiles());

  test('has every code of the sources', () => {
    const names = new Set(documented.map(({ code }) => code));
    expect([...used].filter((code) => !names.has(code))).toEqual([]);
  });

  test('has no code that the sources lack', () => {
    expect(documented.filter(({ code }) => !used.has(code)).map(({ code }) => code)).toEqual([]);
  });

  test('has each code once, with its meaning and what to do', () => {
    const names = documented.map(({ code }) => code);
    expect(names.filter((code, index) => names.indexOf(code) !== index)).toEqual([]);
    for (const { code, meaning, advice } of documented) {
      expect(meaning.length, code).toBeGreaterThan(3);
      expect(advice.length, code).toBeGreaterThan(3);
    }
  });
});

describe('the comparison can fail', () => {
  test('a code in the sources and not on the page is seen', () => {
    const file = { path: 'impl/storage/a.ts', text: "throw new DiskError('DISK_ON_FIRE', 'x');" };
    expect([...codesOf([file])]).toEqual(['DISK_ON_FIRE']);
    expect(documented.some(({ code }) => code === 'DISK_ON_FIRE')).toBe(false);
  });

  test('a failure of requests and a problem of the check are seen', () => {
    const failures = {
      path: 'impl/server/failure.ts',
      text: 'export const FAILURES = {\n  BROKEN: refused(1),\n} as const',
    };
    const outcome = { path: 'conformance/check/outcome.ts', text: "export type ProblemCode =\n  | 'a'\n  | 'b-c';" };
    expect([...codesOf([failures, outcome])]).toEqual(['BROKEN', 'a', 'b-c']);
  });

  test('a code of the simulator is seen', () => {
    const file = { path: 'conformance/sim/a.ts', text: "export type AErrorCode =\n  | 'A_B' // why\n  | 'C_D';" };
    expect([...codesOf([file])]).toEqual(['A_B', 'C_D']);
  });

  test('a row of the page is a code, its meaning and its advice', () => {
    expect(documentedCodes('| `A_B` | what | do |\n| --- |\n')).toEqual([
      { code: 'A_B', meaning: 'what', advice: 'do' },
    ]);
  });
});
