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
  | 'WIRE_WRONG_REPLICA' // an address list that differs between the two sides
  | 'PEER_PROOF_MISSING' // a replica that shows nothing where a cluster secret is set, or not in time
  | 'PEER_PROOF_WRONG' // of another secret, of another connection, or of the other side
  | 'PEER_PROOF_UNWANTED'; // a replica that asks for a proof where no cluster secret is set

export class WireError extends LockstepError<WireErrorCode> {}
