/** The terminal: a progress line a component while it runs, then each problem in full, then the table. */
import { stripVTControlCharacters } from 'node:util';
import Table from 'cli-table3';
import type { CheckOutcome, ComponentOutcome } from '../check/outcome.ts';
import { colors as pc } from './colors.ts';
import { grouped } from './html.ts';
import { notChecked } from './not-checked.ts';
import { Pace } from './pace.ts';
import { problemText } from './problem-text.ts';

export interface Terminal {
  readonly print: (line: string) => void;
  readonly progress: (component: string, line: string) => void;
  readonly table: (outcome: CheckOutcome) => void;
}

/** Redraws of the progress line, at most: more would only flicker. */
const REDRAW_MS_MIN = 100;

export function terminal(out: NodeJS.WriteStream): Terminal {
  let drawnAt = 0;
  let lineShown = false;
  const pace = new Pace();
  const clear = (): void => {
    if (lineShown) out.write('\r\x1b[2K');
    lineShown = false;
  };
  const print = (line: string): void => {
    clear();
    out.write(`${line}\n`);
  };
  return {
    print,
    progress: (component, line) => {
      const now = performance.now();
      const text = pace.line(component, line, now);
      if (!out.isTTY || now - drawnAt < REDRAW_MS_MIN) return;
      drawnAt = now;
      clear();
      out.write(`${component}: ${text}`.slice(0, out.columns - 1));
      lineShown = true;
    },
    table: (outcome) => {
      clear();
      const problems = [...outcome.problems, ...outcome.components.flatMap((component) => component.problems)];
      for (const problem of problems) print(`\n${problemText(problem)}`);
      if (outcome.components.length > 0) print(`\n${tableText(outcome, out.columns)}`);
      const cached = outcome.components.filter((component) => component.cached).length;
      if (cached > 0)
        print(`${cached} of ${outcome.components.length} unchanged, answered from build/cache; NO_CACHE=1 runs all`);
      const unchecked = notChecked(outcome);
      if (unchecked.length > 0) print('Not checked, since TLC did not run:');
      for (const line of unchecked) print(`  ${line}`);
      const verdict =
        problems.length === 0 && outcome.components.length > 0
          ? pc.green(unchecked.length > 0 ? 'all that was checked is green' : 'all green')
          : pc.red(`${problems.length} problem(s)`);
      print(`${verdict} in ${outcome.seconds.toFixed(1)} s; build/report/check.{json,html}`);
    },
  };
}

interface Column {
  readonly head: string;
  readonly text: (component: ComponentOutcome) => string;
  /** On a narrow terminal the largest goes first; 0 stays. The report has them all. */
  readonly dispensable: number;
}

const COLUMNS: readonly Column[] = [
  { head: 'component', dispensable: 0, text: ({ name, problems }) => mark(problems.length === 0, name) },
  { head: 'models', dispensable: 6, text: modelsText },
  { head: 'states', dispensable: 0, text: ({ models }) => grouped(total(models, ({ distinct }) => distinct)) },
  { head: 'edges', dispensable: 0, text: ({ models }) => grouped(total(models, ({ edges }) => edges)) },
  { head: 'executed', dispensable: 0, text: executedText },
  { head: 'edges/s', dispensable: 7, text: rateText },
  { head: '2nd engine', dispensable: 3, text: secondText },
  { head: 'liveness', dispensable: 5, text: livenessText },
  { head: 'mirror', dispensable: 1, text: mirrorText },
  { head: 'random', dispensable: 4, text: ({ random }) => tracesText(random) },
  { head: 'validation', dispensable: 4, text: ({ validation }) => tracesText(validation) },
  { head: 'mutants', dispensable: 0, text: ({ mutants }) => (mutants === undefined ? '-' : mutantsText(mutants)) },
  { head: 's', dispensable: 2, text: ({ seconds, cached }) => `${seconds.toFixed(1)}${cached ? ' (cached)' : ''}` },
];

/** @param width columns of the terminal; without one, as in a file, everything is shown */
export function tableText(outcome: CheckOutcome, width = Number.POSITIVE_INFINITY): string {
  const most = Math.max(...COLUMNS.map(({ dispensable }) => dispensable));
  for (let dropped = most; ; dropped--) {
    const shown = COLUMNS.filter(({ dispensable }) => dispensable <= dropped);
    const text = tableOf(shown, outcome);
    const lineWidth = stripVTControlCharacters(text.slice(0, text.indexOf('\n'))).length;
    if (lineWidth <= width || dropped === 0) return text;
  }
}

function tableOf(columns: readonly Column[], outcome: CheckOutcome): string {
  const table = new Table({
    head: columns.map(({ head }) => head),
    style: { head: [], border: [], compact: true },
    colAligns: ['left', ...columns.slice(1).map(() => 'right' as const)],
  });
  for (const component of outcome.components) table.push(columns.map(({ text }) => text(component)));
  return table.toString();
}

type Models = ComponentOutcome['models'];

function total(models: Models, of: (model: Models[number]) => number): number {
  return models.reduce((sum, model) => sum + of(model), 0);
}

function modelsText({ models, leftOut = {} }: ComponentOutcome): string {
  const left = Object.keys(leftOut).length;
  return left === 0 ? String(models.length) : `${models.length} of ${models.length + left}`;
}

function executedText({ models }: ComponentOutcome): string {
  const edges = total(models, (model) => model.edges);
  const executed = total(models, (model) => model.executed);
  const share = edges === 0 ? '0 %' : `${((100 * executed) / edges).toFixed(executed === edges ? 0 : 2)} %`;
  return mark(edges === executed && edges > 0, share);
}

function rateText({ models }: ComponentOutcome): string {
  const seconds = total(models, (model) => model.bisimulation?.seconds ?? 0);
  return seconds > 0 ? grouped(Math.round(total(models, (model) => model.executed) / seconds)) : '-';
}

function secondText({ models }: ComponentOutcome): string {
  const asked = models.filter(({ second }) => 'agrees' in second);
  const agrees = asked.every(({ second }) => 'agrees' in second && second.agrees);
  if (asked.length === 0) return '-';
  return mark(agrees, agrees ? `agrees ${asked.length}/${models.length}` : 'differs');
}

function livenessText({ liveness }: ComponentOutcome): string {
  return liveness.properties.length === 0 ? '-' : mark(liveness.ok, String(liveness.properties.length));
}

function mirrorText({ mirror }: ComponentOutcome): string {
  return mirror === undefined ? '-' : mark(mirror.ok, `${mirror.actions}+${mirror.guards}+${mirror.invariants}`);
}

function tracesText(numbers: ComponentOutcome['random']): string {
  return numbers === undefined || numbers.traces === 0 ? '-' : mark(numbers.ok, grouped(numbers.steps));
}

function mutantsText({ spec, impl }: NonNullable<ComponentOutcome['mutants']>): string {
  const killed = spec.killed + impl.killed;
  const all = spec.total + impl.total;
  return mark(killed === all, `${killed}/${all}`);
}

function mark(ok: boolean, text: string): string {
  return ok ? pc.green(text) : pc.red(text);
}
