/** The mutants of a check as a table: what was broken, in the spec or in the code, what caught it, and how long that took. */
import Table from 'cli-table3';
import type { ComponentOutcome, MutantOutcome } from '../check/outcome.ts';
import { colors as pc } from '../report/colors.ts';

const COLUMNS = ['component', 'broken in', 'mutant', 'canary', 'model', 'killed by', 'steps', 's'];

/** Empty when no component has a mutant. */
export function mutantTable(components: readonly ComponentOutcome[]): string {
  const table = new Table({
    head: COLUMNS,
    style: { head: [], border: [], compact: true },
    colAligns: ['left', 'left', 'left', 'left', 'left', 'left', 'right', 'right'],
  });
  const rows = components.flatMap(({ name, mutants }) => (mutants?.list ?? []).map((mutant) => row(name, mutant)));
  if (rows.length === 0) return '';
  table.push(...rows);
  return table.toString();
}

function row(component: string, { side, name, canary, cfg, verdict, killedBy, steps, seconds, note }: MutantOutcome) {
  const ended =
    verdict === 'killed'
      ? pc.green(killedBy ?? '')
      : verdict === 'survived'
        ? pc.red('SURVIVES')
        : pc.yellow(`skipped: ${(note ?? '').slice(0, 40)}`);
  return [
    component,
    side === 'spec' ? 'spec' : 'code',
    name,
    canary ?? '',
    cfg.replace(/\.cfg$/, ''),
    ended,
    String(steps ?? '-'),
    seconds.toFixed(1),
  ];
}
