/**
 * The error codes that the sources use and the ones that docs/errors.md explains. A code of the program is any quoted
 * UPPER_CASE name of two words or more in impl/, and each key of the table of failures; a code of `make check` is a member
 * of ProblemCode, and one of the simulator a member of a union …ErrorCode.
 */
import type { SourceFile } from './source-file.ts';

/** Quoted names of two words that are no codes of ours. */
const NO_CODES = /^(?:LOCKSTEP_|EAI_AGAIN$|ERR_)/;

export function codesOf(files: readonly SourceFile[]): ReadonlySet<string> {
  const codes = new Set<string>();
  for (const { path, text } of files) {
    if (path === 'conformance/check/outcome.ts')
      for (const [, code = ''] of unionOf(text, 'ProblemCode').matchAll(/'([a-z-]+)'/g)) codes.add(code);
    if (path.startsWith('conformance/sim/') && path.endsWith('.ts'))
      for (const [, code = ''] of unionOf(text, '\\w+ErrorCode').matchAll(/'([A-Z_]+)'/g)) codes.add(code);
    if (!path.startsWith('impl/') || !path.endsWith('.ts') || path === 'impl/dx/spec-index.ts') continue;
    for (const [, code = ''] of text.matchAll(/'([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)'/g))
      if (!NO_CODES.test(code)) codes.add(code);
    const failures = /const FAILURES = \{([\s\S]*?)\n\}/.exec(text)?.[1] ?? '';
    for (const [, code = ''] of failures.matchAll(/^ {2}([A-Z_]+):/gm)) codes.add(code);
  }
  return codes;
}

function unionOf(text: string, name: string): string {
  return new RegExp(`type ${name} =([^;]*);`).exec(text)?.[1] ?? '';
}

export interface DocumentedCode {
  readonly code: string;
  readonly meaning: string;
  readonly advice: string;
}

export function documentedCodes(page: string): readonly DocumentedCode[] {
  return [...page.matchAll(/^\| `([A-Za-z0-9_-]+)` \| (.*?) \| (.*?) \|$/gm)].map(
    ([, code = '', meaning = '', advice = '']) => ({ code, meaning, advice }),
  );
}
