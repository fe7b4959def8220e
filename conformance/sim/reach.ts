/** What runs reach, run by run, steered or not: for the plotted curve (curve-main.ts). Mirrors no spec module. */
import { fuzz } from './fuzz.ts';

export interface ReachTask {
  readonly reach: 'guided' | 'unguided';
  readonly firstSeed: number;
  readonly runsMax: number;
}

/** After each run, from run 1: coverage keys and shapes reached so far. */
export interface Reached {
  readonly keys: readonly number[];
  readonly shapes: readonly number[];
}

export function reachedBy({ reach, firstSeed, runsMax }: ReachTask): Reached {
  const keys: number[] = [];
  const shapes: number[] = [];
  for (const { run, corpus } of fuzz({ firstSeed, guided: reach === 'guided' })) {
    keys.push(corpus.keys.size);
    shapes.push(corpus.shapes);
    if (run >= runsMax) break;
  }
  return { keys, shapes };
}
