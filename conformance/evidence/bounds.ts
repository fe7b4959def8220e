/**
 * Every bound of a small model is justified by the canary that is lost when the bound is one smaller: a mutant says
 * `needs = ["MaxView >= 2"]`. That it says so is checked always, that it is true with --deep: the bound is lowered by one
 * (a set loses each of its elements in turn), and the mutant must survive.
 */
import type { CheckContext } from '../check/check-model.ts';
import type { Component } from '../component.ts';
import type { Constants } from '../driver.ts';
import { runSpecMutant } from '../mutants/run-spec-mutant.ts';
import type { Need, SpecMutant } from '../mutants/spec-mutant.ts';
import type { TlaValue } from '../values/tla-value.ts';

/** An integer's value, a set's number of elements; undefined for what is no bound (names, booleans, tuples). */
export function sizeOf(value: TlaValue | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d+$/.test(value.text)) return Number(value.text);
  return elementsOf(value.text)?.length;
}

function elementsOf(text: string): readonly string[] | undefined {
  const inner = /^\{([^{}<>[\]]*)\}$/.exec(text)?.[1];
  return inner
    ?.split(',')
    .map((element) => element.trim())
    .filter(Boolean);
}

/** The largest size of each constant over the models; one that is 0 everywhere switches something off and bounds nothing. */
export function boundsOf(models: readonly Constants[]): ReadonlyMap<string, number> {
  const bounds = new Map<string, number>();
  for (const constants of models)
    for (const [name, value] of Object.entries(constants)) {
      const size = sizeOf(value);
      if (size !== undefined && size > (bounds.get(name) ?? 0)) bounds.set(name, size);
    }
  return bounds;
}

/** One sentence for each bound without a canary, and for each exception that is none. */
export function unjustifiedBounds(
  component: Component,
  models: readonly Constants[],
  mutants: readonly SpecMutant[],
): readonly string[] {
  const bounds = boundsOf(models);
  const excused = component.boundsWithoutCanary ?? {};
  const said: string[] = [];
  for (const [constant, size] of bounds) {
    if (constant in excused) continue;
    const needs = mutants.flatMap((mutant) => mutant.needs).filter((need) => need.constant === constant);
    if (needs.some(({ atLeast }) => atLeast >= size)) continue;
    said.push(
      `${constant} goes up to ${size}, and no mutant says needs = ["${constant} >= ${size}"]: lower it, find the mutant (npx tsx conformance/evidence/suggest-needs.ts ${component.name}), or give the reason in boundsWithoutCanary`,
    );
  }
  for (const [constant, reason] of Object.entries(excused)) {
    if (reason.trim() === '') said.push(`boundsWithoutCanary lists ${constant} without a reason`);
    else if (!bounds.has(constant)) said.push(`boundsWithoutCanary lists ${constant}, which bounds no small model`);
  }
  return said;
}

/** The texts of the cfg with a constant one smaller; empty when it is 0 or not there. */
export function loweredCfgs(cfg: string, constant: string): readonly string[] {
  const match = new RegExp(`^([ \\t]*(?:CONSTANTS?[ \\t]+)?${constant}[ \\t]*=[ \\t]*)(\\d+|\\{[^}]*\\})`, 'm').exec(
    cfg,
  );
  if (match === null) return [];
  const [whole = '', head = '', value = ''] = match;
  const withValue = (lowered: string): string => cfg.replace(whole, () => `${head}${lowered}`);
  const elements = elementsOf(value);
  if (elements !== undefined)
    return elements.map((_, at) => withValue(`{${elements.filter((_, other) => other !== at).join(', ')}}`));
  return Number(value) > 0 ? [withValue(String(Number(value) - 1))] : [];
}

/** Whether the mutant is killed no more once the constant of its model is one smaller (each element of a set taken away). */
export async function losesKill(
  context: CheckContext,
  component: Component,
  mutant: SpecMutant,
  constant: string,
  cfg: string,
): Promise<boolean> {
  const lowered = loweredCfgs(cfg, constant);
  for (const text of lowered) {
    const { verdict } = await runSpecMutant(context, component, mutant, () => text);
    if (verdict !== 'survived') return false;
  }
  return lowered.length > 0;
}

/** A need is about its model as it stands: `MaxView >= 2` in a model with MaxView = 3 is a bound that could be lowered. */
export function misfit(need: Need, constants: Constants, mutant: SpecMutant): string | undefined {
  const size = sizeOf(constants[need.constant]);
  if (size === need.atLeast) return undefined;
  return `${mutant.file} says ${need.constant} >= ${need.atLeast}, and ${mutant.model} has ${size ?? 'no such bound'}: both must be equal, so that lowering the model by one can show it`;
}
