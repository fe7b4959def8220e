/**
 * The mirror check: does the same thing stand three times, in spec, machine and driver, under the same names?
 * Static: it runs nothing. Names alone prove nothing; they make the three readable side by side and the explanations true.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Component } from '../component.ts';
import { parseCfg } from '../engines/cfg.ts';
import { parseSpec } from '../spec-parser/parse-spec.ts';
import type { MirrorFinding, MirrorResult } from './finding.ts';
import { mirrorMachine } from './mirror-machine.ts';
import { restatedConstants } from './restated-constants.ts';

/** @param root folder that the component's sources are relative to. */
export async function mirror(root: string, component: Component): Promise<MirrorResult> {
  const file = component.sources.spec;
  const spec = { ...(await parseSpec(join(root, file))), file };
  const machine = mirrorMachine(spec, component.machine, component.outsideMachine);
  const folder = join(root, dirname(file));
  const invariants = compareInvariants(component, folder);
  const constants = new Set(spec.constants.map(({ name }) => name));
  for (const module of new Set(component.models.map((model) => model.module))) {
    const path = join(folder, `${module}.tla`);
    if (module === spec.name || !existsSync(path)) continue;
    for (const { name } of (await parseSpec(path)).constants) constants.add(name);
  }
  const sources = new Set([component.sources.machine, component.sources.driver]);
  const restated = [...sources].flatMap((source) =>
    restatedConstants([...constants], readFileSync(join(root, source), 'utf8'), source),
  );
  return {
    actions: machine.actions,
    guards: machine.guards,
    invariants: invariants.count,
    outside: component.outsideMachine ?? {},
    findings: [...machine.findings, ...invariants.findings, ...restated],
  };
}

function compareInvariants(
  component: Component,
  folder: string,
): { count: number; findings: readonly MirrorFinding[] } {
  const inCfgs = new Map<string, string>();
  for (const { cfg } of component.models)
    for (const name of parseCfg(readFileSync(join(folder, cfg), 'utf8')).invariants)
      if (!inCfgs.has(name)) inCfgs.set(name, cfg);
  const predicates = Object.keys(component.driver.invariants ?? {});
  const findings: MirrorFinding[] = [];
  for (const [name, cfg] of inCfgs) {
    if (predicates.includes(name)) continue;
    const message = `${cfg} checks ${name}, and ${component.sources.driver} has no predicate of that name`;
    findings.push({ kind: 'invariant-without-predicate', message });
  }
  for (const name of predicates) {
    if (inCfgs.has(name)) continue;
    const message = `${component.sources.driver} has the predicate ${name}, and no cfg checks it`;
    findings.push({ kind: 'predicate-without-invariant', message });
  }
  return { count: predicates.filter((name) => inCfgs.has(name)).length, findings };
}
