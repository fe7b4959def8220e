/**
 * Simulated runs handed to TLC, many at once: a share of those of `make sim`, and what component Vsr adds to the stage
 * `validation` of `make check`. Says how many steps a second were judged. Mirrors no spec module.
 */
import type { RecordedRuns, SimulatedNumbers } from '../../component.ts';
import type { Tlc } from '../../engines/find-tlc.ts';
import type { Run } from '../bundle.ts';
import { makeScenario } from '../make-plan.ts';
import { type ReplicaCount, type Scenario, SEED_MAX } from '../plan.ts';
import { runScenario } from '../run.ts';
import { judge, type Verdict, verdictText } from './judge.ts';
import { recordRun } from './judged-run.ts';

/** So many of each in `make check`: some thousand steps in seconds. One TLC a number of replicas. */
const RUNS: readonly (readonly [replicaCount: ReplicaCount, runs: number])[] = [
  [3, 8],
  [5, 4],
];
const SEED_DEFAULT = 20_261_121;

export interface JudgedScenarios {
  readonly numbers: SimulatedNumbers;
  /** By scenario. */
  readonly verdicts: readonly Verdict[];
  /** In a sentence each: runs that the spec does not allow, or that an oracle fails. */
  readonly wrong: readonly string[];
}

/** @param run runScenario, or what guards it; @param root of the repository. @throws EngineError when TLC cannot decide */
export async function judgeScenarios(
  tlc: Tlc,
  root: string,
  run: Run,
  scenarios: readonly Scenario[],
): Promise<JudgedScenarios> {
  const recorded = scenarios.map((scenario) => recordRun(run, scenario));
  const startMs = performance.now();
  const verdicts = await judge(
    tlc,
    root,
    recorded.map(({ steps }) => steps),
  );
  const seconds = (performance.now() - startMs) / 1000;
  const steps = verdicts.reduce((sum, verdict) => sum + verdict.steps, 0);
  const numbers = { traces: verdicts.length, steps, stepsPerSecond: Math.round(steps / seconds) };
  const wrong = verdicts.flatMap((verdict, index) => {
    const { seed, name, replicaCount } = scenarios[index] as Scenario;
    const told = `the simulated run ${name} of seed ${seed} with ${replicaCount} replicas`;
    const failure = recorded[index]?.result.failure;
    if (verdict.refused !== undefined || verdict.violated !== undefined) return [`${told}: ${verdictText(verdict)}`];
    return failure === undefined ? [] : [`${told} fails: ${failure.message}`];
  });
  return { numbers, verdicts, wrong };
}

export const simulatedRuns: RecordedRuns = async (root, tlc) => {
  const seed = Number(process.env.SEED ?? SEED_DEFAULT);
  const scenarios = RUNS.flatMap(([replicaCount, runs]) =>
    Array.from({ length: runs }, (_, at) => makeScenario((seed + at) % SEED_MAX, { replicaCount })),
  );
  const { numbers, wrong } = await judgeScenarios(tlc, root, runScenario, scenarios);
  const { traces, steps } = numbers;
  const [first] = wrong;
  return { traces, steps, simulated: numbers, ...(first === undefined ? {} : { wrong: first }) };
};
