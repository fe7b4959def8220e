/**
 * The Network port as a replica sees it: frames out to peers by index, frames in through the owner's receive().
 * A frame may be lost, duplicated, reordered and delayed at will. Real: real-network.ts; simulated: simulated-network.ts.
 */
export interface Network {
  /** Sends one encoded frame to a peer (0..replicaCount-1, never oneself). Never blocks, never throws; may drop. */
  send(to: number, frame: Uint8Array): void;
}

/** What one side of a TLS connection shows and trusts: texts in PEM. The key is a secret: never logged, never printed. */
export interface TlsMaterial {
  /** The authorities whose signature is believed, one or more certificates. */
  readonly authority: string;
  /** This side's own certificate, with those between it and the authority. A client may have none. */
  readonly certificate?: string;
  readonly key?: string;
}

/** A replica shows its certificate to everybody. */
export type TlsServerMaterial = Required<TlsMaterial>;
