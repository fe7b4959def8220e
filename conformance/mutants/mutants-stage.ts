/**
 * The mutants column of `make check`: every broken rule of the spec must be caught by the invariant or property that it
 * names, every fault in the code by the walk of the graph. A survivor fails the check by name.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Stage } from '../check/check-component.ts';
import type { MutantNumbers, MutantOutcome, Problem } from '../check/outcome.ts';
import { inParallel } from './in-parallel.ts';
import { runFault } from './run-fault.ts';
import { runSpecMutant } from './run-spec-mutant.ts';
import { MutantError, readSpecMutants, specFolder } from './spec-mutant.ts';

/** Runs of TLC at once, one worker each: more would only take the memory of a small machine. */
const AT_ONCE_MAX = 2;

export const mutantsStage: Stage<MutantNumbers> = async (input) => {
  const { context, component } = input;
  const problems: Problem[] = [];
  const list: MutantOutcome[] = [];
  const add = (code: Problem['code'], message: string, cfg?: string): void =>
    void problems.push({ code, component: component.name, ...(cfg === undefined ? {} : { cfg }), message });
  try {
    const mutants = readSpecMutants(specFolder(context.root, component), component);
    let done = 0;
    // TLC runs in processes of its own, the faults here: both at once.
    const broken = inParallel(mutants, context.tlc === undefined ? 1 : AT_ONCE_MAX, async (mutant) => {
      const outcome = await runSpecMutant(context, component, mutant);
      context.progress?.(component.name, `${++done} of ${mutants.length} mutants of the spec`);
      return outcome;
    });
    broken.catch(() => {}); // it is awaited later, and may fail before
    const faults: MutantOutcome[] = [];
    for (const fault of component.faults) {
      context.progress?.(component.name, `fault ${fault.name}`);
      faults.push(runFault(input, fault).outcome);
      await nextTurn();
    }
    list.push(...(await broken), ...faults);
  } catch (cause) {
    if (!(cause instanceof MutantError)) throw cause;
    add('config', cause.message);
  }
  for (const { side, name, rule, cfg, note, verdict } of list) {
    if (verdict !== 'survived') continue;
    if (side === 'spec') add('mutant-survives', `mutant ${name} (${rule}) survives: ${note ?? ''}`, cfg);
    else add('fault-survives', `fault ${name} (${rule}) survives: ${note ?? ''}`);
  }
  return { numbers: { ...numbersOf(list), list }, problems };
};

function numbersOf(list: readonly MutantOutcome[]): Pick<MutantNumbers, 'spec' | 'impl'> {
  const count = (side: MutantOutcome['side']): { killed: number; total: number } => {
    const ran = list.filter((mutant) => mutant.side === side && mutant.verdict !== 'skipped');
    return { killed: ran.filter(({ verdict }) => verdict === 'killed').length, total: ran.length };
  };
  return { spec: count('spec'), impl: count('impl') };
}
