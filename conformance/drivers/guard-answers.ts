/**
 * What evaluate() of machines/stepper.ts answers, with one object for equal answers: the same guards of the same table are
 * asked, and a walk over a state graph keeps no copy of their answers for each state. For any machine that has a table.
 */
import type { AnyMachineSnapshot, AnyStateMachine } from 'xstate';
import { evaluate, type GuardEvaluation } from '../../machines/stepper.ts';
import { type Row, rowOf, tableOf } from '../../machines/table.ts';

type Answers = readonly GuardEvaluation[];

export class GuardAnswers {
  readonly #machine: AnyStateMachine;
  readonly #refusedByStatus = new Map<string, Answers>();
  /** By row, then by the bits of what holds. */
  readonly #byRow = new Map<Row, Answers[]>();

  constructor(machine: AnyStateMachine) {
    this.#machine = machine;
  }

  of(snapshot: AnyMachineSnapshot, event: { readonly type: string }): Answers {
    const table = tableOf(this.#machine);
    if (table === undefined) return evaluate(this.#machine, snapshot, event);
    const row = rowOf(table, snapshot.value, event.type);
    if (row === undefined) return this.#statusRefuses(snapshot, event);
    const args = { context: snapshot.context, event };
    let bits = 0;
    for (let index = 0; index < row.guards.length; index++)
      if (row.guards[index]?.(args, undefined) === true) bits |= 1 << index;
    let known = this.#byRow.get(row);
    if (known === undefined) {
      known = [];
      this.#byRow.set(row, known);
    }
    let answers = known[bits];
    if (answers === undefined) {
      answers = row.conjuncts.map((guard, index) => ({
        rule: row.rules[index] as string,
        guard,
        holds: (bits & (1 << index)) !== 0,
      }));
      known[bits] = answers;
    }
    return answers;
  }

  #statusRefuses(snapshot: AnyMachineSnapshot, event: { readonly type: string }): Answers {
    let answers = this.#refusedByStatus.get(event.type);
    if (answers === undefined) {
      answers = evaluate(this.#machine, snapshot, event);
      this.#refusedByStatus.set(event.type, answers);
    }
    return answers;
  }
}
