/**
 * One model of one component: TLC and the embedded engine side by side, then the walk of its graph with the real code.
 * Everything that is wrong becomes a Problem with a code; nothing is thrown for a finding.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { bisimulate, ProjectionError } from '../bisimulate/bisimulate.ts';
import type { BisimulationResult } from '../bisimulate/divergence.ts';
import type { Component, Model } from '../component.ts';
import { type Cfg, parseCfg } from '../engines/cfg.ts';
import { EMBEDDED_ALONE_STATES_MAX, EMBEDDED_STATES_MAX, runEmbedded } from '../engines/embedded.ts';
import type { EmbeddedApart } from '../engines/embedded-apart.ts';
import type { EngineFailure, EngineRun, ModelFiles } from '../engines/engine.ts';
import type { Tlc } from '../engines/find-tlc.ts';
import { runTlc } from '../engines/tlc.ts';
import { MODEL_EDGE, withoutModelEdge } from '../graph/model-edge.ts';
import { breadthFirst, type StateGraph } from '../graph/state-graph.ts';
import { saveDivergence } from '../report/save-divergence.ts';
import { sourceLines } from '../report/source-lines.ts';
import { checkLivenessNeedsFairness } from './liveness.ts';
import type { ModelOutcome, Problem, ProblemCode } from './outcome.ts';

export interface CheckContext {
  /** Root of the repository; sources of components are relative to it. */
  readonly root: string;
  /** undefined: the embedded engine alone. */
  readonly tlc: Tlc | undefined;
  readonly embedded: boolean;
  readonly workers: number;
  /** Whether divergences are written under build/report/traces. */
  readonly save?: boolean;
  readonly progress?: (component: string, line: string) => void;
  /** Second opinions that are under way, by secondKey(): the embedded engine works through them beside everything else. */
  readonly seconds?: ReadonlyMap<string, Promise<EngineRun>>;
}

export interface ModelCheck {
  readonly outcome: ModelOutcome;
  readonly graph: StateGraph | undefined;
  readonly problems: readonly Problem[];
}

export function modelFiles(context: CheckContext, component: Component, model: Model): ModelFiles {
  return { folder: join(context.root, dirname(component.sources.spec)), module: model.module, cfg: model.cfg };
}

/** Both engines on one model, begun before its turn: they run while the model before it is walked. */
export interface BegunModel {
  /** TLC; undefined when there is none, and the embedded engine runs alone in its turn. */
  readonly reference: Promise<EngineRun> | undefined;
  readonly second: Promise<Second> | undefined;
}

export function beginModel(context: CheckContext, component: Component, model: Model): BegunModel {
  if (context.tlc === undefined) return { reference: undefined, second: undefined };
  const files = modelFiles(context, component, model);
  const wantGraph = model.kind === 'small';
  const reference = runTlc(context.tlc, files, { wantGraph, countActions: true, workers: context.workers });
  const why = secondSkipped(context, model);
  const begun = context.seconds?.get(secondKey(component, model));
  const run = async (): Promise<Second> => ({ run: (await begun) ?? runEmbedded(files, false) });
  const second: Promise<Second> = why === undefined ? run() : Promise.resolve({ skipped: why });
  for (const awaitedLater of [reference, second]) awaitedLater.catch(() => {}); // it may fail before
  return { reference, second };
}

export function secondKey(component: Component, model: Model): string {
  return `${component.name}/${model.cfg}`;
}

/** Asks the embedded engine about all models at once; it answers in this order. */
export function beginSeconds(
  apart: EmbeddedApart,
  context: CheckContext,
  components: readonly Component[],
  deep: boolean,
): ReadonlyMap<string, Promise<EngineRun>> {
  const seconds = new Map<string, Promise<EngineRun>>();
  for (const component of components)
    for (const model of component.models) {
      if ((model.kind === 'deep' && !deep) || secondSkipped(context, model) !== undefined) continue;
      const run = apart.run(modelFiles(context, component, model));
      run.catch(() => {}); // it is awaited later, and may fail before
      seconds.set(secondKey(component, model), run);
    }
  return seconds;
}

export async function checkModel(
  context: CheckContext,
  component: Component,
  model: Model,
  { reference, second: begunSecond }: BegunModel = beginModel(context, component, model),
): Promise<ModelCheck> {
  const problems: Problem[] = [];
  const add = (code: ProblemCode, message: string, failure?: EngineFailure): void => {
    problems.push({
      code,
      component: component.name,
      cfg: model.cfg,
      message,
      ...(failure === undefined ? {} : { failure }),
    });
  };
  const files = modelFiles(context, component, model);
  const cfg = parseCfg(readFileSync(join(files.folder, model.cfg), 'utf8'));
  checkCfg(cfg, model, add);

  context.progress?.(component.name, `${model.cfg}: model checking`);
  const second: Second = begunSecond === undefined ? aloneRun(context, files, model) : await begunSecond;
  const main: EngineRun = reference === undefined ? (second.run ?? failedRun(second.skipped)) : await reference;
  const failure = main.failure;
  if (failure !== undefined)
    add(codeOf(failure), `${model.cfg} on ${main.engine}: ${firstLine(failure.message)}. ${failure.advice}`, failure);
  const agreement = compareEngines(main, reference === undefined ? undefined : second, add);
  const edged = main.graph === undefined ? undefined : withoutModelEdge(main.graph);
  const graph = edged?.graph;
  if (edged !== undefined && edged.moves > 0)
    add(
      'config',
      `${model.cfg}: ${MODEL_EDGE} changes the state ${edged.moves} times; it must leave every variable as it is`,
    );

  let walked: BisimulationResult | undefined;
  if (failure === undefined) {
    if (main.distinct !== model.distinct)
      add(
        'distinct-moved',
        `${model.cfg} has ${main.distinct} distinct states, pinned are ${model.distinct}: a count that moves is a change of meaning`,
      );
    if (graph !== undefined && graph.edges === 0) add('zero-edges', `${model.cfg} has no edge: nothing is compared`);
    if (cfg.properties.length > 0 && context.tlc !== undefined) {
      for (const name of await checkLivenessNeedsFairness(context.tlc, files, cfg))
        add(
          'liveness-without-fairness',
          `${name} still holds when its fairness is removed: it is no liveness property, or it says nothing`,
        );
    }
    if (graph !== undefined) walked = walk(context, component, model, cfg, graph, add, problems);
  }
  const actions = main.actions ?? graph?.actions ?? new Map<string, number>();
  const outcome: ModelOutcome = {
    cfg: model.cfg,
    kind: model.kind,
    about: cfg.about,
    distinct: main.distinct,
    generated: main.generated,
    depth: main.depth > 0 || graph === undefined ? main.depth : breadthFirst(graph).depth,
    edges: graph?.edges ?? 0,
    executed: walked?.executed ?? 0,
    seconds: main.seconds,
    actions: Object.fromEntries(
      [...actions.keys()]
        .filter((name) => name !== MODEL_EDGE)
        .map((name) => [name, graph?.actions.get(name) ?? (graph === undefined ? (actions.get(name) ?? 0) : 0)]),
    ),
    invariants: cfg.invariants,
    properties: cfg.properties,
    second: agreement,
    ...(walked === undefined ? {} : { bisimulation: walked }),
  };
  return { outcome, graph, problems };
}

type Add = (code: ProblemCode, message: string, failure?: EngineFailure) => void;

function checkCfg(cfg: Cfg, model: Model, add: Add): void {
  if (cfg.about === '')
    add(
      'cfg-first-line',
      `${model.cfg}: the first line must be a comment with what the model can show and what it is too small to show`,
    );
  const spoils = [
    ...cfg.constraints.map((name) => `CONSTRAINT ${name}`),
    ...cfg.symmetry.map((name) => `SYMMETRY ${name}`),
  ];
  if (cfg.properties.length > 0 && spoils.length > 0)
    add(
      'property-with-constraint',
      `${model.cfg} puts PROPERTY ${cfg.properties.join(', ')} together with ${spoils.join(', ')}: TLC then passes vacuously; use bounds as guards`,
    );
}

interface Second {
  readonly run?: EngineRun;
  readonly skipped?: string;
}

/** Why the embedded engine is not asked about this model; undefined when it is. */
function secondSkipped(context: CheckContext, model: Model): string | undefined {
  if (!context.embedded) return 'not asked for';
  if (model.embeddedSkipped !== undefined) return model.embeddedSkipped;
  const statesMax = context.tlc === undefined ? EMBEDDED_ALONE_STATES_MAX : EMBEDDED_STATES_MAX;
  return model.distinct > statesMax ? `more than ${statesMax} states` : undefined;
}

/** Why this model cannot run at all here; undefined when an engine takes it. */
export function leftOut(context: CheckContext, model: Model): string | undefined {
  return context.tlc === undefined ? secondSkipped(context, model) : undefined;
}

/** The embedded engine without TLC: its graph is the one to walk. */
function aloneRun(context: CheckContext, files: ModelFiles, model: Model): Second {
  const why = secondSkipped(context, model);
  if (why !== undefined) return { skipped: why };
  return { run: runEmbedded(files, model.kind === 'small', EMBEDDED_ALONE_STATES_MAX) };
}

function failedRun(why: string | undefined): EngineRun {
  const message = `this model runs on TLC only: ${why ?? 'no reason given'}`;
  const failure: EngineFailure = {
    kind: 'other',
    message,
    advice: 'Install Java 17 or newer, so that TLC runs.',
    trace: [],
  };
  return { engine: 'embedded', version: '', distinct: 0, generated: 0, depth: 0, seconds: 0, failure };
}

function compareEngines(main: EngineRun, second: Second | undefined, add: Add): ModelOutcome['second'] {
  if (second === undefined) return { skipped: 'TLC did not run' };
  const run = second.run;
  if (run === undefined) return { skipped: second.skipped ?? 'no reason given' };
  const bothFail = run.failure !== undefined && main.failure !== undefined;
  const agrees =
    bothFail || (run.failure === undefined && main.failure === undefined && run.distinct === main.distinct);
  if (!agrees) {
    const said =
      run.failure === undefined
        ? `${run.distinct} distinct states`
        : `${run.failure.kind}: ${firstLine(run.failure.message)}`;
    const tlcSaid = main.failure === undefined ? `${main.distinct} distinct states` : main.failure.kind;
    add('engines-disagree', `TLC says ${tlcSaid}, the embedded engine says ${said}`);
  }
  return { engine: `tla-checker ${run.version}`, distinct: run.distinct, agrees };
}

function walk(
  context: CheckContext,
  component: Component,
  model: Model,
  cfg: Cfg,
  graph: StateGraph,
  add: Add,
  problems: Problem[],
): BisimulationResult | undefined {
  let result: BisimulationResult;
  try {
    result = bisimulate(graph, component.driver, cfg.constants, {
      abstracted: component.abstracted,
      progress: (executed, edges) => context.progress?.(component.name, `${model.cfg}: ${executed} of ${edges} edges`),
    });
  } catch (cause) {
    const projection = cause instanceof ProjectionError;
    const said = cause instanceof Error ? (projection ? cause.message : (cause.stack ?? cause.message)) : String(cause);
    add(projection ? 'variable-not-compared' : 'driver', `${model.cfg}: ${said}`);
    return undefined;
  }
  for (const divergence of result.divergences) {
    problems.push({
      code: divergence.verdict === 'invariant' ? 'invariant-in-code' : divergence.verdict,
      component: component.name,
      cfg: model.cfg,
      message: `${divergence.label}: ${divergence.message}`,
      divergence,
      sources: sourceLines(context.root, component, divergence.action),
      ...(context.save ? { saved: saveDivergence(context.root, component.name, model.cfg, divergence) } : {}),
    });
  }
  if (result.executed < result.edges && result.divergences.length === 0)
    add('edges-not-executed', `${model.cfg}: ${result.executed} of ${result.edges} edges executed`);
  return result;
}

export function codeOf(failure: EngineFailure): ProblemCode {
  switch (failure.kind) {
    case 'limit':
    case 'other':
      return 'engine';
    default:
      return failure.kind;
  }
}

function firstLine(text: string): string {
  return text.split('\n').slice(0, 3).join(' ').slice(0, 400);
}
