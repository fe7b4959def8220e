/**
 * One row of the table: all models of a component, then what only shows over all of them together: an action never taken,
 * an alphabet that lacks an action, a guard that is constant. Further stages (mirror, mutants, traces) come in from outside.
 */
import type { GuardCount } from '../bisimulate/divergence.ts';
import type { Component, Model } from '../component.ts';
import { EngineError } from '../engines/engine.ts';
import { dropConsequences, judgeTogether, sumGuards } from '../evidence/vacuity.ts';
import type { StateGraph } from '../graph/state-graph.ts';
import { type BegunModel, beginModel, type CheckContext, checkModel, leftOut } from './check-model.ts';
import type {
  ComponentOutcome,
  MirrorNumbers,
  ModelOutcome,
  MutantNumbers,
  Problem,
  StageOutcome,
  TraceNumbers,
} from './outcome.ts';

/** What a stage may look at: the outcomes of the models and their graphs by cfg. */
export interface StageInput {
  readonly context: CheckContext;
  readonly component: Component;
  readonly models: readonly ModelOutcome[];
  readonly graphs: ReadonlyMap<string, StateGraph>;
  /** Guard outcomes over all models, by rule id. */
  readonly guards: ReadonlyMap<string, GuardCount>;
  /** With --deep: what takes long is checked too. */
  readonly deep: boolean;
}

export type Stage<Numbers> = (input: StageInput) => Promise<StageOutcome<Numbers>>;

/** Judges what the models and the mutants have shown together. */
export type EvidenceStage = (input: StageInput, mutants: MutantNumbers) => Promise<readonly Problem[]>;

export interface Stages {
  readonly mirror?: Stage<MirrorNumbers>;
  readonly mutants?: Stage<MutantNumbers>;
  /** Judges what the mutants have shown; has no column. */
  readonly evidence?: EvidenceStage;
  readonly random?: Stage<TraceNumbers>;
  readonly validation?: Stage<TraceNumbers>;
}

export async function checkComponent(
  context: CheckContext,
  component: Component,
  stages: Stages,
  deep: boolean,
): Promise<ComponentOutcome> {
  const started = performance.now();
  const models: ModelOutcome[] = [];
  const problems: Problem[] = [];
  const graphs = new Map<string, StateGraph>();
  const wanted = component.models.filter(({ kind }) => kind !== 'deep' || deep);
  const chosen = wanted.filter((model) => leftOut(context, model) === undefined);
  const without = wanted
    .map((model) => [model.cfg, leftOut(context, model)] as const)
    .filter(([, why]) => why !== undefined);
  const begin = (model: Model | undefined): BegunModel | undefined =>
    model === undefined ? undefined : beginModel(context, component, model);
  let next = begin(chosen[0]);
  for (const [at, model] of chosen.entries()) {
    const begun = next;
    next = begin(chosen[at + 1]);
    try {
      const checked = await checkModel(context, component, model, begun);
      models.push(checked.outcome);
      problems.push(...checked.problems);
      if (checked.graph !== undefined) graphs.set(model.cfg, checked.graph);
    } catch (cause) {
      problems.push({
        code: 'engine',
        component: component.name,
        cfg: model.cfg,
        message: `${model.cfg}: ${messageOf(cause)}`,
      });
    }
  }
  if (models.length === 0 && problems.length === 0) problems.push(nothingRan(context, component, wanted));
  const guards = sumGuards(models);
  const ranThrough = problems.every(
    ({ code, failure }) => failure === undefined && code !== 'config' && code !== 'engine' && code !== 'driver',
  );
  const together = ranThrough ? judgeTogether(component, models, problems.length === 0) : [];
  dropConsequences(problems, together);
  problems.push(...together);
  const input: StageInput = { context, component, models, graphs, guards, deep };
  const mirror = models.length > 0 ? await runStage('mirror', stages.mirror, input, problems) : undefined;
  const clean = problems.length === 0;
  const mutants = clean ? await runStage('mutant-survives', stages.mutants, input, problems) : undefined;
  if (mutants !== undefined && stages.evidence !== undefined && problems.every(({ code }) => code !== 'config'))
    await runStage('unkilled-invariant', withoutNumbers(stages.evidence, mutants), input, problems);
  const random = problems.length === 0 ? await runStage('random', stages.random, input, problems) : undefined;
  const validation =
    problems.length === 0 ? await runStage('validation', stages.validation, input, problems) : undefined;
  const properties = [...new Set(models.flatMap((model) => model.properties))];
  const livenessBroken = problems.some(({ code }) => code === 'property' || code === 'liveness-without-fairness');
  return {
    name: component.name,
    models,
    ...(without.length === 0 ? {} : { leftOut: Object.fromEntries(without) as Record<string, string> }),
    liveness: { properties, ok: !livenessBroken },
    ...(mirror === undefined ? {} : { mirror }),
    ...(mutants === undefined ? {} : { mutants }),
    ...(random === undefined ? {} : { random }),
    ...(validation === undefined ? {} : { validation }),
    problems,
    seconds: (performance.now() - started) / 1000,
    cached: false,
  };
}

/** Models that may be left out one by one may not all be: a row without a walk is never green. */
function nothingRan(context: CheckContext, { name }: Component, wanted: readonly Model[]): Problem {
  if (wanted.length === 0)
    return { code: 'zero-edges', component: name, message: 'the component has no model: nothing is compared' };
  const whys = wanted.map((model) => `${model.cfg}, TLC only: ${leftOut(context, model)}`);
  return { code: 'engine', component: name, message: `no engine here takes any of its models: ${whys.join('; ')}` };
}

function withoutNumbers(evidence: EvidenceStage, mutants: MutantNumbers): Stage<undefined> {
  return async (input) => ({ numbers: undefined, problems: await evidence(input, mutants) });
}

async function runStage<Numbers>(
  code: Problem['code'],
  stage: Stage<Numbers> | undefined,
  input: StageInput,
  problems: Problem[],
): Promise<Numbers | undefined> {
  if (stage === undefined) return undefined;
  try {
    const outcome = await stage(input);
    problems.push(...outcome.problems);
    return outcome.numbers;
  } catch (cause) {
    const failed = cause instanceof EngineError ? 'engine' : code;
    problems.push({ code: failed, component: input.component.name, message: messageOf(cause) });
    return undefined;
  }
}

function messageOf(cause: unknown): string {
  if (cause instanceof EngineError) return cause.message;
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
}
