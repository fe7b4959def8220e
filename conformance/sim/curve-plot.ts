/** Guided beside unguided over runs, as one SVG: what was reached, and canaries found; drawn by vega-lite without a browser. */
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import type { SearchWay } from './canary-search.ts';

export interface CurvePoint {
  readonly what: string;
  readonly way: SearchWay;
  readonly runs: number;
  /** Median over the ranges of seeds. */
  readonly count: number;
}

export async function curvePlot(points: readonly CurvePoint[]): Promise<string> {
  const spec: TopLevelSpec = {
    background: 'white',
    data: { values: [...points] },
    facet: { field: 'what', type: 'nominal', title: null },
    columns: 2,
    resolve: { scale: { y: 'independent', x: 'independent' } },
    spec: {
      width: 320,
      height: 220,
      mark: { type: 'line', interpolate: 'step-after' },
      encoding: {
        x: { field: 'runs', type: 'quantitative', title: 'runs' },
        y: { field: 'count', type: 'quantitative', title: null, scale: { zero: false } },
        color: { field: 'way', type: 'nominal', title: null },
      },
    },
  };
  return new View(parse(compile(spec).spec), { renderer: 'none' }).toSVG();
}
