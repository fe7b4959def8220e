/**
 * A machine as plain data: its states, and each transition with its guards, target and effects, in the order of the table.
 * For the report's graph and for impl/dx, which print it; it decides nothing.
 */
import type { AnyStateMachine } from 'xstate';
import { conjunctsOf } from './stepper.ts';

export interface TransitionDefinition {
  readonly from: string;
  readonly event: string;
  /** Names, in the order of the spec. */
  readonly guards: readonly string[];
  /** `from` itself when the state node stays. */
  readonly to: string;
  readonly actions: readonly string[];
}

export interface MachineDefinition {
  readonly name: string;
  readonly initial: string;
  readonly states: readonly string[];
  readonly events: readonly string[];
  readonly guards: readonly string[];
  readonly transitions: readonly TransitionDefinition[];
}

export function definitionOf(machine: AnyStateMachine): MachineDefinition {
  const states = Object.keys(machine.states);
  const transitions = states.flatMap((from) =>
    [...(machine.states[from]?.transitions ?? [])].map(
      ([event, [only]]): TransitionDefinition => ({
        from,
        event,
        guards: conjunctsOf(machine, from, event) ?? [],
        to: only?.target?.[0]?.key ?? from,
        actions: (only?.actions ?? []).map(actionName),
      }),
    ),
  );
  return {
    name: machine.id,
    initial: String((machine.config as { initial?: unknown }).initial ?? states[0] ?? ''),
    states,
    events: [...new Set(transitions.map(({ event }) => event))],
    guards: [...new Set(transitions.flatMap(({ guards }) => guards))],
    transitions,
  };
}

function actionName(action: unknown): string {
  if (typeof action === 'string') return action;
  const type = (action as { type?: unknown }).type;
  return typeof type === 'string' ? type : 'unnamed';
}
