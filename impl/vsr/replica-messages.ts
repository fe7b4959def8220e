/**
 * Between messages (message.ts) and the machine's events: which actions of specs/Vsr.tla take a message of each type, and
 * what of a message the guards may ask. Pure; decides nothing.
 */
import type { MessageAction, MessageFacts } from '../../machines/vsr-context.ts';
import { hashText } from '../crypto/hash.ts';
import type { Message, MessageType } from './message.ts';
import type { Prepare } from './prepare.ts';

/** At most one of them is enabled in any state: replica.ts asserts it. RequestPrepare is retransmission, outside the spec. */
export const ACTIONS_OF: Readonly<Record<Exclude<MessageType, 'RequestPrepare'>, readonly MessageAction[]>> = {
  Prepare: ['ReceivePrepare'],
  PrepareOk: ['ReceivePrepareOk'],
  Commit: ['ReceiveCommit', 'JoinView'],
  StartViewChange: ['JoinViewChange', 'ReceiveStartViewChange', 'AnswerStartViewChange'],
  DoViewChange: ['ReceiveDoViewChange', 'JoinView'],
  StartView: ['ReceiveStartView', 'ReceiveStartViewWhileNormal'],
  RequestEntry: ['ReceiveRequestEntry'],
  Entry: ['ReceiveHeldEntry', 'ReceiveMissingEntry'],
  ReadRound: ['ReceiveReadRound'],
  ReadRoundOk: ['ReceiveReadRoundOk'],
};

export type SpecMessage = Exclude<Message, { readonly type: 'RequestPrepare' }>;

/** ACTIONS_OF by a type: those of every op by name, which V8 resolves once, and the others by a search. */
export function actionsOf(type: SpecMessage['type']): readonly MessageAction[] {
  switch (type) {
    case 'Prepare':
      return ACTIONS_OF.Prepare;
    case 'PrepareOk':
      return ACTIONS_OF.PrepareOk;
    case 'Commit':
      return ACTIONS_OF.Commit;
    default:
      return ACTIONS_OF[type];
  }
}

/** Undefined for a message that carries none. */
export function entryOf(message: SpecMessage): Prepare | undefined {
  return message.type === 'Prepare' || message.type === 'Entry' ? message.entry : undefined;
}

/** Hashes become text here, once a message. */
export function factsOf(message: SpecMessage): MessageFacts {
  switch (message.type) {
    case 'Prepare': {
      const { from, view, op, entry } = message;
      return { from, view, op, hash: hashText(entry.hash), parent: hashText(entry.parent) };
    }
    case 'Entry': {
      const { from, to, view, op, entry } = message;
      return { from, to, view, op, hash: hashText(entry.hash), parent: hashText(entry.parent) };
    }
    case 'DoViewChange':
    case 'StartView':
      return { ...message, hash: hashText(message.hash) };
    default:
      return message;
  }
}
