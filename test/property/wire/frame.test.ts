/**
 * Goal: bytes on a connection become exactly the frames that were sent, however they are cut; anything else is a WireError.
 * Method: random frames through every kind of split; every single-bit flip and every truncation of a frame; random bytes.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame, FRAME_OVERHEAD_BYTES, type FrameKind, FrameReader } from '../../../impl/wire/frame.ts';
import { decodeHello, encodeHello, HELLO_BYTES_MAX, TOKEN_BYTES_MAX, versionOf } from '../../../impl/wire/hello.ts';
import { WireError } from '../../../impl/wire/wire-error.ts';

const kinds = fc.integer({ min: 1, max: 9 }).map((kind) => kind as FrameKind);
const frames = fc.array(fc.record({ kind: kinds, payload: fc.uint8Array({ maxLength: 300 }) }), { maxLength: 12 });

function readAll(reader: FrameReader, chunks: readonly Buffer[]): { kind: FrameKind; payload: Uint8Array }[] {
  const read: { kind: FrameKind; payload: Uint8Array }[] = [];
  for (const chunk of chunks)
    reader.push(chunk, (kind, payload) => read.push({ kind, payload: Uint8Array.from(payload) }));
  return read;
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set(places.map((place) => place % (bytes.byteLength + 1)))].sort((a, b) => a - b);
  const edges = [0, ...at, bytes.byteLength];
  return edges.slice(1).map((edge, index) => Buffer.from(bytes.subarray(edges[index], edge)));
}

describe('Frame', () => {
  it('Frames: any cut of the stream gives the same frames', () => {
    fc.assert(
      fc.property(frames, fc.array(fc.nat(10_000), { maxLength: 20 }), (sent, places) => {
        const bytes = Buffer.concat(sent.map(({ kind, payload }) => encodeFrame(kind, payload)));
        const reader = new FrameReader();
        expect(readAll(reader, cut(bytes, places))).toEqual(sent);
        expect(reader.heldBytes).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  it('Frames: one byte at a time', () => {
    const sent = [1, 2, 3].map((size) => ({ kind: 5 as FrameKind, payload: new Uint8Array(size * 7).fill(size) }));
    const bytes = Buffer.concat(sent.map(({ kind, payload }) => encodeFrame(kind, payload)));
    expect(
      readAll(
        new FrameReader(),
        [...bytes].map((byte) => Buffer.of(byte)),
      ),
    ).toEqual(sent);
  });

  it('Frames: every single-bit flip is refused or never becomes a frame', () => {
    const frame = encodeFrame(
      8,
      Uint8Array.from({ length: 40 }, (_, at) => at * 3),
    );
    for (let bit = 0; bit < frame.byteLength * 8; bit++) {
      const flipped = Buffer.from(frame);
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      const reader = new FrameReader();
      let read = 0;
      try {
        reader.push(flipped, () => read++);
      } catch (error) {
        expect(error).toBeInstanceOf(WireError);
      }
      expect(read).toBe(0);
    }
  });

  it('Frames: a cut frame waits, and holds no more than itself', () => {
    const frame = encodeFrame(8, new Uint8Array(100));
    for (let bytes = 0; bytes < frame.byteLength; bytes++) {
      const reader = new FrameReader();
      expect(readAll(reader, [frame.subarray(0, bytes)])).toEqual([]);
      expect(reader.heldBytes).toBe(bytes);
    }
  });

  it('Frames: random bytes give frames or a WireError, nothing else', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 8 }), (chunks) => {
        try {
          readAll(
            new FrameReader(),
            chunks.map((chunk) => Buffer.from(chunk)),
          );
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('Frames: the bound holds before a byte of the frame is stored', () => {
    const reader = new FrameReader(64);
    expect(() => reader.push(encodeFrame(8, new Uint8Array(64)), () => {})).toThrow(
      expect.objectContaining({ code: 'WIRE_FRAME_OVERSIZED' }),
    );
    expect(readAll(new FrameReader(64), [encodeFrame(8, new Uint8Array(63))])).toHaveLength(1);
    expect(FRAME_OVERHEAD_BYTES).toBe(9);
  });

  it('Hello: what was encoded comes back; other bytes give a WireError', () => {
    const hello = {
      minVersion: 1,
      maxVersion: 1,
      role: 'peer',
      replica: 2,
      replicaCount: 3,
      to: 1,
      cluster: 77n,
      token: 'ключ',
    } as const;
    expect(decodeHello(encodeHello(hello))).toEqual(hello);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(18), (bytes, begun) => {
        const payload = Buffer.from(bytes);
        encodeHello(hello).copy(payload, 0, 0, begun);
        try {
          decodeHello(payload);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('Hello: the version is the newest that both speak; without one it is refused, and a newer one may say more', () => {
    const plain = { role: 'client', replica: 255, replicaCount: 0, to: 255, cluster: 0n } as const;
    const later = (minVersion: number, maxVersion: number): Buffer =>
      Buffer.concat([encodeHello({ ...plain, minVersion, maxVersion }), Buffer.from('a field of a later version')]);
    expect(decodeHello(later(1, 2))).toMatchObject({ ...plain, minVersion: 1, maxVersion: 2 });
    expect(versionOf(1, 9)).toBe(1);
    expect(() => decodeHello(later(2, 9))).toThrow(expect.objectContaining({ code: 'WIRE_WRONG_VERSION' }));
    expect(() => decodeHello(later(0, 0))).toThrow(expect.objectContaining({ code: 'WIRE_WRONG_VERSION' }));
    expect(() => decodeHello(later(1, 1))).toThrow(expect.objectContaining({ code: 'WIRE_MALFORMED' }));
    expect(() => decodeHello(later(2, 1))).toThrow(expect.objectContaining({ code: 'WIRE_MALFORMED' }));
  });

  it('Hello: a token has a bound, and the largest one fits the first frame', () => {
    const hello = { role: 'client', replica: 255, replicaCount: 0, to: 255, cluster: 0n } as const;
    const longest = encodeHello({ ...hello, token: 'x'.repeat(TOKEN_BYTES_MAX) });
    expect(longest.byteLength).toBeLessThan(HELLO_BYTES_MAX);
    expect(decodeHello(longest).token).toHaveLength(TOKEN_BYTES_MAX);
    expect(() => encodeHello({ ...hello, token: 'x'.repeat(TOKEN_BYTES_MAX + 1) })).toThrow(WireError);
    const tooLong = Buffer.concat([longest, Buffer.from('x')]);
    tooLong.writeUInt16LE(TOKEN_BYTES_MAX + 1, longest.byteLength - TOKEN_BYTES_MAX - 2);
    expect(() => decodeHello(tooLong)).toThrow(expect.objectContaining({ code: 'WIRE_MALFORMED' }));
  });
});
