/**
 * What a single model may lack and all of them together may not: an action never taken, an alphabet without an action, a guard
 * that is constant in the whole graph. A component may name an exception with its reason; one that is none any more is stale.
 */
import type { GuardCount } from '../bisimulate/divergence.ts';
import type { ModelOutcome, Problem, ProblemCode } from '../check/outcome.ts';
import type { Component } from '../component.ts';

/** @param clean whether every walk was complete: of an incomplete one nothing is said about guards. */
export function judgeTogether(
  component: Component,
  models: readonly ModelOutcome[],
  clean: boolean,
): readonly Problem[] {
  const problems: Problem[] = [];
  const add = (code: ProblemCode, message: string, action?: string): void =>
    void problems.push({ code, component: component.name, action, message });
  const taken = new Map<string, number>();
  for (const model of models)
    for (const [action, count] of Object.entries(model.actions)) taken.set(action, (taken.get(action) ?? 0) + count);
  const blocked = clean ? blockedActions(models) : new Set<string>();
  for (const [action, count] of taken)
    if (count === 0 && !blocked.has(action))
      add('vacuous-action', `action ${action} is never taken in any model`, action);
  const walked = models.flatMap((model) => model.bisimulation ?? []).filter(({ states }) => states > 0);
  if (walked.length === 0) return problems;
  for (const action of replayedActions(models)) {
    if (walked.some(({ offered }) => offered.has(action))) continue;
    const message = `the driver's alphabet never holds ${action} (${component.sources.driver})`;
    add('alphabet-lacks-action', message, action);
  }
  if (clean) judgeGuards(component, models, add);
  return problems;
}

/** Actions with a conjunct that is never true: that names the cause better than that the action is never taken. */
function blockedActions(models: readonly ModelOutcome[]): ReadonlySet<string> {
  const never = [...sumGuards(models)].filter(([rule, { holds }]) => holds === 0 && !rule.endsWith('.status'));
  return new Set(never.map(([rule]) => rule.split('.')[1] ?? ''));
}

/** Actions of the models that the code walks: an action of a wrapper that only a live model has is none of the driver's. */
function replayedActions(models: readonly ModelOutcome[]): ReadonlySet<string> {
  const replayed = models.filter(({ bisimulation }) => bisimulation !== undefined);
  return new Set(replayed.flatMap(({ actions }) => Object.keys(actions)));
}

function judgeGuards(
  component: Component,
  models: readonly ModelOutcome[],
  add: (code: ProblemCode, message: string) => void,
): void {
  const excused = component.constantGuards ?? {};
  const guards = sumGuards(models);
  for (const [rule, count] of guards) {
    if (rule.endsWith('.status') || rule in excused) continue;
    if (count.fails === 0) add('guard-never-false', `${rule} is never false: no model shows what it forbids`);
    if (count.holds === 0) add('guard-never-true', `${rule} is never true: no model shows what it allows`);
  }
  for (const [rule, reason] of Object.entries(excused)) {
    const count = guards.get(rule);
    if (reason.trim() === '') add('exception-stale', `constantGuards lists ${rule} without a reason`);
    else if (count === undefined) add('exception-stale', `constantGuards lists ${rule}, which is no guard here`);
    else if (count.fails > 0 && count.holds > 0)
      add('exception-stale', `constantGuards lists ${rule}, which is not constant any more: take it off the list`);
  }
}

/** An action that the alphabet never offers is missing at every state: one problem says so, not one a state. */
export function dropConsequences(problems: Problem[], causes: readonly Problem[]): void {
  const absent = new Set(causes.filter(({ code }) => code === 'alphabet-lacks-action').map(({ action }) => action));
  const kept = problems.filter(({ code, divergence }) => code !== 'missing' || !absent.has(divergence?.action));
  problems.splice(0, problems.length, ...kept);
}

export function sumGuards(models: readonly ModelOutcome[]): ReadonlyMap<string, GuardCount> {
  const sum = new Map<string, GuardCount>();
  for (const model of models) {
    for (const [rule, count] of model.bisimulation?.guards ?? []) {
      const known = sum.get(rule) ?? { holds: 0, fails: 0 };
      sum.set(rule, { holds: known.holds + count.holds, fails: known.fails + count.fails });
    }
  }
  return sum;
}
