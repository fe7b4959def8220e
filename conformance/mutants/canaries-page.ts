/** The text of docs/canaries.md: every broken rule of specs and code, what must catch it, and the known bugs that they stand for. */
import { dirname, join } from 'node:path';
import type { Component } from '../component.ts';
import { knownCanaries } from './known-canaries.ts';
import { readSpecMutants } from './spec-mutant.ts';

/** More would hide the rest of the row. */
const MODELS_NAMED_MAX = 2;

interface Row {
  readonly component: string;
  readonly side: 'spec' | 'code';
  readonly name: string;
  readonly canary: string;
  readonly rule: string;
  readonly models: string;
  readonly caughtBy: string;
}

/** @param root folder that the components' sources are relative to */
export function canariesPage(root: string, components: readonly Component[]): string {
  const rows = components.flatMap((component) => rowsOf(root, component));
  const bySide = (side: Row['side']): number => rows.filter((row) => row.side === side).length;
  return [
    '# Broken on purpose',
    '',
    'Each row is one rule, broken in a spec or in the code. `make check` breaks it, and fails unless it is caught as the row says; its report has the steps and seconds of every kill. This page is written by `make canaries` and held to the sources by `npx vitest run test/repository/canaries.test.ts`.',
    '',
    `There are ${bySide('spec')} mutants of specs and ${bySide('code')} faults in code.`,
    '',
    ...components.flatMap(({ name }) => [
      `## ${name}`,
      '',
      ...table(
        ['broken in', 'name', 'canary', 'what is broken', 'models', 'caught by'],
        rows
          .filter(({ component }) => component === name)
          .map(({ side, name: mutant, canary, rule, models, caughtBy }) => [
            side,
            mutant,
            canary,
            rule,
            models,
            caughtBy,
          ]),
      ),
    ]),
    '## Known bugs of this field',
    '',
    'Thirty bugs that others have had. The ones whose component is not here yet wait for it.',
    '',
    ...table(
      ['canary', 'what was broken', 'belongs to', 'here'],
      knownCanaries.map(({ id, broken, component }) => {
        const standing = rows
          .filter(({ canary }) => canary === id)
          .map(({ component: of, side, name }) => `${of}: ${name} (${side})`);
        return [id, broken, component, standing.join(', ') || 'not yet'];
      }),
    ),
  ].join('\n');
}

function rowsOf(root: string, component: Component): readonly Row[] {
  const inSpec = readSpecMutants(join(root, dirname(component.sources.spec)), component).map(
    (mutant): Row => ({
      component: component.name,
      side: 'spec',
      name: mutant.name,
      canary: mutant.canary ?? '',
      rule: mutant.rule,
      models: mutant.model,
      caughtBy: `\`${mutant.killedBy}\``,
    }),
  );
  const inCode = component.faults.map(
    (fault): Row => ({
      component: component.name,
      side: 'code',
      name: fault.name,
      canary: fault.canary ?? '',
      rule: fault.rule,
      models: modelsText(fault.cfgs),
      caughtBy: 'the walk of the state graph',
    }),
  );
  return [...inSpec, ...inCode];
}

/** A fault is walked in its models, in their order, until it is caught. */
function modelsText(cfgs: readonly string[]): string {
  return cfgs.length <= MODELS_NAMED_MAX ? cfgs.join(', ') : `${cfgs.length} models, from ${cfgs[0]} on`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line), ''];
}
