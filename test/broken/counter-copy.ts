/**
 * The base of every broken triple: the example counter (spec, cfg, machine, code, driver, mutants), copied under build/ and
 * changed there by text replacement. A replacement that does not fit fails, so that no test passes on an unbroken copy.
 */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Component } from '../../conformance/component.ts';
import { anyComponent } from '../../conformance/components/all.ts';
import type { counterComponent } from '../../docs/example/counter.ts';

/** File below docs/example, what stands there once, and what stands there instead; an absent file is created. */
export type Change = readonly [file: string, old: string, instead: string];

export interface CounterCopy {
  /** Folder that the component's sources are relative to. */
  readonly root: string;
  readonly component: Component;
}

const HOME = join('docs', 'example');
/** From <root>/docs/example of a copy back to the repository. */
const BACK = '../../../../../';

export async function counterCopy(name: string, changes: readonly Change[]): Promise<CounterCopy> {
  const root = resolve('build', 'test-broken', name);
  rmSync(root, { recursive: true, force: true });
  mkdirSync(join(root, HOME), { recursive: true });
  cpSync(HOME, join(root, HOME), { recursive: true });
  const code = join(root, HOME, 'counter.ts');
  const text = readFileSync(code, 'utf8').replaceAll("'../../", `'${BACK}`);
  writeFileSync(code, text.replace('traces: 200', 'traces: 10'));
  for (const [file, old, instead] of changes) change(join(root, HOME, file), old, instead);
  const entry =
    "import { counterComponent } from './docs/example/counter.ts';\nexport const components = [counterComponent];\n";
  writeFileSync(join(root, 'components.ts'), entry);
  const loaded = (await import(pathToFileURL(code).href)) as { readonly counterComponent: typeof counterComponent };
  return { root, component: anyComponent(loaded.counterComponent) };
}

function change(path: string, old: string, instead: string): void {
  if (old === '') {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, instead);
    return;
  }
  const text = readFileSync(path, 'utf8');
  const count = text.split(old).length - 1;
  if (count !== 1) throw new Error(`${path} holds ${count} times, not once: ${old}`);
  writeFileSync(
    path,
    text.replace(old, () => instead),
  );
}
