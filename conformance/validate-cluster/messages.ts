/**
 * Which message of specs/Vsr.tla a step takes and which it sends, as texts that are equal for equal messages. Hashes stand
 * for entries. Used to order the steps of several replicas; whether a step was right, TLC says.
 */
import type { MessageFacts } from '../../machines/vsr-context.ts';
import { hashAt, type LogHashes, type ReplicaStep } from './replica-run.ts';

const text = (...parts: readonly (string | number | undefined)[]): string => parts.join(' ');

/** Undefined: it takes none. */
export function takenBy({ action, message }: Pick<ReplicaStep, 'action' | 'message'>): string | undefined {
  if (message === undefined) return undefined;
  const { from, to, view, op, hash, logView, commit, round } = message;
  switch (action) {
    case 'ReceivePrepare':
      return text('Prepare', from, view, op, hash);
    case 'ReceivePrepareOk':
      return text('PrepareOk', from, view, op);
    case 'ReceiveCommit':
      return text('Commit', from, view, commit);
    case 'ReceiveReadRound':
      return text('ReadRound', from, view, round);
    case 'ReceiveReadRoundOk':
      return text('ReadRoundOk', from, view, round);
    case 'JoinView':
      return logView === undefined ? text('Commit', from, view, commit) : changeVote(message);
    case 'JoinViewChange':
    case 'ReceiveStartViewChange':
    case 'AnswerStartViewChange':
      return text('StartViewChange', from, view);
    case 'ReceiveDoViewChange':
      return changeVote(message);
    case 'ReceiveStartView':
    case 'ReceiveStartViewWhileNormal':
      return text('StartView', from, view, op, hash);
    case 'ReceiveRequestEntry':
      return text('RequestEntry', from, to, view, op);
    case 'ReceiveHeldEntry':
    case 'ReceiveMissingEntry':
      return text('Entry', from, to, view, op, hash);
    default:
      return undefined;
  }
}

/** @param hashes the replica's log after the step */
export function sentBy({ action, replica, message, after }: ReplicaStep, hashes: LogHashes): string | undefined {
  const { view, logView, op, headHash, commit, target, reading } = after;
  switch (action) {
    case 'ClientRequest':
      return text('Prepare', replica, view, op, headHash);
    case 'BackupFsync':
    case 'EnterView':
      return text('PrepareOk', replica, view, op);
    case 'SendCommit':
      return text('Commit', replica, view, commit);
    case 'StartReadRound':
      return text('ReadRound', replica, view, reading.round);
    case 'ReceiveReadRound':
      return text('ReadRoundOk', replica, view, message?.round);
    case 'PersistView':
      return text('StartViewChange', replica, view);
    case 'SendDoViewChange':
      return changeVote({ from: replica, view, logView, op, hash: headHash, commit });
    case 'StartView':
    case 'AnswerStartViewChange':
      return text('StartView', replica, view, op, headHash);
    case 'RequestEntry':
      return text('RequestEntry', replica, target.from, view, target.next);
    case 'ReceiveRequestEntry':
      return text('Entry', replica, message?.from, view, message?.op, hashAt(hashes, message?.op ?? 0));
    default:
      return undefined;
  }
}

function changeVote({ from, view, logView, op, hash, commit }: MessageFacts): string {
  return text('DoViewChange', from, view, logView, op, hash, commit);
}
