/**
 * A world of the ClientSessions driver as its observers see it: every variable of specs/ClientSessions.tla, and the view that
 * the machine's invariants are asked of. Read off the real table, the real clients and the real set of what is in flight.
 */
import type { ClientSessions } from '../../impl/vsr/client-sessions.ts';
import type { ClientSessionsView, TableView } from '../../machines/client-sessions-invariants.ts';
import {
  type TlaValue,
  tlaBoolean,
  tlaInteger,
  tlaRecord,
  tlaSequence,
  tlaSet,
  tlaString,
} from '../values/tla-value.ts';
import type { LogEntry, Message, Outcome, Reply, World } from './client-sessions-world.ts';

type Table = ClientSessions<Reply>;

const views = new WeakMap<Table, TableView>();

function tableView(table: Table): TableView {
  let view = views.get(table);
  if (view === undefined) {
    const facts = [...table];
    const sessions = facts.map(({ clientId: id, lastUsedMs: lastUsed, highest }) => ({ id, lastUsed, highest }));
    const replies = facts.flatMap(({ clientId: id, replies: kept }) =>
      kept.map(({ requestNumber: number, reply: { result } }) => ({ id, number, result })),
    );
    view = { sessions, replies };
    views.set(table, view);
  }
  return view;
}

/** Of one world: every invariant is asked of it. */
let seen: { readonly world: World; readonly view: ClientSessionsView } | undefined;

export function viewOf(world: World): ClientSessionsView {
  if (seen?.world === world) return seen.view;
  const { bounds, log, commit, applied, requests } = world;
  const { window, sessionsMax, slotsMax } = bounds;
  const view: ClientSessionsView = {
    ...{ window, sessionsMax, slotsMax, commit, applied, requests },
    log: log.map(({ type: kind, id, number, value, time }) => ({ kind, id, number, value, time })),
    table: tableView(world.table),
    clients: world.clients.map(({ life, numbers, values }) => ({
      life,
      session: numbers.clientId,
      registered: numbers.registered,
      sent: numbers.sent,
      waiting: numbers.waiting.map((number) => ({ number, value: values.get(number) ?? 0 })),
    })),
    messages: [...world.messages.values()],
    outcomes: world.outcomes.map(({ kind, evicted, table }) => ({ kind, evicted, table: tableView(table) })),
    answers: [...world.answers.values()],
  };
  seen = { world, view };
  return view;
}

export function project(world: World): Readonly<Record<string, TlaValue>> {
  const { table, clients } = world;
  const { sessions, replies } = tableValues(table);
  return {
    log: tlaSequence(world.log.map(entryValue)),
    commit: tlaInteger(world.commit),
    applied: tlaInteger(world.applied),
    sessions,
    replies,
    inFlight: tlaSet([...world.inFlight].map(inFlightValue)),
    life: tlaSequence(clients.map(({ life }) => tlaInteger(life))),
    session: tlaSequence(clients.map(({ numbers }) => tlaInteger(numbers.clientId))),
    registered: tlaSequence(clients.map(({ numbers }) => tlaBoolean(numbers.registered))),
    sent: tlaSequence(clients.map(({ numbers }) => tlaInteger(numbers.sent))),
    waiting: tlaSequence(
      clients.map(({ numbers, values }) =>
        tlaSet(numbers.waiting.map((number) => tlaIntegers({ number, value: values.get(number) ?? 0 }))),
      ),
    ),
    messages: tlaSet([...world.messages.values()].map(messageValue)),
    requests: tlaInteger(world.requests),
    views: tlaInteger(world.views),
    outcomes: tlaSequence(world.outcomes.map(outcomeValue)),
    answers: tlaSet([...world.answers.values()].map((answer) => tlaIntegers({ ...answer }))),
  };
}

interface TableValues {
  readonly sessions: TlaValue;
  readonly replies: TlaValue;
}

const tables = new WeakMap<Table, TableValues>();

function tableValues(table: Table): TableValues {
  let values = tables.get(table);
  if (values === undefined) {
    const { sessions, replies } = tableView(table);
    values = {
      sessions: tlaSet(sessions.map((session) => tlaIntegers({ ...session }))),
      replies: tlaSet(replies.map((reply) => tlaIntegers({ ...reply }))),
    };
    tables.set(table, values);
  }
  return values;
}

const messages = new WeakMap<Message, TlaValue>();
const outcomes = new WeakMap<Outcome, TlaValue>();
const entries = new WeakMap<LogEntry, TlaValue>();

function remembered<Key extends object>(memory: WeakMap<Key, TlaValue>, key: Key, make: () => TlaValue): TlaValue {
  const before = memory.get(key);
  if (before !== undefined) return before;
  const value = make();
  memory.set(key, value);
  return value;
}

function messageValue(message: Message): TlaValue {
  return remembered(messages, message, () => {
    const { type, ...numbers } = message;
    return tlaRecord({ type: tlaString(type), ...integers(numbers) });
  });
}

function entryValue(entry: LogEntry): TlaValue {
  return remembered(entries, entry, () => {
    const { type, ...numbers } = entry;
    return tlaRecord({ kind: tlaString(type), ...integers(numbers) });
  });
}

function outcomeValue(outcome: Outcome): TlaValue {
  return remembered(outcomes, outcome, () => {
    const { kind, evicted, table } = outcome;
    return tlaRecord({ kind: tlaString(kind), evicted: tlaInteger(evicted), ...tableValues(table) });
  });
}

/** `id.number`, as the set has it. */
function inFlightValue(request: string): TlaValue {
  const [id, number] = request.split('.');
  return tlaIntegers({ id: Number(id), number: Number(number) });
}

function tlaIntegers(fields: Readonly<Record<string, number>>): TlaValue {
  return tlaRecord(integers(fields));
}

function integers(fields: Readonly<Record<string, number>>): Readonly<Record<string, TlaValue>> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, tlaInteger(value)]));
}
