/**
 * Entries and messages of specs/Vsr.tla out of what a simulated run recorded: hashes become the numbers of the client requests
 * that made the entries, as the spec counts them. Translates, decides nothing.
 */
import { type MessageFacts, NO_ENTRY_HASH } from '../../../machines/vsr-context.ts';
import { type TlaValue, tlaInteger, tlaRecord, tlaString } from '../../values/tla-value.ts';
import { type RunStep, WRITEBACK } from './run-steps.ts';

/** Value of an entry that no request of the run made. */
const UNKNOWN_ENTRY = -1;

interface Entry {
  readonly view: number;
  readonly value: number;
  readonly parent: number;
}

const TYPE_OF: Readonly<Record<string, string>> = {
  ReceivePrepare: 'Prepare',
  ReceivePrepareOk: 'PrepareOk',
  ReceiveCommit: 'Commit',
  ReceiveReadRound: 'ReadRound',
  ReceiveReadRoundOk: 'ReadRoundOk',
  JoinViewChange: 'StartViewChange',
  ReceiveStartViewChange: 'StartViewChange',
  AnswerStartViewChange: 'StartViewChange',
  ReceiveDoViewChange: 'DoViewChange',
  ReceiveStartView: 'StartView',
  ReceiveStartViewWhileNormal: 'StartView',
  ReceiveRequestEntry: 'RequestEntry',
  ReceiveHeldEntry: 'Entry',
  ReceiveMissingEntry: 'Entry',
};

export class SpecValues {
  readonly #entries = new Map<string, Entry>();

  constructor(steps: readonly RunStep[]) {
    for (const { action, before, after } of steps) {
      if (action !== 'ClientRequest' || this.#entries.has(after.headHash)) continue;
      const parent = this.valueOf(before.headHash);
      this.#entries.set(after.headHash, { view: after.view, value: this.#entries.size + 1, parent });
    }
  }

  /** HashOf of the spec. */
  valueOf(hash: string | undefined): number {
    return hash === NO_ENTRY_HASH ? 0 : (this.#entries.get(hash ?? '')?.value ?? UNKNOWN_ENTRY);
  }

  entry(hash: string | undefined): TlaValue {
    const unknown: Entry = { view: UNKNOWN_ENTRY, value: UNKNOWN_ENTRY, parent: UNKNOWN_ENTRY };
    const { view, value, parent } = this.#entries.get(hash ?? '') ?? unknown;
    return tlaRecord({ view: tlaInteger(view), value: tlaInteger(value), parent: tlaInteger(parent) });
  }

  /** The message that a step takes; undefined when it takes none. */
  taken({ action, message }: Pick<RunStep, 'action' | 'message'>): TlaValue | undefined {
    if (message === undefined) return undefined;
    const type = action === 'JoinView' ? joined(message) : TYPE_OF[action];
    return type === undefined ? undefined : this.message(type, message);
  }

  /** The message that a step sends; undefined when it sends none. A broadcast is one message. */
  sent({ action, replica: from, message, after, event }: RunStep): TlaValue | undefined {
    const { view, logView, op, headHash: hash, commit, target, reading } = after;
    switch (action) {
      case 'ClientRequest':
        return this.message('Prepare', { from, view, op, hash });
      case 'BackupFsync':
      case 'EnterView':
        return this.message('PrepareOk', { from, view, op });
      case WRITEBACK: {
        const { status, opDurable, acked } = after;
        const isBackup = status === 'normal' && view % acked.length !== from;
        return isBackup ? this.message('PrepareOk', { from, view, op: opDurable }) : undefined;
      }
      case 'SendCommit':
        return this.message('Commit', { from, view, commit });
      case 'StartReadRound':
        return this.message('ReadRound', { from, view, round: reading.round });
      case 'ReceiveReadRound':
        return this.message('ReadRoundOk', { from, view, round: message?.round ?? UNKNOWN_ENTRY });
      case 'PersistView':
        return this.message('StartViewChange', { from, view });
      case 'SendDoViewChange':
        return this.message('DoViewChange', { from, view, logView, op, hash, commit });
      case 'StartView':
      case 'AnswerStartViewChange':
        return this.message('StartView', { from, view, op, hash });
      case 'RequestEntry':
        return this.message('RequestEntry', { from, to: target.from, view, op: target.next });
      case 'ReceiveRequestEntry': {
        const held = 'hashAtOp' in event ? event.hashAtOp : undefined;
        const asked = { from, to: message?.from ?? from, view, op: message?.op ?? 0 };
        return this.message('Entry', held === undefined ? asked : { ...asked, hash: held });
      }
      default:
        return undefined;
    }
  }

  message(type: string, { from, to, view, op, logView, commit, round, hash }: MessageFacts): TlaValue {
    const numbers: Readonly<Record<string, number | undefined>> = { from, to, view, op, logView, commit, round };
    const named = FIELDS[type] ?? [];
    const fields: Record<string, TlaValue> = { type: tlaString(type) };
    for (const name of named) {
      if (name === 'hash') fields.hash = tlaInteger(this.valueOf(hash));
      else if (name === 'entry') fields.entry = this.entry(hash);
      else fields[name] = tlaInteger(numbers[name] ?? UNKNOWN_ENTRY);
    }
    return tlaRecord(fields);
  }
}

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  Prepare: ['from', 'view', 'op', 'entry'],
  PrepareOk: ['from', 'view', 'op'],
  Commit: ['from', 'view', 'commit'],
  ReadRound: ['from', 'view', 'round'],
  ReadRoundOk: ['from', 'view', 'round'],
  StartViewChange: ['from', 'view'],
  DoViewChange: ['from', 'view', 'logView', 'op', 'hash', 'commit'],
  StartView: ['from', 'view', 'op', 'hash'],
  RequestEntry: ['from', 'to', 'view', 'op'],
  Entry: ['from', 'to', 'view', 'op', 'entry'],
};

/** JoinView takes two types of message; a vote says the view of its log. */
function joined({ logView }: MessageFacts): string {
  return logView === undefined ? 'Commit' : 'DoViewChange';
}
