/** As many searching processes as there are cores, each with the next task when it has ended one. Mirrors no spec module. */
import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { SearchTask } from './canary-search.ts';
import type { Reached, ReachTask } from './reach.ts';
import type { TimedResult } from './search-process.ts';
import { SimError } from './sim-error.ts';

const PROCESS = fileURLToPath(new URL('./search-process.ts', import.meta.url));

/** The results in the order of the tasks. @param done called after each */
export function searchAll(
  tasks: readonly SearchTask[],
  done?: (ended: number) => void,
): Promise<readonly TimedResult[]> {
  return askAll<TimedResult>(tasks, done);
}

export function reachAll(tasks: readonly ReachTask[]): Promise<readonly Reached[]> {
  return askAll<Reached>(tasks);
}

async function askAll<Result>(
  tasks: readonly (SearchTask | ReachTask)[],
  done: (ended: number) => void = () => {},
): Promise<readonly Result[]> {
  const results: Result[] = [];
  let next = 0;
  let ended = 0;
  const lane = async (): Promise<void> => {
    const child = fork(PROCESS, [], { execArgv: ['--import', 'tsx'] });
    try {
      await answerOf(child);
      for (let at = next++; at < tasks.length; at = next++) {
        child.send(tasks[at] as SearchTask | ReachTask);
        results[at] = (await answerOf(child)) as Result;
        done(++ended);
      }
    } finally {
      child.kill();
    }
  };
  const lanes = Math.min(availableParallelism(), tasks.length);
  await Promise.all(Array.from({ length: lanes }, lane));
  return results;
}

function answerOf(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void => {
      const message = `a searching process ended with code ${code}: its own words stand above`;
      reject(new SimError('SIM_WORKER_BROKEN', message, { code: code ?? -1 }));
    };
    child.once('exit', ended);
    child.once('message', (answer) => {
      child.off('exit', ended);
      resolve(answer);
    });
  });
}
