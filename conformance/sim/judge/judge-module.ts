/**
 * Runs as one TLA+ module: each row names a replica, its action, the message it takes, what of the replica it changes, and the
 * message it sends. TLC takes the spec's own action and holds the outcome against the record. Made so that a step costs the same wherever in a run
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
                /\\ UNCHANGED voteVars /\\ UNCHANGED readVars /\\ UNCHANGED clientVars
\\* Not of the spec: the disk writes the log back up to op n; below that log and logDurable are already one. For a backup it is
\\* BackupFsync when the log ended there: the replica that finds op n on its disk again may well acknowledge it.
LockstepWriteback(r, n) ==
    /\\ status[r] \\in {"normal", "view-change"}
    /\\ n <= Op(r)
    /\\ \\A k \\in 1..Minimum(Len(logDurable[r]), Op(r)) : k <= n \\/ logDurable[r][k] # log[r][k]
    /\\ logDurable' = [logDurable EXCEPT ![r] = SubSeq(log[r], 1, n)]
    /\\ messages' = IF status[r] = "normal" /\\ IsBackup(r)
                    THEN messages \\cup {[type |-> "PrepareOk", from |-> r, view |-> view[r], op |-> n]} ELSE messages
    /\\ LockstepKept
\\* Not of the spec: messages that nobody takes from here on go.
LockstepForget(numbers) ==
    /\\ messages' = messages \\ {LockstepMessages[lockstepRun][i] : i \\in numbers}
    /\\ LockstepKept
    /\\ UNCHANGED logDurable
LockstepAct(row) ==
    /\\ IF row[3] = 0 \\/ LockstepMessages[lockstepRun][row[3]] \\in messages THEN TRUE
       ELSE PrintT(<<"${MARKS.unsent}", lockstepRun, lockstepRow + 1>>) /\\ FALSE
    /\\ (
       \\/ FALSE
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
  const messages = new MessageTable(
    taken,
    steps.map((step) => values.sent(step)),
  );
  const rows: (number | undefined)[] = [];
  const texts: string[] = [];
  for (const [index, step] of steps.entries()) {
    if (index > 0 && index % FORGET_STEPS === 0) {
      rows.push(undefined);
      texts.push(`<<-1, 0, 0, {${messages.settled().join(', ')}}>>`);
    }
    const named = [step.replica, numbers.get(step.action), messages.taken(index)];
    rows.push(index);
    texts.push(`<<${named.join(', ')}, ${changeText(step, values)}, ${messages.follow(index)}>>`);
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

/** Every message of the run, once, by numbers from 1; 0 is none. */
class MessageTable {
  readonly texts: string[] = [];
  readonly #taken: readonly number[];
  readonly #sent: readonly number[];
  /** By number: the last step that takes it, or sends it. */
  readonly #last: number[] = [];
  #settled: number[] = [];

  constructor(taken: readonly (TlaValue | undefined)[], sent: readonly (TlaValue | undefined)[]) {
    const numbers = new Map<string, number>();
    const numberOf = (message: TlaValue | undefined, index: number): number => {
      if (message === undefined) return 0;
      let number = numbers.get(message.text);
      if (number === undefined) {
        number = this.texts.push(message.text);
        numbers.set(message.text, number);
      }
      this.#last[number] = Math.max(index, this.#last[number] ?? 0);
      return number;
    };
    this.#taken = taken.map(numberOf);
    this.#sent = sent.map(numberOf);
  }

  taken(index: number): number {
    return this.#taken[index] ?? 0;
  }

  /** @returns the message that the step sends */
  follow(index: number): number {
    const sent = this.#sent[index] ?? 0;
    for (const number of new Set([sent, this.taken(index)]))
      if (number > 0 && this.#last[number] === index) this.#settled.push(number);
    return sent;
  }

  /** What has been taken, or sent in vain, for the last time since this was asked last. */
  settled(): readonly number[] {
    const settled = this.#settled;
    this.#settled = [];
    return settled;
  }
}
