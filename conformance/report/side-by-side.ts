/**
 * The table that the project is about: each action of the spec, the event of the machine, the guards that both have by one name
 * with how often each was true and false on the real code, and the edges that were executed. Decides nothing.
 */
import { definitionOf } from '../../machines/definition.ts';
import type { ComponentSpec } from '../../machines/spec-rule.ts';
import type { GuardCount } from '../bisimulate/divergence.ts';
import type { ComponentOutcome } from '../check/outcome.ts';
import type { Component } from '../component.ts';
import { type Cell, escapeHtml, grouped, type Html, mark, sum, tableHtml } from './html.ts';

/** @param spec undefined when it could not be read: then names stand without their places */
export function sideBySide(outcome: ComponentOutcome, component: Component, spec: ComponentSpec | undefined): string {
  const { name, models } = outcome;
  const actions = [...new Set(models.flatMap((model) => Object.keys(model.actions)))];
  const inOrder = spec === undefined ? actions : spec.actions.map((action) => action.name);
  const ordered = [
    ...inOrder.filter((action) => actions.includes(action)),
    ...actions.filter((one) => !inOrder.includes(one)),
  ];
  const edges = (action: string): number => sum(models.map((model) => model.actions[action] ?? 0));
  const most = Math.max(1, ...ordered.map(edges));
  const { transitions } = definitionOf(component.machine);
  const excused = (action: string, guard: string): boolean =>
    component.constantGuards?.[`${name}.${action}.${guard}`] !== undefined;
  const rows = ordered.map((action): Cell[] => {
    const rule = spec?.actions.find((each) => each.name === action);
    const own = transitions.filter(({ event }) => event === action);
    const moves = own.map(({ from, to }) => (from === to ? from : `${from} → ${to}`));
    const reason = component.outsideMachine?.[action];
    const guards = [...new Set(own.flatMap((transition) => transition.guards))];
    return [
      { html: `${escapeHtml(action)}${at(rule)}` },
      {
        html: `${moves.map(escapeHtml).join('<br>') || `<span class="soft">${escapeHtml(reason ?? 'no event')}</span>`}${own.length > 0 ? at(rule?.machine) : ''}`,
      },
      guardCells(guards.map((guard) => [guard, countOf(models, `${name}.${action}.${guard}`), excused(action, guard)])),
      {
        html: `${edges(action) === 0 ? mark(false, 0).html : grouped(edges(action))}${bar(edges(action), most)}`,
        isNumber: true,
      },
    ];
  });
  return tableHtml(
    `${name}: action of the spec, event of the machine, guards of both, edges on the code`,
    ['action of the spec', 'event of the machine', 'guards: true and false on the code', 'edges in all models'],
    rows,
  );
}

function countOf(models: ComponentOutcome['models'], rule: string): GuardCount {
  const counts = models.flatMap(({ bisimulation }) => bisimulation?.guards.get(rule) ?? []);
  return { holds: sum(counts.map(({ holds }) => holds)), fails: sum(counts.map(({ fails }) => fails)) };
}

function guardCells(guards: readonly (readonly [name: string, count: GuardCount, excused: boolean])[]): Html {
  if (guards.length === 0) return { html: '<span class="soft">none</span>' };
  const items = guards.map(
    ([guard, { holds, fails }, excused]) =>
      `<li>${escapeHtml(guard)}${outcome(holds, 'true', excused)}${outcome(fails, 'false', excused)}</li>`,
  );
  return { html: `<ul class="guards">${items.join('')}</ul>` };
}

/** A guard that was never true, or never false, has shown nothing; an excused one stands among the exceptions. */
function outcome(count: number, word: string, excused: boolean): string {
  if (count > 0) return `<span>${grouped(count)} ${word}</span>`;
  return excused ? `<span class="soft">never ${word}</span>` : `<span class="bad">✗ never ${word}</span>`;
}

function at(place: { readonly file: string; readonly line: number } | undefined): string {
  return place === undefined ? '' : `<span class="at mono">${escapeHtml(`${place.file}:${place.line}`)}</span>`;
}

/** Logarithmic: an action that is taken ten times is as important as one that is taken ten thousand times. */
function bar(value: number, most: number): string {
  const share = value === 0 ? 0 : Math.max(2, Math.round((100 * Math.log1p(value)) / Math.log1p(most)));
  return `<span class="bar" style="width:${share}%"></span>`;
}
