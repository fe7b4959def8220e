/** A trace as a Mermaid sequence diagram: who acts, what is said. Participants are read off the labels: `Action(1, ...)` is replica 1. */
import type { Divergence } from '../bisimulate/divergence.ts';

export function mermaid(component: string, divergence: Divergence): string {
  const lines = ['sequenceDiagram', `  participant world as world`];
  const seen = new Set<string>();
  const actor = (label: string): string => {
    const index = /^\w+\((\d+)/.exec(label)?.[1];
    const name = index === undefined ? component : `${component}_${index}`;
    if (!seen.has(name)) {
      seen.add(name);
      lines.push(`  participant ${name}`);
    }
    return name;
  };
  for (const { event, label } of divergence.path) {
    if (event !== undefined) lines.push(`  world->>${actor(label)}: ${plain(label)}`);
  }
  const last = actor(divergence.label);
  lines.push(`  world-x${last}: ${plain(divergence.label)}`);
  lines.push(`  Note over ${last}: ${divergence.verdict}: ${plain(divergence.message)}`);
  return `${lines.join('\n')}\n`;
}

/** Mermaid ends a message at a semicolon or a hash. */
function plain(text: string): string {
  return text.replace(/[;#]/g, ',').replace(/\s+/g, ' ');
}
