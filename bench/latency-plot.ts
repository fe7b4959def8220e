/** The distribution of latencies (ECDF) of every system and level as one SVG, drawn by vega-lite without a browser. */
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import type { LoadResult } from './load-result.ts';

export async function latencyPlot(results: readonly LoadResult[]): Promise<string> {
  const lines = results.flatMap(({ system, inFlight, quantiles }) =>
    (quantiles ?? []).map((ms, step, all) => ({ system, inFlight, ms, share: (step + 1) / all.length })),
  );
  const points = results
    .filter(({ quantiles }) => quantiles === undefined)
    .flatMap(({ system, inFlight, p50Ms, p99Ms }) => [
      { system, inFlight, ms: p50Ms, share: 0.5 },
      { system, inFlight, ms: p99Ms, share: 0.99 },
    ]);
  const spec: TopLevelSpec = {
    background: 'white',
    facet: { field: 'inFlight', type: 'ordinal', title: 'requests in flight' },
    columns: 2,
    data: {
      values: [...lines.map((row) => ({ ...row, kind: 'line' })), ...points.map((row) => ({ ...row, kind: 'point' }))],
    },
    resolve: { scale: { x: 'independent' } },
    spec: {
      width: 320,
      height: 200,
      encoding: {
        x: { field: 'ms', type: 'quantitative', scale: { type: 'log' }, title: 'latency, ms' },
        y: { field: 'share', type: 'quantitative', title: 'share of requests' },
        color: { field: 'system', type: 'nominal', title: null },
      },
      layer: [
        { transform: [{ filter: "datum.kind === 'line'" }], mark: { type: 'line', interpolate: 'step-after' } },
        { transform: [{ filter: "datum.kind === 'point'" }], mark: { type: 'point', filled: true, size: 70 } },
      ],
    },
  };
  return new View(parse(compile(spec).spec), { renderer: 'none' }).toSVG();
}
