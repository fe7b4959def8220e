/** Problems on the page: those with a divergence in full, the others of one kind and component as one list. */
import type { Problem } from '../check/outcome.ts';
import { type Cell, escapeHtml, mark, tableHtml } from './html.ts';
import { nearest } from './problem-text.ts';

/** Differing states and engine behaviours are shown up to this many characters each; the trace file holds the whole. */
const TEXT_CHARACTERS_MAX = 4000;

export function problemsHtml(problems: readonly Problem[]): string {
  if (problems.length === 0) return '';
  const groups = new Map<string, Problem[]>();
  for (const problem of problems) {
    const title = `${problem.code} ${problem.component}`.trim();
    groups.set(title, [...(groups.get(title) ?? []), problem]);
  }
  const articles = [...groups].map(([title, group]) => groupHtml(title, group));
  return `<section aria-labelledby="problems"><h2 id="problems">Problems</h2>${articles.join('\n')}</section>`;
}

function groupHtml(title: string, problems: readonly Problem[]): string {
  const isPlain = ({ divergence, failure }: Problem): boolean =>
    divergence === undefined && (failure === undefined || failure.trace.length === 0);
  const listed = problems.filter(isPlain);
  const list = listed.map(({ cfg, message }) => `<li>${escapeHtml([cfg, message].filter(Boolean).join(': '))}</li>`);
  const parts = listed.length === 0 ? [] : [`<ul>${list.join('')}</ul>`];
  const full = problems.filter((problem) => !isPlain(problem));
  return `<article class="problem"><h3>${escapeHtml(title)}${problems.length > 1 ? ` (${problems.length})` : ''}</h3>${[...parts, ...full.map(problemHtml)].join('\n')}</article>`;
}

function problemHtml({ cfg, message, divergence, failure, sources = [], saved }: Problem): string {
  const parts = [`<p><strong>${escapeHtml([cfg, message].filter(Boolean).join(': '))}</strong></p>`];
  if (divergence !== undefined) parts.push(...divergenceHtml(divergence));
  if (failure !== undefined && failure.trace.length > 0)
    parts.push(`<pre tabindex="0">${escapeHtml(cut(failure.trace.join('\n\n')))}</pre>`);
  if (sources.length > 0)
    parts.push(
      `<ul>${sources.map(({ side, at, text }) => `<li>${side} <code>${escapeHtml(at)}</code> <code>${escapeHtml(text)}</code></li>`).join('')}</ul>`,
    );
  if (saved !== undefined) parts.push(`<p>Replay it: <code>make replay T=${escapeHtml(saved.trace)}</code></p>`);
  return `<div class="one">${parts.join('\n')}</div>`;
}

function divergenceHtml(divergence: NonNullable<Problem['divergence']>): string[] {
  const steps = [...divergence.path.map(({ label }) => label), `${divergence.label} ← ${divergence.verdict}`];
  const parts = [
    `<p>Shortest path:</p><ol start="0">${steps.map((label) => `<li><code>${escapeHtml(label)}</code></li>`).join('')}</ol>`,
  ];
  const before = divergence.path.at(-1)?.state ?? {};
  const expected = nearest(divergence);
  const names = Object.keys({ ...before, ...expected, ...divergence.actual });
  const changed = names.filter(
    (key) => new Set([before[key], expected?.[key] ?? before[key], divergence.actual?.[key] ?? before[key]]).size > 1,
  );
  const rows = changed.map((key): Cell[] => {
    const differs = expected?.[key] !== divergence.actual?.[key];
    const side = (text: string | undefined, kind: string): Cell => {
      if (text === undefined) return 'refuses';
      return { html: differs ? `<${kind}>${escapeHtml(cut(text))}</${kind}>` : code(text) };
    };
    return [
      key,
      { html: code(before[key] ?? '') },
      side(expected?.[key], 'del'),
      side(divergence.actual?.[key], 'ins'),
    ];
  });
  parts.push(tableHtml('Difference by variable', ['variable', 'before', 'spec', 'code'], rows));
  if (divergence.guards.length > 0)
    parts.push(
      tableHtml(
        'Guards of the machine here',
        ['rule', 'evaluation'],
        divergence.guards.map(({ rule, holds }) => [rule, mark(holds, holds ? 'holds' : 'fails')]),
      ),
    );
  return parts;
}

function code(text: string): string {
  return `<code>${escapeHtml(cut(text))}</code>`;
}

function cut(text: string): string {
  return text.length <= TEXT_CHARACTERS_MAX ? text : `${text.slice(0, TEXT_CHARACTERS_MAX)} …`;
}
