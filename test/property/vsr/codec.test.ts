/**
 * Goal: a replica takes from a peer's bytes a message within bounds, or a FrameError, and nothing else ever.
 * Method: round trips of arbitrary messages; 100,000 mutated, cut and random frames, half of them with a right checksum.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crc32 } from '../../../impl/crypto/hash.ts';
import { SimulatedRandom } from '../../../impl/ports/simulated-random.ts';
import { decodeMessage, encodeMessage, FRAME_BYTES_MAX, FrameError } from '../../../impl/vsr/codec.ts';
import { PREPARE_BODY_BYTES_MAX } from '../../../impl/vsr/limits.ts';
import { decodePrepare, encodePrepare, newPrepare, PrepareError } from '../../../impl/vsr/prepare.ts';
import { CLUSTER, message, prepareOf, REPLICA_COUNT } from './arbitrary.ts';

const FRAMES = 100_000;

describe('Codec', () => {
  test('round trip: what was sent is what is received', () => {
    fc.assert(
      fc.property(message, (sent) => {
        const frame = encodeMessage(CLUSTER, sent);
        expect(decodeMessage(frame, CLUSTER, REPLICA_COUNT, sent.from)).toEqual(sent);
      }),
      { numRuns: 2000 },
    );
  });

  test('round trip: a prepare in the log, and its body is a view', () => {
    fc.assert(
      fc.property(prepareOf(9), (prepare) => {
        const bytes = encodePrepare({ ...prepare }); // a copy has no encoding kept beside it
        expect(bytes).toEqual(encodePrepare(prepare));
        const read = decodePrepare(bytes);
        expect(read).toEqual(prepare);
        expect(read.body.buffer).toBe(bytes.buffer);
      }),
      { numRuns: 500 },
    );
  });

  test('every cut of a frame is refused, and every flip of a bit', () => {
    fc.assert(
      fc.property(message, (sent) => {
        const frame = encodeMessage(CLUSTER, sent);
        for (let length = 0; length < frame.byteLength; length++) {
          expect(() => decodeMessage(frame.subarray(0, length), CLUSTER, REPLICA_COUNT)).toThrow(FrameError);
        }
        for (let bit = 0; bit < frame.byteLength * 8; bit++) {
          const flipped = Uint8Array.from(frame);
          flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
          expect(refusalOf(() => decodeMessage(flipped, CLUSTER, REPLICA_COUNT))).toBeInstanceOf(FrameError);
        }
      }),
      { numRuns: 20 },
    );
  });

  test('every flip of a bit of a prepare in the log is refused, but of its cluster', () => {
    fc.assert(
      fc.property(prepareOf(9), (prepare) => {
        const bytes = encodePrepare(prepare);
        for (let bit = 8 * 8; bit < bytes.byteLength * 8; bit++) {
          const flipped = Uint8Array.from(bytes);
          flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
          expect(refusalOf(() => decodePrepare(flipped))).toBeInstanceOf(PrepareError);
        }
      }),
      { numRuns: 20 },
    );
  });

  test(`${FRAMES} mutated, cut and random frames: a FrameError or a message within bounds`, () => {
    const random = new SimulatedRandom(3);
    const frames = fc.sample(message, { numRuns: 500, seed: 3 }).map((sent) => encodeMessage(CLUSTER, sent));
    const codes = new Map<string, number>();
    for (let n = 0; n < FRAMES; n++) {
      const frame = mutated(frames[random.below(frames.length)] as Uint8Array, random);
      const refusal = refusalOf(() => encodeMessage(CLUSTER, decodeMessage(frame, CLUSTER, REPLICA_COUNT)));
      if (refusal !== undefined && !(refusal instanceof FrameError)) throw refusal;
      const code = refusal?.code ?? 'taken';
      codes.set(code, (codes.get(code) ?? 0) + 1);
    }
    // Every code is reached: none is dead, and the mutations are not all stopped at the first door.
    expect([...codes.keys()].sort()).toEqual(
      [
        'FRAME_BAD_ENTRY',
        'FRAME_BAD_HASH',
        'FRAME_BAD_CHECKSUM',
        'FRAME_BAD_LENGTH',
        'FRAME_BAD_MAGIC',
        'FRAME_BAD_PARENT',
        'FRAME_FORGED_COMMIT',
        'FRAME_FORGED_OP',
        'FRAME_FORGED_ROUND',
        'FRAME_FORGED_VIEW',
        'FRAME_OVERSIZED',
        'FRAME_TRUNCATED',
        'FRAME_UNKNOWN_TYPE',
        'FRAME_UNKNOWN_VERSION',
        'FRAME_WRONG_ADDRESSEE',
        'FRAME_WRONG_CLUSTER',
        'FRAME_WRONG_SENDER',
        'taken',
      ].sort(),
    );
  });

  test('the largest batch is taken, and is the largest frame', () => {
    const body = new Uint8Array(PREPARE_BODY_BYTES_MAX).fill(7);
    const parent = new Uint8Array(32).fill(1);
    const entry = newPrepare({ cluster: CLUSTER, view: 0, op: 2, parent, timestamp: 1, client: 1n, request: 1, body });
    const frame = encodeMessage(CLUSTER, { type: 'Prepare', from: 0, view: 0, op: 2, entry });
    expect(frame.byteLength).toBe(FRAME_BYTES_MAX);
    expect(decodeMessage(frame, CLUSTER, REPLICA_COUNT)).toMatchObject({ type: 'Prepare', op: 2 });
    expect(() => newPrepare({ ...entry, body: new Uint8Array(PREPARE_BODY_BYTES_MAX + 1) })).toThrow('at most');
  });
});

function refusalOf(run: () => unknown): FrameError | PrepareError | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    return error as FrameError;
  }
}

/** One to three changes; half of the time the checksum is made right again, so that the fields themselves are judged. */
function mutated(frame: Uint8Array, random: SimulatedRandom): Uint8Array {
  if (random.below(20) === 0) return random.bytes(random.below(120));
  if (random.below(500) === 0) return new Uint8Array(FRAME_BYTES_MAX + 1);
  let bytes = Uint8Array.from(frame);
  for (let changes = 1 + random.below(3); changes > 0; changes--) {
    const at = random.below(Math.min(bytes.byteLength, random.below(3) === 0 ? 24 : bytes.byteLength));
    const kind = random.below(6);
    if (kind <= 1) bytes[at] = random.below(256);
    else if (kind === 2) bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
    else if (kind === 3) bytes[at] = random.below(2) * 255;
    else if (kind === 4 && random.below(3) === 0) bytes = bytes.slice(0, Math.max(1, at));
    else bytes.fill(random.below(2) * 255, at, at + 1 + random.below(40));
  }
  if (random.below(2) === 0 && bytes.byteLength > 28) {
    const view = new DataView(bytes.buffer);
    view.setUint32(20, bytes.byteLength - 28, true);
    view.setUint32(bytes.byteLength - 4, crc32(bytes.subarray(0, bytes.byteLength - 4)), true);
  }
  return bytes;
}
