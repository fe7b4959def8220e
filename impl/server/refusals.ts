/**
 * What is said when a command is refused: by its form, or by the state, with the rule that decided. Mirrors no spec module.
 */
import { CommandError } from '../kernel/command.ts';
import { isOfSession, type KernelRule, type Refused } from '../kernel/rules.ts';
import type { Failure } from '../wire/answer.ts';
import { type FailureCode, failure, outcomeUnknown } from './failure.ts';
import type { Applied } from './offered-command.ts';

const KERNEL_REFUSALS: Readonly<Record<KernelRule, readonly [FailureCode, string]>> = {
  'Kernel.Command.WellFormed': ['REQUEST_INVALID', 'the bytes are no command of this version'],
  'Kernel.CreateStream.NameIsFree': ['STREAM_EXISTS', 'a stream of this name exists: use it, or choose another name'],
  'Kernel.CreateStream.StreamsHaveRoom': ['LIMIT_REACHED', 'there are as many streams as may be: delete one first'],
  'Kernel.DeleteStream.StreamExists': ['STREAM_NOT_FOUND', 'there is no stream of this name'],
  'Kernel.Append.StreamExists': [
    'STREAM_NOT_FOUND',
    'there is no stream of this name: create it with POST /v1/streams',
  ],
  'Kernel.Append.KeyIsNotReused': [
    'IDEMPOTENCY_KEY_REUSED',
    'this idempotency key stands for another append, of this stream or of another: use a new key for each',
  ],
  'Kernel.Append.OffsetMatches': [
    'OFFSET_MISMATCH',
    'the first event would get another offset than expectedOffset: read up to nextOffset, then decide again',
  ],
  'Kernel.Session.IsRegistered': ['SESSION_UNKNOWN', 'this cluster has never had a session of this id: register one'],
  'Kernel.Session.IsNotEvicted': [
    'SESSION_EVICTED',
    'this session is gone, and its replies with it: register a new one; what was in doubt stays unknown',
  ],
  'Kernel.Session.RequestIsNotStale': [
    'SESSION_REQUEST_STALE',
    'the session has gone on, and the reply to this request is no longer kept: number requests upwards, none twice',
  ],
  'Kernel.Append.OffsetsHaveRoom': ['LIMIT_REACHED', 'the stream has as many events as may be: use another one'],
};

/**
 * Of the state; when an earlier try of the same command may still be applied, or is, the answer is that nobody knows. A
 * request of a session is executed once: what was said to it then holds, but for a session that keeps nothing of it.
 */
export function refusalOf(result: Refused, { op, inDoubt }: Applied, hasSession: boolean): Failure {
  const refusal = refusedByKernel(result, op);
  const isFinal = hasSession && !isOfSession(result);
  if (inDoubt !== true || isFinal) return refusal;
  return outcomeUnknown(Object.assign({}, refusal.evidence, { lastTry: refusal.code }));
}

function refusedByKernel({ rule, evidence }: Refused, commitId: number): Failure {
  const [code, message] = KERNEL_REFUSALS[rule];
  return failure(code, message, Object.assign({}, evidence, { rule, decidedAtCommitId: commitId }));
}

/** Why a request has not its form. */
export function wellFormed(check: () => void): Failure | undefined {
  try {
    check();
    return undefined;
  } catch (cause) {
    if (cause instanceof CommandError) return malformedCommand(cause);
    throw cause;
  }
}

const TOO_LARGE: ReadonlySet<string> = new Set(['COMMAND_EVENT_TOO_LARGE', 'COMMAND_TOO_MANY_EVENTS']);

function malformedCommand({ code, message, evidence }: CommandError): Failure {
  return failure(TOO_LARGE.has(code) ? 'TOO_LARGE' : 'REQUEST_INVALID', message, { ...evidence, rule: code });
}
