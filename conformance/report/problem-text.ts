/** One problem in full: code, what, where; for a divergence the shortest path, the difference by variable and the deciding guards. */

import type { Divergence, StateTexts } from '../bisimulate/divergence.ts';
import type { Problem } from '../check/outcome.ts';
import { colors as pc } from './colors.ts';

/** Steps of an engine's behaviour shown; the rest is in its own output. */
const TRACE_STEPS_SHOWN_MAX = 12;

export function problemText(problem: Problem): string {
  const where = [problem.component, problem.cfg].filter(Boolean).join(' ');
  const lines = [`${pc.red(problem.code.toUpperCase())} ${pc.bold(where)}: ${problem.message}`];
  if (problem.divergence !== undefined) {
    lines.push(...divergenceLines(problem.divergence));
    const sources = problem.sources ?? [];
    if (sources.length > 0)
      lines.push('  sources:', ...sources.map(({ side, at, text }) => `    ${side.padEnd(8)}${at}  ${text}`));
    if (problem.saved !== undefined)
      lines.push(`  replay it: make replay T=${problem.saved.trace}`, `  diagram and regression test lie beside it`);
  } else if (problem.failure !== undefined) {
    const { trace } = problem.failure;
    if (trace.length > TRACE_STEPS_SHOWN_MAX) lines.push(`  … ${trace.length - TRACE_STEPS_SHOWN_MAX} states before`);
    lines.push(...trace.slice(-TRACE_STEPS_SHOWN_MAX).map((state) => indent(state)));
  }
  return lines.join('\n');
}

export function divergenceLines(divergence: Divergence): readonly string[] {
  const lines = [`  shortest path, ${divergence.path.length - 1} steps:`];
  divergence.path.forEach((step, index) => {
    lines.push(`    ${index}. ${step.label}`);
  });
  const at = divergence.path.at(-1)?.state;
  if (divergence.action !== 'Init')
    lines.push(`    ${divergence.path.length}. ${pc.bold(divergence.label)}  <- ${divergence.verdict}`);
  if (at !== undefined) lines.push('  state before:', ...stateLines(at));
  const expected = nearest(divergence);
  if (expected !== undefined && divergence.actual !== undefined) {
    lines.push('  by variable (spec, code):', ...diffLines(expected, divergence.actual));
  } else if (divergence.actual !== undefined) {
    lines.push('  the code changed:', ...diffLines(at ?? {}, divergence.actual, 'before', 'after '));
  } else if (expected !== undefined) {
    lines.push('  the spec would change:', ...diffLines(at ?? {}, expected, 'before', 'after '));
  }
  if (divergence.guards.length > 0) {
    lines.push('  guards of the machine here:');
    for (const { rule, holds } of divergence.guards)
      lines.push(`    ${holds ? pc.green('holds') : pc.red('fails')} ${rule}`);
  }
  return lines;
}

/** Of the states that the spec allows, the one that differs from the code's in the fewest variables. */
export function nearest({ expected, actual }: Divergence): StateTexts | undefined {
  if (actual === undefined) return expected[0];
  const distance = (state: StateTexts): number =>
    Object.keys(actual).filter((name) => state[name] !== actual[name]).length;
  return expected.toSorted((a, b) => distance(a) - distance(b))[0];
}

export function diffLines(
  left: StateTexts,
  right: StateTexts,
  leftName = 'spec',
  rightName = 'code',
): readonly string[] {
  const lines: string[] = [];
  for (const name of Object.keys(right)) {
    if (left[name] === right[name]) continue;
    lines.push(
      `    ${name}:`,
      pc.red(`      ${leftName} ${left[name] ?? '(none)'}`),
      pc.green(`      ${rightName} ${right[name] ?? '(none)'}`),
    );
  }
  return lines.length > 0 ? lines : ['    no variable: it says that it acted, and changed nothing'];
}

function stateLines(state: StateTexts): readonly string[] {
  return Object.entries(state).map(([name, text]) => `    ${name} = ${text}`);
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n');
}
