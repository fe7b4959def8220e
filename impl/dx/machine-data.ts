/** What the DX API says of a machine: list, definition with TLA+ and source places, history, dry run. Decides nothing. */
import { definitionOf } from '../../machines/definition.ts';
import { evaluateWithEvidence } from '../../machines/evidence.ts';
import type { AppliedRule } from '../../machines/explanation.ts';
import type { VsrAction } from '../../machines/vsr-context.ts';
import type { DxSource, HistoryRecord, LiveMachine } from '../server/dx-source.ts';
import { appliedRule, specAction, specOf, specRule } from './applied-rules.ts';
import { eventOf } from './explained-replica.ts';
import { explainedReplica, REPLICA_MACHINE } from './observed.ts';

export function machineList(source: DxSource): unknown {
  return source.machines().map(({ name, machine, snapshot }) => {
    const { states, events, guards, transitions } = definitionOf(machine);
    return {
      name,
      state: String(snapshot.value),
      module: specOf(name)?.file ?? null,
      states: states.length,
      events: events.length,
      guards: guards.length,
      transitions: transitions.length,
    };
  });
}

export function machineDefinition({ name, machine, snapshot }: LiveMachine): unknown {
  const definition = definitionOf(machine);
  return {
    name,
    module: specOf(name)?.file ?? null,
    state: String(snapshot.value),
    context: snapshot.context,
    initial: definition.initial,
    states: definition.states,
    transitions: definition.transitions.map(({ from, event, guards, to, actions }) => {
      const action = specAction(name, event);
      const words = { action_text: action?.text ?? null, description: action?.comment ?? '' };
      return { from, event, guards, to, actions, action: placeOf(action), ...words, machine: placeOf(action?.machine) };
    }),
    guards: definition.guards.map((guard) => {
      const rule = specRule(name, guard);
      const words = { description: rule?.comment ?? '', text: rule?.text ?? null };
      return { guard, ...words, spec: placeOf(rule), machine: placeOf(rule?.machine) };
    }),
  };
}

function placeOf(place: { readonly file: string; readonly line: number } | undefined): string | null {
  return place === undefined ? null : `${place.file}:${place.line}`;
}

/** One record with every guard's answer and the values that it read. */
export function recordData(record: HistoryRecord): unknown {
  const rules_applied = record.guards().map((answer) => appliedRule(record.machine, record.event, answer));
  return { ...(historyData([record]) as readonly object[])[0], rules_applied };
}

export function historyData(records: readonly HistoryRecord[]): unknown {
  return records.map((record) => ({
    sequence: record.sequence,
    event: record.event,
    taken: record.taken,
    from: record.from,
    to: record.to,
    peer: record.peer ?? null,
    view: record.view,
    op: record.op,
    commit_id: record.commit,
    guards: Object.fromEntries(record.guards().map(({ guard, holds }) => [guard, holds])),
  }));
}

export interface DryRun {
  readonly machine: string;
  readonly state: string;
  readonly event: string;
  readonly can: boolean;
  readonly rules_applied: readonly AppliedRule[];
}

/** @param fields what the event carries beside its type; of Vsr, what the log knows is added */
export function dryRun(
  source: DxSource,
  live: LiveMachine,
  type: string,
  fields: Readonly<Record<string, unknown>>,
): DryRun {
  const { name, machine, snapshot } = live;
  const known =
    name === REPLICA_MACHINE
      ? eventOf(explainedReplica(source, live), type as VsrAction, fields.message as never)
      : { type };
  const event = { ...known, ...fields, type };
  const answers = evaluateWithEvidence(machine, snapshot, event);
  return {
    machine: name,
    state: String(snapshot.value),
    event: type,
    can: answers.every(({ holds }) => holds),
    rules_applied: answers.map((answer) => appliedRule(name, type, answer)),
  };
}
