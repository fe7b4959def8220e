/**
 * Saves a divergence under build/report/traces: the ITF trace, its sequence diagram and a regression test ready to be moved
 * to test/. The trace stays once fixed: move it to traces/<component>/, where `make test` replays it on the real code.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Divergence } from '../bisimulate/divergence.ts';
import { traceOfDivergence, writeItf } from '../replay/itf.ts';
import { mermaid } from '../replay/mermaid.ts';

/** Paths relative to the root. */
export interface SavedDivergence {
  readonly trace: string;
  readonly diagram: string;
  readonly test: string;
}

export function saveDivergence(root: string, component: string, cfg: string, divergence: Divergence): SavedDivergence {
  const itf = writeItf(traceOfDivergence(component, cfg, divergence));
  const hash = createHash('sha256').update(itf).digest('hex').slice(0, 8);
  const folder = join('build', 'report', 'traces', kebab(component));
  const stem = `${divergence.verdict}-${kebab(divergence.action)}-${hash}`;
  const saved = {
    trace: join(folder, `${stem}.itf.json`),
    diagram: join(folder, `${stem}.mmd`),
    test: join(folder, `${stem}.test.ts`),
  };
  mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, saved.trace), itf);
  writeFileSync(join(root, saved.diagram), mermaid(component, divergence));
  writeFileSync(join(root, saved.test), testText(component, stem, divergence));
  return saved;
}

/** An ITF trace of any other origin; its path relative to the root. */
export function saveTrace(root: string, component: string, why: string, itf: string): string {
  const folder = join('build', 'report', 'traces', kebab(component));
  const path = join(folder, `${why}-${createHash('sha256').update(itf).digest('hex').slice(0, 8)}.itf.json`);
  mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, path), itf);
  return path;
}

function testText(component: string, stem: string, divergence: Divergence): string {
  const goal = `${divergence.verdict}, ${divergence.label}: ${divergence.message}`
    .replace(/\*\//g, '* /')
    .replaceAll("'", '’');
  return `/** Goal: ${goal}. Method: the saved trace, replayed on the real code. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { components } from '../../../conformance/components/all.ts';
import { replayTrace } from '../../../conformance/replay/run-replay.ts';

test('${component}: ${goal}', () => {
  const { result } = replayTrace(readFileSync('traces/${kebab(component)}/${stem}.itf.json', 'utf8'), components);
  expect(result.failure).toBeUndefined();
});
`;
}

export function kebab(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase();
}
