/** The text of impl/dx/spec-index.ts, from specs/: `make spec-index` writes it, and a test says when it is out of date. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ComponentSpec } from '../../machines/spec-rule.ts';
import { parseCfg } from '../engines/cfg.ts';
import { machinePlaces } from './machine-places.ts';
import { indexSpec } from './spec-index.ts';

export const SPEC_INDEX = 'impl/dx/spec-index.ts';

/** Every module of specs/ that has a model of its own name and a machine, as the text of impl/dx/spec-index.ts. */
export async function specIndexText(root: string): Promise<string> {
  const files = readdirSync(join(root, 'specs')).sort();
  const names = files
    .filter((file) => file.endsWith('.tla') && files.some((cfg) => cfg.startsWith(`${file.slice(0, -4)}_`)))
    .map((file) => file.slice(0, -4))
    .filter((name) => existsSync(join(root, 'machines', `${kebab(name)}.ts`)));
  const parts: string[] = [];
  for (const name of names) {
    const cfgs = files.filter((file) => file.startsWith(`${name}_`) && file.endsWith('.cfg'));
    const invariants = new Set(
      cfgs.flatMap((cfg) => parseCfg(readFileSync(join(root, 'specs', cfg), 'utf8')).invariants),
    );
    const places = machinePlaces(root, `machines/${kebab(name)}.ts`);
    parts.push(componentText(await indexSpec(`specs/${name}.tla`, [...invariants], places)));
  }
  return `// biome-ignore-all format: generated, one rule a line
/** Every action, guard and invariant of specs/, for impl/dx. Written by \`make spec-index\`: change the spec, not this file. */
import type { ComponentSpec } from '../../machines/spec-rule.ts';

export const specIndex: readonly ComponentSpec[] = [
${parts.join('\n')}
];
`;
}

function componentText({ name, file, statuses, ...groups }: ComponentSpec): string {
  const lines = [`  {`, `    name: ${text(name)},`, `    file: ${text(file)},`, `    statuses: ${text(statuses)},`];
  for (const [group, rules] of Object.entries(groups))
    lines.push(`    ${group}: [`, ...rules.map((rule) => `      ${text(rule)},`), '    ],');
  return [...lines, '  },'].join('\n');
}

/** JSON that is TypeScript as well, with the quotes of this repository where nothing is escaped. */
function text(value: unknown): string {
  return JSON.stringify(value);
}

function kebab(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase();
}
