/** A machine's definition for other tools: Mermaid's state diagram and SCXML (W3C). Mirrors no spec module. Pure. */
import type { MachineDefinition, TransitionDefinition } from '../../machines/definition.ts';

export function mermaidOf({ initial, states, transitions }: MachineDefinition): string {
  const idOf = (state: string): string => state.replaceAll(/\W/g, '_');
  const lines = ['stateDiagram-v2'];
  for (const state of states) lines.push(`  state "${state}" as ${idOf(state)}`);
  lines.push(`  [*] --> ${idOf(initial)}`);
  for (const { from, to, event, guards } of transitions)
    lines.push(`  ${idOf(from)} --> ${idOf(to)} : ${event}${guards.length > 0 ? ` [${guards.join(' and ')}]` : ''}`);
  return `${lines.join('\n')}\n`;
}

export function scxmlOf({ name, initial, states, transitions }: MachineDefinition): string {
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<scxml xmlns="http://www.w3.org/2005/07/scxml" version="1.0" name="${xml(name)}" initial="${xml(initial)}">`,
  ];
  for (const state of states) {
    lines.push(`  <state id="${xml(state)}">`);
    for (const transition of transitions.filter(({ from }) => from === state)) lines.push(...transitionXml(transition));
    lines.push('  </state>');
  }
  return `${[...lines, '</scxml>'].join('\n')}\n`;
}

/** Guards and effects by name: a reader of SCXML has no TypeScript. */
function transitionXml({ event, guards, from, to, actions }: TransitionDefinition): string[] {
  const cond = guards.length > 0 ? ` cond="${xml(guards.join(' && '))}"` : '';
  const target = to === from ? '' : ` target="${xml(to)}"`;
  const head = `    <transition event="${xml(event)}"${cond}${target}`;
  if (actions.length === 0) return [`${head}/>`];
  return [`${head}>`, ...actions.map((action) => `      <raise event="${xml(action)}"/>`), '    </transition>'];
}

function xml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
