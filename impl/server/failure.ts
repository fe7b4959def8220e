/**
 * Every way in which a request can fail, with its HTTP status and whether the request is known not to be applied.
 * One table for the HTTP API and the binary protocol. Mirrors no spec module; docs/errors.md lists the codes.
 */
import type { Failure } from '../wire/answer.ts';

interface FailureKind {
  readonly status: number;
  readonly outcome: Failure['outcome'];
}

const refused = (status: number): FailureKind => ({ status, outcome: 'refused' });

export const FAILURES = {
  REQUEST_INVALID: refused(400),
  /** Plain HTTP came to a port of HTTPS. */
  TLS_SPOKEN_HERE: refused(400),
  CREDENTIALS_MISSING: refused(401),
  /** Of an unknown key, a wrong signature, an algorithm that is not taken: which one is not said. */
  CREDENTIALS_INVALID: refused(401),
  TOKEN_EXPIRED: refused(401),
  TOKEN_NOT_YET_VALID: refused(401),
  /** Another issuer or audience, or a claim that must be there. */
  TOKEN_NOT_FOR_HERE: refused(401),
  ROLE_MISSING: refused(403),
  NOT_FOUND: refused(404),
  STREAM_NOT_FOUND: refused(404),
  /** A proof of an entry that is not there yet, or never was. */
  OFFSET_NOT_FOUND: refused(404),
  METHOD_NOT_ALLOWED: refused(405),
  /** The bytes of a request came too slowly. */
  REQUEST_TIMEOUT: refused(408),
  STREAM_EXISTS: refused(409),
  OFFSET_MISMATCH: refused(409),
  IDEMPOTENCY_KEY_REUSED: refused(409),
  /** Of this session nothing is kept: register anew; what was in doubt under it stays unknown. */
  SESSION_EVICTED: refused(409),
  /** The session has gone on, and the reply to this number is no longer kept. */
  SESSION_REQUEST_STALE: refused(409),
  /** No session has had this id yet: it is of another cluster, or made up. */
  SESSION_UNKNOWN: refused(409),
  /** A bound that waiting does not move: streams, offsets of a stream. */
  LIMIT_REACHED: refused(409),
  TOO_LARGE: refused(413),
  MEDIA_TYPE_NOT_SUPPORTED: refused(415),
  /** A bound of the server or of the cluster is reached: try again after a moment. */
  BUSY: refused(429),
  /** This caller sends faster than it may. */
  RATE_LIMITED: refused(429),
  HEADERS_TOO_LARGE: refused(431),
  INTERNAL: { status: 500, outcome: 'unknown' },
  /** No primary could be asked before the deadline: not applied. */
  NO_QUORUM: refused(503),
  /** GET /ready: no primary with a quorum is in reach. */
  NOT_READY: refused(503),
  /** This replica has not applied the op that a committed read asks for. */
  READ_TOO_NEW: refused(503),
  HALTED: refused(503),
  DRAINING: refused(503),
  /** A view change put another op in its place: not applied. */
  REPLACED: refused(503),
  /** It was handed on, and nobody answered before the deadline. */
  OUTCOME_UNKNOWN: { status: 504, outcome: 'unknown' },
} as const satisfies Readonly<Record<string, FailureKind>>;
export type FailureCode = keyof typeof FAILURES;

export function failure(code: FailureCode, message: string, evidence: Failure['evidence'] = {}): Failure {
  return { outcome: FAILURES[code].outcome, code, message, evidence };
}

export function httpStatusOf(code: string): number {
  return code in FAILURES ? FAILURES[code as FailureCode].status : 500;
}

export function busy(what: string, evidence: Failure['evidence']): Failure {
  return failure('BUSY', `${what}: try again after a moment`, { ...evidence, retryAfterMs: 100 });
}

export function noQuorum(evidence: Failure['evidence']): Failure {
  const message =
    'no primary with a quorum could take the request before its deadline: it is not applied; ask again, or look at /v1/dx/status';
  return failure('NO_QUORUM', message, evidence);
}

export function outcomeUnknown(evidence: Failure['evidence']): Failure {
  const message =
    'the request was handed on and nobody could say before its deadline whether it is applied: read the stream to see, ' +
    'or send it again with the same Idempotency-Key';
  return failure('OUTCOME_UNKNOWN', message, evidence);
}
