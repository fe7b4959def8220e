/**
 * `make sim-curve`: steered runs beside runs of the seeds in order, over several ranges of seeds: how many runs the hard
 * canaries take, and what the whole implementation reaches. Writes docs/pictures/sim-curve.svg and
 * build/report/sim-curve.json, and prints the table. Mirrors no spec module.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { SearchTask, SearchWay } from './canary-search.ts';
import { medianOf } from './canary-table.ts';
import { type CurvePoint, curvePlot } from './curve-plot.ts';
import type { Reached } from './reach.ts';
import { reachAll, searchAll } from './search-pool.ts';

/** The eight that took the most runs in docs/simulation-canaries.md, chosen before the steering was tuned. */
const HARD = [
  'Vsr.last-entry-view',
  'Superblock.short-write-ignored',
  'Vsr.begin-before-log-view-durable',
  'ClientSessions.drop-PlaceApplied',
  'Vsr.drop-IsWanted',
  'Superblock.drop-CopyReadable',
  'Vsr.longest-log',
  'ClientSessions.in-flight-survives-view',
];
const RANGE_SEEDS = 1_000_000;
/** The steering was tuned on ranges 20 to 24, the table of canaries begins at 0: these are seen by nobody before. */
const FIRST_RANGE = 50;
const POINTS = 40;
const REACH_WAYS = ['guided', 'unguided'] as const;

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000' },
    ranges: { type: 'string', default: '5' },
    'first-range': { type: 'string', default: String(FIRST_RANGE) },
    canary: { type: 'string', multiple: true },
    storms: { type: 'boolean', default: false }, // seeds in order, too, that all have a storm: what it is worth by itself
  },
});
const runsMax = Number(values.runs);
const ranges = Array.from(
  { length: Number(values.ranges) },
  (_, range) => (Number(values['first-range']) + range) * RANGE_SEEDS,
);
const canaries = values.canary ?? HARD;
const ways: readonly SearchWay[] = values.storms ? ['guided', 'unguided', 'storms'] : ['guided', 'unguided'];

/** By range; Infinity: not within runsMax. */
interface Row {
  readonly canary: string;
  readonly way: SearchWay;
  readonly runs: readonly number[];
  readonly steps: readonly number[];
}

const rows = await searched();
const points = [...foundPoints(), ...(await reachedPoints())];
mkdirSync('build/report', { recursive: true });
mkdirSync('docs/pictures', { recursive: true });
writeFileSync(
  'build/report/sim-curve.json',
  `${JSON.stringify({ schema: 2, runsMax, ranges, rows, points }, null, 1)}\n`,
);
if (values.canary === undefined) writeFileSync('docs/pictures/sim-curve.svg', await curvePlot(points));
for (const what of new Set(points.map((point) => point.what)))
  console.log(`${what} after ${runsMax} runs: ${ways.map((way) => lastOf(what, way)).join(', ')}`);
for (const row of rows) console.log(textOf(row));
console.log(verdict());

async function searched(): Promise<readonly Row[]> {
  const asked = canaries.flatMap((canary) => ways.map((way) => ({ canary, way })));
  const tasks = asked.flatMap(({ canary, way }) =>
    ranges.map((firstSeed): SearchTask => ({ canary, way, firstSeed, runsMax })),
  );
  const results = await searchAll(tasks, (ended) => console.error(`${ended} of ${tasks.length} searches`));
  return asked.map(({ canary, way }, at) => {
    const own = results.slice(at * ranges.length, (at + 1) * ranges.length);
    const runs = own.map(({ runs, found }) => (found === undefined ? Number.POSITIVE_INFINITY : runs));
    return { canary, way, runs, steps: own.map(({ steps }) => steps) };
  });
}

function foundPoints(): readonly CurvePoint[] {
  return ways.flatMap((way) => {
    const own = rows.filter((row) => row.way === way);
    return sampled((runs) => {
      const perRange = ranges.map((_, range) => own.filter((row) => (row.runs[range] ?? runsMax + 1) <= runs).length);
      const count = perRange.reduce((sum, found) => sum + found, 0) / ranges.length;
      return { what: `of ${canaries.length} hard canaries found, mean`, way, runs, count };
    });
  });
}

async function reachedPoints(): Promise<readonly CurvePoint[]> {
  if (values.canary !== undefined) return [];
  const tasks = REACH_WAYS.flatMap((reach) => ranges.map((firstSeed) => ({ reach, firstSeed, runsMax })));
  const results = await reachAll(tasks);
  return REACH_WAYS.flatMap((way, at) => {
    const own = results.slice(at * ranges.length, (at + 1) * ranges.length);
    return [
      ...sampled((runs) => reachedPoint(own, 'keys', '(state, event, outcome) seen', way, runs)),
      ...sampled((runs) => reachedPoint(own, 'shapes', 'shapes of the cluster seen', way, runs)),
    ];
  });
}

function reachedPoint(
  all: readonly Reached[],
  of: keyof Reached,
  what: string,
  way: SearchWay,
  runs: number,
): CurvePoint {
  return { what, way, runs, count: medianOf(all.map((reached) => reached[of][runs - 1] ?? 0)) };
}

function sampled(pointAt: (runs: number) => CurvePoint): readonly CurvePoint[] {
  return Array.from({ length: POINTS }, (_, point) => pointAt(Math.ceil((runsMax * (point + 1)) / POINTS)));
}

function lastOf(what: string, way: string): string {
  const last = points.filter((point) => point.what === what && point.way === way).at(-1);
  return last === undefined ? '' : `${way} ${last.count}`;
}

/** A miss counts as all the runs that were tried: less than it took. */
function meanRuns({ runs }: Row): number {
  return runs.reduce((sum, of) => sum + Math.min(of, runsMax), 0) / runs.length;
}

function textOf(row: Row): string {
  const found = row.runs.filter(Number.isFinite).length;
  const median = medianOf(row.runs);
  const steps = row.steps.reduce((sum, of) => sum + of, 0) / row.steps.length;
  const runs = `median ${Number.isFinite(median) ? median : `over ${runsMax}`}, mean ${Math.round(meanRuns(row))} runs`;
  return `${row.canary.padEnd(40)} ${row.way.padEnd(9)} ${found} of ${row.runs.length} ranges, ${runs}, ${Math.round(steps / 1_000)}k steps`;
}

function verdict(): string {
  const meanOf = (canary: string, way: SearchWay): number =>
    rows.filter((row) => row.canary === canary && row.way === way).map(meanRuns)[0] ?? runsMax;
  const sooner = canaries.filter((canary) => meanOf(canary, 'guided') < meanOf(canary, 'unguided'));
  const later = canaries.filter((canary) => meanOf(canary, 'guided') > meanOf(canary, 'unguided'));
  return `guided finds ${sooner.length} of ${canaries.length} sooner, ${later.length} later, by the mean (a miss counts as ${runsMax})`;
}
