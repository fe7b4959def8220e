/** The files that a TypeScript file is made of: itself and every relative import, transitively, type imports included. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const IMPORT = /\b(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/g;

/** @param files relative to root; so are the answers, sorted. An import of a file that is not there is left out. */
export function importClosure(root: string, files: readonly string[]): readonly string[] {
  const found = new Set<string>();
  const open = files.map((file) => normalize(file));
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (found.has(file) || !existsSync(join(root, file))) continue;
    found.add(file);
    if (!file.endsWith('.ts')) continue;
    for (const [, target = ''] of readFileSync(join(root, file), 'utf8').matchAll(IMPORT))
      open.push(normalize(join(dirname(file), target)));
  }
  return [...found].sort();
}
