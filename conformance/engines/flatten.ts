/**
 * One module text out of a root module and the user modules that it extends, for the engine that reads a single text.
 * Standard modules stay in EXTENDS. INSTANCE is not resolved: a model that needs it runs on TLC only, and says so.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const MODULE = /^-{4,}\s*MODULE\s+(\w+)\s*-{4,}\s*$/m;
const EXTENDS = /^\s*EXTENDS\s+([\w\s,]+?)$(?!\s*,)/m;

export function flatten(folder: string, root: string): string {
  const standard = new Set<string>();
  const bodies: string[] = [];
  const visited = new Set<string>();
  const visit = (module: string): void => {
    if (visited.has(module)) return;
    visited.add(module);
    const path = join(folder, `${module}.tla`);
    if (!existsSync(path)) {
      standard.add(module);
      return;
    }
    const { parents, body } = splitModule(readFileSync(path, 'utf8'));
    for (const parent of parents) visit(parent);
    bodies.push(body);
  };
  visit(root);
  const uses = standard.size > 0 ? `EXTENDS ${[...standard].join(', ')}\n` : '';
  return `---- MODULE ${root} ----\n${uses}${bodies.join('\n')}\n====\n`;
}

/** User modules that the root extends, itself included, in the order of definition: what a cache key must cover. */
export function modulesOf(folder: string, root: string): readonly string[] {
  const found: string[] = [];
  const visit = (module: string): void => {
    const path = join(folder, `${module}.tla`);
    if (found.includes(module) || !existsSync(path)) return;
    found.push(module);
    const text = readFileSync(path, 'utf8');
    for (const parent of splitModule(text).parents) visit(parent);
    for (const instance of text.matchAll(/\bINSTANCE\s+(\w+)/g)) visit(instance[1] as string);
  };
  visit(root);
  return found;
}

function splitModule(text: string): { parents: readonly string[]; body: string } {
  const start = MODULE.exec(text);
  const afterHeader = start === null ? text : text.slice(start.index + start[0].length);
  const body = afterHeader.replace(/^={4,}[\s\S]*$/m, '');
  const uses = EXTENDS.exec(body);
  if (uses === null) return { parents: [], body };
  return { parents: (uses[1] ?? '').split(/[\s,]+/).filter(Boolean), body: body.replace(uses[0], '') };
}
