/**
 * One row of the table: all models of a component, then what only shows over all of them together: an action never taken,
 * an alphabet that lacks an action, a guard that is constant. Further stages (mirror, mutants, traces) come in from outside.
 */
import type { GuardCount } from '../bisimulate/divergence.ts';
import type { Component } from '../component.ts';
import { EngineError } from '../engines/engine.ts';
import type { StateGraph } from '../graph/state-graph.ts';
import { type CheckContext, checkModel } from './check-model.ts';
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
}

export type Stage<Numbers> = (input: StageInput) => Promise<StageOutcome<Numbers>>;

export interface Stages {
  readonly mirror?: Stage<MirrorNumbers>;
  readonly mutants?: Stage<MutantNumbers>;
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
  for (const model of component.models) {
    if (model.kind === 'deep' && !deep) continue;
    try {
      const checked = await checkModel(context, component, model);
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
  if (models.length === 0 && problems.length === 0)
    problems.push({
      code: 'zero-edges',
      component: component.name,
      message: 'the component has no model: nothing is compared',
    });
  const guards = sumGuards(models);
  const ranThrough = problems.every(
    ({ code }) => code !== 'parse' && code !== 'config' && code !== 'engine' && code !== 'driver',
  );
  const together = ranThrough ? judgeTogether(component, models, problems.length === 0) : [];
  dropConsequences(problems, together);
  problems.push(...together);
  const input: StageInput = { context, component, models, graphs, guards };
  const mirror = await runStage('mirror', stages.mirror, input, problems);
  const clean = problems.length === 0;
  const mutants = clean ? await runStage('mutant-survives', stages.mutants, input, problems) : undefined;
  const random = clean ? await runStage('random', stages.random, input, problems) : undefined;
  const validation = clean ? await runStage('validation', stages.validation, input, problems) : undefined;
  const properties = [...new Set(models.flatMap((model) => model.properties))];
  const livenessBroken = problems.some(({ code }) => code === 'property' || code === 'liveness-without-fairness');
  return {
    name: component.name,
    models,
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

/** What a single model may lack and all of them together may not. */
function judgeTogether(component: Component, models: readonly ModelOutcome[], clean: boolean): readonly Problem[] {
  const problems: Problem[] = [];
  const taken = new Map<string, number>();
  for (const model of models)
    for (const [action, count] of Object.entries(model.actions)) taken.set(action, (taken.get(action) ?? 0) + count);
  for (const [action, count] of taken) {
    if (count > 0) continue;
    problems.push({
      code: 'vacuous-action',
      component: component.name,
      message: `action ${action} is never taken in any model`,
    });
  }
  const walked = models.flatMap((model) => model.bisimulation ?? []);
  if (walked.length === 0) return problems;
  for (const action of taken.keys()) {
    if (walked.some(({ offered }) => offered.has(action))) continue;
    problems.push({
      code: 'alphabet-lacks-action',
      component: component.name,
      action,
      message: `the driver's alphabet never holds ${action} (${component.sources.driver})`,
    });
  }
  if (!clean) return problems; // the walk was not complete, so a guard that looks constant may not be
  for (const [rule, count] of sumGuards(models)) {
    if (rule.endsWith('.status')) continue;
    if (count.fails === 0)
      problems.push({
        code: 'guard-never-false',
        component: component.name,
        message: `${rule} is never false: no model shows what it forbids`,
      });
    if (count.holds === 0)
      problems.push({
        code: 'guard-never-true',
        component: component.name,
        message: `${rule} is never true: no model shows what it allows`,
      });
  }
  return problems;
}

/** An action that the alphabet never offers is missing at every state: one problem says so, not one a state. */
function dropConsequences(problems: Problem[], causes: readonly Problem[]): void {
  const absent = new Set(causes.filter(({ code }) => code === 'alphabet-lacks-action').map(({ action }) => action));
  const kept = problems.filter(({ code, divergence }) => code !== 'missing' || !absent.has(divergence?.action));
  problems.splice(0, problems.length, ...kept);
}

export function sumGuards(models: readonly ModelOutcome[]): ReadonlyMap<string, GuardCount> {
  const sum = new Map<string, GuardCount>();
  for (const model of models) {
    for (const [rule, count] of model.bisimulation?.guards ?? []) {
      const known = sum.get(rule) ?? { holds: 0, fails: 0 };
      sum.set(rule, { holds: known.holds + count.holds, fails: known.fails + count.fails });
    }
  }
  return sum;
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
