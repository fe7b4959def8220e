/**
 * `make sim-curve`: steered runs beside runs of the seeds in order, over several ranges of seeds: what they reach, and how many
 * runs the hard canaries take. Writes docs/pictures/sim-curve.svg and build/report/sim-curve.json, and prints the table.
 * Mirrors no spec module.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { medianOf } from './canary-table.ts';
import { type CurvePoint, curvePlot } from './curve-plot.ts';
import { fuzz } from './fuzz.ts';
import { runScenario } from './run.ts';

/** Those that take the most runs: each needs a schedule of several steps. */
const HARD = ['Vsr.longest-log', 'Vsr.begin-before-log-view-durable', 'Vsr.impatient', 'AppendLog.retry-fsync'];
const RANGE_SEEDS = 1_000_000;
const POINTS = 40;
const WAYS = ['guided', 'unguided'] as const;

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '400' },
    ranges: { type: 'string', default: '5' },
    canary: { type: 'string', multiple: true },
  },
});
const runsMax = Number(values.runs);
const ranges = Array.from({ length: Number(values.ranges) }, (_, range) => range * RANGE_SEEDS);
const canaries = values.canary ?? HARD;

/** By run, from run 1: coverage keys and shapes reached. */
interface Reached {
  readonly keys: readonly number[];
  readonly shapes: readonly number[];
}

const points: CurvePoint[] = [];
for (const way of WAYS) {
  const all = ranges.map((firstSeed) => reachedBy(firstSeed, way === 'guided'));
  for (let point = 1; point <= POINTS; point++) {
    const runs = Math.ceil((runsMax * point) / POINTS);
    for (const what of ['keys', 'shapes'] as const) {
      const count = medianOf(all.map((reached) => reached[what][runs - 1] ?? 0));
      points.push({
        what: what === 'keys' ? '(state, event, outcome) seen' : 'shapes of the cluster seen',
        way,
        runs,
        count,
      });
    }
  }
}
const rows = canaries.map((canary) => {
  const [guided, unguided] = WAYS.map((way) =>
    ranges.map((firstSeed) => runsToFind(canary, firstSeed, way === 'guided')),
  );
  return { canary, guided: guided ?? [], unguided: unguided ?? [] };
});
for (const way of WAYS)
  for (let point = 1; point <= POINTS; point++) {
    const runs = Math.ceil((runsMax * point) / POINTS);
    const perRange = ranges.map(
      (_, range) => rows.filter((row) => (row[way][range] ?? Number.POSITIVE_INFINITY) <= runs).length,
    );
    points.push({ what: `of ${canaries.length} hard canaries found`, way, runs, count: medianOf(perRange) });
  }

mkdirSync('build/report', { recursive: true });
mkdirSync('docs/pictures', { recursive: true });
writeFileSync(
  'build/report/sim-curve.json',
  `${JSON.stringify({ schema: 1, runsMax, ranges: ranges.length, rows, points }, null, 1)}\n`,
);
writeFileSync('docs/pictures/sim-curve.svg', await curvePlot(points));
for (const what of new Set(points.map((point) => point.what)))
  console.log(`${what} after ${runsMax} runs: ${WAYS.map((way) => `${way} ${lastOf(what, way)}`).join(', ')}`);
for (const { canary, guided, unguided } of rows)
  console.log(`${canary.padEnd(36)} guided ${textOf(guided)}   unguided ${textOf(unguided)}`);

function reachedBy(firstSeed: number, guided: boolean): Reached {
  const keys: number[] = [];
  const shapes: number[] = [];
  for (const { run, corpus } of fuzz({ firstSeed, guided })) {
    keys.push(corpus.keys.size);
    shapes.push(corpus.shapes);
    if (run >= runsMax) break;
  }
  return { keys, shapes };
}

/** Infinity: not within runsMax. */
function runsToFind(canary: string, firstSeed: number, guided: boolean): number {
  for (const { run, scenario, result } of fuzz({ firstSeed, guided, plan: { canary } })) {
    const { canary: _, ...whole } = scenario;
    if (result.failure !== undefined && runScenario(whole).failure === undefined) return run;
    if (run >= runsMax) return Number.POSITIVE_INFINITY;
  }
  return Number.POSITIVE_INFINITY;
}

function lastOf(what: string, way: string): number {
  return points.filter((point) => point.what === what && point.way === way).at(-1)?.count ?? 0;
}

function textOf(runs: readonly number[]): string {
  const found = runs.filter(Number.isFinite).length;
  const median = medianOf(runs);
  return `${found} of ${runs.length} ranges, median ${Number.isFinite(median) ? median : `over ${runsMax}`} runs`;
}
