/**
 * One broken rule of a spec, as specs/mutants/<Component>-<name>.toml says it: what to replace, in which model to run it and
 * which invariant or property must catch it. Read strictly: a mutant that does not fit its spec proves nothing.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import type { Component } from '../component.ts';
import { type Cfg, parseCfg } from '../engines/cfg.ts';

/** `killed_by` of a mutant that runs into a state without successors. */
export const DEADLOCK = 'deadlock';

export interface Replacement {
  readonly old: string;
  readonly new: string;
}

/** A bound below which the kill is lost: an integer constant's value, or the size of a set. */
export interface Need {
  readonly constant: string;
  readonly atLeast: number;
}

export interface SpecMutant {
  readonly file: string;
  readonly component: string;
  readonly name: string;
  readonly canary?: string;
  /** What is broken, in one sentence. */
  readonly rule: string;
  /** The cfg to run it in, and its root module. */
  readonly model: string;
  readonly module: string;
  /** Invariant or property of that cfg, or `deadlock`. */
  readonly killedBy: string;
  readonly replace: readonly Replacement[];
  readonly needs: readonly Need[];
}

/** A mutant file that cannot be used: what, where, what to do. */
export class MutantError extends Error {}

const STRINGS = ['component', 'name', 'rule', 'model', 'module', 'killed_by'] as const;
const OPTIONAL = ['canary', 'needs', 'replace'] as const;

/** The mutants of one component, by file name. @param folder where its spec lies. */
export function readSpecMutants(folder: string, component: Component): readonly SpecMutant[] {
  const home = join(folder, 'mutants');
  if (!existsSync(home)) return [];
  return readdirSync(home)
    .filter((file) => file.startsWith(`${component.name}-`) && file.endsWith('.toml'))
    .toSorted()
    .map((file) => checkedAgainstSpec(readSpecMutant(file, readFileSync(join(home, file), 'utf8')), folder, component));
}

export function readSpecMutant(file: string, text: string): SpecMutant {
  const fail = (what: string): never => {
    throw new MutantError(`${file}: ${what}`);
  };
  let table: Record<string, unknown>;
  try {
    table = parse(text);
  } catch (cause) {
    if (cause instanceof TomlError) return fail(`is not TOML: ${cause.message.split('\n')[0]}`);
    throw cause;
  }
  for (const key of Object.keys(table))
    if (![...STRINGS, ...OPTIONAL].some((known) => known === key))
      fail(`has the unknown key ${key}; known are ${[...STRINGS, ...OPTIONAL].join(', ')}`);
  const stringOf = (key: string): string => {
    const value = table[key];
    return typeof value === 'string' && value.trim() !== '' ? value : fail(`needs ${key} = "..."`);
  };
  const mutant: SpecMutant = {
    file,
    component: stringOf('component'),
    name: stringOf('name'),
    ...(table.canary === undefined ? {} : { canary: stringOf('canary') }),
    rule: stringOf('rule'),
    model: stringOf('model'),
    module: stringOf('module'),
    killedBy: stringOf('killed_by'),
    replace: replacementsOf(table.replace, fail),
    needs: needsOf(table.needs, fail),
  };
  const wanted = `${mutant.component}-${mutant.name}.toml`;
  if (file !== wanted) fail(`component and name say ${wanted}: rename the file or change them`);
  return mutant;
}

function replacementsOf(value: unknown, fail: (what: string) => never): readonly Replacement[] {
  if (!Array.isArray(value) || value.length === 0) return fail("needs [[replace]] with old = '...' and new = '...'");
  return value.map((entry: unknown) => {
    const { old, new: text, ...rest } = (typeof entry === 'object' ? (entry ?? {}) : {}) as Record<string, unknown>;
    if (typeof old !== 'string' || old === '' || typeof text !== 'string' || Object.keys(rest).length > 0)
      return fail("each [[replace]] has exactly old = '...' (not empty) and new = '...'");
    if (old === text) return fail('a [[replace]] puts back what is there: it breaks nothing');
    return { old, new: text };
  });
}

function needsOf(value: unknown, fail: (what: string) => never): readonly Need[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) return fail('needs is a list such as ["MaxView >= 2"]');
  return value.map((entry: unknown) => {
    const match = typeof entry === 'string' ? /^(\w+) >= (\d+)$/.exec(entry) : null;
    if (match === null) return fail(`needs holds ${JSON.stringify(entry)}, not "Constant >= number"`);
    return { constant: match[1] as string, atLeast: Number(match[2]) };
  });
}

function checkedAgainstSpec(mutant: SpecMutant, folder: string, component: Component): SpecMutant {
  const fail = (what: string): never => {
    throw new MutantError(`${mutant.file}: ${what}`);
  };
  if (mutant.component !== component.name) fail(`component is ${mutant.component}, not ${component.name}`);
  if (!existsSync(join(folder, mutant.model))) fail(`model ${mutant.model} does not exist in ${folder}`);
  if (!existsSync(join(folder, `${mutant.module}.tla`))) fail(`module ${mutant.module}.tla does not exist`);
  const cfg = cfgOf(folder, mutant);
  const rules = [...cfg.invariants, ...cfg.properties, ...(cfg.checksDeadlock ? [DEADLOCK] : [])];
  if (!rules.includes(mutant.killedBy))
    fail(`killed_by ${mutant.killedBy} is no rule of ${mutant.model}; it has ${rules.join(', ')}`);
  const known = Object.keys(cfg.constants);
  for (const { constant } of mutant.needs)
    if (!known.includes(constant)) fail(`needs names ${constant}; ${mutant.model} has ${known.join(', ')}`);
  mutatedSpec(mutant, readFileSync(join(folder, basename(component.sources.spec)), 'utf8'));
  return mutant;
}

export function cfgOf(folder: string, mutant: SpecMutant): Cfg {
  return parseCfg(readFileSync(join(folder, mutant.model), 'utf8'));
}

/** The text of the spec with the rule broken. */
export function mutatedSpec(mutant: SpecMutant, spec: string): string {
  return mutant.replace.reduce((text, { old, new: broken }) => {
    const count = text.split(old).length - 1;
    if (count !== 1)
      throw new MutantError(
        `${mutant.file}: old occurs ${count} times in the spec, not once: ${old.trim().split('\n')[0]?.trim()}`,
      );
    return text.replace(old, () => broken);
  }, spec);
}

export function specFolder(root: string, component: Component): string {
  return join(root, dirname(component.sources.spec));
}
