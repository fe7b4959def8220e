/** Runs a bundle again and says what came of it: the same failure, another one, or none any more. Mirrors no spec module. */
import { type Bundle, isSameFailure, madeBy, type Run } from './bundle.ts';
import { BundleError } from './bundle-error.ts';
import type { Origin } from './origin.ts';
import type { RunResult } from './run-result.ts';

export type Verdict = 'same-history' | 'same-failure' | 'other-failure' | 'no-failure';

export interface Replayed {
  readonly verdict: Verdict;
  readonly result: RunResult;
  /** One sentence for a person. */
  readonly sentence: string;
  /** Why the two histories cannot be held against each other, or may not be: a warning as long as they are equal. */
  readonly doubt?: { readonly level: 'warning' | 'error'; readonly error: BundleError };
}

/** @param here the code that `run` is made of */
export function replayBundle(run: Run, bundle: Bundle, here: Origin): Replayed {
  const result = run(bundle.scenario);
  const verdict = verdictOf(bundle, result);
  const doubt = doubtOf(bundle, here, verdict);
  const sentence = sentenceOf(verdict, bundle, result);
  return { verdict, result, sentence, ...(doubt === undefined ? {} : { doubt }) };
}

function verdictOf({ failure, hash }: Bundle, result: RunResult): Verdict {
  if (result.failure === undefined) return 'no-failure';
  if (!isSameFailure(failure, result.failure)) return 'other-failure';
  return result.hash === hash ? 'same-history' : 'same-failure';
}

function sentenceOf(verdict: Verdict, { failure }: Bundle, result: RunResult): string {
  const was = `${failure.oracle}, ${failure.rule}`;
  const is = result.failure;
  const place = is === undefined ? '' : ` at step ${is.step}, ${is.atUs} us: ${is.message}`;
  switch (verdict) {
    case 'same-history':
      return `The same failure in the same history (${was})${place}`;
    case 'same-failure':
      return `The same failure in another history (${was})${place}`;
    case 'other-failure':
      return `Another failure: it was ${was}, and it is ${is?.oracle}, ${is?.rule}${place}`;
    case 'no-failure':
      return `No failure any more: it was ${was} at step ${failure.step}; ${result.steps} steps ran. Is it fixed?`;
  }
}

function doubtOf(bundle: Bundle, here: Origin, verdict: Verdict): Replayed['doubt'] {
  if (bundle.sources !== here.sources) {
    const checkout = bundle.commit === undefined ? 'that code' : bundle.commit;
    const error = new BundleError(
      'SIM_BUNDLE_OTHER_SOURCES',
      `The bundle was ${madeBy(bundle)}, by other code than this; check out ${checkout} to replay it exactly.`,
      {
        version: bundle.lockstep,
        commit: bundle.commit ?? null,
        sources: bundle.sources,
        versionHere: here.lockstep,
        sourcesHere: here.sources,
      },
    );
    return { level: verdict === 'same-history' ? 'warning' : 'error', error };
  }
  if (verdict === 'same-history') return undefined;
  const nodes = bundle.node === here.node ? `Node ${here.node}` : `Node ${bundle.node} then and ${here.node} now`;
  const error = new BundleError(
    'SIM_BUNDLE_NOT_REPEATED',
    `The same code gave another history than the bundle's (${nodes}): something beside seed and plan decides a run. ` +
      'Report it with the bundle: it is a fault of Lockstep.',
    { node: bundle.node, nodeHere: here.node, sources: bundle.sources },
  );
  return { level: 'error', error };
}
