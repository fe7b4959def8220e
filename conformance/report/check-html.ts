/**
 * build/report/check.html: the table of `make check` with what stands behind each number, in one file that asks nobody else
 * for anything. Shows check.json's numbers, the machines, the mutants and every problem with its difference.
 */
import type { CheckOutcome, ComponentOutcome } from '../check/outcome.ts';
import type { Component } from '../component.ts';
import { componentSection } from './component-html.ts';
import { type Cell, escapeHtml, grouped, mark, sum, tableHtml } from './html.ts';
import { notChecked } from './not-checked.ts';
import { PAGE_STYLE } from './page-style.ts';
import { problemsHtml } from './problem-html.ts';

export async function checkHtml(outcome: CheckOutcome, components: readonly Component[]): Promise<string> {
  const problems = [...outcome.problems, ...outcome.components.flatMap((component) => component.problems)];
  const ok = problems.length === 0 && outcome.components.length > 0;
  const sections: string[] = [];
  for (const component of outcome.components)
    sections.push(
      await componentSection(
        component,
        components.find(({ name }) => name === component.name),
      ),
    );
  const engines = outcome.engines
    .map(({ name, version, origin }) => `${name === 'tlc' ? 'TLC' : 'embedded engine'} ${version} (${origin})`)
    .join(', ');
  const unchecked = notChecked(outcome);
  const verdict = ok
    ? `Spec, machine and code agree on every edge${unchecked.length > 0 ? ' that was checked' : ''}.`
    : problems.length === 1
      ? 'One problem, below.'
      : `${problems.length} problems, below.`;
  return page(
    `make check: ${ok ? (unchecked.length > 0 ? 'all that was checked is green' : 'all green') : problems.length === 1 ? '1 problem' : `${problems.length} problems`}`,
    `<p>${mark(ok, verdict).html} Engines: ${escapeHtml(engines || 'none')}. ${outcome.seconds.toFixed(1)} s.</p>
${unchecked.length === 0 ? '' : `<p>Not checked, since TLC did not run:</p><ul>${unchecked.map((line) => `<li>${escapeHtml(line)}</li>`).join('')}</ul>`}
${tiles(outcome)}
${overview(outcome.components)}
${problemsHtml(problems)}
${sections.join('\n')}`,
  );
}

/** The whole run in a few figures; each is a sum over the components below. */
function tiles({ components }: CheckOutcome): string {
  const models = components.flatMap((component) => component.models);
  const edges = sum(models.map((model) => model.edges));
  const executed = sum(models.map((model) => model.executed));
  const all = components.flatMap(({ mutants }) => (mutants === undefined ? [] : [mutants.spec, mutants.impl]));
  const [killed, total] = [sum(all.map((one) => one.killed)), sum(all.map((one) => one.total))];
  const steps = sum(components.map(({ random, validation }) => (random?.steps ?? 0) + (validation?.steps ?? 0)));
  const share = edges === 0 ? '0 %' : `${((100 * executed) / edges).toFixed(edges === executed ? 0 : 2)} %`;
  const figures: readonly (readonly [string, string])[] = [
    [
      `${components.filter(({ problems }) => problems.length === 0).length} of ${components.length}`,
      'components green in every column',
    ],
    [grouped(sum(models.map((model) => model.distinct))), `distinct states in ${models.length} models`],
    [share, `of ${grouped(edges)} edges executed on the real code, in both directions`],
    [
      total === 0 ? 'did not run' : `${killed} of ${total}`,
      'mutants: broken rules that the check noticed, in spec and code',
    ],
    [steps === 0 ? 'did not run' : grouped(steps), 'steps of random traces and of validation by the model checker'],
  ];
  return `<ul class="tiles">${figures.map(([figure, what]) => `<li><strong>${escapeHtml(figure)}</strong><span>${escapeHtml(what)}</span></li>`).join('')}</ul>`;
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
      'random steps',
      'validated steps',
      'mutants',
      'seconds',
    ],
    components.map(overviewRow),
  );
}

function overviewRow(component: ComponentOutcome): Cell[] {
  const { models, mirror, random, validation, mutants, liveness } = component;
  const edges = sum(models.map((model) => model.edges));
  const executed = sum(models.map((model) => model.executed));
  const seconds = sum(models.map((model) => model.bisimulation?.seconds ?? 0));
  const traces = (numbers: ComponentOutcome['random']): Cell =>
    numbers === undefined ? 'did not run' : mark(numbers.ok, numbers.steps);
  return [
    {
      html: `<a href="#${component.name}">${escapeHtml(component.name)}</a>&nbsp;${mark(component.problems.length === 0, '').html}`,
    },
    models.length,
    sum(models.map((model) => model.distinct)),
    edges,
    mark(edges > 0 && edges === executed, executed),
    seconds > 0 ? Math.round(executed / seconds) : '',
    liveness.properties.length === 0 ? 'none' : mark(liveness.ok, liveness.properties.length),
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
    { html: `${component.seconds.toFixed(1)}${component.cached ? ' (cached)' : ''}`, isNumber: true },
  ];
}

function page(title: string, main: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeHtml(title)}</title><style>${PAGE_STYLE}</style></head>
<body><main><h1>${escapeHtml(title)}</h1>
${main}
</main></body></html>
`;
}
