/** What component Vsr adds to the stage `validation` of `make check`: simulated runs under every fault, judged by TLC. */
import type { RecordedRuns } from '../../component.ts';
import { makeScenario } from '../make-plan.ts';
import { type ReplicaCount, SEED_MAX } from '../plan.ts';
import { runScenario } from '../run.ts';
import { judge, verdictText } from './judge.ts';
import { recordRun } from './judged-run.ts';

/** So many of each: enough for some thousand steps, few enough for seconds. One TLC a number of replicas. */
const RUNS: readonly (readonly [replicaCount: ReplicaCount, runs: number])[] = [
  [3, 8],
  [5, 4],
];
const SEED_DEFAULT = 20_261_121;

export const simulatedRuns: RecordedRuns = async (root, tlc) => {
  const seed = Number(process.env.SEED ?? SEED_DEFAULT);
  const scenarios = RUNS.flatMap(([replicaCount, runs]) =>
    Array.from({ length: runs }, (_, at) => makeScenario((seed + at) % SEED_MAX, { replicaCount })),
  );
  const recorded = scenarios.map((scenario) => recordRun(runScenario, scenario));
  const startMs = performance.now();
  const verdicts = await judge(
    tlc,
    root,
    recorded.map(({ steps }) => steps),
  );
  const seconds = (performance.now() - startMs) / 1000;
  const steps = verdicts.reduce((sum, verdict) => sum + verdict.steps, 0);
  const simulated = { traces: verdicts.length, steps, stepsPerSecond: Math.round(steps / seconds) };
  const told = { traces: verdicts.length, steps, simulated };
  for (const [index, verdict] of verdicts.entries()) {
    const { seed: of, replicaCount } = scenarios[index] as (typeof scenarios)[number];
    const name = `the simulated run of seed ${of} with ${replicaCount} replicas`;
    const failure = recorded[index]?.result.failure;
    if (failure !== undefined) return { ...told, wrong: `${name} fails: ${failure.message}` };
    if (verdict.refused !== undefined || verdict.violated !== undefined)
      return { ...told, wrong: `${name}: ${verdictText(verdict)}` };
  }
  return told;
};
