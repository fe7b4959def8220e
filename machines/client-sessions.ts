/**
 * ClientSessions as a machine: what becomes of a registration and of a request, at the client, at the primary before the log,
 * and at apply. Mirrors specs/ClientSessions.tla; no I/O. What client, primary or table know comes in the event; there is one
 * state node, since no rule depends on what happened here but through those facts. The table at apply is
 * impl/vsr/client-sessions.ts, the primary's part impl/vsr/sessions-in-flight.ts, the client's impl/wire/session-numbers.ts.
 */
import { and, setup } from 'xstate';

export interface ClientSessionsContext {
  /** Replies kept of a session, and most requests of it without an answer. */
  readonly window: number;
  readonly sessionsMax: number;
  /** Most sessions and replies together. */
  readonly slotsMax: number;
}

/** What a client knows of itself. */
export interface ClientFacts {
  readonly registered: boolean;
  /** Id of the session that it adopted last; 0 before the first. */
  readonly session: number;
  /** Highest number used in it. */
  readonly sent: number;
  /** Numbers without an answer. */
  readonly waiting: readonly number[];
}

/** An answer that reaches a client. */
export interface AnswerFacts {
  /** Whether it answers this process: it came on the connection that asked. */
  readonly addressedHere: boolean;
  readonly clientId: number;
  readonly requestNumber: number;
}

/** A request, and what the table says of it. */
export interface RequestFacts {
  readonly clientId: number;
  readonly requestNumber: number;
  /** Highest number executed in the session; undefined when the table does not have the session. */
  readonly highest: number | undefined;
  readonly replyKept: boolean;
  /** Id of the newest session that was ever registered here: what is not above it is applied. */
  readonly newestId: number;
}

/** How full the table is. */
export interface RoomFacts {
  readonly sessions: number;
  /** Sessions and replies. */
  readonly slots: number;
  /** Slots more with the reply to this request, less what its window drops. */
  readonly added: number;
}

export type ClientSessionsEvent =
  | { readonly type: 'SendRegister' | 'SendRequest' | 'ResendRequest'; readonly client: ClientFacts }
  | { readonly type: 'GiveUp'; readonly client: ClientFacts; readonly requestNumber: number }
  | {
      readonly type: 'ReceiveRegistered' | 'ReceiveReply' | 'ReceiveEvicted';
      readonly client: ClientFacts;
      readonly answer: AnswerFacts;
    }
  | { readonly type: 'ReceiveRegister' }
  | { readonly type: 'ReceiveRequest'; readonly request: RequestFacts; readonly inFlight: boolean }
  | { readonly type: 'AnswerRepeated' | 'AnswerStale' | 'AnswerEvicted'; readonly request: RequestFacts }
  | { readonly type: RegisterApplied; readonly entry: 'Register' | 'Request' | undefined; readonly room: RoomFacts }
  | {
      readonly type: RequestApplied;
      /** What the next committed op is; undefined when there is none. */
      readonly entry: 'Register' | 'Request' | undefined;
      readonly request: RequestFacts;
      readonly room: RoomFacts;
    };

export type RegisterApplied = 'ApplyRegister' | 'ApplyRegisterEvicting';
export type RequestApplied = 'ApplyNew' | 'ApplyNewEvicting' | 'ApplyRepeated' | 'ApplyStale' | 'ApplyEvicted';

type Facts = { readonly context: ClientSessionsContext; readonly event: ClientSessionsEvent };

const clientOf = (event: ClientSessionsEvent): ClientFacts | undefined =>
  'client' in event ? event.client : undefined;
const answerOf = (event: ClientSessionsEvent): AnswerFacts | undefined =>
  'answer' in event ? event.answer : undefined;
const requestOf = (event: ClientSessionsEvent): RequestFacts | undefined =>
  'request' in event ? event.request : undefined;

function belowWindow({ context, event }: Facts): boolean {
  const request = requestOf(event);
  return request?.highest !== undefined && request.requestNumber + context.window <= request.highest;
}

function hasRoom({ context, event }: Facts): boolean {
  return 'room' in event && event.room.sessions < context.sessionsMax && event.room.slots < context.slotsMax;
}

function replyFits({ context, event }: Facts): boolean {
  return 'room' in event && event.room.slots + event.room.added <= context.slotsMax;
}

function windowHasRoom({ event }: Facts, window: number): boolean {
  const client = clientOf(event);
  if (client === undefined) return false;
  return client.waiting.every((number) => number + window > client.sent + 1);
}

const clientSessionsSetup = setup({
  types: {} as {
    context: ClientSessionsContext;
    events: ClientSessionsEvent;
    input: ClientSessionsContext;
  },
  guards: {
    HasSession: ({ event }: Facts) => clientOf(event)?.registered === true,
    NeedsSession: ({ event }: Facts) => clientOf(event)?.registered === false,
    WindowHasRoom: (facts: Facts) => windowHasRoom(facts, facts.context.window),
    IsWaited: ({ event }: Facts) => 'requestNumber' in event && event.client.waiting.includes(event.requestNumber),
    AnswerOverdue: ({ event }: Facts) => (clientOf(event)?.waiting.length ?? 0) > 0,
    AddressedHere: ({ event }: Facts) => answerOf(event)?.addressedHere === true,
    HigherSession: ({ event }: Facts) => (answerOf(event)?.clientId ?? 0) > (clientOf(event)?.session ?? 0),
    OfThisSession: ({ event }: Facts) => 'answer' in event && event.answer.clientId === event.client.session,
    AwaitsAnswer: ({ event }: Facts) => 'answer' in event && event.client.waiting.includes(event.answer.requestNumber),
    NotInFlight: ({ event }: Facts) => 'inFlight' in event && !event.inFlight,
    MayBeRegistered: ({ event }: Facts) => {
      const request = requestOf(event);
      return request !== undefined && (request.highest !== undefined || request.clientId > request.newestId);
    },
    SessionHere: ({ event }: Facts) => requestOf(event)?.highest !== undefined,
    SessionAbsent: ({ event }: Facts) => 'request' in event && event.request.highest === undefined,
    PlaceApplied: ({ event }: Facts) => 'request' in event && event.request.clientId <= event.request.newestId,
    ReplyKept: ({ event }: Facts) => requestOf(event)?.replyKept === true,
    ReplyNotKept: ({ event }: Facts) => requestOf(event)?.replyKept === false,
    BelowWindow: belowWindow,
    InWindow: (facts: Facts) => 'request' in facts.event && !belowWindow(facts),
    IsRegister: ({ event }: Facts) => 'entry' in event && event.entry === 'Register',
    IsRequest: ({ event }: Facts) => 'entry' in event && event.entry === 'Request',
    TableHasRoom: hasRoom,
    TableIsFull: (facts: Facts) => 'room' in facts.event && !hasRoom(facts),
    ReplyFits: replyFits,
    ReplyDoesNotFit: (facts: Facts) => 'room' in facts.event && !replyFits(facts),
  },
  actions: {
    // Effects: the three files named above perform them.
    sendRegister: () => {},
    adoptSession: () => {},
    sendRequest: () => {},
    sendAgain: () => {},
    waitNoLonger: () => {},
    takeAnswer: () => {},
    giveUpSession: () => {},
    submit: () => {},
    submitOnce: () => {},
    sendReply: () => {},
    refuseStale: () => {},
    refuseEvicted: () => {},
    addSession: () => {},
    evictOldest: () => {},
    useSession: () => {},
    executeAndKeep: () => {},
  },
});

export const clientSessionsMachine = clientSessionsSetup.createMachine({
  id: 'ClientSessions',
  initial: 'serving',
  context: ({ input }) => ({ ...input }),
  states: {
    serving: {
      on: {
        SendRegister: { guard: and(['NeedsSession']), actions: 'sendRegister' },
        ReceiveRegistered: {
          guard: and(['AddressedHere', 'NeedsSession', 'HigherSession']),
          actions: 'adoptSession',
        },
        ResendRequest: { guard: and(['AnswerOverdue']), actions: 'sendAgain' },
        ReceiveReply: {
          guard: and(['AddressedHere', 'HasSession', 'OfThisSession', 'AwaitsAnswer']),
          actions: 'takeAnswer',
        },
        ReceiveEvicted: { guard: and(['AddressedHere', 'HasSession', 'OfThisSession']), actions: 'giveUpSession' },
        SendRequest: { guard: and(['HasSession', 'WindowHasRoom']), actions: 'sendRequest' },
        GiveUp: { guard: and(['IsWaited']), actions: 'waitNoLonger' },
        ReceiveRegister: { actions: 'submit' },
        ReceiveRequest: {
          guard: and(['NotInFlight', 'MayBeRegistered', 'ReplyNotKept', 'InWindow']),
          actions: 'submitOnce',
        },
        AnswerRepeated: { guard: and(['SessionHere', 'ReplyKept']), actions: 'sendReply' },
        AnswerStale: { guard: and(['SessionHere', 'BelowWindow']), actions: 'refuseStale' },
        AnswerEvicted: { guard: and(['SessionAbsent', 'PlaceApplied']), actions: 'refuseEvicted' },
        ApplyRegister: { guard: and(['IsRegister', 'TableHasRoom']), actions: 'addSession' },
        ApplyRegisterEvicting: {
          guard: and(['IsRegister', 'TableIsFull']),
          actions: ['evictOldest', 'addSession'],
        },
        ApplyNew: {
          guard: and(['IsRequest', 'SessionHere', 'ReplyNotKept', 'InWindow', 'ReplyFits']),
          actions: ['useSession', 'executeAndKeep'],
        },
        ApplyNewEvicting: {
          guard: and(['IsRequest', 'SessionHere', 'ReplyNotKept', 'InWindow', 'ReplyDoesNotFit']),
          actions: ['useSession', 'evictOldest', 'executeAndKeep'],
        },
        ApplyRepeated: {
          guard: and(['IsRequest', 'SessionHere', 'ReplyKept']),
          actions: ['useSession', 'sendReply'],
        },
        ApplyStale: {
          guard: and(['IsRequest', 'SessionHere', 'BelowWindow']),
          actions: ['useSession', 'refuseStale'],
        },
        ApplyEvicted: { guard: and(['IsRequest', 'SessionAbsent']), actions: 'refuseEvicted' },
      },
    },
  },
});

export type ClientSessionsMachine = typeof clientSessionsMachine;
