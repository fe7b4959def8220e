/**
 * Goal: a proof is of one secret, one side, one pair of replicas, one cluster and one connection, and is what docs/protocol.md
 * says it is. Method: against a dumb twin on @noble/hashes, written from the page; every field changed, every bit flipped.
 */
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isProof, PROOF_BYTES, type ProofSubject, proofOf } from '../../../impl/crypto/peer-proof.ts';

const bytes = (count: number) => fc.uint8Array({ minLength: count, maxLength: count });
const index = fc.integer({ min: 0, max: 254 });
const subject: fc.Arbitrary<ProofSubject> = fc.record({
  cluster: fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }),
  replicaCount: index,
  dialler: index,
  acceptor: index,
  diallerNonce: bytes(32),
  acceptorNonce: bytes(32),
});
const secret = fc.uint8Array({ minLength: 32, maxLength: 256 });
const side = fc.constantFrom('dialler' as const, 'acceptor' as const);

describe('Peer proof', () => {
  it('is HMAC-SHA-256 of the bytes that the page names', () => {
    fc.assert(
      fc.property(secret, side, subject, (key, of, about) => {
        const cluster = Array.from({ length: 8 }, (_, at) => Number((about.cluster >> BigInt(8 * at)) & 255n));
        const { replicaCount, dialler, acceptor, diallerNonce, acceptorNonce } = about;
        const label = new TextEncoder().encode('lockstep replica proof 1');
        const head = [...label, of === 'dialler' ? 0 : 1, ...cluster, replicaCount, dialler, acceptor];
        const twin = hmac(sha256, key, Uint8Array.of(...head, ...diallerNonce, ...acceptorNonce));
        expect(Buffer.from(twin).equals(proofOf(key, of, about))).toBe(true);
      }),
    );
  });

  it('holds for itself, and for nothing that differs in one field, in the secret, or in the side', () => {
    fc.assert(
      fc.property(secret, subject, subject, (key, about, other) => {
        const proof = proofOf(key, 'dialler', about);
        expect(isProof(proof, key, 'dialler', about)).toBe(true);
        expect(isProof(proof, key, 'acceptor', about)).toBe(false);
        expect(isProof(proof, Uint8Array.of(...key, 1), 'dialler', about)).toBe(false);
        for (const field of Object.keys(about) as (keyof ProofSubject)[]) {
          const changed = { ...about, [field]: other[field] };
          if (Buffer.from(String(other[field])).equals(Buffer.from(String(about[field])))) continue;
          expect(isProof(proof, key, 'dialler', changed), field).toBe(false);
        }
        const swapped = { ...about, dialler: about.acceptor, acceptor: about.dialler };
        if (about.dialler !== about.acceptor) expect(isProof(proof, key, 'dialler', swapped)).toBe(false);
      }),
    );
  });

  it('no bit of it may be another, and none may be missing or too many', () => {
    const key = new Uint8Array(32).fill(7);
    const about = {
      cluster: 7n,
      replicaCount: 3,
      dialler: 1,
      acceptor: 0,
      diallerNonce: new Uint8Array(32),
      acceptorNonce: new Uint8Array(32).fill(1),
    };
    const proof = proofOf(key, 'acceptor', about);
    for (let bit = 0; bit < PROOF_BYTES * 8; bit++) {
      const flipped = Buffer.from(proof);
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(isProof(flipped, key, 'acceptor', about)).toBe(false);
    }
    for (let count = 0; count < PROOF_BYTES; count++)
      expect(isProof(proof.subarray(0, count), key, 'acceptor', about)).toBe(false);
    expect(isProof(Buffer.concat([proof, Buffer.of(0)]), key, 'acceptor', about)).toBe(false);
  });
});
