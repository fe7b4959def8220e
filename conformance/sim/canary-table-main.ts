/**
 * `make sim-canaries`: measures every canary over several ranges of seeds, then with each oracle switched off, and writes
 * docs/simulation-canaries.md and build/report/sim-canaries.json. Exits 1 when one is missed. Mirrors no spec module.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { faultNames } from '../components/fault-names.ts';
import { simCanaries } from './canaries.ts';
import { runsMaxOf } from './canary-limits.ts';
import type { SearchTask } from './canary-search.ts';
import { canaryJson, canaryPage, type Measured, type MeasuredWithout, missedBy } from './canary-table.ts';
import { searchAll } from './search-pool.ts';

const RANGES = 10;
/** Ranges in which a canary is searched with an oracle off, and for how many times the runs that it took with all of them. */
const RANGES_WITHOUT = 3;
const PATIENCE_WITHOUT = 5;
const RUNS_WITHOUT_MIN = 20;
/** Seeds between the starts of two ranges. */
const RANGE_SEEDS = 1_000_000;

const { values } = parseArgs({
  options: {
    only: { type: 'string' }, // canaries whose name contains this; then nothing is written to docs
    ranges: { type: 'string' },
  },
});
const ranges = values.ranges === undefined ? RANGES : Number(values.ranges);
const canaries = simCanaries.filter(({ name }) => values.only === undefined || name.includes(values.only));

const measured = await measure();
const without = await measureWithout();
mkdirSync('build/report', { recursive: true });
writeFileSync('build/report/sim-canaries.json', canaryJson(measured, without, ranges));
const page = canaryPage(measured, without, ranges, faultNames);
if (values.only === undefined) writeFileSync('docs/simulation-canaries.md', page);
else console.log(page);
const missed = missedBy(measured);
for (const { canary, runsMax } of missed) console.error(`missed: ${canary.name} within ${runsMax} runs`);
console.log(`${measured.length} canaries, ${ranges} ranges: ${missed.length} missed`);
process.exitCode = missed.length === 0 ? 0 : 1;

async function measure(): Promise<readonly Measured[]> {
  const tasks = canaries.flatMap(({ name, unseen }) =>
    rangesOf(unseen === undefined ? ranges : 1).map(
      (firstSeed): SearchTask => ({ canary: name, firstSeed, runsMax: runsMaxOf(name) }),
    ),
  );
  const results = await searchAll(tasks, progress('canaries', tasks.length));
  return canaries.map((canary) => ({
    canary,
    runsMax: runsMaxOf(canary.name),
    results: results.filter((_, at) => tasks[at]?.canary === canary.name),
  }));
}

async function measureWithout(): Promise<readonly MeasuredWithout[]> {
  const pairs = measured
    .filter(({ canary }) => canary.unseen === undefined)
    .flatMap(({ canary: { name }, runsMax, results }) => {
      const oracles = new Set(results.flatMap(({ found }) => found?.oracle ?? []));
      const worst = Math.max(...results.map(({ runs }) => runs));
      const patience = Math.min(runsMax, Math.max(RUNS_WITHOUT_MIN, PATIENCE_WITHOUT * worst));
      return [...oracles].map((oracle) => ({ name, oracle, patience }));
    });
  const starts = rangesOf(Math.min(RANGES_WITHOUT, ranges));
  const tasks = pairs.flatMap(({ name, oracle, patience }) =>
    starts.map((firstSeed): SearchTask => ({ canary: name, firstSeed, runsMax: patience, without: [oracle] })),
  );
  const results = await searchAll(tasks, progress('oracles off', tasks.length));
  return pairs.map(({ name, oracle }, pair) => {
    const own = results.slice(pair * starts.length, (pair + 1) * starts.length);
    return { name, oracle, found: own.filter(({ found }) => found !== undefined).length, ranges: starts.length };
  });
}

function rangesOf(count: number): readonly number[] {
  return Array.from({ length: count }, (_, range) => range * RANGE_SEEDS);
}

/** A line each time that another tenth is done. */
function progress(what: string, of: number): (ended: number) => void {
  const startedMs = performance.now();
  return (ended) => {
    if (Math.floor((ended * 10) / of) === Math.floor(((ended - 1) * 10) / of)) return;
    const seconds = (performance.now() - startedMs) / 1_000;
    console.error(
      `${what}: ${ended} of ${of}, ${Math.round(seconds)} s, ${Math.round((seconds / ended) * (of - ended))} s left`,
    );
  };
}
