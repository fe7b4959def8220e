/** The terminal: a progress line a component while it runs, then each problem in full, then the table. */
import Table from 'cli-table3';
import pc from 'picocolors';
import type { CheckOutcome, ComponentOutcome } from '../check/outcome.ts';
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
      if (!out.isTTY || now - drawnAt < REDRAW_MS_MIN) return;
      drawnAt = now;
      clear();
      out.write(`${component}: ${line}`.slice(0, out.columns - 1));
      lineShown = true;
    },
    table: (outcome) => {
      clear();
      const problems = [...outcome.problems, ...outcome.components.flatMap((component) => component.problems)];
      for (const problem of problems) print(`\n${problemText(problem)}`);
      if (outcome.components.length > 0) print(`\n${tableText(outcome)}`);
      const cached = outcome.components.filter((component) => component.cached).length;
      if (cached > 0)
        print(`${cached} of ${outcome.components.length} unchanged, answered from build/cache; NO_CACHE=1 runs all`);
      const verdict =
        problems.length === 0 && outcome.components.length > 0
          ? pc.green('all green')
          : pc.red(`${problems.length} problem(s)`);
      print(`${verdict} in ${outcome.seconds.toFixed(1)} s; build/report/check.{json,html}`);
    },
  };
}

const COLUMNS = [
  'component',
  'models',
  'states',
  'edges',
  'executed',
  'edges/s',
  '2nd engine',
  'liveness',
  'mirror',
  'random',
  'validation',
  'mutants',
  's',
];

function tableText(outcome: CheckOutcome): string {
  const table = new Table({
    head: COLUMNS,
    style: { head: [], border: [], compact: true },
    colAligns: ['left', ...COLUMNS.slice(1).map(() => 'right' as const)],
  });
  for (const component of outcome.components) table.push(row(component));
  return table.toString();
}

function row(component: ComponentOutcome): string[] {
  const total = (of: (model: ComponentOutcome['models'][number]) => number): number =>
    component.models.reduce((sum, model) => sum + of(model), 0);
  const edges = total((model) => model.edges);
  const executed = total((model) => model.executed);
  const seconds = total((model) => model.bisimulation?.seconds ?? 0);
  const seconds2 = component.models.filter(({ second }) => 'agrees' in second);
  const agrees = seconds2.every(({ second }) => 'agrees' in second && second.agrees);
  const traces = (numbers: ComponentOutcome['random']): string =>
    numbers === undefined ? '-' : mark(numbers.ok, `${numbers.steps}`);
  return [
    mark(component.problems.length === 0, component.name),
    String(component.models.length),
    String(total((model) => model.distinct)),
    String(edges),
    mark(
      edges === executed && edges > 0,
      edges === 0 ? '0 %' : `${((100 * executed) / edges).toFixed(executed === edges ? 0 : 2)} %`,
    ),
    seconds > 0 ? String(Math.round(executed / seconds)) : '-',
    seconds2.length === 0
      ? '-'
      : mark(agrees, agrees ? `agrees ${seconds2.length}/${component.models.length}` : 'differs'),
    component.liveness.properties.length === 0
      ? '-'
      : mark(component.liveness.ok, String(component.liveness.properties.length)),
    component.mirror === undefined
      ? '-'
      : mark(component.mirror.ok, `${component.mirror.actions}+${component.mirror.guards}`),
    traces(component.random),
    traces(component.validation),
    component.mutants === undefined ? '-' : mutantsText(component.mutants),
    `${component.seconds.toFixed(1)}${component.cached ? ' (cached)' : ''}`,
  ];
}

function mutantsText({ spec, impl }: NonNullable<ComponentOutcome['mutants']>): string {
  const killed = spec.killed + impl.killed;
  const total = spec.total + impl.total;
  return mark(killed === total, `${killed}/${total}`);
}

function mark(ok: boolean, text: string): string {
  return ok ? pc.green(text) : pc.red(text);
}
