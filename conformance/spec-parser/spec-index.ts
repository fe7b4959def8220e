/**
 * What the explanations (impl/dx) show of a spec: each action, guard, definition and invariant with its TLA+ text, comment
 * and place. impl/ must not import conformance/, so this is written into a file of impl/dx (write-index.ts).
 */
import type { ComponentSpec, SpecRule } from '../../machines/spec-rule.ts';
import type { MachinePlaces } from './machine-places.ts';
import { parseSpec } from './parse-spec.ts';
import type { Definition } from './spec-module.ts';

/** @param file path from the root of the repository. @param invariants names, from the cfgs. */
export async function indexSpec(
  file: string,
  invariants: readonly string[],
  places: MachinePlaces = { of: () => undefined },
): Promise<ComponentSpec> {
  const spec = await parseSpec(file);
  const folder = file.slice(0, file.lastIndexOf('/') + 1);
  const ruleOf = ({ name, parameters, body, comment, line, module }: Definition): SpecRule => {
    const head = parameters.length === 0 ? name : `${name}(${parameters.join(', ')})`;
    const machine = places.of(name);
    const rule = { name, comment, text: `${head} == ${body}`, file: `${folder}${module}.tla`, line };
    return machine === undefined ? rule : { ...rule, machine };
  };
  const defined = (names: Iterable<string>): SpecRule[] =>
    [...names].flatMap((name) => {
      const definition = spec.definitions.get(name);
      return definition === undefined ? [] : [ruleOf(definition)];
    });
  const guards = new Set(
    spec.actions.flatMap(({ conjuncts }) => conjuncts.flatMap(({ kind, name }) => (kind === 'guard' ? [name] : []))),
  );
  const actions = spec.actions.map(({ name, conjuncts }) => ({
    ...(defined([name])[0] as SpecRule),
    guards: conjuncts.flatMap((conjunct) => (conjunct.kind === 'guard' ? [conjunct.name] : [])),
  }));
  const named = new Set([...actions.map(({ name }) => name), ...guards, ...invariants]);
  const commented = [...spec.definitions.values()].filter(({ name, comment }) => comment !== '' && !named.has(name));
  return {
    name: spec.name,
    file,
    statuses: spec.statuses,
    actions,
    guards: defined(guards),
    invariants: defined(invariants).sort((a, b) => a.line - b.line),
    definitions: commented.map(ruleOf),
  };
}
