/**
 * The Network port as a replica sees it: frames out to peers by index, frames in through the owner's receive().
 * A frame may be lost, duplicated, reordered and delayed at will. Real: real-network.ts; simulated: simulated-network.ts.
 */
export interface Network {
  /** Sends one encoded frame to a peer (0..replicaCount-1, never oneself). Never blocks, never throws; may drop. */
  send(to: number, frame: Uint8Array): void;
}
