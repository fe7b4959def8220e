/** What a peer's or a client's bytes can be wrong in. Mirrors no spec module. The codes are the labels of a metric, too. */
import { LockstepError } from '../ports/lockstep-error.ts';

export type WireErrorCode =
  | 'WIRE_FRAME_TOO_SHORT'
  | 'WIRE_FRAME_OVERSIZED'
  | 'WIRE_FRAME_TOO_SLOW' // not whole in time
  | 'WIRE_BAD_CHECKSUM'
  | 'WIRE_UNKNOWN_KIND'
  | 'WIRE_MALFORMED' // a field that runs past the end, bytes left over, a value out of its range
  | 'WIRE_NOT_LOCKSTEP' // the first frame is no Hello: another program talks to this port
  | 'WIRE_WRONG_VERSION'
  | 'WIRE_WRONG_CLUSTER'
  | 'WIRE_WRONG_REPLICA'; // an address list that differs between the two sides

export class WireError extends LockstepError<WireErrorCode> {}
