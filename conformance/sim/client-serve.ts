/**
 * What a server does with the bytes of a simulated client's request, and what is in the bytes of its answer: the client port
 * (impl/server/client-port.ts) without connections. A part of sim-clients.ts; mirrors no spec module.
 */
import { assert } from '../../impl/ports/assert.ts';
import type { ReplicaCore } from '../../impl/server/replica-core.ts';
import type { Outcome } from '../../impl/server/requests.ts';
import { type AnswerOf, decodeResponse, encodeAnswer, encodeFailure, type Failure } from '../../impl/wire/answer.ts';
import {
  decodeRequest,
  type RequestBody,
  type RequestSession,
  type Operation as WireOperation,
} from '../../impl/wire/request.ts';

/** Of one that is for a session, or in one. */
export type SentRequest = Extract<
  RequestBody,
  { readonly operation: 'register-session' | 'append' | 'create-stream' | 'delete-stream' }
>;

type SessionWrite = Extract<SentRequest, { readonly stream: string }>;

/** In front of a response. */
const REQUEST_ID_BYTES = 4;
/** The session is gone, and what was kept of it. */
export const LOST: ReadonlySet<string> = new Set(['SESSION_EVICTED', 'SESSION_UNKNOWN', 'SESSION_REQUEST_STALE']);

export function serve(core: ReplicaCore, request: Uint8Array, answered: (bytes: Uint8Array) => void): void {
  const { id, deadlineMs, body } = decodeRequest(request);
  const answer =
    <Op extends WireOperation>(operation: Op) =>
    (outcome: Outcome<AnswerOf[Op]>): void =>
      answered(
        'failure' in outcome ? encodeFailure(id, outcome.failure) : encodeAnswer(id, operation, outcome.applied),
      );
  const { requests } = core;
  switch (body.operation) {
    case 'append':
      requests.append(body, deadlineMs, answer('append'));
      break;
    case 'read':
      requests.read(body, deadlineMs, answer('read'));
      break;
    case 'create-stream':
      requests.createStream(body.stream, body.dataClass, deadlineMs, answer('create-stream'), body.session);
      break;
    case 'delete-stream':
      requests.deleteStream(body.stream, deadlineMs, answer('delete-stream'), body.session);
      break;
    case 'register-session':
      requests.registerSession(deadlineMs, answer('register-session'));
      break;
    default:
      assert(false, 'a client of ours asks nothing else');
  }
}

export function isWrite(body: RequestBody): body is SessionWrite {
  return body.operation === 'append' || body.operation === 'create-stream' || body.operation === 'delete-stream';
}

/** The request under its number in a session. Field by field: V8 makes a hidden class for each copy that is spread. */
export function inSession(body: SessionWrite, session: RequestSession): SessionWrite {
  const { operation, stream } = body;
  if (operation === 'create-stream') return { operation, stream, dataClass: body.dataClass, session };
  if (operation === 'delete-stream') return { operation, stream, session };
  const { expectedOffset, idempotencyKey, events } = body;
  return { operation, stream, expectedOffset, idempotencyKey, events, session };
}

/** In which session it is asked; undefined without one. */
export function sessionOf(body: RequestBody): RequestSession | undefined {
  return isWrite(body) ? body.session : undefined;
}

/** The state's own reply to a request of a session. */
export interface SessionAnswer {
  readonly operation: WireOperation;
  /** Its bytes behind the id of the request: equal bytes, equal answers, and comparing needs no text of them. */
  readonly reply: string;
}

/** Undefined for every answer that is of the server that was asked, and of that moment. */
export function sessionAnswerIn(
  operation: WireOperation,
  bytes: Uint8Array,
  outcome: Outcome<unknown>,
): SessionAnswer | undefined {
  if ('failure' in outcome && !isOfState(outcome.failure)) return undefined;
  const { buffer, byteOffset, length } = bytes;
  const reply = Buffer.from(buffer, byteOffset + REQUEST_ID_BYTES, length - REQUEST_ID_BYTES).toString('latin1');
  return { operation, reply };
}

function isOfState({ code, evidence, outcome }: Failure): boolean {
  const isDecided = outcome === 'refused' && typeof evidence.rule === 'string' && evidence.rule.startsWith('Kernel.');
  return isDecided && !LOST.has(code);
}

/** For a person. */
export function textOfAnswer({ operation, reply }: SessionAnswer): string {
  const bytes = Buffer.concat([Buffer.alloc(REQUEST_ID_BYTES), Buffer.from(reply, 'latin1')]);
  return JSON.stringify(decodeResponse(bytes, operation));
}
