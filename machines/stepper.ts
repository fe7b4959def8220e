/**
 * How every component runs its machine: ask which rules refuse an event, then advance. Pure; no I/O.
 * One transition per (state node, event): a second one would hide a choice that the spec names as an action of its own.
 * Used by impl/ (to act), conformance/ (to count guard outcomes) and impl/dx (to explain), so all three see one truth.
 */
import {
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type EventFromLogic,
  initialTransition,
  transition,
} from 'xstate';
import { begin, conjunctNames, type Effect, enabledRow, rowOf, tableOf, take } from './table.ts';

export type { Effect } from './table.ts';

/** `Component.Event.Guard`, or `Component.Event.status` when the state node has no such event. */
export type RuleId = string;

export interface GuardEvaluation {
  readonly rule: RuleId;
  readonly guard: string;
  readonly holds: boolean;
}

/** Names of the guard conjuncts of the one transition for this event in this state node; undefined when there is none. */
export function conjunctsOf(
  machine: AnyStateMachine,
  stateNode: string,
  eventType: string,
): readonly string[] | undefined {
  const transitions = machine.states[stateNode]?.transitions.get(eventType);
  const only = transitions?.[0];
  if (only === undefined) return undefined;
  if (transitions !== undefined && transitions.length > 1) {
    throw new Error(
      `${machine.id}: state ${stateNode} has ${transitions.length} transitions for ${eventType}; name each case`,
    );
  }
  return conjunctNames(machine, stateNode, eventType, only.guard);
}

/**
 * Every conjunct's own answer in this state, in the order of the spec; one false `status` rule when the node has no such event.
 * @param answered called after each guard that was asked (evidence.ts notes what it read)
 */
export function evaluate(
  machine: AnyStateMachine,
  snapshot: AnyMachineSnapshot,
  event: { readonly type: string },
  answered?: (evaluation: GuardEvaluation) => void,
): readonly GuardEvaluation[] {
  const conjuncts = conjunctsOf(machine, String(snapshot.value), event.type);
  if (conjuncts === undefined) return [{ rule: `${machine.id}.${event.type}.status`, guard: 'status', holds: false }];
  const implementations = machine.implementations.guards as Record<
    string,
    (args: { context: unknown; event: unknown }, params: undefined) => boolean
  >;
  return conjuncts.map((guard) => {
    const predicate = implementations[guard];
    if (predicate === undefined) throw new Error(`${machine.id}: guard ${guard} has no implementation`);
    const holds = predicate({ context: snapshot.context, event }, undefined);
    const evaluation = { rule: `${machine.id}.${event.type}.${guard}`, guard, holds };
    answered?.(evaluation);
    return evaluation;
  });
}

export const NO_REFUSALS: readonly RuleId[] = [];

/** Whether the event would be taken here: refusals() without the reasons, for who asks often. */
export function isEnabled(
  machine: AnyStateMachine,
  snapshot: AnyMachineSnapshot,
  event: { readonly type: string },
): boolean {
  const table = tableOf(machine);
  return table === undefined ? snapshot.can(event) : enabledRow(table, snapshot, event) !== undefined;
}

/** The rules that refuse this event here; empty when it would be taken. */
export function refusals(
  machine: AnyStateMachine,
  snapshot: AnyMachineSnapshot,
  event: { readonly type: string },
): readonly RuleId[] {
  if (isEnabled(machine, snapshot, event)) return NO_REFUSALS;
  const table = tableOf(machine);
  const row = table === undefined ? undefined : rowOf(table, snapshot.value, event.type);
  if (row === undefined)
    return evaluate(machine, snapshot, event)
      .filter((evaluation) => !evaluation.holds)
      .map((evaluation) => evaluation.rule);
  const args = { context: snapshot.context, event };
  return row.rules.filter((_, at) => row.guards[at]?.(args, undefined) !== true);
}

export function start<Machine extends AnyStateMachine>(machine: Machine, input: unknown): AnyMachineSnapshot {
  const table = tableOf(machine);
  return table === undefined ? startByXState(machine, input) : begin(table, machine, input);
}

/** As start(), by XState's own interpreter: what a table's beginning is held to, and that of every other machine. */
export function startByXState<Machine extends AnyStateMachine>(machine: Machine, input: unknown): AnyMachineSnapshot {
  return initialTransition(machine, input as never)[0] as AnyMachineSnapshot;
}

/** Takes the event (the caller has asked refusals() first) and returns the next snapshot with the named effects, in order. */
export function advance<Machine extends AnyStateMachine>(
  machine: Machine,
  snapshot: AnyMachineSnapshot,
  event: EventFromLogic<Machine>,
): readonly [AnyMachineSnapshot, readonly Effect[]] {
  const table = tableOf(machine);
  const row = table === undefined ? undefined : rowOf(table, snapshot.value, event.type);
  if (table === undefined || row === undefined) return advanceByXState(machine, snapshot, event);
  return take(table, row, snapshot, event);
}

/** As advance(), by XState's own interpreter: what a row of the table is held to, and the way of every other machine. */
export function advanceByXState<Machine extends AnyStateMachine>(
  machine: Machine,
  snapshot: AnyMachineSnapshot,
  event: EventFromLogic<Machine>,
): readonly [AnyMachineSnapshot, readonly Effect[]] {
  const [next, actions] = transition(machine, snapshot as never, event as never);
  return [next as AnyMachineSnapshot, actions.map(({ type, params }) => ({ type, params }))];
}
