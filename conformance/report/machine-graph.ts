/**
 * The statechart of a machine as inline SVG, laid out by Graphviz (WebAssembly, @viz-js/viz): each state lists the events that it
 * takes without leaving, each arrow the events that lead elsewhere. Colours and font come from the page's style.
 */
import { instance } from '@viz-js/viz';
import { definitionOf, type MachineDefinition, type TransitionDefinition } from '../../machines/definition.ts';
import type { Component } from '../component.ts';
import { escapeHtml } from './html.ts';

/** Graphviz knows the width of a monospaced letter exactly, so labels fit whatever font the reader has. */
const FONT = 'Courier New';
const EVENT_POINTS = 11;
/** Events in one column of a state; longer lists get a second. */
const COLUMN_EVENTS_MAX = 12;

export async function machineGraph(machine: Component['machine']): Promise<string> {
  const definition = definitionOf(machine);
  const svg = (await instance()).renderString(dotOf(definition), { format: 'svg' });
  return svg
    .slice(svg.indexOf('<svg'))
    .replace(/ xmlns(?::xlink)?="[^"]*"/g, '')
    .replace(/<!--[\s\S]*?-->\s*/g, '')
    .replace(/ (?:fill|stroke)="(?:black|white|none)"/g, '')
    .replace(/ font-family="[^"]*"/g, '')
    .replace(/<title>[^<]*<\/title>\s*/g, '')
    .replace(/<svg width="([^"]*)" height="[^"]*"/, `<svg role="img" aria-label="${labelOf(definition)}" width="$1"`)
    .trim();
}

function labelOf({ name, states, transitions }: MachineDefinition): string {
  return escapeHtml(
    `Machine ${name}: ${states.length} states, ${transitions.length} transitions; the table of transitions lists them`,
  );
}

/** One arrow for each pair of states, its label the events that take it. */
function dotOf({ name, initial, states, transitions }: MachineDefinition): string {
  const arrows = new Map<string, string[]>();
  for (const { from, to, event } of transitions.filter((transition) => transition.from !== transition.to)) {
    const key = `${quoted(from)} -> ${quoted(to)}`;
    arrows.set(key, [...(arrows.get(key) ?? []), event]);
  }
  return [
    `digraph ${quoted(name)} {`,
    '  bgcolor="transparent"; rankdir=LR; nodesep=0.6; ranksep=0.7;',
    `  node [shape=box, style=rounded, fontname="${FONT}", fontsize=${EVENT_POINTS}, margin=0.08];`,
    `  edge [fontname="${FONT}", fontsize=${EVENT_POINTS}, arrowsize=0.8];`,
    '  " " [shape=point];',
    `  " " -> ${quoted(initial)};`,
    ...states.map((state) => `  ${quoted(state)} [label=<${stateLabel(state, transitions)}>];`),
    ...[...arrows].map(([arrow, events]) => `  ${arrow} [label="${events.map((event) => `${event}\\l`).join('')}"];`),
    '}',
  ].join('\n');
}

function stateLabel(state: string, transitions: readonly TransitionDefinition[]): string {
  const own = transitions.filter(({ from, to }) => from === state && to === state).map(({ event }) => event);
  const title = `<TR><TD ALIGN="LEFT"><B><FONT POINT-SIZE="14">${escapeHtml(state)}</FONT></B></TD></TR>`;
  if (own.length === 0) return `<TABLE BORDER="0" CELLSPACING="0">${title}</TABLE>`;
  const columns = Math.ceil(own.length / COLUMN_EVENTS_MAX);
  const length = Math.ceil(own.length / columns);
  const rows = Array.from({ length }, (_, row) =>
    Array.from({ length: columns }, (_, column) => cell(own[column * length + row] ?? '')).join(''),
  );
  const head = title.replace('ALIGN="LEFT"', `ALIGN="LEFT" COLSPAN="${columns}"`);
  return `<TABLE BORDER="0" CELLSPACING="2" CELLPADDING="1">${head}<HR/>${rows.map((row) => `<TR>${row}</TR>`).join('')}</TABLE>`;
}

function cell(event: string): string {
  return `<TD ALIGN="LEFT">${escapeHtml(event)}  </TD>`;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
