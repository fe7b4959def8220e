/**
 * What a frame of our own says, read at fixed offsets: no checksum, no bounds, nothing copied, nothing allocated. Only for
 * frames that encodeMessage() has made (the simulator's invariants); what comes from a peer goes through codec.ts.
 */
import { readU32, readU64 } from '../ports/little-endian.ts';
import { FIELDS_AT, FROM_AT, TYPE_AT, TYPES, VIEW_AT } from './codec.ts';
import type { MessageType } from './message.ts';
import {
  OP_AT,
  HASH_AT as PREPARE_HASH_AT,
  PARENT_AT as PREPARE_PARENT_AT,
  VIEW_AT as PREPARE_VIEW_AT,
} from './prepare.ts';

/** In the frame of a Prepare or Entry: of its entry. */
export const ENTRY_HASH_AT = FIELDS_AT + PREPARE_HASH_AT;
export const ENTRY_PARENT_AT = FIELDS_AT + PREPARE_PARENT_AT;

/** Fields that a message of its type lacks are 0. */
export interface FramePeek {
  type: MessageType;
  from: number;
  view: number;
  op: number;
  logView: number;
  entryView: number;
  round: number;
}

/** @param into is overwritten and returned */
export function peekFrame(frame: Uint8Array, into: FramePeek): FramePeek {
  into.type = TYPES[frame[TYPE_AT] as number] as MessageType;
  into.from = frame[FROM_AT] as number;
  into.view = readU32(frame, VIEW_AT);
  into.op = 0;
  into.logView = 0;
  into.entryView = 0;
  into.round = 0;
  switch (into.type) {
    case 'Prepare':
    case 'Entry':
      into.op = readU64(frame, FIELDS_AT + OP_AT);
      into.entryView = readU32(frame, FIELDS_AT + PREPARE_VIEW_AT);
      return into;
    case 'PrepareOk':
    case 'RequestEntry':
    case 'RequestPrepare':
    case 'StartView':
      into.op = readU64(frame, FIELDS_AT);
      return into;
    case 'DoViewChange':
      into.logView = readU32(frame, FIELDS_AT);
      into.op = readU64(frame, FIELDS_AT + 12);
      return into;
    case 'ReadRound':
    case 'ReadRoundOk':
      into.round = readU64(frame, FIELDS_AT);
      return into;
    case 'Commit':
    case 'StartViewChange':
      return into;
  }
}
