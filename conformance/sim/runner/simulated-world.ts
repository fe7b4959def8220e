/** What the workers of `lockstep sim` run: whole clusters of the real replica. Mirrors no spec module. */
import { repositoryRoot } from '../../../impl/cli/engine-process.ts';
import { makeBundle } from '../bundle.ts';
import { writeBundle } from '../bundle-file.ts';
import { guarded } from '../deterministic.ts';
import { originOf } from '../origin.ts';
import type { Scenario } from '../plan.ts';
import { runScenario } from '../run.ts';
import type { RunOptions, RunResult } from '../run-result.ts';

export { makeScenario } from '../make-plan.ts';
export { runScenario } from '../run.ts';

/** One run with nothing of the real world in it. */
export function guardedRun(scenario: Scenario, options?: RunOptions): RunResult {
  return guarded(() => runScenario(scenario, options));
}

/** @returns the path. @throws BundleError */
export function saveBundle(scenario: Scenario, folder: string): string {
  const written = writeBundle(folder, makeBundle(guardedRun, scenario, originOf(repositoryRoot())));
  if ('error' in written) throw written.error;
  return written.path;
}
