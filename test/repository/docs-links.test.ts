/** Goal: what the docs point to is there: every relative link, and every path of this repository that is written as code. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PAGES = [
  'README.md',
  ...readdirSync(join(ROOT, 'docs')).flatMap((name) => (name.endsWith('.md') ? [`docs/${name}`] : [])),
];
/** Files that a page tells the reader to make, or that a command writes. */
const MADE = /^(?:build|dist)\//;
/** docs/adding-a-component.md speaks of one that is not there yet. */
const EXAMPLE = /log-repair|LogRepair/;
const CODE_PATH = /`((?:specs|machines|impl|conformance|test|bench|docs|traces|ops)\/[\w./-]*\w\/?)`/g;

test.each(PAGES)('%s points to what is there', (page) => {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const links = [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, target]) =>
    resolve(ROOT, dirname(page), target as string),
  );
  const paths = [...text.matchAll(CODE_PATH)].flatMap(([, path = '']) =>
    MADE.test(path) || EXAMPLE.test(path) ? [] : [join(ROOT, path)],
  );
  const missing = [...links, ...paths].filter((path) => !existsSync(path)).map((path) => path.slice(ROOT.length));
  expect([...new Set(missing)]).toEqual([]);
});
