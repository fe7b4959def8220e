/**
 * A run as one HTML page that needs nothing else: no network, no file beside it. Lanes over virtual time on a canvas, a panel
 * with the machine's state, guards and explanation of the selected event, and the same events as a table. What the page draws
 * is computed in page/data.ts; its script and style are page/*-script.ts and page/style.ts. Mirrors no spec module.
 */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { escapeHtml, grouped } from '../../report/html.ts';
import { PAGE_STYLE } from '../../report/page-style.ts';
import { timeText } from './fault-text.ts';
import { ARROWS_SCRIPT } from './page/arrows-script.ts';
import { pageData } from './page/data.ts';
import { DRAW_SCRIPT } from './page/draw-script.ts';
import { MODEL_SCRIPT } from './page/model-script.ts';
import { PANEL_SCRIPT } from './page/panel-script.ts';
import { START_SCRIPT } from './page/start-script.ts';
import { TIMELINE_STYLE } from './page/style.ts';
import { VIEW_SCRIPT } from './page/view-script.ts';
import type { TimelineInput } from './timeline-input.ts';

/** What the page runs, one function around all of it. Holds nothing of a run. */
export const PAGE_SCRIPT = `(function () {
'use strict';
${[MODEL_SCRIPT, VIEW_SCRIPT, DRAW_SCRIPT, ARROWS_SCRIPT, PANEL_SCRIPT, START_SCRIPT].join('')}})();
`;

/** Nothing is fetched, and no script runs but this one, whatever texts a run holds. */
const POLICY = [
  "default-src 'none'",
  `script-src 'sha256-${createHash('sha256').update(PAGE_SCRIPT).digest('base64')}'`,
  "style-src 'unsafe-inline'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

export function htmlTimeline(input: TimelineInput): string {
  const { scenario, result } = input;
  const data = pageData(input);
  const packed = gzipSync(JSON.stringify(data), { level: 9 }).toString('base64');
  const title = `Run ${scenario.seed}, ${scenario.name}`;
  return `<!doctype html>
<html lang="en" data-theme="auto">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${escapeHtml(POLICY)}">
<title>${escapeHtml(title)}: timeline of a simulated run</title>
<style>${PAGE_STYLE}${TIMELINE_STYLE}</style>
</head>
<body>
<header>
<div class="about">
<h1>${escapeHtml(title)}</h1>
<p class="run-facts">${escapeHtml(factsText(input, data.events.length))}</p>
${failureHtml(input)}
<noscript><p>The drawing needs JavaScript.</p></noscript>
</div>
${toolbarHtml(result.failure !== undefined)}
</header>
<main>
${drawingHtml()}
${tableHtml()}
${panelHtml()}
</main>
${keysHtml()}
<script type="text/plain" id="run">${packed}</script>
<script>${PAGE_SCRIPT}</script>
</body>
</html>
`;
}

function factsText({ scenario, result }: TimelineInput, events: number): string {
  const { replicaCount, workload, canary } = scenario;
  const { applied, refused, unknown } = result.operations;
  return [
    `${replicaCount} replicas`,
    `workload ${workload}`,
    ...(canary === undefined ? [] : [`broken on purpose: ${canary}`]),
    `${grouped(events)} events in ${grouped(result.steps)} steps`,
    `${timeText(result.virtualUs)} of virtual time`,
    `operations: ${applied} applied, ${refused} refused, ${unknown} unknown`,
    `highest view ${result.viewMax}`,
  ].join(' · ');
}

function failureHtml({ result: { failure } }: TimelineInput): string {
  if (failure === undefined) return '<p><span class="good">✓ no failure</span></p>';
  const { oracle, rule, message, step, atUs } = failure;
  const where = `Failure after step ${grouped(step)}, ${timeText(atUs)}: ${oracle}, ${rule}`;
  return `<div class="failed"><p><span class="bad">✗ ${escapeHtml(where)}</span></p><p>${escapeHtml(message)}</p></div>`;
}

function toolbarHtml(hasFailure: boolean): string {
  return `<div class="toolbar" role="group" aria-label="Controls of the timeline">
<span class="group"><button type="button" id="as-drawing" aria-pressed="true">Drawing</button><button type="button" id="as-table" aria-pressed="false">Table</button></span>
<span class="group"><button type="button" id="zoom-in" aria-label="Zoom in">+</button><button type="button" id="zoom-out" aria-label="Zoom out">−</button><button type="button" id="zoom-all">Whole run</button></span>
<span class="group"><button type="button" id="before"><span aria-hidden="true">‹ </span>Previous<span class="visually-hidden"> event</span></button><button type="button" id="after">Next<span class="visually-hidden"> event</span><span aria-hidden="true"> ›</span></button></span>
<button type="button" id="to-failure" class="failure"${hasFailure ? '' : ' hidden'}>To the failure</button>
<label>Filter <input id="filter" type="search" placeholder="r1 prepare -refused" autocomplete="off" spellcheck="false"></label>
<span id="matches" role="status"></span>
<span class="group"><button type="button" id="theme">Theme: auto</button><button type="button" id="help">Keys</button></span>
</div>`;
}

const LEGEND: readonly (readonly [drawing: string, text: string])[] = [
  [
    '<rect width="30" height="12" y="2" fill="var(--view-0)"/><path d="M0 2h30M0 14h30" style="stroke-width:2"/>',
    'primary',
  ],
  ['<rect width="30" height="12" y="2" fill="var(--view-1)"/>', 'backup, a colour a view'],
  [
    '<rect width="30" height="12" y="2" fill="var(--view-2)"/><path d="M2 14 12 2M10 14 20 2M18 14 28 2" style="stroke:var(--paper)"/>',
    'view change',
  ],
  ['<path d="M2 14 12 2M10 14 20 2M18 14 28 2" style="stroke:var(--soft-ink)"/>', 'down'],
  ['<path d="M0 8h26m-7-5 7 5-7 5"/>', 'message'],
  [
    '<path d="M0 8h22" style="stroke:var(--bad);stroke-dasharray:5 3"/><path d="M18 4l8 8m0-8-8 8" style="stroke:var(--bad);stroke-width:2"/>',
    'lost',
  ],
  [
    '<path d="M0 8h22" style="stroke:var(--disk);stroke-dasharray:1 2"/><path d="M8 5h6v6h-6zM18 4l8 8m0-8-8 8" style="stroke:var(--disk);stroke-width:2"/>',
    'mutated',
  ],
  ['<circle cx="8" cy="8" r="4" fill="var(--ink)"/>', 'step taken'],
  ['<circle cx="8" cy="8" r="4" fill="none" style="stroke:var(--soft-ink)"/>', 'refused'],
  ['<rect x="6" y="3" width="3" height="10" fill="var(--good)"/>', 'commit'],
  ...(['network', 'disk', 'clock', 'process'] as const).map(
    (family) =>
      [`<rect width="30" height="12" y="2" opacity=".45" fill="var(--${family})"/>`, `${family} fault`] as const,
  ),
];

function drawingHtml(): string {
  const legend = LEGEND.map(
    ([drawing, text]) => `<li><svg viewBox="0 0 30 16" aria-hidden="true">${drawing}</svg>${escapeHtml(text)}</li>`,
  );
  return `<section id="drawing" aria-label="Drawing">
<div id="stage" tabindex="0" role="application" aria-roledescription="timeline" aria-label="Timeline of the run" aria-describedby="stage-help">
<canvas id="lanes" aria-hidden="true"></canvas><div id="hint" aria-hidden="true" hidden></div>
</div>
<div id="overview" aria-hidden="true"><canvas id="strip"></canvas></div>
<p class="visually-hidden" id="stage-help">Press n and p for the next and the previous event, f for the failure, arrows to move, plus and minus to zoom, slash to filter, question mark for all keys. The button Table shows the same events as a table.</p>
<p class="run-facts">In sight: <span id="seen"></span></p>
<ul class="legend">${legend.join('')}</ul>
</section>`;
}

function tableHtml(): string {
  const paging = `<div class="paging"><button type="button" id="page-before">Previous page</button><span id="table-page" role="status"></span><button type="button" id="page-after">Next page</button></div>`;
  return `<section id="table" aria-label="Table of events" hidden>${paging}
<div class="scroll" tabindex="0" role="region" aria-label="Events"><table><caption>Events that the filter lets through</caption>
<thead><tr><th scope="col" class="number">Step</th><th scope="col" class="number">Time</th><th scope="col">Kind</th><th scope="col">Event</th><th scope="col">Panel</th></tr></thead>
<tbody id="table-rows"></tbody></table></div>
</section>`;
}

function panelHtml(): string {
  return `<section id="panel" tabindex="-1" aria-label="Selected event">
<h2 id="panel-title" aria-live="polite" aria-atomic="true">Reading the run</h2>
<div class="step"><button type="button" id="panel-before"><span aria-hidden="true">‹ </span>Previous<span class="visually-hidden"> event</span></button><button type="button" id="panel-after">Next<span class="visually-hidden"> event</span><span aria-hidden="true"> ›</span></button><span class="run-facts" id="panel-count"></span></div>
<div id="panel-body"></div>
</section>`;
}

const KEYS: readonly (readonly [keys: readonly string[], text: string])[] = [
  [['n', 'p'], 'next and previous event (of those that the filter lets through)'],
  [['f'], 'the failure'],
  [['←', '→'], 'earlier and later'],
  [['↑', '↓'], 'the nearest event on the lane above or below'],
  [['+', '-', '0'], 'zoom in, zoom out, the whole run'],
  [['Home', 'End'], 'first and last event'],
  [['/'], 'filter: words that must occur, -words that must not'],
  [['Enter', 'Esc'], 'to the panel, back to the drawing'],
  [['t'], 'drawing or table'],
];

function keysHtml(): string {
  const rows = KEYS.map(
    ([keys, text]) =>
      `<dt>${keys.map((key) => `<kbd>${escapeHtml(key)}</kbd>`).join(' ')}</dt><dd>${escapeHtml(text)}</dd>`,
  );
  return `<dialog id="keys" aria-labelledby="keys-title"><h2 id="keys-title">Keys</h2><dl>${rows.join('')}</dl>
<p>With the mouse: drag to move, wheel to zoom, Shift and wheel to move, click an event for its panel, click again for what lies below it. On a touch screen: drag, pinch, tap.</p>
<button type="button" id="keys-close">Close</button></dialog>`;
}
