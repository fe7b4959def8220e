/**
 * What a server does with the bytes of a simulated client's request, and what is in the bytes of its answer: the client port
 * (impl/server/client-port.ts) without connections. A part of sim-clients.ts; mirrors no spec module.
 */
import { assert } from '../../impl/ports/assert.ts';
import type { ReplicaCore } from '../../impl/server/replica-core.ts';
import type { Outcome } from '../../impl/server/requests.ts';
import { type AnswerOf, decodeResponse, encodeAnswer, encodeFailure } from '../../impl/wire/answer.ts';
import { decodeRequest, type RequestBody, type Operation as WireOperation } from '../../impl/wire/request.ts';

/** Of one that is for a session, or in one. */
export type SentRequest = Extract<
  RequestBody,
  { readonly operation: 'register-session' | 'append' | 'create-stream' | 'delete-stream' }
>;

/** The session is gone, and what was kept of it. */
export const LOST: ReadonlySet<string> = new Set(['SESSION_EVICTED', 'SESSION_UNKNOWN', 'SESSION_REQUEST_STALE']);

export function serve(core: ReplicaCore, request: Uint8Array, answered: (bytes: Buffer) => void): void {
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

export function isWrite(body: RequestBody): body is Extract<SentRequest, { readonly stream: string }> {
  return body.operation === 'append' || body.operation === 'create-stream' || body.operation === 'delete-stream';
}

/** The state's own reply to a request of a session; every other answer is of the server that was asked, and of that moment. */
export function replyIn(bytes: Buffer, operation: WireOperation): string | undefined {
  const outcome = decodeResponse(bytes, operation);
  if ('applied' in outcome) return JSON.stringify(outcome);
  const { code, evidence, outcome: known } = outcome.failure;
  const isDecided = known === 'refused' && typeof evidence.rule === 'string' && evidence.rule.startsWith('Kernel.');
  return isDecided && !LOST.has(code) ? JSON.stringify(outcome) : undefined;
}
