/**
 * A tool for the author of models: which bounds does each mutant of a component need? Lowers each constant of its model by one
 * and runs it. Prints the `needs` lines; with --write puts them into the mutant files.
 * `node --import tsx conformance/evidence/suggest-needs.ts Vsr [--write]`
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CheckContext } from '../check/check-model.ts';
import { components } from '../components/all.ts';
import { findTlc } from '../engines/find-tlc.ts';
import { inParallel } from '../mutants/in-parallel.ts';
import { cfgOf, readSpecMutants, specFolder } from '../mutants/spec-mutant.ts';
import { losesKill, sizeOf } from './bounds.ts';

const [wanted, write] = process.argv.slice(2);
const component = components.find(({ name }) => name.toLowerCase() === wanted?.toLowerCase());
const tlc = findTlc(undefined);
if (component === undefined || !('found' in tlc)) {
  process.stderr.write(`suggest-needs: ${'missing' in tlc ? tlc.missing : `no component ${wanted ?? ''}`}\n`);
  process.exit(2);
}
const root = process.cwd();
const context: CheckContext = { root, tlc: tlc.found, embedded: false, workers: 1 };
const folder = specFolder(root, component);
await inParallel(readSpecMutants(folder, component), 2, async (mutant) => {
  const cfg = readFileSync(join(folder, mutant.model), 'utf8');
  const needs: string[] = [];
  for (const [constant, value] of Object.entries(cfgOf(folder, mutant).constants)) {
    const size = sizeOf(value) ?? 0;
    if (size === 0 || constant in (component.boundsWithoutCanary ?? {})) continue;
    try {
      if (await losesKill(context, component, mutant, constant, cfg)) needs.push(`${constant} >= ${size}`);
    } catch {
      // The lowered model does not even start (an ASSUME): says nothing about the bound.
    }
  }
  const line = `needs = [${needs.map((need) => JSON.stringify(need)).join(', ')}]`;
  process.stdout.write(`${mutant.file}: ${line}\n`);
  if (write !== '--write' || needs.length === 0) return;
  const path = join(folder, 'mutants', mutant.file);
  const text = readFileSync(path, 'utf8').replace(/^needs = .*\n/m, '');
  writeFileSync(
    path,
    text.replace(/^killed_by = .*\n/m, (killedBy) => `${killedBy}${line}\n`),
  );
});
