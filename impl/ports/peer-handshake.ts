/**
 * How two replicas introduce themselves, of one side: both say Hello, and with a cluster secret each Hello carries a challenge
 * and each side answers the other's with a proof, the one that dialled first: who only reaches the port gets nothing to guess
 * with. Pure but for the number it draws; real-network.ts has the connection. Mirrors no spec module.
 */
import { isProof, NONCE_BYTES, PROOF_BYTES, type ProofSide, type ProofSubject, proofOf } from '../crypto/peer-proof.ts';
import { malformed } from '../wire/bytes.ts';
import { FRAME_KINDS, type FrameKind } from '../wire/frame.ts';
import type { Hello } from '../wire/hello.ts';
import { WireError } from '../wire/wire-error.ts';
import { assert } from './assert.ts';
import type { Self } from './introduction.ts';
import type { PeerSecrets } from './peer-secrets.ts';
import type { Random } from './random.ts';

/** What to send after a frame of the other side, and whether it is believed now. */
export interface HandshakeStep {
  readonly proof: Uint8Array | undefined;
  readonly isDone: boolean;
}

const DONE: HandshakeStep = { proof: undefined, isDone: true };
const CHALLENGE = /^[A-Za-z0-9_-]{43}$/;

export class PeerHandshake {
  readonly #side: ProofSide;
  readonly #self: Self;
  /** Index of the other side, as we dialled it or as it says. */
  readonly other: number;
  readonly #secrets: PeerSecrets | undefined;
  readonly #nonce: Uint8Array;
  #subject: ProofSubject | undefined;

  constructor(side: ProofSide, self: Self, other: number, secrets: PeerSecrets | undefined, random: Random) {
    this.#side = side;
    this.#self = self;
    this.other = other;
    this.#secrets = secrets;
    this.#nonce = secrets === undefined ? new Uint8Array(0) : random.bytes(NONCE_BYTES);
  }

  /** The token of our Hello. */
  get challenge(): string {
    return Buffer.from(this.#nonce).toString('base64url');
  }

  /** The Hello of the other side has come, and a proof is owed. */
  get isProving(): boolean {
    return this.#subject !== undefined;
  }

  /** @param hello of the replica that is meant, in this cluster @throws WireError PEER_PROOF_UNWANTED, PEER_PROOF_MISSING, WIRE_MALFORMED */
  takeHello({ token = '' }: Hello): HandshakeStep {
    assert(this.#subject === undefined, 'a side says Hello once');
    if (this.#secrets === undefined) {
      if (token === '') return DONE;
      const message = `replica ${this.other} asks for a proof, and replica ${this.#self.replica} has no cluster secret: set it for all`;
      throw new WireError('PEER_PROOF_UNWANTED', message, { other: this.other });
    }
    if (token === '') throw this.#missing('does not know that this cluster has a secret: set it for all');
    if (!CHALLENGE.test(token)) throw malformed('token', 'of a replica is no challenge');
    this.#subject = this.#subjectWith(Buffer.from(token, 'base64url'));
    const proof = this.#side === 'dialler' ? proofOf(this.#secrets.first, 'dialler', this.#subject) : undefined;
    return { proof, isDone: false };
  }

  /** The frame after the Hello. @throws WireError PEER_PROOF_MISSING, PEER_PROOF_WRONG, WIRE_MALFORMED */
  takeProof(kind: FrameKind, payload: Uint8Array): HandshakeStep {
    const subject = this.#subject;
    assert(
      this.#secrets !== undefined && subject !== undefined,
      'a proof is waited for after the Hello, with a secret',
    );
    if (kind !== FRAME_KINDS.peerProof) throw this.#missing('went on without a proof');
    if (payload.byteLength !== PROOF_BYTES) throw malformed('proof', `has ${payload.byteLength} bytes`);
    if (this.#side === 'dialler') {
      if (!isProof(payload, this.#secrets.first, 'acceptor', subject)) throw this.#wrong();
      return DONE;
    }
    const secret = this.#secrets.find((key) => isProof(payload, key, 'dialler', subject));
    if (secret === undefined) throw this.#wrong();
    return { proof: proofOf(secret, 'acceptor', subject), isDone: true };
  }

  #subjectWith(theirs: Uint8Array): ProofSubject {
    const { cluster, replica, replicaCount } = this.#self;
    return this.#side === 'dialler'
      ? {
          cluster,
          replicaCount,
          dialler: replica,
          acceptor: this.other,
          diallerNonce: this.#nonce,
          acceptorNonce: theirs,
        }
      : {
          cluster,
          replicaCount,
          dialler: this.other,
          acceptor: replica,
          diallerNonce: theirs,
          acceptorNonce: this.#nonce,
        };
  }

  #missing(what: string): WireError {
    return new WireError('PEER_PROOF_MISSING', `who says to be replica ${this.other} ${what}`, { other: this.other });
  }

  #wrong(): WireError {
    const message = `who says to be replica ${this.other} does not know the secret of this cluster: give all replicas the same`;
    return new WireError('PEER_PROOF_WRONG', message, { other: this.other });
  }
}
