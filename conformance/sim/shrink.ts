/**
 * A failing scenario made as small as it gets while it fails in the same way (same oracle, same rule): events of the plan go
 * first (ddmin.ts), then what is left is made plainer (simplify.ts), and again, until nothing more goes. Decided by the
 * scenario alone, but for a budget of time. Mirrors no spec module.
 */
import { type Bundle, isSameFailure, type Run } from './bundle.ts';
import { BundleError } from './bundle-error.ts';
import { ddmin } from './ddmin.ts';
import type { PlanEvent, Scenario } from './plan.ts';
import type { RunResult, SimFailure } from './run-result.ts';
import { replicasOf } from './scenario-schema.ts';
import { simplify } from './simplify.ts';
import { isWithinBudgetOf } from './spent-budget.ts';

/** Runs of one shrink. A plan of 2,000 events is down to a few within 200; the rest makes numbers and times smaller. */
export const SHRINK_PROBES_MAX = 4_000;
/**
 * Steps of one run, by those of the failing one: a candidate that takes longer to fail is not smaller, and one that never
 * comes to rest would cost more than all the others. Some are allowed on top, since short runs vary more.
 */
const PROBE_STEPS_FACTOR = 2;
const PROBE_STEPS_EXTRA = 2_000;
/** Candidates that did not fail are remembered, so that the last round, in which nothing goes, costs little. */
const REMEMBERED_PLAN_EVENTS_MAX = 200;

export interface Size {
  readonly planEvents: number;
  readonly faults: number;
  readonly operations: number;
  readonly steps: number;
}

export interface ShrinkProgress {
  readonly probes: number;
  readonly size: Size;
}

export interface ShrinkOptions {
  readonly probesMax?: number;
  /** Asked before each run: false ends it with what there is. The caller's clock. */
  readonly mayGoOn?: () => boolean;
  /** After each run. */
  readonly onProgress?: (progress: ShrinkProgress) => void;
}

export interface Shrunk {
  readonly scenario: Scenario;
  readonly result: RunResult;
  readonly before: Size;
  readonly after: Size;
  /** Runs, with the first one, which shows the failure. */
  readonly probes: number;
  /** minimal: no event can go, and nothing in them is made smaller without losing the failure. */
  readonly stoppedBy: 'minimal' | 'probes' | 'time';
}

/** @throws BundleError when the bundle does not fail, or fails in another way than it did */
export function shrinkBundle(
  run: Run,
  { scenario, failure }: Pick<Bundle, 'scenario' | 'failure'>,
  options: ShrinkOptions = {},
): Shrunk {
  const shrinking = new Shrinking(run, scenario, showing(run, scenario, failure), options);
  shrinking.dropGroups();
  for (let before = shrinking.successes - 1; before !== shrinking.successes; ) {
    before = shrinking.successes;
    shrinking.dropEvents();
    simplify(shrinking);
  }
  return shrinking.end();
}

/** One sentence and a figure. */
export function shrunkText({ before, after, probes, stoppedBy }: Shrunk): string {
  const gone = (all: number, left: number): string => `${all === 0 ? 0 : Math.floor((100 * (all - left)) / all)} %`;
  const stopped = { minimal: 'nothing more goes', probes: 'the bound of runs is reached', time: 'the time is over' };
  return (
    `${before.planEvents} events of the plan -> ${after.planEvents} (${gone(before.planEvents, after.planEvents)} gone: ` +
    `${before.faults} faults -> ${after.faults}, ${before.operations} operations -> ${after.operations}), ` +
    `${before.steps} steps -> ${after.steps} (${gone(before.steps, after.steps)} gone), ${probes} runs; ` +
    `${stopped[stoppedBy]}.`
  );
}

/** Runs it as it is. @throws BundleError unless it fails as it did */
export function showing(run: Run, scenario: Scenario, failure: SimFailure): RunResult {
  const result = run(scenario);
  if (isSameFailure(failure, result.failure)) return result;
  const where = `Scenario ${scenario.name}, seed ${scenario.seed},`;
  const evidence = { seed: scenario.seed, oracle: failure.oracle, rule: failure.rule };
  if (result.failure === undefined)
    throw new BundleError(
      'SIM_BUNDLE_DOES_NOT_FAIL',
      `${where} does not fail: it failed once by ${failure.oracle}, ${failure.rule}. It may be fixed; check out the ` +
        'commit that the bundle was made by to see it fail.',
      evidence,
    );
  const { oracle, rule } = result.failure;
  throw new BundleError(
    'SIM_BUNDLE_FAILS_OTHERWISE',
    `${where} fails by ${oracle}, ${rule}, and the bundle says ${failure.oracle}, ${failure.rule}. Check out the commit ` +
      'that the bundle was made by, or save a bundle of the new failure.',
    { ...evidence, oracleHere: oracle, ruleHere: rule },
  );
}

/** The smallest scenario so far, and what was spent on it. */
export class Shrinking {
  scenario: Scenario;
  /** Candidates that were taken. */
  successes = 0;
  #result: RunResult;
  #probes = 1;
  #stoppedBy: Shrunk['stoppedBy'] = 'minimal';
  readonly #run: Run;
  readonly #whole: Scenario;
  readonly #before: Size;
  readonly #failure: SimFailure | undefined;
  readonly #options: ShrinkOptions;
  readonly #harmless = new Set<string>();

  constructor(run: Run, scenario: Scenario, result: RunResult, options: ShrinkOptions) {
    this.#run = run;
    this.scenario = scenario;
    this.#whole = scenario;
    this.#result = result;
    this.#failure = result.failure;
    this.#before = sizeOf(scenario, result);
    this.#options = options;
  }

  get failedAtUs(): number {
    return this.#result.failure?.atUs ?? this.scenario.safetyUs;
  }

  /** Runs the candidate, and goes on from it when it fails in the same way. @returns whether it does */
  accept(candidate: Scenario): boolean {
    if (this.#stoppedBy !== 'minimal') return false;
    if (!isWithinBudgetOf(candidate, this.#whole)) return false;
    const key = candidate.plan.length > REMEMBERED_PLAN_EVENTS_MAX ? undefined : JSON.stringify(candidate);
    if (key !== undefined && this.#harmless.has(key)) return false;
    if (this.#probes >= (this.#options.probesMax ?? SHRINK_PROBES_MAX)) this.#stoppedBy = 'probes';
    else if (this.#options.mayGoOn?.() === false) this.#stoppedBy = 'time';
    if (this.#stoppedBy !== 'minimal') return false;
    this.#probes += 1;
    const stepMax = PROBE_STEPS_FACTOR * this.#result.steps + PROBE_STEPS_EXTRA;
    const result = this.#run(candidate, { stepMax });
    const same = isSameFailure(this.#failure, result.failure);
    if (same) {
      this.scenario = candidate;
      this.#result = result;
      this.successes += 1;
    } else if (key !== undefined) this.#harmless.add(key);
    this.#options.onProgress?.({ probes: this.#probes, size: sizeOf(this.scenario, this.#result) });
    return same;
  }

  /** Whole kinds of events at once: the quickest way down. */
  dropGroups(): void {
    const keepOnly = (keep: (event: PlanEvent) => boolean): boolean => {
      const plan = this.scenario.plan.filter(keep);
      return plan.length < this.scenario.plan.length && this.accept({ ...this.scenario, plan });
    };
    const end = this.failedAtUs;
    keepOnly(({ atUs }) => atUs <= end);
    if (keepOnly(({ type }) => type !== 'fault')) return;
    keepOnly(({ type }) => type !== 'client-crash');
    for (const group of new Set(this.scenario.plan.flatMap(groupsOf)))
      keepOnly((event) => !groupsOf(event).includes(group));
  }

  dropEvents(): void {
    ddmin(this.scenario.plan, (plan) => this.accept({ ...this.scenario, plan }));
  }

  end(): Shrunk {
    return {
      scenario: this.scenario,
      result: this.#result,
      before: this.#before,
      after: sizeOf(this.scenario, this.#result),
      probes: this.#probes,
      stoppedBy: this.#stoppedBy,
    };
  }
}

/** What an event has in common with others: its kind of fault, a replica with faults, a client. */
function groupsOf(event: PlanEvent): readonly string[] {
  if (event.type !== 'fault') return [`client ${event.client}`];
  return [event.fault.kind, ...replicasOf(event).map((replica) => `replica ${replica}`)];
}

function sizeOf({ plan }: Scenario, { steps }: RunResult): Size {
  const faults = plan.filter(({ type }) => type === 'fault').length;
  return { planEvents: plan.length, faults, operations: plan.length - faults, steps };
}
