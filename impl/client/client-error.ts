/** Why a request of the client has no answer, or a refusal for one, and what can be done then. Mirrors no spec module. */
import { type Evidence, LockstepError } from '../ports/lockstep-error.ts';
import type { Failure, KeyFacts } from '../wire/answer.ts';
import type { Operation } from '../wire/request.ts';
import type { CallOptions } from './client-options.ts';

export type ClientErrorCode =
  | 'CLIENT_UNREACHABLE' // no replica could be reached before the deadline: not applied
  | 'CLIENT_NO_ANSWER' // it was sent, and no answer came before the deadline: applied or not
  | 'CLIENT_QUEUE_FULL' // too many requests wait in this client: not sent
  | 'CLIENT_ABORTED' // the caller's signal
  | 'CLIENT_CLOSED'; // close() was called

/** What to do about a request of which nobody knows whether it was applied. */
export interface Remedy<Answer> {
  /** For an append with an idempotency key: whether it is committed. Changes nothing. */
  readonly ask: ((options?: CallOptions) => Promise<KeyFacts>) | undefined;
  /** Sends the same request once more under its old number or key: its first answer if it was applied, else it is applied now. */
  readonly again: ((options?: CallOptions) => Promise<Answer>) | undefined;
}

const NO_REMEDY: Remedy<unknown> = { ask: undefined, again: undefined };

/** code is a ClientErrorCode, or the server's own code (docs/errors.md). */
export class ClientError extends LockstepError {
  /** refused: known not applied. unknown: applied or not, nobody can say now. */
  readonly outcome: 'refused' | 'unknown';
  readonly #remedy: Remedy<unknown>;

  constructor(
    code: string,
    message: string,
    outcome: 'refused' | 'unknown',
    evidence: Evidence = {},
    remedy: Remedy<unknown> = NO_REMEDY,
  ) {
    super(code, message, evidence);
    this.outcome = outcome;
    this.#remedy = outcome === 'unknown' ? remedy : NO_REMEDY;
  }

  get ask(): Remedy<unknown>['ask'] {
    return this.#remedy.ask;
  }

  get again(): Remedy<unknown>['again'] {
    return this.#remedy.again;
  }
}

/** What became of a request, as a value. */
export type Outcome<Answer> =
  | { readonly outcome: 'applied'; readonly answer: Answer }
  | { readonly outcome: 'refused'; readonly error: ClientError }
  | { readonly outcome: 'unknown'; readonly error: ClientError; readonly remedy: Remedy<Answer> };

/** For those who would rather look than catch: `const result = await outcomeOf(client.append(…))`. Our own bugs still throw. */
export async function outcomeOf<Answer>(asked: Promise<Answer>): Promise<Outcome<Answer>> {
  try {
    return { outcome: 'applied', answer: await asked };
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    if (error.outcome === 'refused') return { outcome: 'refused', error };
    const { ask, again } = error as unknown as Remedy<Answer>;
    return { outcome: 'unknown', error, remedy: { ask, again } };
  }
}

export function clientError(
  code: ClientErrorCode,
  message: string,
  outcome: 'refused' | 'unknown',
  evidence: Evidence = {},
  remedy?: Remedy<unknown>,
): ClientError {
  return new ClientError(code, message, outcome, evidence, remedy);
}

/** @param inDoubt whether an earlier try of the same request may be applied */
export function refusalOf(
  { code, message, outcome, evidence }: Failure,
  inDoubt: boolean,
  remedy?: Remedy<unknown>,
): ClientError {
  return new ClientError(code, message, inDoubt ? 'unknown' : outcome, evidence as Evidence, remedy);
}

export function closedError(outcome: 'refused' | 'unknown', remedy?: Remedy<unknown>): ClientError {
  return clientError('CLIENT_CLOSED', 'the client was closed', outcome, {}, remedy);
}

export function abortedError(outcome: 'refused' | 'unknown', remedy?: Remedy<unknown>): ClientError {
  return clientError('CLIENT_ABORTED', 'the signal of the caller ended the request', outcome, {}, remedy);
}

export function queueFullError(waiting: number): ClientError {
  const message = `${waiting} requests wait in this client: slow down`;
  return clientError('CLIENT_QUEUE_FULL', message, 'refused', { waiting });
}

export function unreachableError(addresses: string, lastReason: string): ClientError {
  const message =
    `none of ${addresses} took the request before its deadline (${lastReason}): it is not applied; ` +
    'check that the replicas run';
  return clientError('CLIENT_UNREACHABLE', message, 'refused', { addresses, lastReason });
}

export function noAnswerError(
  operation: Operation,
  tries: number,
  outcome: 'refused' | 'unknown',
  remedy?: Remedy<unknown>,
): ClientError {
  const message =
    outcome === 'unknown'
      ? `no answer to ${operation} came before its deadline: it may be applied or not; ask() or again() tell, or read to see`
      : `no answer to ${operation} came before its deadline: ask again, with more time or fewer at once`;
  return clientError('CLIENT_NO_ANSWER', message, outcome, { tries }, remedy);
}
