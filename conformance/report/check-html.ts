/**
 * build/report/check.html: the table of `make check` with what stands behind each number, in one file that asks nobody else
 * for anything. Shows check.json's numbers, the graph of each machine, the mutants and every problem with its difference.
 */
import { definitionOf } from '../../machines/definition.ts';
import type { CheckOutcome, ComponentOutcome, Problem } from '../check/outcome.ts';
import type { Component } from '../component.ts';
import { type Cell, escapeHtml, mark, tableHtml } from './html.ts';
import { machineGraph } from './machine-graph.ts';
import { nearest } from './problem-text.ts';

/** Differing states and engine behaviours are shown up to this many characters each; the trace file holds the whole. */
const TEXT_CHARACTERS_MAX = 4000;

export async function checkHtml(outcome: CheckOutcome, components: readonly Component[]): Promise<string> {
  const problems = [...outcome.problems, ...outcome.components.flatMap((component) => component.problems)];
  const ok = problems.length === 0 && outcome.components.length > 0;
  const sections: string[] = [];
  for (const component of outcome.components) {
    const descriptor = components.find(({ name }) => name === component.name);
    sections.push(await componentSection(component, descriptor));
  }
  const engines = outcome.engines.map(({ name, version, origin }) => `${name} ${version} (${origin})`).join(', ');
  return page(
    `make check: ${ok ? 'all green' : `${problems.length} problem(s)`}`,
    `<p>${mark(ok, ok ? 'Spec, machine and code agree on every edge.' : `${problems.length} problem(s), listed below.`).html}
Engines: ${escapeHtml(engines || 'none')}. ${outcome.seconds.toFixed(1)} s.</p>
${overview(outcome.components)}
${problems.length === 0 ? '' : `<section aria-labelledby="problems"><h2 id="problems">Problems</h2>${problems.map(problemHtml).join('\n')}</section>`}
${sections.join('\n')}`,
  );
}

function overview(components: readonly ComponentOutcome[]): string {
  return tableHtml(
    'Components',
    [
      'component',
      'models',
      'states',
      'edges',
      'executed',
      'edges/s',
      'liveness',
      'mirror',
      'random',
      'validation',
      'mutants',
      'seconds',
    ],
    components.map((component) => {
      const { models, mirror, random, validation, mutants, liveness } = component;
      const edges = sum(models.map((model) => model.edges));
      const executed = sum(models.map((model) => model.executed));
      const seconds = sum(models.map((model) => model.bisimulation?.seconds ?? 0));
      const traces = (numbers: ComponentOutcome['random']): Cell =>
        numbers === undefined ? 'did not run' : mark(numbers.ok, `${numbers.traces} traces, ${numbers.steps} steps`);
      return [
        { html: `<a href="#${component.name}">${mark(component.problems.length === 0, component.name).html}</a>` },
        models.length,
        sum(models.map((model) => model.distinct)),
        edges,
        mark(edges > 0 && edges === executed, executed),
        seconds > 0 ? Math.round(executed / seconds) : '',
        liveness.properties.length === 0 ? 'none' : mark(liveness.ok, liveness.properties.join(', ')),
        mirror === undefined
          ? 'did not run'
          : mark(mirror.ok, `${mirror.actions} actions, ${mirror.guards} guards, ${mirror.invariants} invariants`),
        traces(random),
        traces(validation),
        mutants === undefined
          ? 'did not run'
          : mark(
              mutants.spec.killed === mutants.spec.total && mutants.impl.killed === mutants.impl.total,
              `${mutants.spec.killed}/${mutants.spec.total} spec, ${mutants.impl.killed}/${mutants.impl.total} code`,
            ),
        `${component.seconds.toFixed(1)}${component.cached ? ' (cached)' : ''}`,
      ];
    }),
  );
}

async function componentSection(outcome: ComponentOutcome, descriptor: Component | undefined): Promise<string> {
  const { name, models } = outcome;
  const parts = [
    modelsTable(outcome),
    actionsTable(outcome),
    invariantsTable(outcome),
    guardsTable(outcome),
    mutantsTable(outcome),
  ];
  if (descriptor !== undefined) {
    const definition = definitionOf(descriptor.machine);
    parts.push(
      `<h3>Machine</h3><figure>${await machineGraph(descriptor.machine)}<figcaption>${escapeHtml(descriptor.sources.machine)}, mirrors ${escapeHtml(descriptor.sources.spec)}</figcaption></figure>`,
      `<details><summary>Transitions (${definition.transitions.length})</summary>${tableHtml(
        `Transitions of ${name}`,
        ['event', 'from', 'guards', 'to', 'effects'],
        definition.transitions.map(({ event, from, guards, to, actions }) => [
          event,
          from,
          guards.join(', '),
          to,
          actions.join(', '),
        ]),
      )}</details>`,
      exceptionsTable(descriptor),
    );
  }
  const about = models.length === 0 ? '<p>No model ran.</p>' : '';
  return `<section aria-labelledby="${name}"><h2 id="${name}">${escapeHtml(name)}${outcome.cached ? ' (cached)' : ''}</h2>${about}${parts.join('\n')}</section>`;
}

function modelsTable({ name, models }: ComponentOutcome): string {
  return tableHtml(
    `Models of ${name}`,
    ['model', 'kind', 'distinct', 'generated', 'depth', 'edges', 'executed', 'second engine', 's', 'what it shows'],
    models.map((model) => [
      model.cfg,
      model.kind,
      model.distinct,
      model.generated,
      model.depth,
      model.edges,
      model.kind !== 'small' && model.kind !== 'deep'
        ? 'not replayed'
        : mark(model.edges > 0 && model.edges === model.executed, model.executed),
      'skipped' in model.second ? model.second.skipped : mark(model.second.agrees, model.second.engine),
      model.seconds.toFixed(1),
      model.about,
    ]),
  );
}

function actionsTable({ name, models }: ComponentOutcome): string {
  const actions = [...new Set(models.flatMap((model) => Object.keys(model.actions)))];
  return tableHtml(
    `Action coverage of ${name}: edges by action and model`,
    ['action', 'all', ...models.map(({ cfg }) => cfg)],
    actions.map((action) => {
      const counts = models.map((model) => model.actions[action] ?? 0);
      return [action, mark(sum(counts) > 0, sum(counts)), ...counts];
    }),
  );
}

function invariantsTable({ name, models }: ComponentOutcome): string {
  const names = [...new Set(models.flatMap((model) => model.invariants))];
  return tableHtml(
    `Invariants of ${name}`,
    ['invariant', 'states model checked', 'evaluations on the code'],
    names.map((invariant) => {
      const counts = models.flatMap(({ bisimulation }) => bisimulation?.invariants.get(invariant) ?? []);
      const checked = sum(models.map((model) => (model.invariants.includes(invariant) ? model.distinct : 0)));
      const failed = sum(counts.map((count) => count.failed));
      return [invariant, checked, mark(failed === 0, sum(counts.map(({ evaluations }) => evaluations)))];
    }),
  );
}

function guardsTable({ name, models }: ComponentOutcome): string {
  const rules = [...new Set(models.flatMap(({ bisimulation }) => [...(bisimulation?.guards.keys() ?? [])]))].sort();
  const rows = rules.map((rule): Cell[] => {
    const counts = models.flatMap(({ bisimulation }) => bisimulation?.guards.get(rule) ?? []);
    return [rule, sum(counts.map(({ holds }) => holds)), sum(counts.map(({ fails }) => fails))];
  });
  return `<details><summary>Guard outcomes (${rules.length})</summary>${tableHtml(`Guard outcomes of ${name}`, ['rule', 'true', 'false'], rows)}</details>`;
}

/** What each mutant breaks and what killed it. */
function mutantsTable({ name, mutants }: ComponentOutcome): string {
  if (mutants === undefined) return '<p>The mutants did not run.</p>';
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
    `Mutants of ${name}`,
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
  return rows.length === 0 ? '' : tableHtml(`Exceptions of ${name}`, ['name', 'what', 'reason'], rows);
}

function problemHtml(problem: Problem): string {
  const { divergence, failure, sources = [], saved } = problem;
  const parts = [`<p>${escapeHtml(problem.message)}</p>`];
  if (divergence !== undefined) {
    const steps = [...divergence.path.map(({ label }) => label), `${divergence.label} ← ${divergence.verdict}`];
    parts.push(
      `<p>Shortest path:</p><ol start="0">${steps.map((label) => `<li>${escapeHtml(label)}</li>`).join('')}</ol>`,
    );
    const before = divergence.path.at(-1)?.state ?? {};
    const expected = nearest(divergence);
    const names = Object.keys({ ...before, ...expected, ...divergence.actual });
    const changed = names.filter(
      (key) => new Set([before[key], expected?.[key] ?? before[key], divergence.actual?.[key] ?? before[key]]).size > 1,
    );
    parts.push(
      tableHtml(
        'Difference by variable',
        ['variable', 'before', 'spec', 'code'],
        changed.map((key) => {
          const differs = expected?.[key] !== divergence.actual?.[key];
          const side = (text: string | undefined, kind: string): Cell => ({
            html:
              text === undefined
                ? 'refuses'
                : differs
                  ? `<${kind}>${escapeHtml(cut(text))}</${kind}>`
                  : escapeHtml(cut(text)),
          });
          return [key, cut(before[key] ?? ''), side(expected?.[key], 'del'), side(divergence.actual?.[key], 'ins')];
        }),
      ),
    );
    if (divergence.guards.length > 0)
      parts.push(
        tableHtml(
          'Guards of the machine here',
          ['rule', 'evaluation'],
          divergence.guards.map(({ rule, holds }) => [rule, mark(holds, holds ? 'holds' : 'fails')]),
        ),
      );
  }
  if (failure !== undefined && failure.trace.length > 0)
    parts.push(`<pre tabindex="0">${escapeHtml(cut(failure.trace.join('\n\n')))}</pre>`);
  if (sources.length > 0)
    parts.push(
      `<ul>${sources.map(({ side, at, text }) => `<li>${side} <code>${escapeHtml(at)}</code> <code>${escapeHtml(text)}</code></li>`).join('')}</ul>`,
    );
  if (saved !== undefined) parts.push(`<p>Replay it: <code>make replay T=${escapeHtml(saved.trace)}</code></p>`);
  const where = [problem.component, problem.cfg].filter(Boolean).join(' ');
  return `<article class="problem"><h3>${escapeHtml(`${problem.code} ${where}`)}</h3>${parts.join('\n')}</article>`;
}

function cut(text: string): string {
  return text.length <= TEXT_CHARACTERS_MAX ? text : `${text.slice(0, TEXT_CHARACTERS_MAX)} …`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --line: #c8ced6; --soft: #f3f5f8; --good: #116329; --bad: #b3131d; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --paper: #14171b; --line: #3c434c; --soft: #1e2228; --good: #6fd08a; --bad: #ff8a8a; } }
body { margin: 0 auto; max-width: 80rem; padding: 1rem; font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
a { color: inherit; } code, pre, ins, del { font-family: ui-monospace, monospace; font-size: .85em; overflow-wrap: anywhere; }
.scroll, pre, figure { overflow-x: auto; margin: 1rem 0; } table { border-collapse: collapse; font-size: .875rem; }
caption { text-align: left; font-weight: 600; padding: .25rem 0; } th, td { border: 1px solid var(--line); padding: .25rem .5rem; text-align: left; vertical-align: top; }
thead th { background: var(--soft); } td { font-variant-numeric: tabular-nums; } .good { color: var(--good); } .bad { color: var(--bad); font-weight: 600; }
ins { color: var(--good); text-decoration: none; } del { color: var(--bad); text-decoration: none; } .problem { border-left: 4px solid var(--bad); padding-left: 1rem; margin: 1rem 0; }
svg { max-width: none; height: auto; color: var(--ink); } svg text { fill: currentColor; } svg path { stroke: currentColor; fill: none; }
svg polygon { stroke: currentColor; fill: currentColor; } svg ellipse { stroke: currentColor; fill: currentColor; } svg .graph > polygon { fill: none; stroke: none; }
`;

function page(title: string, main: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeHtml(title)}</title><style>${STYLE}</style></head>
<body><main><h1>${escapeHtml(title)}</h1>
${main}
</main></body></html>
`;
}
