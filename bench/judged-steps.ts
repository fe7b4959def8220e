/**
 * Steps a second that TLC judges of simulated runs (conformance/sim/judge), for a short run, a long one and a very long one: the
 * cost of a step must not grow with the run. Skipped without Java.
 */
import { findTlc } from '../conformance/engines/find-tlc.ts';
import { judge } from '../conformance/sim/judge/judge.ts';
import { recordRun } from '../conformance/sim/judge/judged-run.ts';
import type { RunSteps } from '../conformance/sim/judge/run-steps.ts';
import { makeScenario } from '../conformance/sim/make-plan.ts';
import type { PlanEvent, Scenario } from '../conformance/sim/plan.ts';
import { runScenario } from '../conformance/sim/run.ts';

const LENGTHS = [500, 2_000, 10_000] as const;
const SEED = 8;
/** Plans in a row until a run is long enough. */
const REPEATS_MAX = 400;
/** Values are unique in a run; each repeated plan has its own. */
const VALUES_A_PLAN = 1_000_000;

export interface JudgedSteps {
  readonly steps: number;
  readonly seconds: number;
  readonly perSecond: number;
}

/** Empty without TLC. @param root of the repository */
export async function measureJudging(root: string): Promise<readonly JudgedSteps[]> {
  const engine = findTlc(undefined);
  if ('missing' in engine) return [];
  const measured: JudgedSteps[] = [];
  for (const length of LENGTHS) {
    const run = runOfLength(length);
    const startMs = performance.now();
    const [verdict] = await judge(engine.found, root, [run]);
    const seconds = (performance.now() - startMs) / 1000;
    if (verdict?.refused !== undefined) throw new Error(`a whole run is refused: ${verdict.refused.why}`);
    measured.push({ steps: length, seconds, perSecond: length / seconds });
  }
  return measured;
}

/** The first steps of a run whose plan is one plan again and again. */
function runOfLength(length: number): RunSteps {
  for (let repeats = 1; repeats <= REPEATS_MAX; repeats *= 2) {
    const { steps } = recordRun(runScenario, repeated(makeScenario(SEED, { name: 'swarm' }), repeats));
    if (steps.steps.length >= length) return { ...steps, steps: steps.steps.slice(0, length) };
  }
  throw new Error(`no run of ${length} steps`);
}

function repeated(scenario: Scenario, times: number): Scenario {
  const { plan, safetyUs } = scenario;
  const shifted = (event: PlanEvent, at: number): PlanEvent => {
    const atUs = event.atUs + at * safetyUs;
    if (event.type === 'fault')
      return event.untilUs === undefined
        ? { ...event, atUs }
        : { ...event, atUs, untilUs: event.untilUs + at * safetyUs };
    if (event.type === 'client-crash' || event.action.kind !== 'append') return { ...event, atUs };
    return { ...event, atUs, action: { ...event.action, value: event.action.value + at * VALUES_A_PLAN } };
  };
  const all = Array.from({ length: times }, (_, at) => plan.map((event) => shifted(event, at)));
  return { ...scenario, plan: all.flat(), safetyUs: safetyUs * times };
}
