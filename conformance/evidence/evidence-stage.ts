/**
 * No green without evidence, once the mutants have run: an invariant or property that no mutant breaks, a bound that no
 * canary justifies, an exception without a reason. Guards and actions are judged before, in vacuity.ts.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EvidenceStage, StageInput } from '../check/check-component.ts';
import type { MutantNumbers, Problem, ProblemCode } from '../check/outcome.ts';
import { parseCfg } from '../engines/cfg.ts';
import { cfgOf, readSpecMutants, type SpecMutant, specFolder } from '../mutants/spec-mutant.ts';
import { losesKill, misfit, unjustifiedBounds } from './bounds.ts';

export const evidenceStage: EvidenceStage = async (input, numbers) => {
  const { context, component, models } = input;
  const problems: Problem[] = [];
  const add = (code: ProblemCode, message: string, cfg?: string): void =>
    void problems.push({ code, component: component.name, ...(cfg === undefined ? {} : { cfg }), message });
  const folder = specFolder(context.root, component);
  const mutants = readSpecMutants(folder, component);

  for (const [variable, reason] of Object.entries(component.abstracted)) {
    if (reason.trim() === '') add('variable-not-compared', `abstracted lists ${variable} without a reason`);
    const known = [...input.graphs.values()].some(({ variables }) => variables.includes(variable));
    if (!known) add('exception-stale', `abstracted lists ${variable}, which is no variable of the spec`);
  }
  judgeRules(input, mutants, numbers, add);
  const small = component.models.filter(({ kind }) => kind === 'small');
  const constants = small.map(({ cfg }) => parseCfg(readFileSync(join(folder, cfg), 'utf8')).constants);
  for (const message of unjustifiedBounds(component, constants, mutants)) add('bound-unjustified', message);
  for (const mutant of mutants)
    for (const need of mutant.needs) {
      const wrong = misfit(need, cfgOf(folder, mutant).constants, mutant);
      if (wrong !== undefined) add('bound-unjustified', wrong, mutant.model);
    }
  if (!input.deep || problems.length > 0 || models.length === 0) return problems;
  for (const mutant of mutants)
    for (const { constant } of mutant.needs) {
      context.progress?.(component.name, `${mutant.model} with ${constant} lowered`);
      const cfg = readFileSync(join(folder, mutant.model), 'utf8');
      if (await losesKill(context, component, mutant, constant, cfg)) continue;
      add(
        'bound-unjustified',
        `${mutant.file} is killed with ${constant} one smaller too: it needs less`,
        mutant.model,
      );
    }
  return problems;
};

/** An invariant that compares a thing with itself passes for ever: each must have been broken by a mutant. */
function judgeRules(
  { component, models }: StageInput,
  mutants: readonly SpecMutant[],
  { list }: MutantNumbers,
  add: (code: ProblemCode, message: string) => void,
): void {
  const skipped = new Set(list.filter(({ verdict }) => verdict === 'skipped').map(({ name }) => name));
  const broken = new Set(list.flatMap(({ side, killedBy }) => (side === 'spec' ? (killedBy ?? []) : [])));
  for (const { name, killedBy } of mutants) if (skipped.has(name)) broken.add(killedBy);
  const excused = component.unbreakable ?? {};
  const rules = new Set(models.flatMap(({ invariants, properties }) => [...invariants, ...properties]));
  for (const rule of rules) {
    if (broken.has(rule) || rule in excused) continue;
    add('unkilled-invariant', `no mutant breaks ${rule}: it may say nothing. Break a rule that only ${rule} catches`);
  }
  for (const [rule, reason] of Object.entries(excused)) {
    if (reason.trim() === '') add('exception-stale', `unbreakable lists ${rule} without a reason`);
    else if (!rules.has(rule)) add('exception-stale', `unbreakable lists ${rule}, which no model checks`);
    else if (broken.has(rule)) add('exception-stale', `unbreakable lists ${rule}, and a mutant breaks it: take it off`);
  }
}
