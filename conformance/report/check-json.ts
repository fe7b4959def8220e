/** build/report/check.json, schema 1: the numbers of the table, for machines. Sums are over the models of a component. */
import type { CheckOutcome, ComponentOutcome, ModelOutcome } from '../check/outcome.ts';
import { notChecked } from './not-checked.ts';

export function checkJson(outcome: CheckOutcome): object {
  const components = outcome.components.map(componentJson);
  return {
    schema: 1,
    ok: outcome.problems.length === 0 && components.length > 0 && components.every(({ ok }) => ok),
    engines: outcome.engines.map(({ name, version }) => ({ name, version })),
    seconds: round(outcome.seconds),
    notChecked: notChecked(outcome),
    problems: outcome.problems.map(({ code, component, message }) => ({ code, component, message })),
    components,
  };
}

function componentJson(component: ComponentOutcome): Record<string, unknown> & { readonly ok: boolean } {
  const { models, problems } = component;
  return {
    name: component.name,
    ok: problems.length === 0,
    cached: component.cached,
    models: models.map(({ cfg, kind, about, distinct, generated, depth, edges, executed, seconds }) => ({
      cfg,
      kind,
      about,
      distinct,
      generated,
      depth,
      edges,
      executed,
      seconds: round(seconds),
    })),
    spec: {
      distinct: sum(models, ({ distinct }) => distinct),
      generated: sum(models, ({ generated }) => generated),
      depth: Math.max(0, ...models.map(({ depth }) => depth)),
      edges: sum(models, ({ edges }) => edges),
      actions: sumByName(models.map(({ actions }) => actions)),
      seconds: round(sum(models, ({ seconds }) => seconds)),
    },
    second: secondJson(models),
    liveness: component.liveness,
    mirror: component.mirror ?? { actions: 0, guards: 0, invariants: 0, outside: {}, ok: false },
    bisimulation: bisimulationJson(models),
    random: component.random ?? { traces: 0, steps: 0, ok: false },
    validation: component.validation ?? { traces: 0, steps: 0, ok: false },
    invariants: invariantsJson(component),
    mutants: component.mutants ?? { spec: { killed: 0, total: 0 }, impl: { killed: 0, total: 0 }, list: [] },
    problems: problems.map(({ code, cfg, message }) => ({ code, ...(cfg === undefined ? {} : { cfg }), message })),
  };
}

function secondJson(models: readonly ModelOutcome[]): object {
  const asked = models.flatMap(({ second }) => ('engine' in second ? [second] : []));
  const skipped = models.flatMap(({ cfg, second }) => ('skipped' in second ? [`${cfg}: ${second.skipped}`] : []));
  const first = asked[0];
  if (first === undefined) return { skipped: skipped.join('; ') };
  return {
    engine: first.engine,
    distinct: sum(asked, ({ distinct }) => distinct),
    agrees: asked.every(({ agrees }) => agrees),
    ...(skipped.length > 0 ? { skippedModels: skipped } : {}),
  };
}

function bisimulationJson(models: readonly ModelOutcome[]): object {
  const walked = models.flatMap(({ bisimulation }) => bisimulation ?? []);
  return {
    states: sum(walked, ({ states }) => states),
    edges: sum(walked, ({ edges }) => edges),
    executed: sum(walked, ({ executed }) => executed),
    missing: sum(walked, ({ missing }) => missing),
    extra: sum(walked, ({ extra }) => extra),
    different: sum(walked, ({ different }) => different),
    delivered: sum(walked, ({ delivered }) => delivered),
    refused: sum(walked, ({ refused }) => refused),
    seconds: round(sum(walked, ({ seconds }) => seconds)),
  };
}

/** Evaluations of the machine's predicates on real states; for one without a predicate, of the model checker's on its states. */
function invariantsJson({ models, problems }: ComponentOutcome): readonly object[] {
  const names = [...new Set(models.flatMap(({ invariants }) => invariants))];
  return names.map((name) => {
    const counts = models.flatMap(({ bisimulation }) => bisimulation?.invariants.get(name) ?? []);
    const bySpec = sum(
      models.filter(({ invariants }) => invariants.includes(name)),
      ({ distinct }) => distinct,
    );
    const broken = problems.some(({ failure, divergence }) => failure?.name === name || divergence?.action === name);
    return {
      name,
      evaluations: sum(counts, ({ evaluations }) => evaluations),
      states: bySpec,
      ok: !broken && counts.every(({ failed }) => failed === 0),
    };
  });
}

function sumByName(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const one of counts) for (const [name, count] of Object.entries(one)) total[name] = (total[name] ?? 0) + count;
  return total;
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
