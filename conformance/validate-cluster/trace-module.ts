/**
 * A merged run as a TLA+ module: each step names its action and its replica, and what that replica is after it. TLC takes
 * the spec's own action and holds the outcome against the record; the other replicas cannot change in it. The log is
 * compared by its length and its last value, which stands for everything before (HashOf).
 */
import type { RecordedState } from '../../impl/server/recorder.ts';
import type { SendingStep } from './crashes.ts';

export const TRACE_MODULE = 'LockstepClusterRun';
/** Marks in TLC's output. */
export const STEP_MARK = 'lockstep-step';
export const AFTER_MARK = 'lockstep-after';

/** One replica r of the spec as a record has it: to be held against stateText. */
export const OBSERVED = `LockstepObserved(r) == [
  status |-> status[r], view |-> view[r], viewDurable |-> viewDurable[r], logView |-> logView[r],
  logViewDurable |-> logViewDurable[r], op |-> Op(r), head |-> HashAt(r, Op(r)), opDurable |-> Len(logDurable[r]),
  headDurable |-> HashOf(logDurable[r], Len(logDurable[r])), commit |-> commit[r], commitDurable |-> commitDurable[r],
  acked |-> [q \\in 1..ReplicaCount |-> acked[r][q - 1]], startVotes |-> startVotes[r], changeVotes |-> changeVotes[r],
  target |-> target[r], reading |-> reading[r]]`;

/** Values of entries by hash, in the order of the requests: the spec numbers them so. */
export function entryValues(steps: readonly SendingStep[]): ReadonlyMap<string, number> {
  const values = new Map<string, number>([['0'.repeat(64), 0]]);
  for (const { action, after } of steps)
    if (action === 'ClientRequest' && !values.has(after.headHash)) values.set(after.headHash, values.size);
  return values;
}

export function traceModule(root: string, steps: readonly SendingStep[], values: ReadonlyMap<string, number>): string {
  const actions = [...new Set(steps.map(({ action }) => action))];
  const texts = steps.map(
    ({ action, replica, after }) =>
      `  [replica |-> ${replica}, action |-> ${actions.indexOf(action)}, after |-> ${stateText(after, values)}]`,
  );
  const taken = actions.map((action, index) => `            \\/ step.action = ${index} /\\ ${action}(step.replica)`);
  return `---- MODULE ${TRACE_MODULE} ----
EXTENDS ${root}, Integers, TLC
VARIABLE lockstepStep
LockstepSteps == <<
${texts.join(',\n')}
>>
${OBSERVED}
LockstepInit == Init /\\ lockstepStep = 0
LockstepNext ==
    /\\ lockstepStep < Len(LockstepSteps)
    /\\ \\E step \\in {LockstepSteps[lockstepStep + 1]} :
         /\\ lockstepStep' = lockstepStep + 1
         /\\ (
${taken.join('\n')}
            )
         /\\ PrintT(<<"${AFTER_MARK}", lockstepStep + 1, LockstepObserved(step.replica)'>>)
         /\\ LockstepObserved(step.replica)' = step.after
         /\\ PrintT(<<"${STEP_MARK}", lockstepStep + 1>>)
====
`;
}

/** The record of one replica in the spec's words; -1 for a hash that no request of the run has. */
export function stateText(state: RecordedState, values: ReadonlyMap<string, number>): string {
  return `[${Object.entries(stateFields(state, (hash) => values.get(hash) ?? -1))
    .map(([name, text]) => `${name} |-> ${text}`)
    .join(', ')}]`;
}

/** The same, field by field. @param numberOf the spec's number of a hash */
export function stateFields(
  state: RecordedState,
  numberOf: (hash: string) => number,
): Readonly<Record<string, string | number>> {
  const { target, reading } = state;
  const votes = state.changeVotes.map(
    ({ from, view, logView, op, hash, commit }) =>
      `[type |-> "DoViewChange", from |-> ${from}, view |-> ${view}, logView |-> ${logView}, op |-> ${op}, ` +
      `hash |-> ${numberOf(hash)}, commit |-> ${commit}]`,
  );
  return {
    status: `"${state.status}"`,
    view: state.view,
    viewDurable: state.viewDurable,
    logView: state.logView,
    logViewDurable: state.logViewDurable,
    op: state.op,
    head: numberOf(state.headHash),
    opDurable: state.opDurable,
    headDurable: numberOf(state.headHashDurable),
    commit: state.commit,
    commitDurable: state.commitDurable,
    acked: `<<${state.acked.join(', ')}>>`,
    startVotes: `{${state.startVotes.join(', ')}}`,
    changeVotes: `{${votes.join(', ')}}`,
    target: `[from |-> ${target.from}, op |-> ${target.op}, hash |-> ${numberOf(target.hash)}, commit |-> ${target.commit}, next |-> ${target.next}]`,
    reading: `[round |-> ${reading.round}, commit |-> ${reading.commit}, oks |-> {${reading.oks.join(', ')}}]`,
  };
}
