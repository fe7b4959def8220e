/**
 * The alphabet of the ClientSessions driver, and each event as the machine takes it: with the facts that client, primary and
 * table know, read off the real code. Decides nothing.
 */
import type { AnswerFacts, ClientFacts, ClientSessionsEvent } from '../../machines/client-sessions.ts';
import { type ApplyAction, clientOf, type Message, nextEntry, type World } from './client-sessions-world.ts';

export type ClientSessionsStep =
  | { readonly type: 'SendRegister' | 'SendRequest' | 'ResendRequest' | 'CrashClient'; readonly client: number }
  | { readonly type: 'GiveUp'; readonly client: number; readonly number: number }
  | {
      readonly type: 'ReceiveRegistered' | 'ReceiveReply' | 'ReceiveEvicted';
      readonly client: number;
      readonly message: Message;
    }
  | { readonly type: 'ReceiveRegister'; readonly message: Message; readonly later: number }
  | { readonly type: 'ReceiveRequest'; readonly message: Message; readonly later: number }
  | { readonly type: 'AnswerRepeated' | 'AnswerStale' | 'AnswerEvicted'; readonly message: Message }
  | { readonly type: ApplyAction }
  | { readonly type: 'Commit' }
  | { readonly type: 'ViewChange'; readonly keep: number; readonly ops: number };

/** Undefined for what is outside the machine. */
export function machineEvent(world: World, event: ClientSessionsStep): ClientSessionsEvent | undefined {
  const { table, inFlight } = world;
  switch (event.type) {
    case 'Commit':
    case 'CrashClient':
    case 'ViewChange':
      return undefined;
    case 'SendRegister':
    case 'SendRequest':
    case 'ResendRequest':
      return { type: event.type, client: clientFacts(world, event.client) };
    case 'GiveUp':
      return { type: event.type, client: clientFacts(world, event.client), requestNumber: event.number };
    case 'ReceiveRegistered':
    case 'ReceiveReply':
    case 'ReceiveEvicted':
      return { type: event.type, client: clientFacts(world, event.client), answer: answerFacts(world, event) };
    case 'ReceiveRegister':
      return { type: event.type };
    case 'ReceiveRequest': {
      const { id, number } = event.message;
      return { type: event.type, request: table.requestFacts(id, number), inFlight: inFlight.has(id, number) };
    }
    case 'AnswerRepeated':
    case 'AnswerStale':
    case 'AnswerEvicted':
      return { type: event.type, request: table.requestFacts(event.message.id, event.message.number) };
    default:
      return applyEvent(world, event.type);
  }
}

function applyEvent(world: World, type: ApplyAction): ClientSessionsEvent {
  const { table } = world;
  const next = nextEntry(world);
  const entry = next === undefined ? undefined : next.type === 'Register' ? 'Register' : 'Request';
  if (type === 'ApplyRegister' || type === 'ApplyRegisterEvicting') return { type, entry, room: table.roomFacts() };
  const request = table.requestFacts(next?.id ?? 0, next?.number ?? 0);
  return { type, entry, request, room: table.roomFacts(entry === 'Request' ? request : undefined) };
}

function clientFacts(world: World, client: number): ClientFacts {
  const { registered, clientId, sent, waiting } = clientOf(world, client).numbers;
  return { registered, session: clientId, sent, waiting };
}

function answerFacts(
  world: World,
  { client, message }: { readonly client: number; readonly message: Message },
): AnswerFacts {
  const addressedHere = message.client === client && message.life === clientOf(world, client).life;
  return { addressedHere, clientId: message.id, requestNumber: message.number };
}
