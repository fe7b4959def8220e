/**
 * Runs as one TLA+ module: each row names a replica, its action, the message it takes, what of the replica it changes, and the
 * message it sends, if anybody takes that. TLC takes the spec's own action and holds the outcome against the record. Made so that a step costs the same wherever in a run
 * it stands: only what a step changes is written down; messages that nobody takes any more are forgotten (fewer messages allow
 * fewer steps, never more, so what is allowed without them is allowed with them); TLC knows a state by run and row, since
 * record and message leave the spec one successor; long runs are asked the invariants now and then (LockstepIsAsked).
 */

import { OBSERVED, stateFields } from '../../validate-cluster/trace-module.ts';
import type { TlaValue } from '../../values/tla-value.ts';
import { type RunStep, WRITEBACK } from './run-steps.ts';
import type { SpecValues } from './spec-values.ts';

export const JUDGE_MODULE = 'LockstepSimulatedRuns';
/** Marks in TLC's output; run and row from 1 follow. */
export const MARKS = {
  /** The row was taken. */
  taken: 'lockstep-taken',
  /** The message that the step takes was not sent. */
  unsent: 'lockstep-unsent',
  /** The action is allowed and ends elsewhere: what the spec has after it. */
  after: 'lockstep-after',
  /** An invariant does not hold after the row; its name follows. */
  broken: 'lockstep-broken',
} as const;

/** Rows in one definition: a long sequence is slow to parse. */
const CHUNK_ROWS = 200;
/** Between two times that messages are forgotten: rarely costs a search among more messages, often costs rows. */
const FORGET_STEPS = 32;
/** Runs of up to so many rows are asked the invariants after every row, longer ones after every so many and after the last. */
const ALWAYS_ASKED_ROWS_MAX = 500;
const ASKED_ROWS = 50;

export interface ModuleRun {
  readonly steps: readonly RunStep[];
  readonly values: SpecValues;
}

/** A row is a step of the run by its index, or undefined where messages are forgotten. */
export type Rows = readonly (number | undefined)[];

interface RunText {
  readonly text: string;
  readonly rows: Rows;
}

/** @param root the module that has the spec's actions; @param invariants their names in it */
export function judgeModule(
  root: string,
  runs: readonly ModuleRun[],
  invariants: readonly string[],
): { readonly text: string; readonly rows: readonly Rows[] } {
  const actions = [...new Set(runs.flatMap(({ steps }) => steps.map(({ action }) => action)))].toSorted();
  const numbers = new Map(actions.map((action, index) => [action, index]));
  const texts = runs.map((run, index) => runText(index + 1, run, numbers));
  const all = (name: string): string => `${name} == <<${runs.map((_, index) => `${name}${index + 1}`).join(', ')}>>`;
  const taken = actions.map((action, index) => `       \\/ row[2] = ${index} /\\ ${actionText(action)}`);
  const holds = invariants.map(
    (name) => `    /\\ ${name} \\/ PrintT(<<"${MARKS.broken}", lockstepRun, lockstepRow, "${name}">>)`,
  );
  const text = `---- MODULE ${JUDGE_MODULE} ----
EXTENDS ${root}, Integers, TLC
VARIABLES lockstepRun, lockstepRow
${texts.map((run) => run.text).join('\n')}
LockstepLengths == <<${texts.map(({ rows }) => rows.length).join(', ')}>>
${all('LockstepRows')}
${all('LockstepMessages')}
LockstepRowAt(n) == LockstepRows[lockstepRun][((n - 1) \\div ${CHUNK_ROWS}) + 1][((n - 1) % ${CHUNK_ROWS}) + 1]
${OBSERVED}
LockstepKept == UNCHANGED <<status, view, logView, log, commit, acked, target, crashes>> /\\ UNCHANGED superblockVars
                /\\ UNCHANGED voteVars /\\ UNCHANGED clientVars
\\* Not of the spec: the disk writes the log back up to op n; below that log and logDurable are already one.
LockstepWriteback(r, n) ==
    /\\ status[r] \\in {"normal", "view-change"}
    /\\ n <= Op(r)
    /\\ \\A k \\in 1..Minimum(Len(logDurable[r]), Op(r)) : k <= n \\/ logDurable[r][k] # log[r][k]
    /\\ logDurable' = [logDurable EXCEPT ![r] = SubSeq(log[r], 1, n)]
    /\\ LockstepKept
    /\\ UNCHANGED messages
\\* Not of the spec: of the messages only those stay that are taken later.
LockstepForget(taken) ==
    /\\ messages' = messages \\cap {LockstepMessages[lockstepRun][i] : i \\in taken}
    /\\ LockstepKept
    /\\ UNCHANGED logDurable
LockstepAct(row) ==
    /\\ IF row[3] = 0 \\/ LockstepMessages[lockstepRun][row[3]] \\in messages THEN TRUE
       ELSE PrintT(<<"${MARKS.unsent}", lockstepRun, lockstepRow + 1>>) /\\ FALSE
    /\\ (
${taken.join('\n')}
       )
    /\\ LET before == LockstepObserved(row[1])
           after  == LockstepObserved(row[1])'
       IN IF \\A name \\in DOMAIN after : after[name] = IF name \\in DOMAIN row[4] THEN row[4][name] ELSE before[name]
          THEN TRUE
          ELSE PrintT(<<"${MARKS.after}", lockstepRun, lockstepRow + 1, after>>) /\\ FALSE
    /\\ row[5] = 0 \\/ LockstepMessages[lockstepRun][row[5]] \\in messages'
LockstepInit == Init /\\ lockstepRun \\in 1..${runs.length} /\\ lockstepRow = 0
LockstepNext ==
    /\\ lockstepRow < LockstepLengths[lockstepRun]
    /\\ UNCHANGED lockstepRun
    /\\ lockstepRow' = lockstepRow + 1
    /\\ \\E row \\in {LockstepRowAt(lockstepRow + 1)} : IF row[1] < 0 THEN LockstepForget(row[4]) ELSE LockstepAct(row)
    /\\ PrintT(<<"${MARKS.taken}", lockstepRun, lockstepRow + 1>>)
LockstepView == <<lockstepRun, lockstepRow>>
LockstepIsAsked ==
    \\/ lockstepRow = LockstepLengths[lockstepRun]
    \\/ LockstepLengths[lockstepRun] <= ${ALWAYS_ASKED_ROWS_MAX}
    \\/ lockstepRow % ${ASKED_ROWS} = 0
LockstepInvariants == ~LockstepIsAsked \\/ (
${holds.join('\n')}
    )
====
`;
  return { text, rows: texts.map(({ rows }) => rows) };
}

function actionText(action: string): string {
  return action === WRITEBACK ? 'LockstepWriteback(row[1], row[4].opDurable)' : `${action}(row[1])`;
}

function runText(run: number, { steps, values }: ModuleRun, numbers: ReadonlyMap<string, number>): RunText {
  const taken = steps.map((step) => values.taken(step));
  const messages = new MessageTable(taken);
  const rows: (number | undefined)[] = [];
  const texts: string[] = [];
  for (const [index, step] of steps.entries()) {
    if (index > 0 && index % FORGET_STEPS === 0) {
      rows.push(undefined);
      texts.push(`<<-1, 0, 0, {${messages.waiting.join(', ')}}>>`);
    }
    const sent = values.sent(step);
    const named = [step.replica, numbers.get(step.action), messages.numberOf(taken[index])];
    rows.push(index);
    texts.push(`<<${named.join(', ')}, ${changeText(step, values)}, ${messages.numberOf(sent)}>>`);
    messages.follow(index, taken[index], sent);
  }
  const chunks: string[] = [];
  for (let from = 0; from < texts.length; from += CHUNK_ROWS)
    chunks.push(`<<\n${texts.slice(from, from + CHUNK_ROWS).join(',\n')}>>`);
  const names = chunks.map((_, index) => `LockstepRows${run}_${index + 1}`);
  const definitions = chunks.map((chunk, index) => `${names[index]} == ${chunk}`);
  const text = `${definitions.join('\n')}
LockstepRows${run} == <<${names.join(', ')}>>
LockstepMessages${run} == <<${messages.texts.join(',\n')}>>`;
  return { text, rows };
}

/** What of the replica is another after the step. */
function changeText({ before, after }: RunStep, values: SpecValues): string {
  const numberOf = (hash: string): number => values.valueOf(hash);
  const was = stateFields(before, numberOf);
  const changed = Object.entries(stateFields(after, numberOf)).filter(([name, text]) => was[name] !== text);
  if (changed.length === 0) return '<<>>';
  return `[${changed.map(([name, text]) => `${name} |-> ${text}`).join(', ')}]`;
}

/** Every message that the run takes, once, and which of them wait to be taken. */
class MessageTable {
  readonly texts: string[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #lastTaken = new Map<string, number>();
  readonly #waiting = new Set<number>();

  constructor(taken: readonly (TlaValue | undefined)[]) {
    for (const [index, message] of taken.entries()) {
      if (message === undefined) continue;
      if (!this.#numbers.has(message.text)) {
        this.texts.push(message.text);
        this.#numbers.set(message.text, this.texts.length);
      }
      this.#lastTaken.set(message.text, index);
    }
  }

  /** From 1; 0 for none. */
  numberOf(message: TlaValue | undefined): number {
    return message === undefined ? 0 : (this.#numbers.get(message.text) ?? 0);
  }

  get waiting(): readonly number[] {
    return [...this.#waiting];
  }

  follow(index: number, taken: TlaValue | undefined, sent: TlaValue | undefined): void {
    if (taken !== undefined && this.#lastTaken.get(taken.text) === index) this.#waiting.delete(this.numberOf(taken));
    if (sent !== undefined && (this.#lastTaken.get(sent.text) ?? -1) > index) this.#waiting.add(this.numberOf(sent));
  }
}
