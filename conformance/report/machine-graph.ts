/** The graph of a machine as inline SVG, laid out by Graphviz (WebAssembly, @viz-js/viz); colours come from the page's style. */
import { instance } from '@viz-js/viz';
import { definitionOf, type MachineDefinition } from '../../machines/definition.ts';
import type { Component } from '../component.ts';
import { escapeHtml } from './html.ts';

export async function machineGraph(machine: Component['machine']): Promise<string> {
  const definition = definitionOf(machine);
  const svg = (await instance()).renderString(dotOf(definition), { format: 'svg' });
  return svg
    .slice(svg.indexOf('<svg'))
    .replace(/ xmlns(?::xlink)?="[^"]*"/g, '')
    .replace(/<!--[\s\S]*?-->\s*/g, '')
    .replace(/ (?:fill|stroke)="(?:black|white)"/g, '')
    .replace(/<svg width="[^"]*" height="[^"]*"/, `<svg role="img" aria-label="${labelOf(definition)}"`)
    .trim();
}

function labelOf({ name, states, transitions }: MachineDefinition): string {
  return escapeHtml(
    `Machine ${name}: ${states.length} states, ${transitions.length} transitions; the table below lists them`,
  );
}

/** One arrow for each pair of states, its label the events that take it. */
function dotOf({ name, initial, states, transitions }: MachineDefinition): string {
  const arrows = new Map<string, string[]>();
  for (const { from, to, event } of transitions) {
    const key = `${quoted(from)} -> ${quoted(to)}`;
    arrows.set(key, [...(arrows.get(key) ?? []), event]);
  }
  return [
    `digraph ${quoted(name)} {`,
    '  bgcolor="transparent"; rankdir=LR; nodesep=0.5;',
    '  node [shape=box, style=rounded, fontname="sans-serif", fontsize=13];',
    '  edge [fontname="sans-serif", fontsize=10];',
    '  " " [shape=point];',
    `  " " -> ${quoted(initial)};`,
    ...states.map((state) => `  ${quoted(state)};`),
    ...[...arrows].map(([arrow, events]) => `  ${arrow} [label="${events.map((event) => `${event}\\l`).join('')}"];`),
    '}',
  ].join('\n');
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
