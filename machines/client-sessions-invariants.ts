/**
 * The invariants of specs/ClientSessions.tla by their names, over what is observed of clients, one primary and its log: shared
 * by the conformance driver and the tests. Pure. Lists stand for the spec's sets; op n is at index n - 1.
 */

export interface SessionView {
  readonly id: number;
  readonly lastUsed: number;
  readonly highest: number;
}

/** result: the op that executed the request. */
export interface KeptView {
  readonly id: number;
  readonly number: number;
  readonly result: number;
}

export interface TableView {
  readonly sessions: readonly SessionView[];
  readonly replies: readonly KeptView[];
}

export interface EntryView {
  readonly kind: string;
  readonly id: number;
  readonly number: number;
  readonly value: number;
  readonly time: number;
}

export interface OutcomeView {
  readonly kind: string;
  /** Session that was evicted; 0 when none was. */
  readonly evicted: number;
  /** After the op. */
  readonly table: TableView;
}

export interface MessageView {
  readonly type: string;
  readonly client: number;
  readonly life: number;
  readonly id: number;
  readonly number: number;
  readonly value: number;
}

export interface ClientView {
  readonly life: number;
  readonly session: number;
  readonly registered: boolean;
  readonly sent: number;
  readonly waiting: readonly { readonly number: number; readonly value: number }[];
}

export interface ClientSessionsView {
  readonly window: number;
  readonly sessionsMax: number;
  readonly slotsMax: number;
  readonly log: readonly EntryView[];
  readonly commit: number;
  readonly applied: number;
  readonly table: TableView;
  /** By client, from client 1. */
  readonly clients: readonly ClientView[];
  readonly messages: readonly MessageView[];
  readonly requests: number;
  readonly outcomes: readonly OutcomeView[];
  readonly answers: readonly { readonly asked: number; readonly result: number }[];
}

const MESSAGES: readonly string[] = ['Register', 'Request', 'Registered', 'Reply', 'Stale', 'Evicted'];
const NOTHING: TableView = { sessions: [], replies: [] };
const isNat = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
const isFrom1To = (value: number, last: number): boolean => isNat(value) && value >= 1 && value <= last;

const executed = ({ outcomes }: ClientSessionsView, op: number): boolean => outcomes[op - 1]?.kind === 'New';
const tableAt = ({ outcomes }: ClientSessionsView, op: number): TableView => outcomes[op - 1]?.table ?? NOTHING;
const isIn = ({ sessions }: TableView, id: number): boolean => sessions.some((session) => session.id === id);
const newest = (seen: ClientSessionsView): TableView => tableAt(seen, seen.outcomes.length);

/** Time of the last entry up to this op that registered or used the session, by the log alone. */
function lastUse({ log }: ClientSessionsView, op: number, id: number): number {
  for (let at = op; at > id; at--) {
    const entry = log[at - 1];
    if (entry?.kind === 'Request' && entry.id === id) return entry.time;
  }
  return log[id - 1]?.time ?? 0;
}

/** Whether the session that went for this op was the one to go. */
function wentRightly(seen: ClientSessionsView, { evicted }: OutcomeView, op: number): boolean {
  if (evicted === 0) return true;
  const own = seen.log[op - 1]?.id;
  if (evicted === op || evicted === own) return false;
  const unused = lastUse(seen, op - 1, evicted);
  return tableAt(seen, op - 1).sessions.every(({ id }) => {
    if (id === evicted || id === own) return true;
    const other = lastUse(seen, op - 1, id);
    return unused < other || (unused === other && evicted < id);
  });
}

function sameTable(a: TableView, b: TableView): boolean {
  const textsOf = (items: readonly object[]): string =>
    items
      .map((item) => JSON.stringify(item))
      .sort()
      .join();
  return textsOf(a.sessions) === textsOf(b.sessions) && textsOf(a.replies) === textsOf(b.replies);
}

export const clientSessionsInvariants = {
  TypeOK: ({
    log,
    commit,
    applied,
    table,
    clients,
    messages,
    requests,
    outcomes,
    answers,
  }: ClientSessionsView): boolean =>
    applied <= commit &&
    commit <= log.length &&
    applied <= outcomes.length &&
    outcomes.length <= commit &&
    log.every(({ kind, time }) => (kind === 'Register' || kind === 'Request') && isNat(time)) &&
    table.sessions.every(({ id, lastUsed, highest }) => isFrom1To(id, applied) && isNat(lastUsed) && isNat(highest)) &&
    table.replies.every(({ id, result }) => isFrom1To(result, applied) && isIn(table, id)) &&
    clients.every(({ sent, waiting }) =>
      waiting.every(({ number, value }) => isFrom1To(number, sent) && isFrom1To(value, requests)),
    ) &&
    messages.every(({ type }) => MESSAGES.includes(type)) &&
    answers.every(({ asked, result }) => isFrom1To(asked, requests) && isFrom1To(result, outcomes.length)),

  /** No client takes the reply to one request for the answer to another. */
  NoRequestCollision: (seen: ClientSessionsView): boolean =>
    seen.answers.every(({ asked, result }) => executed(seen, result) && seen.log[result - 1]?.value === asked),

  /** What a client asked for once does not happen twice. */
  NoDuplicateExecution: (seen: ClientSessionsView): boolean => {
    const values = seen.log.filter((_, index) => executed(seen, index + 1)).map(({ value }) => value);
    return new Set(values).size === values.length;
  },

  /** A retry hears the first reply. */
  FirstReplyKept: (seen: ClientSessionsView): boolean =>
    seen.messages.every(({ type, id, number, value }) => {
      if (type !== 'Reply') return true;
      const entry = seen.log[value - 1];
      return executed(seen, value) && entry?.id === id && entry.number === number;
    }),

  /** Replicas that applied the same ops hold the same table. */
  SessionTableDeterministic: (seen: ClientSessionsView): boolean => sameTable(seen.table, tableAt(seen, seen.applied)),

  /** The table keeps its bounds, and its replies are those of the windows. */
  TableBounded: ({ table: { sessions, replies }, window, sessionsMax, slotsMax }: ClientSessionsView): boolean =>
    sessions.length <= sessionsMax &&
    sessions.length + replies.length <= slotsMax &&
    replies.every(({ id, number }) => {
      const session = sessions.find((candidate) => candidate.id === id);
      return session !== undefined && number + window > session.highest;
    }),

  /** The session that was not used for longest goes, and no other. */
  EvictionDeterministic: (seen: ClientSessionsView): boolean =>
    seen.outcomes.every((outcome, index) => wentRightly(seen, outcome, index + 1)),

  /** A client is told that its session is gone when no replica has it, or may get it yet. */
  EvictedIsGone: (seen: ClientSessionsView): boolean =>
    seen.messages.every(
      ({ type, id }) => type !== 'Evicted' || (id <= seen.outcomes.length && !isIn(newest(seen), id)),
    ),

  /** No client is told "too old" of a request whose answer it still awaits. */
  AwaitedIsNeverStale: ({ messages, clients }: ClientSessionsView): boolean =>
    messages.every(({ type, client, life, id, number }) => {
      const told = clients[client - 1];
      if (type !== 'Stale' || told === undefined || told.life !== life) return true;
      return !(told.registered && told.session === id && told.waiting.some((one) => one.number === number));
    }),

  /** The reply to a request that was executed is there while its client awaits it and its session stands. */
  AwaitedReplyKept: (seen: ClientSessionsView): boolean => {
    const last = newest(seen);
    return seen.clients.every(({ session, waiting }) =>
      waiting.every(({ number, value }) =>
        seen.log.every(
          (entry, index) =>
            !executed(seen, index + 1) ||
            entry.value !== value ||
            entry.id !== session ||
            !isIn(last, session) ||
            last.replies.some((kept) => kept.id === session && kept.number === number && kept.result === index + 1),
        ),
      ),
    );
  },
} as const;
