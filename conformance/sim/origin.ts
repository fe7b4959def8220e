/** By which code a simulated run was made: version, sources, commit, Node. Mirrors no spec module. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { importClosure } from '../cache/import-closure.ts';

/** What runs a scenario, and so, with all that it imports, what decides a run. */
const ENTRY = 'conformance/sim/run.ts';

export interface Origin {
  /** Version of package.json. */
  readonly lockstep: string;
  /** SHA-256 over every file that decides a run, hexadecimal. */
  readonly sources: string;
  /** Of git; absent when it is not known. */
  readonly commit?: string;
  /** Files that decide a run were not committed as they were. */
  readonly changed?: boolean;
  readonly node: string;
}

/** @param root of the checkout */
export function originOf(root: string, entry = ENTRY): Origin {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const files = sourcesOfRuns(root, entry);
  const hash = createHash('sha256');
  for (const file of files) {
    const bytes = readFileSync(join(root, file));
    hash.update(`${file} ${bytes.byteLength}\n`).update(bytes);
  }
  const origin = { lockstep: version, sources: hash.digest('hex'), node: process.version };
  const commit = existsSync(join(root, '.git')) ? git(root, ['rev-parse', 'HEAD']) : undefined;
  if (commit === undefined) return origin;
  return { ...origin, commit, changed: git(root, ['status', '--porcelain', '--', ...files]) !== '' };
}

/** Relative to the root, sorted: the code, and which packages it runs with. */
export function sourcesOfRuns(root: string, entry = ENTRY): readonly string[] {
  const lock = existsSync(join(root, 'package-lock.json')) ? ['package-lock.json'] : [];
  return [...importClosure(root, [entry]), ...lock];
}

/** undefined when there is no git, or it does not know. */
function git(root: string, words: readonly string[]): string | undefined {
  try {
    return execFileSync('git', ['-C', root, ...words], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return undefined;
  }
}
