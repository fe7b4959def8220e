/** `lockstep sim --seed N`: exactly one run, in a worker like all others, with its summary. Mirrors no spec module. */
import { join } from 'node:path';
import type { RunResult } from '../run-result.ts';
import { failureText } from './failure-text.ts';
import { EXIT_CLEAN, EXIT_FAILED, EXIT_STOPPED, type Surroundings } from './many-runs.ts';
import type { Job } from './messages.ts';
import type { SavedBundle } from './saved-state.ts';
import { shard } from './shard.ts';
import type { OneTask } from './sim-arguments.ts';
import { runText } from './sim-report.ts';
import { EMPTY_TALLY, type Tally, tallyOfLostRun } from './tally.ts';

export async function runOne({ seed, settings, keep, json }: OneTask, around: Surroundings): Promise<number> {
  const { world, stop, build, print, runMsMax } = around;
  const jobs: Job[] = [{ kind: 'one', seed }];
  let result: Omit<RunResult, 'coverage'> | undefined;
  let tally: Tally = EMPTY_TALLY;
  let bundle: SavedBundle | undefined;
  await shard({
    ...{ world, settings, workers: 1, remaining: [], coverage: false, stop },
    ...(runMsMax === undefined ? {} : { runMsMax }),
    urgent: () => jobs.shift(),
    onAnswer: (answer) => {
      if (answer.kind === 'saved') bundle = { seed, file: answer.file };
      if (answer.kind === 'not-saved') bundle = { seed, why: answer.why };
      if (answer.kind !== 'one') return;
      ({ result, tally } = answer);
      if (tally.failedRuns > 0) jobs.push({ kind: 'save', seed, folder: keep ?? join(build, 'sim', 'failures') });
    },
    onLostRun: (_seed, why) => {
      tally = tallyOfLostRun(seed, 'worker died', why);
    },
    onNotSaved: (_seed, why) => {
      bundle = { seed, why };
    },
  });
  const [failure] = tally.failures;
  if (json) print(`${JSON.stringify({ seed, settings, result, failure, bundle })}\n`);
  else {
    if (failure !== undefined) print(`${failureText(failure, settings, bundle)}\n`);
    if (result !== undefined) print(`${runText(result, tally)}\n`);
  }
  if (tally.runs === 0) return EXIT_STOPPED;
  return failure === undefined ? EXIT_CLEAN : EXIT_FAILED;
}
