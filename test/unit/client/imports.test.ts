/**
 * Goal: the client is a package of its own: nothing of the server, the replicas or their storage comes with it. Method: walk
 * the imports from its entry; every file and every package that is reached stands here.
 */
import { readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { importsOf } from '../../repository/rules.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const FOLDERS = /^impl\/(?:client|wire)\//;
const OTHERS = [
  'impl/crypto/hash.ts',
  'impl/ports/assert.ts',
  'impl/ports/byte-pool.ts',
  'impl/ports/clock.ts',
  'impl/ports/connection.ts',
  'impl/ports/little-endian.ts',
  'impl/ports/lockstep-error.ts',
  'impl/ports/network.ts',
  'impl/ports/random.ts',
  'impl/ports/real-clock.ts',
  'impl/ports/real-random.ts',
  'impl/ports/short-fields.ts',
  'impl/ports/tls-identity.ts',
  'impl/ports/tls.ts',
];
const PACKAGES = ['@noble/hashes/sha2.js', 'node:crypto', 'node:net', 'node:tls', 'node:zlib'];

function reachedFrom(entry: string): { files: readonly string[]; packages: readonly string[] } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const walk = (path: string): void => {
    if (files.has(path)) return;
    files.add(path);
    for (const { target } of importsOf({ path, text: readFileSync(join(ROOT, path), 'utf8') })) {
      if (target.startsWith('.')) walk(relative(ROOT, resolve(ROOT, dirname(path), target)));
      else packages.add(target);
    }
  };
  walk(entry);
  return { files: [...files].sort(), packages: [...packages].sort() };
}

it('the client needs impl/client, impl/wire and these ports, nothing else', () => {
  const { files, packages } = reachedFrom('impl/client/index.ts');
  expect(files.filter((path) => !FOLDERS.test(path))).toEqual(OTHERS);
  expect(packages).toEqual(PACKAGES);
});
