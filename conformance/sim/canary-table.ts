/**
 * What docs/simulation-canaries.md and build/report/sim-canaries.json say: the runs and seconds that each canary took, over
 * several ranges of seeds, by which oracle, and which canaries are missed when an oracle is switched off. Mirrors no spec module.
 */
import type { SimCanary } from './canaries.ts';
import { ORACLES, type Oracle } from './run-result.ts';
import type { TimedResult } from './search-process.ts';

export interface Measured {
  readonly canary: SimCanary;
  readonly runsMax: number;
  /** One a range of seeds. */
  readonly results: readonly TimedResult[];
}

/** With this oracle off, in how many of these ranges the canary was still found. */
export interface MeasuredWithout {
  readonly name: string;
  readonly oracle: Oracle;
  readonly found: number;
  readonly ranges: number;
}

export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

const isMissed = ({ found }: TimedResult): boolean => found === undefined;

/** Those that a run must find, and one of the ranges did not. */
export function missedBy(measured: readonly Measured[]): readonly Measured[] {
  return measured.filter(({ canary, results }) => canary.unseen === undefined && results.some(isMissed));
}

/** How often each oracle was the first to speak. */
function oraclesOf(results: readonly TimedResult[]): ReadonlyMap<Oracle, number> {
  const counts = new Map<Oracle, number>();
  for (const oracle of ORACLES) {
    const count = results.filter(({ found }) => found?.oracle === oracle).length;
    if (count > 0) counts.set(oracle, count);
  }
  return counts;
}

function rulesOf(results: readonly TimedResult[]): string {
  const [first] = results.flatMap(({ found }) => found?.rule ?? []);
  return first ?? '';
}

export function canaryJson(measured: readonly Measured[], without: readonly MeasuredWithout[], ranges: number): string {
  const canaries = measured.map(({ canary, runsMax, results }) => ({
    ...{ name: canary.name, component: canary.component, rule: canary.rule },
    ...(canary.canary === undefined ? {} : { canary: canary.canary }),
    ...(canary.unseen === undefined ? {} : { unseen: canary.unseen }),
    runsMax,
    found: results.filter((result) => !isMissed(result)).length,
    runs: results.map(({ runs, found }) => (found === undefined ? null : runs)),
    seconds: results.map(({ seconds }) => Number(seconds.toFixed(3))),
    oracles: Object.fromEntries(oraclesOf(results)),
  }));
  return `${JSON.stringify({ schema: 1, ranges, canaries, without }, null, 2)}\n`;
}

/** @param checked names of those that `make check` breaks, too, and fails unless a model tells */
export function canaryPage(
  measured: readonly Measured[],
  without: readonly MeasuredWithout[],
  ranges: number,
  checked: ReadonlySet<string>,
): string {
  const seen = measured.filter(({ canary }) => canary.unseen === undefined);
  const unseen = measured.filter(({ canary }) => canary.unseen !== undefined);
  const all = seen.filter(({ results }) => !results.some(isMissed));
  return [
    '# Broken on purpose, found by simulation',
    '',
    'Each row is one rule, broken in the code (docs/canaries.md has the same for the models), and how many simulated runs it takes to find it: whole clusters of the real replica with all faults, seeds in order from the start of a range. Written by `make sim-canaries`, which fails when one of these is missed.',
    '',
    `${seen.length} canaries, ${ranges} ranges of seeds: ${all.length} of them found in every range. Runs and seconds of CPU on one core: median and worst of the ranges. A failure that the whole implementation has on the same seed does not count.`,
    '',
    ...table(
      ['name', 'canary', 'what is broken', 'runs', 'worst', 'seconds', 'worst', 'at most', 'found by', 'first words'],
      seen.map(rowOf),
    ),
    '## What simulation cannot see',
    '',
    '`make check` kills those that it breaks, too (docs/canaries.md says by which model); the others change nothing that either of the two asks for, and stand here for the reason.',
    '',
    ...table(
      ['name', 'canary', 'what is broken', 'why no run shows it', 'make check'],
      unseen.map(({ canary: { name, canary = '', rule, unseen: why = '' } }) => [
        ...[name, canary, rule, why],
        checked.has(name) ? 'killed' : 'not seen',
      ]),
    ),
    '## With one oracle switched off',
    '',
    'For each oracle, the canaries that are then missed in every range tried, among those that it was ever the first to find, in five times the runs that it took. The others are found by another oracle, later.',
    '',
    ...table(
      ['oracle off', 'first to find', 'missed without it', 'which'],
      ORACLES.map((oracle) => withoutRow(oracle, without)),
    ),
  ].join('\n');
}

function rowOf({ canary, runsMax, results }: Measured): readonly string[] {
  const runs = results.map((result) => (isMissed(result) ? Number.POSITIVE_INFINITY : result.runs));
  const seconds = results.map((result) => result.seconds);
  const by = [...oraclesOf(results)].map(([oracle, count]) =>
    count === results.length ? oracle : `${oracle} ${count}`,
  );
  return [
    ...[canary.name, canary.canary ?? '', canary.rule],
    ...[countText(medianOf(runs)), countText(Math.max(...runs))],
    ...[medianOf(seconds).toFixed(2), Math.max(...seconds).toFixed(2)],
    ...[String(runsMax), by.join(', '), rulesOf(results)],
  ];
}

const countText = (runs: number): string => (Number.isFinite(runs) ? String(Math.round(runs)) : 'missed');

function withoutRow(oracle: Oracle, without: readonly MeasuredWithout[]): readonly string[] {
  const tried = without.filter((one) => one.oracle === oracle);
  const missed = tried.filter(({ found }) => found === 0).map(({ name }) => name);
  return [oracle, String(tried.length), String(missed.length), missed.join(', ')];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line), ''];
}
