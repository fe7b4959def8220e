/**
 * What the outcome of a component depends on, as one hash: its specs, cfgs and mutants, its machine, code and driver with
 * all that they import, the sources of the engine, the model checkers, the packages and Node itself.
 * Rather too much than too little: a file too many costs a run, a file too few costs the truth.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { CheckOutcome } from '../check/outcome.ts';
import type { Component } from '../component.ts';
import { kebab } from '../report/save-divergence.ts';
import { importClosure } from './import-closure.ts';

/** Folders of conformance/ that belong to components, which name what they use of them. */
const NOT_ENGINE = new Set(['drivers', 'components', 'sim', 'validate-cluster']);

export interface KeyInput {
  readonly root: string;
  readonly component: Component;
  readonly engines: CheckOutcome['engines'];
  readonly deep: boolean;
  readonly env?: NodeJS.ProcessEnv;
}

export function cacheKey(input: KeyInput): string {
  const { root, component, engines, deep, env = process.env } = input;
  const hash = createHash('sha256');
  const jar = env.TLA2TOOLS_JAR;
  const settings = { engines, deep, node: process.version, platform: process.platform, component: plain(component) };
  hash.update(JSON.stringify(settings));
  if (jar !== undefined && existsSync(jar)) hash.update(readFileSync(jar));
  for (const file of sourcesOf(root, component)) {
    const bytes = readFileSync(join(root, file));
    hash.update(`\n${file} ${bytes.byteLength}\n`).update(bytes);
  }
  return hash.digest('hex');
}

/** Every file whose bytes the outcome depends on, relative to root, sorted. */
export function sourcesOf(root: string, component: Component): readonly string[] {
  const { spec, machine, implementation, driver } = component.sources;
  const folder = dirname(spec);
  const descriptor = join('conformance', 'components', `${kebab(component.name)}.ts`);
  const code = importClosure(root, [machine, ...implementation, driver, descriptor]);
  const lock = existsSync(join(root, 'package-lock.json')) ? ['package-lock.json'] : [];
  const files = [...code, ...modulesOf(root, component), ...cfgsOf(root, component), ...engineFiles(root), ...lock];
  const mutants = join(folder, 'mutants');
  for (const file of listed(join(root, mutants)))
    if (file.startsWith(`${component.name}-`)) files.push(join(mutants, file));
  return [...new Set(files)].sort();
}

/** The component's module, the wrappers of its models, and every module of the folder that one of them names. */
function modulesOf(root: string, { sources, models, random }: Component): readonly string[] {
  const folder = dirname(sources.spec);
  const modules = new Set(
    listed(join(root, folder)).flatMap((file) => (file.endsWith('.tla') ? [file.slice(0, -4)] : [])),
  );
  const open = [
    sources.spec.slice(folder.length + 1, -4),
    ...models.map(({ module }) => module),
    ...(random === undefined ? [] : [random.module]),
  ];
  const found = new Set<string>();
  for (let module = open.pop(); module !== undefined; module = open.pop()) {
    if (found.has(module) || !modules.has(module)) continue;
    found.add(module);
    open.push(...(readFileSync(join(root, folder, `${module}.tla`), 'utf8').match(/\w+/g) ?? []));
  }
  return [...found].map((module) => join(folder, `${module}.tla`));
}

/** Those that the component names, and those that bear its name: mutants may use a model that is not walked. */
function cfgsOf(root: string, { name, sources, models, random, faults }: Component): readonly string[] {
  const folder = dirname(sources.spec);
  const named = new Set([
    ...models.map(({ cfg }) => cfg),
    ...faults.flatMap(({ cfgs }) => cfgs),
    ...(random === undefined ? [] : [random.cfg]),
  ]);
  return listed(join(root, folder))
    .filter((file) => file.endsWith('.cfg') && (named.has(file) || file.startsWith(name)))
    .map((file) => join(folder, file));
}

function engineFiles(root: string): readonly string[] {
  const files: string[] = [];
  for (const entry of readdirSync(join(root, 'conformance'), { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name).slice(root.length + 1);
    if (entry.isFile() && !NOT_ENGINE.has(path.split('/')[1] ?? '')) files.push(path);
  }
  return files;
}

/** The descriptor without its functions: those are in the files. */
function plain({ machine, driver: _, ...component }: Component): unknown {
  return { ...component, machine: machine.id };
}

function listed(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}
