/** Why a request of the client has no answer, or a refusal for one. Mirrors no spec module. */
import { type Evidence, LockstepError } from '../ports/lockstep-error.ts';
import type { Failure } from '../wire/answer.ts';

export type ClientErrorCode =
  | 'CLIENT_UNREACHABLE' // no replica could be reached before the deadline: not applied
  | 'CLIENT_NO_ANSWER' // it was sent, and no answer came before the deadline: applied or not
  | 'CLIENT_QUEUE_FULL' // too many requests wait in this client: not sent
  | 'CLIENT_CLOSED'; // close() was called

/** code is a ClientErrorCode, or the server's own code (docs/errors.md). */
export class ClientError extends LockstepError {
  /** refused: known not applied. unknown: applied or not, nobody can say now. */
  readonly outcome: 'refused' | 'unknown';

  constructor(code: string, message: string, outcome: 'refused' | 'unknown', evidence: Evidence = {}) {
    super(code, message, evidence);
    this.outcome = outcome;
  }
}

export function clientError(
  code: ClientErrorCode,
  message: string,
  outcome: 'refused' | 'unknown',
  evidence: Evidence = {},
): ClientError {
  return new ClientError(code, message, outcome, evidence);
}

/** @param inDoubt whether an earlier try of the same request may be applied */
export function refusalOf({ code, message, outcome, evidence }: Failure, inDoubt: boolean): ClientError {
  return new ClientError(code, message, inDoubt ? 'unknown' : outcome, evidence as Evidence);
}
