/** The mirror check as a column of `make check`: also an action of Next that every model leaves out is vacuous. */
import type { Stage } from '../check/check-component.ts';
import type { MirrorNumbers, Problem } from '../check/outcome.ts';
import { SpecSyntaxError } from '../spec-parser/syntax.ts';
import type { MirrorResult } from './finding.ts';
import { mirror } from './mirror.ts';

export const mirrorStage: Stage<MirrorNumbers> = async ({ context, component }) => {
  let result: MirrorResult;
  try {
    result = await mirror(context.root, component);
  } catch (cause) {
    if (!(cause instanceof SpecSyntaxError)) throw cause;
    const problem: Problem = { code: 'parse', component: component.name, message: cause.message };
    return { numbers: { actions: 0, guards: 0, invariants: 0, outside: {}, ok: false }, problems: [problem] };
  }
  const { actions, guards, invariants, outside, findings } = result;
  const problems = findings.map(
    ({ kind, message, action }): Problem => ({
      code: 'mirror',
      component: component.name,
      action,
      message: `${kind}: ${message}`,
    }),
  );
  if (actions === 0 && problems.length === 0)
    problems.push({ code: 'mirror', component: component.name, message: 'there is no action: nothing is compared' });
  return { numbers: { actions, guards, invariants, outside, ok: problems.length === 0 }, problems };
};
