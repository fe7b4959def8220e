/**
 * What shows that a replica knows the secret of its cluster without saying it: HMAC-SHA-256 over who has dialled whom in which
 * cluster, which of the two proves, and a number of each that was drawn for this connection. docs/protocol.md has the bytes.
 * Mirrors no spec module.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

export const PROOF_BYTES = 32;
export const NONCE_BYTES = 32;
/** Keeps a proof from being one of another purpose, and of another version of this layout. */
const LABEL = Buffer.from('lockstep replica proof 1', 'latin1');

/** Of one connection; every field has its fixed width, so that no two of them have the same bytes. */
export interface ProofSubject {
  readonly cluster: bigint;
  readonly replicaCount: number;
  /** Index of the replica that opened the connection, and of the one that it reached. */
  readonly dialler: number;
  readonly acceptor: number;
  readonly diallerNonce: Uint8Array;
  readonly acceptorNonce: Uint8Array;
}

/** Whose proof it is: that of one side is never one of the other. */
export type ProofSide = 'dialler' | 'acceptor';

/** @returns PROOF_BYTES bytes */
export function proofOf(secret: Uint8Array, side: ProofSide, subject: ProofSubject): Buffer {
  const { cluster, replicaCount, dialler, acceptor, diallerNonce, acceptorNonce } = subject;
  const named = Buffer.alloc(12);
  named[0] = side === 'dialler' ? 0 : 1;
  named.writeBigUInt64LE(cluster, 1);
  named[9] = replicaCount;
  named[10] = dialler;
  named[11] = acceptor;
  const hmac = createHmac('sha256', secret);
  return hmac.update(LABEL).update(named).update(diallerNonce).update(acceptorNonce).digest();
}

/** In a time that does not tell how much of it is right. */
export function isProof(given: Uint8Array, secret: Uint8Array, side: ProofSide, subject: ProofSubject): boolean {
  return given.byteLength === PROOF_BYTES && timingSafeEqual(given, proofOf(secret, side, subject));
}
