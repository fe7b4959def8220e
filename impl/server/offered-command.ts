/**
 * A command as it is offered to proposals.ts, and how it ends: applied, refused (known not applied) or unknown. Mirrors no
 * spec module.
 */
import type { RequestSession } from '../kernel/command.ts';
import type { Failure } from '../wire/answer.ts';
import { outcomeUnknown } from './failure.ts';
import type { RequestTrace } from './request-trace.ts';

export interface Applied {
  readonly op: number;
  readonly hash: Uint8Array;
  /** Of impl/kernel; undefined for a barrier. */
  readonly result: unknown;
  /** An earlier try of it may be applied as well: if this one was refused by the state, nobody knows. */
  readonly inDoubt?: true | undefined;
}

/** 'not-primary': only to a command that a peer handed to us. Not applied. */
export type CommandOutcome = Applied | Failure | 'not-primary';

export interface Command {
  /** Encoded by impl/kernel; undefined is a read barrier: any op that commits after it came will do. */
  readonly bytes: Uint8Array | undefined;
  /** Whose request it is, when it is one of a session: executed once, however often it is in the log. */
  readonly session?: RequestSession | undefined;
  /** On the monotonic clock. */
  readonly deadlineMs: number;
  /** Doing it twice changes nothing (a barrier, a command of a session or with an idempotency key): it may be sent again when in doubt. */
  readonly retrySafe: boolean;
  /** It came from a peer and is not handed on again. */
  readonly fromPeer: boolean;
  /** Hears of its way, when the request is traced. */
  readonly trace?: RequestTrace | undefined;
  readonly done: (outcome: CommandOutcome) => void;
}

/** As it waits for its outcome. */
export interface Waiting extends Command {
  settled: boolean;
  /** It was submitted or handed on before, and may be applied: whatever is said of a later try, it is not known refused. */
  inDoubt: boolean;
}

/** Field by field: V8 makes a hidden class for each copy that is spread. */
export function waiting({ bytes, session, deadlineMs, retrySafe, fromPeer, trace, done }: Command): Waiting {
  return { bytes, session, deadlineMs, retrySafe, fromPeer, trace, done, settled: false, inDoubt: false };
}

export function isFromPeer({ fromPeer }: Command): boolean {
  return fromPeer;
}

export function latestDeadlineMs(commands: readonly Command[]): number {
  let latestMs = 0;
  for (const { deadlineMs } of commands) latestMs = Math.max(latestMs, deadlineMs);
  return latestMs;
}

/** It was tried before, and that try may be applied: no refusal of a later one says that it is not. */
export function inDoubt(outcome: CommandOutcome): CommandOutcome {
  if (outcome === 'not-primary') return outcome;
  if ('op' in outcome) return { op: outcome.op, hash: outcome.hash, result: outcome.result, inDoubt: true };
  if (outcome.outcome === 'unknown') return outcome;
  return outcomeUnknown(Object.assign({}, outcome.evidence, { lastTry: outcome.code }));
}
