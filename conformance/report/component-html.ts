/** One component on the page: where its three forms stand, side by side, its machine, models, invariants, mutants, exceptions. */
import { definitionOf } from '../../machines/definition.ts';
import type { ComponentSpec } from '../../machines/spec-rule.ts';
import type { ComponentOutcome } from '../check/outcome.ts';
import type { Component } from '../component.ts';
import { machinePlaces } from '../spec-parser/machine-places.ts';
import { indexSpec } from '../spec-parser/spec-index.ts';
import { type Cell, escapeHtml, mark, sum, tableHtml } from './html.ts';
import { machineGraph } from './machine-graph.ts';
import { sideBySide } from './side-by-side.ts';

export async function componentSection(outcome: ComponentOutcome, component: Component | undefined): Promise<string> {
  const { name, models, problems } = outcome;
  const parts: string[] = [];
  if (models.length === 0) parts.push('<p>No model ran.</p>');
  if (component !== undefined) {
    const spec = await specOf(component);
    parts.push(sourcesHtml(component));
    parts.push(
      `<figure>${await machineGraph(component.machine)}<figcaption>The machine: a state lists the events that it takes without leaving, an arrow those that lead elsewhere.</figcaption></figure>`,
      sideBySide(outcome, component, spec),
    );
  }
  parts.push(modelsTable(outcome), actionsTable(outcome), invariantsTable(outcome), mutantsTable(outcome));
  if (component !== undefined) parts.push(exceptionsTable(component), transitionsTable(component));
  const verdict = mark(
    problems.length === 0,
    problems.length === 0 ? 'green' : `${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}`,
  ).html;
  return `<section class="component" aria-labelledby="${name}"><h2 id="${name}">${escapeHtml(name)} <small>${verdict}${outcome.cached ? ' (cached)' : ''}</small></h2>${parts.join('\n')}</section>`;
}

/** The words and places of the spec; undefined when it does not parse, which is a problem of its own. */
async function specOf({ sources }: Component): Promise<ComponentSpec | undefined> {
  try {
    return await indexSpec(sources.spec, [], machinePlaces('.', sources.machine));
  } catch {
    return undefined;
  }
}

function sourcesHtml({ sources }: Component): string {
  const code = [...sources.implementation].map((path) => `<code>${escapeHtml(path)}</code>`).join(', ');
  return `<p class="soft">Spec <code>${escapeHtml(sources.spec)}</code>, machine <code>${escapeHtml(sources.machine)}</code>, code ${code}, driver <code>${escapeHtml(sources.driver)}</code>.</p>`;
}

function modelsTable({ name, models }: ComponentOutcome): string {
  return tableHtml(
    `${name}: models`,
    ['model', 'kind', 'states', 'depth', 'edges', 'executed on the code', 'second engine', 's', 'what it shows'],
    models.map((model) => [
      model.cfg,
      model.kind,
      model.distinct,
      model.depth,
      model.edges,
      model.kind !== 'small' && model.kind !== 'deep'
        ? 'model checked only'
        : mark(model.edges > 0 && model.edges === model.executed, model.executed),
      'skipped' in model.second
        ? `skipped: ${model.second.skipped}`
        : mark(model.second.agrees, model.second.agrees ? 'agrees' : `${model.second.distinct} states`),
      Math.round(model.seconds * 10) / 10,
      model.about,
    ]),
  );
}

function actionsTable({ name, models }: ComponentOutcome): string {
  const actions = [...new Set(models.flatMap((model) => Object.keys(model.actions)))];
  const rows = actions.map((action): Cell[] => {
    const counts = models.map((model) => model.actions[action] ?? 0);
    return [action, mark(sum(counts) > 0, sum(counts)), ...counts];
  });
  return `<details><summary>Action coverage by model (${actions.length} actions)</summary>${tableHtml(`${name}: edges by action and model`, ['action', 'all', ...models.map(({ cfg }) => cfg)], rows)}</details>`;
}

function invariantsTable({ name, models, mutants }: ComponentOutcome): string {
  const names = [...new Set(models.flatMap((model) => model.invariants))];
  const list = mutants?.list ?? [];
  return tableHtml(
    `${name}: invariants`,
    ['invariant', 'states model checked', 'evaluations on the code', 'mutants that it kills'],
    names.map((invariant) => {
      const counts = models.flatMap(({ bisimulation }) => bisimulation?.invariants.get(invariant) ?? []);
      const checked = sum(models.map((model) => (model.invariants.includes(invariant) ? model.distinct : 0)));
      const failed = sum(counts.map((count) => count.failed));
      const killed = list.filter(({ killedBy, verdict }) => verdict === 'killed' && killedBy === invariant);
      return [
        invariant,
        checked,
        mark(failed === 0, sum(counts.map(({ evaluations }) => evaluations))),
        killed.map((mutant) => mutant.name).join(', '),
      ];
    }),
  );
}

/** What each mutant breaks and what killed it. */
function mutantsTable({ name, mutants }: ComponentOutcome): string {
  if (mutants === undefined) return '<p class="soft">The mutants did not run.</p>';
  const rows = mutants.list.map((mutant): Cell[] => [
    mutant.name,
    mutant.side === 'spec' ? 'spec' : 'code',
    mutant.canary ?? '',
    mutant.rule,
    mutant.cfg,
    mutant.verdict === 'skipped' ? `skipped: ${mutant.note ?? ''}` : mark(mutant.verdict === 'killed', mutant.verdict),
    [mutant.killedBy ?? mutant.note ?? '', ...(mutant.steps === undefined ? [] : [`in ${mutant.steps} steps`])].join(
      ' ',
    ),
  ]);
  return tableHtml(
    `${name}: mutants, each a broken rule that the check must notice`,
    ['mutant', 'in', 'canary', 'what it breaks', 'model', 'verdict', 'killed by'],
    rows,
  );
}

/** What the check leaves out because the component says so, each with the reason that it gives. */
function exceptionsTable({ name, ...component }: Component): string {
  const groups: readonly (readonly [string, Readonly<Record<string, string>> | undefined])[] = [
    ['variable not compared', component.abstracted],
    ['action outside the machine', component.outsideMachine],
    ['no mutant breaks it', component.unbreakable],
    ['guard constant in every model', component.constantGuards],
    ['bound without a canary', component.boundsWithoutCanary],
  ];
  const rows = groups.flatMap(([what, reasons]) =>
    Object.entries(reasons ?? {}).map(([key, reason]): Cell[] => [key, what, reason]),
  );
  return rows.length === 0
    ? ''
    : tableHtml(`${name}: exceptions, each with its reason`, ['name', 'what', 'reason'], rows);
}

function transitionsTable({ name, machine }: Component): string {
  const { transitions } = definitionOf(machine);
  const rows = transitions.map(({ event, from, guards, to, actions }) => [
    event,
    from,
    guards.join(', '),
    to,
    actions.join(', '),
  ]);
  return `<details><summary>Transitions of the machine (${transitions.length})</summary>${tableHtml(`${name}: transitions`, ['event', 'from', 'guards', 'to', 'effects'], rows)}</details>`;
}
