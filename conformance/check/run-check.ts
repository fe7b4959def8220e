/**
 * The command `check`: finds the engines, checks the components asked for, prints the table, writes build/report/check.{json,html}.
 * Exit 0: every column of every row is green. 1: a divergence or violation. 2: the check could not run.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { cacheKey } from '../cache/cache-key.ts';
import { OutcomeCache } from '../cache/outcome-cache.ts';
import type { Component } from '../component.ts';
import { components as allComponents } from '../components/all.ts';
import { embeddedVersion } from '../engines/embedded.ts';
import { EmbeddedApart } from '../engines/embedded-apart.ts';
import { findTlc, type Tlc } from '../engines/find-tlc.ts';
import { mutantTable } from '../mutants/mutant-table.ts';
import { checkHtml } from '../report/check-html.ts';
import { checkJson } from '../report/check-json.ts';
import { terminal } from '../report/terminal.ts';
import { checkComponent, type Stages } from './check-component.ts';
import { beginSeconds, type CheckContext, leftOut } from './check-model.ts';
import { type CheckOutcome, type ComponentOutcome, EXIT_TWO, type Problem } from './outcome.ts';
import { stages as allStages } from './stages.ts';

export interface CheckSettings {
  readonly root: string;
  readonly components: readonly Component[];
  readonly stages: Stages;
  /** Names, case-insensitive; empty: all. */
  readonly only: readonly string[];
  readonly engine: 'docker' | 'embedded' | undefined;
  readonly deep: boolean;
  readonly print: (line: string) => void;
  readonly progress?: (component: string, line: string) => void;
  readonly env?: NodeJS.ProcessEnv;
  readonly save?: boolean;
  /** Answers for components that have not changed; absent: every component runs. */
  readonly cache?: OutcomeCache;
}

const USAGE =
  'lockstep check [Component...] [--engine docker|embedded] [--deep] [--no-cache] [--components FILE]\n' +
  '  FILE: a module that exports `components`, for a system of your own; its sources are relative to the current folder';

/** See USAGE. */
export async function runCheck(argv: readonly string[]): Promise<number> {
  const only: string[] = [];
  let engine: 'docker' | 'embedded' | undefined;
  let deep = false;
  let noCache = false;
  let components = allComponents;
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] as string;
    if (word === '--deep') deep = true;
    else if (word === '--no-cache') noCache = true;
    else if (word === '--components') {
      const file = argv[++at];
      if (file === undefined) return usage('--components takes a file');
      const found = await componentsIn(file);
      if (typeof found === 'string') return usage(found);
      components = found;
    } else if (word === '--engine') {
      const name = argv[++at];
      if (name !== 'docker' && name !== 'embedded')
        return usage(`--engine takes docker or embedded, not ${name ?? 'nothing'}`);
      engine = name;
    } else if (word.startsWith('-')) return usage(`unknown option ${word}`);
    else only.push(word);
  }
  const unknown = unknownOf(only, components);
  if (unknown !== undefined) return usage(unknown); // and the last report stays
  const live = terminal(process.stdout);
  const outcome = await check({
    root: process.cwd(),
    components,
    stages: allStages,
    only,
    engine,
    deep,
    print: live.print,
    progress: live.progress,
    save: true,
    ...(components === allComponents && OutcomeCache.isAllowed(process.env, noCache)
      ? { cache: new OutcomeCache(process.cwd()) }
      : {}),
  });
  live.table(outcome);
  const mutants = mutantTable(outcome.components);
  if (mutants !== '') live.print(`\nMutants\n${mutants}`);
  const folder = join('build', 'report');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'check.json'), `${JSON.stringify(checkJson(outcome), null, 2)}\n`);
  writeFileSync(join(folder, 'check.html'), await checkHtml(outcome, components));
  return exitCodeOf(outcome);
}

export async function check(settings: CheckSettings): Promise<CheckOutcome> {
  const started = performance.now();
  const finish = (
    engines: CheckOutcome['engines'],
    components: readonly ComponentOutcome[],
    problems: readonly Problem[],
  ): CheckOutcome => ({ engines, components, problems, seconds: (performance.now() - started) / 1000 });
  const chosen = settings.components.filter(
    ({ name }) => settings.only.length === 0 || settings.only.some((word) => word.toLowerCase() === name.toLowerCase()),
  );
  const unknown = unknownOf(settings.only, settings.components);
  if (unknown !== undefined) return finish([], [], [{ code: 'engine', component: '', message: unknown }]);
  const { tlc, missing } = chooseTlc(settings);
  const engines: CheckOutcome['engines'][number][] = [];
  if (tlc === undefined && settings.engine === 'docker')
    return finish([], [], [{ code: 'no-engine', component: '', message: missing ?? 'TLC not found' }]);
  try {
    const version = embeddedVersion();
    if (tlc !== undefined) engines.push({ name: 'tlc', version: '2.18', origin: tlc.origin });
    engines.push({ name: 'embedded', version, origin: 'npm tla-checker' });
  } catch (cause) {
    const message = `the embedded engine does not load: ${cause instanceof Error ? cause.message : String(cause)}`;
    if (tlc === undefined)
      return finish([], [], [{ code: 'no-engine', component: '', message: `${missing ?? ''}; ${message}` }]);
    engines.push({ name: 'tlc', version: '2.18', origin: tlc.origin });
    settings.print(message);
  }
  settings.print(firstLine(engines, missing));
  const context: CheckContext = {
    root: settings.root,
    tlc,
    embedded: engines.some(({ name }) => name === 'embedded'),
    workers: Math.max(1, availableParallelism() - 1),
    save: settings.save === true,
    ...(settings.progress === undefined ? {} : { progress: settings.progress }),
  };
  for (const { models } of chosen)
    for (const model of models) {
      const why = model.kind === 'deep' && !settings.deep ? undefined : leftOut(context, model);
      if (why !== undefined) settings.print(`Left out without TLC: ${model.cfg}, ${why}`);
    }
  return finish(engines, await outcomesOf(context, chosen, engines, settings), []);
}

async function outcomesOf(
  context: CheckContext,
  chosen: readonly Component[],
  engines: CheckOutcome['engines'],
  { cache, stages, deep, root, env }: CheckSettings,
): Promise<readonly ComponentOutcome[]> {
  const rows = chosen.map((component) => {
    const key = cache === undefined ? '' : cacheKey({ root, component, engines, deep, ...(env && { env }) });
    return { component, key, known: cache?.read(component.name, key) };
  });
  const toRun = rows.filter(({ known }) => known === undefined).map(({ component }) => component);
  // Without TLC the embedded engine is no second opinion, and runs here.
  const apart = context.tlc === undefined || toRun.length === 0 ? undefined : new EmbeddedApart();
  const running = apart === undefined ? context : { ...context, seconds: beginSeconds(apart, context, toRun, deep) };
  const outcomes: ComponentOutcome[] = [];
  try {
    for (const { component, key, known } of rows) {
      const outcome = known ?? (await checkComponent(running, component, stages, deep));
      if (known === undefined) cache?.write(key, outcome);
      outcomes.push(outcome);
    }
  } finally {
    apart?.end();
  }
  return outcomes;
}

export function exitCodeOf(outcome: CheckOutcome): 0 | 1 | 2 {
  const problems = [...outcome.problems, ...outcome.components.flatMap((component) => component.problems)];
  if (problems.some(({ code }) => EXIT_TWO.has(code))) return 2;
  return problems.length > 0 || outcome.components.length === 0 ? 1 : 0;
}

function chooseTlc(settings: CheckSettings): { tlc?: Tlc; missing?: string } {
  if (settings.engine === 'embedded') return { missing: 'not asked for (ENGINE=embedded)' };
  const answer = findTlc(settings.engine, settings.env);
  return 'found' in answer ? { tlc: answer.found } : { missing: answer.missing };
}

function firstLine(engines: CheckOutcome['engines'], missing: string | undefined): string {
  const named = engines.map(({ name, version, origin }) =>
    name === 'tlc' ? `TLC ${version} (${origin})` : `embedded engine tla-checker ${version}`,
  );
  if (engines.some(({ name }) => name === 'tlc')) return `Engines: ${named.join(' and ')}`;
  return `Engine: ${named.join('')} ALONE. TLC did not run: ${missing ?? 'not found'}`;
}

async function componentsIn(file: string): Promise<readonly Component[] | string> {
  try {
    const loaded = (await import(pathToFileURL(resolve(file)).href)) as { readonly components?: readonly Component[] };
    return Array.isArray(loaded.components) ? loaded.components : `${file} does not export an array named components`;
  } catch (cause) {
    return `${file} does not load: ${cause instanceof Error ? cause.message : String(cause)}`;
  }
}

/** What is wrong with the names asked for; undefined when each is a component, and there is one at all. */
function unknownOf(only: readonly string[], components: readonly Component[]): string | undefined {
  const names = components.map(({ name }) => name);
  const unknown = only.filter((word) => !names.some((name) => name.toLowerCase() === word.toLowerCase()));
  if (unknown.length === 0 && names.length > 0) return undefined;
  return `no component ${unknown.join(', ') || 'at all'}; there are: ${names.join(', ') || 'none'}`;
}

function usage(what: string): number {
  process.stderr.write(`check: ${what}\nusage: ${USAGE}\n`);
  return 2;
}
