/** A process that searches for one canary after the other as it is told, or runs and says what they reach, each run guarded. Mirrors no spec module. */
import type { SearchResult, SearchTask } from './canary-search.ts';
import { guarded, guardProcess } from './deterministic.ts';
import type { ReachTask } from './reach.ts';

/** CPU seconds of this process: the machine may be busy with other things. */
export interface TimedResult extends SearchResult {
  readonly seconds: number;
}

const MICROSECONDS = 1e6;

process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit(0));
guardProcess();
const { searchCanary } = await import('./canary-search.ts');
const { reachedBy } = await import('./reach.ts');
process.on('message', (task: SearchTask | ReachTask) => {
  if ('reach' in task) {
    process.send?.(guarded(() => reachedBy(task)));
    return;
  }
  const before = process.cpuUsage();
  const result = guarded(() => searchCanary(task));
  const { user, system } = process.cpuUsage(before);
  const timed: TimedResult = { ...result, seconds: (user + system) / MICROSECONDS };
  process.send?.(timed);
});
process.send?.('ready');
