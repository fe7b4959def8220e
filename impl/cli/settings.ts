/**
 * Where each setting comes from: flags over environment over a TOML file over defaults, each value with its origin.
 * An unknown key and a value of another type are errors that name key, place and what is allowed. Mirrors no spec module.
 */
import { readFileSync } from 'node:fs';
import type { TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { parse, TomlError } from 'smol-toml';
import { CliError } from './cli-error.ts';
import { type Section, type SettingsOf, settingsSchema } from './settings-schema.ts';

/** Instead of the value of a secret. */
export const NOT_SHOWN = '(not shown)';
/** Variables that are no setting. */
const OTHER_VARIABLES: ReadonlySet<string> = new Set(['LOCKSTEP_CONFIG']);

export interface ResolvedSetting {
  /** As in the file: `server.limits.tick-ms`. */
  readonly key: string;
  readonly value: unknown;
  /** Never to be shown. */
  readonly isSecret: boolean;
  /** `flag --http`, `environment LOCKSTEP_HTTP`, `file lockstep.toml`, `default`, or `not set`. */
  readonly origin: string;
}

export interface SettingSources {
  /** By name without section, as text or as the boolean of a flag without a value; undefined: not given. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly file: string | undefined;
}

export interface Resolved<S extends Section> {
  /** A key without default that nobody set is missing here: see require(). */
  readonly values: Partial<SettingsOf<S>>;
  readonly settings: readonly ResolvedSetting[];
}

interface Leaf {
  /** Without section: `limits.tick-ms`. */
  readonly name: string;
  readonly schema: TSchema;
}

export function resolveSettings<S extends Section>(section: S, sources: SettingSources): Resolved<S> {
  refuseUnknownVariables(sources.environment);
  const fromFile = sources.file === undefined ? new Map<string, unknown>() : readFile(sources.file);
  const settings = leavesOf(section).map(({ name, schema }): ResolvedSetting => {
    const key = `${section}.${name}`;
    const flag = sources.flags[name];
    if (flag !== undefined) return checked(key, schema, flag, `flag ${flagOf(name)}`);
    const variable = variableOf(name);
    const text = sources.environment[variable];
    if (text !== undefined) return checked(key, schema, text, `environment ${variable}`);
    if (fromFile.has(key)) return checked(key, schema, fromFile.get(key), `file ${sources.file}`);
    if (schema.default !== undefined)
      return { key, value: schema.default, isSecret: isSecret(schema), origin: 'default' };
    return { key, value: undefined, isSecret: isSecret(schema), origin: 'not set' };
  });
  const values: Record<string, unknown> = {};
  for (const { key, value } of settings) {
    if (value === undefined) continue;
    const [first = '', second] = key.slice(section.length + 1).split('.');
    if (second === undefined) values[first] = value;
    else values[first] = { ...(values[first] as object | undefined), [second]: value };
  }
  return { values: values as Partial<SettingsOf<S>>, settings };
}

/** The value, or an error that says the three ways to give it. */
export function required<S extends Section, K extends keyof SettingsOf<S> & string>(
  section: S,
  resolved: Resolved<S>,
  name: K,
): NonNullable<SettingsOf<S>[K]> {
  const value = resolved.values[name];
  if (value !== undefined && value !== null) return value as NonNullable<SettingsOf<S>[K]>;
  const schema = leavesOf(section).find((leaf) => leaf.name === name)?.schema;
  const ways = `${flagOf(name)}, ${variableOf(name)}, or ${section}.${name} in the file of --config`;
  const what = schema === undefined ? '' : ` (${allowedOf(schema)})`;
  throw new CliError('CLI_SETTING_INVALID', `${name} is not set: give ${ways}${what}`, { key: `${section}.${name}` });
}

/** What a schema allows, in words. */
export function allowedOf(schema: TSchema): string {
  if (Array.isArray(schema.anyOf)) return `one of ${schema.anyOf.map((one: TSchema) => String(one.const)).join(', ')}`;
  if (schema.type === 'array') return `a list: ${schema.description ?? allowedOf(schema.items as TSchema)}`;
  if (schema.type === 'integer') {
    const { minimum, maximum } = schema as { minimum?: number; maximum?: number };
    return `a whole number${minimum === undefined ? '' : ` from ${minimum}`}${maximum === undefined ? '' : ` to ${maximum}`}`;
  }
  if (schema.type === 'boolean') return 'true or false';
  return schema.description ?? 'a text';
}

function leavesOf(section: Section): readonly Leaf[] {
  const leaves: Leaf[] = [];
  const walk = (properties: Readonly<Record<string, TSchema>>, prefix: string): void => {
    for (const [name, schema] of Object.entries(properties)) {
      if (schema.type === 'object') walk(schema.properties as Record<string, TSchema>, `${prefix}${name}.`);
      else leaves.push({ name: `${prefix}${name}`, schema });
    }
  };
  walk(settingsSchema[section].properties, '');
  return leaves;
}

function sections(): readonly Section[] {
  return Object.keys(settingsSchema) as Section[];
}

function flagOf(name: string): string {
  if (name === 'directory') return 'DIR';
  return name.startsWith('limits.') ? `--limit ${name.slice('limits.'.length)}=N` : `--${name.replaceAll('.', '-')}`;
}

function variableOf(name: string): string {
  return `LOCKSTEP_${name.replaceAll(/[.-]/g, '_').toUpperCase()}`;
}

/** Text of a flag or variable becomes what the schema wants; what does not fit comes out as an error. */
function checked(key: string, schema: TSchema, given: unknown, origin: string): ResolvedSetting {
  const value = typeof given === 'string' && !origin.startsWith('file ') ? fromText(schema, given) : given;
  if (Value.Check(schema, value)) return { key, value, isSecret: isSecret(schema), origin };
  const shown = isSecret(schema)
    ? NOT_SHOWN
    : withoutPassword(typeof given === 'string' ? given : JSON.stringify(given));
  throw new CliError('CLI_SETTING_INVALID', `${key} is ${shown}, from ${origin}: it takes ${allowedOf(schema)}`, {
    key,
    origin,
    value: shown,
    allowed: allowedOf(schema),
  });
}

function isSecret(schema: TSchema): boolean {
  return schema.secret === true;
}

/** An address with name and password, as people paste them. */
function withoutPassword(text: string): string {
  return text.replaceAll(/\/\/[^/@\s]*@/g, '//…@');
}

function fromText(schema: TSchema, text: string): unknown {
  if (schema.type === 'integer') return /^-?[0-9]+$/.test(text) ? Number(text) : text;
  if (schema.type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  if (schema.type === 'array') return text.split(',').map((item) => item.trim());
  return text;
}

function refuseUnknownVariables(environment: SettingSources['environment']): void {
  const known = new Set(sections().flatMap((section) => leavesOf(section).map(({ name }) => variableOf(name))));
  for (const variable of Object.keys(environment)) {
    if (!variable.startsWith('LOCKSTEP_') || known.has(variable) || OTHER_VARIABLES.has(variable)) continue;
    const names = [...known, ...OTHER_VARIABLES].filter((name) => !name.startsWith('LOCKSTEP_LIMITS_'));
    throw new CliError(
      'CLI_SETTING_INVALID',
      `the environment sets ${variable}, which is no setting: unset it; there are ${names.join(', ')} and LOCKSTEP_LIMITS_*`,
      { key: variable, origin: 'environment' },
    );
  }
}

/** Every key of the file, of every section: a typing error in one section is found by each command. */
function readFile(file: string): Map<string, unknown> {
  const found = new Map<string, unknown>();
  const table = parseFile(file);
  for (const [section, content] of Object.entries(table)) {
    if (!(section in settingsSchema)) throw unknownKey(file, section, sections());
    if (!isTable(content)) {
      throw new CliError('CLI_SETTING_INVALID', `${file}: ${section} must be a table: write [${section}]`, {
        key: section,
        file,
      });
    }
    const leaves = leavesOf(section as Section);
    const walk = (entries: Record<string, unknown>, prefix: string): void => {
      for (const [name, value] of Object.entries(entries)) {
        const path = `${prefix}${name}`;
        const leaf = leaves.find((one) => one.name === path);
        const inside = leaves.filter((one) => one.name.startsWith(`${path}.`));
        if (leaf !== undefined) found.set(`${section}.${path}`, checkedInFile(file, section, leaf, value));
        else if (inside.length > 0 && isTable(value)) walk(value, `${path}.`);
        else throw unknownKey(file, `${section}.${path}`, allowedNames(leaves, prefix));
      }
    };
    walk(content, '');
  }
  return found;
}

function checkedInFile(file: string, section: string, leaf: Leaf, value: unknown): unknown {
  return checked(`${section}.${leaf.name}`, leaf.schema, value, `file ${file}`).value;
}

function allowedNames(leaves: readonly Leaf[], prefix: string): readonly string[] {
  const names = leaves.filter(({ name }) => name.startsWith(prefix)).map(({ name }) => name.slice(prefix.length));
  return [...new Set(names.map((name) => name.split('.')[0] as string))];
}

function parseFile(file: string): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const system = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    const message = `cannot read the settings file ${file} (${system}): name another with --config`;
    throw new CliError('CLI_FILE_UNREADABLE', message, { file, system }, cause);
  }
  try {
    return parse(text);
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    const place = { file, line: cause.line, column: cause.column };
    const what = cause.message.split('\n')[0] ?? '';
    const message = `${file}:${cause.line}:${cause.column} is not TOML: ${what}. Mend that line`;
    throw new CliError('CLI_SETTING_INVALID', message, place, cause);
  }
}

function unknownKey(file: string, key: string, allowed: readonly string[]): CliError {
  const message = `${file}: ${key} is no setting; allowed here: ${allowed.join(', ')}`;
  return new CliError('CLI_SETTING_INVALID', message, { key, file, allowed: allowed.join(',') });
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
