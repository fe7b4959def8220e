/**
 * What a check without TLC leaves unchecked, in words, a line a component: green says nothing about it. Empty where TLC ran.
 */
import type { CheckOutcome, ComponentOutcome, TraceNumbers } from '../check/outcome.ts';

export function notChecked({ engines, components }: CheckOutcome): readonly string[] {
  if (engines.length === 0 || engines.some(({ name }) => name === 'tlc')) return [];
  return components.map((component) => `${component.name}: ${partsOf(component).join('; ')}`);
}

function partsOf({ leftOut = {}, mutants, models, random, validation, liveness }: ComponentOutcome): readonly string[] {
  const left = Object.entries(leftOut).map(([cfg, why]) => `${cfg} (${why})`);
  const skipped = (mutants?.list ?? []).filter(({ verdict }) => verdict === 'skipped');
  return [
    ...(left.length === 0 ? [] : [`${left.length} of ${models.length + left.length} models: ${left.join(', ')}`]),
    ...(mutants === undefined ? ['all mutants'] : []),
    ...(skipped.length === 0 ? [] : [`${skipped.length} mutants: ${skipped.map(({ name }) => name).join(', ')}`]),
    ...(ranOrHasNone(random) ? [] : ['random deep traces']),
    ...(ranOrHasNone(validation) ? [] : ['validation of runs of the code']),
    ...(liveness.properties.length === 0 ? [] : ['that liveness needs its fairness']),
    'a second opinion on any count of states',
  ];
}

/** A component without any is ok with none. */
function ranOrHasNone(numbers: TraceNumbers | undefined): boolean {
  return numbers !== undefined && (numbers.traces > 0 || numbers.ok);
}
