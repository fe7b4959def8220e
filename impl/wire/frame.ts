/**
 * The envelope of everything on a TCP connection, between replicas and with clients: length, checksum, kind, payload.
 *   u32 length of what follows | u32 CRC-32 of kind and payload | u8 kind | payload       (little endian)
 * Mirrors no spec module: a frame that does not arrive whole is a lost message.
 */
import { crc32 } from '../crypto/hash.ts';
import { assert } from '../ports/assert.ts';
import { WireError } from './wire-error.ts';

/** Bytes of kind and payload. Larger than any prepare (1 MiB) and any answer; at it the connection is closed. */
export const FRAME_BYTES_MAX = 4 * 1024 * 1024;
const LENGTH_BYTES = 4;
const CHECKSUM_BYTES = 4;
const KIND_BYTES = 1;
export const FRAME_OVERHEAD_BYTES = LENGTH_BYTES + CHECKSUM_BYTES + KIND_BYTES;

/** Never renumbered: an older version must still be able to say that it does not know a kind. */
export const FRAME_KINDS = {
  hello: 1,
  /** The end of a connection, with the reason. */
  goodbye: 2,
  ping: 3,
  pong: 4,
  /** A message of impl/vsr/codec.ts, opaque here. */
  replica: 5,
  forwardRequest: 6,
  forwardResult: 7,
  clientRequest: 8,
  clientResponse: 9,
  /** After the Hello, between replicas that share a secret. */
  peerProof: 10,
} as const;
export type FrameKind = (typeof FRAME_KINDS)[keyof typeof FRAME_KINDS];
const KIND_MAX = 10;

/** One whole frame in one buffer. */
export function encodeFrame(kind: FrameKind, payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_OVERHEAD_BYTES + payload.length);
  frame.set(payload, FRAME_OVERHEAD_BYTES);
  return sealFrame(frame, kind);
}

/** Fills the first FRAME_OVERHEAD_BYTES of a buffer whose payload is already in place. */
export function sealFrame(frame: Buffer, kind: FrameKind): Buffer {
  const length = frame.length - LENGTH_BYTES;
  assert(length - CHECKSUM_BYTES <= FRAME_BYTES_MAX, 'a frame is bounded');
  frame.writeUInt32LE(length, 0);
  frame[LENGTH_BYTES + CHECKSUM_BYTES] = kind;
  frame.writeUInt32LE(crc32(frame.subarray(LENGTH_BYTES + CHECKSUM_BYTES)), LENGTH_BYTES);
  return frame;
}

/** Cuts a byte stream into frames. Holds at most one incomplete frame; a wrong byte ends it for good. */
export class FrameReader {
  #held: Buffer | undefined;
  /** Bytes of #held that are filled. */
  #filled = 0;
  /** Largest frame taken; raised from a small one when the other side has introduced itself. */
  boundBytes: number;

  constructor(boundBytes: number = FRAME_BYTES_MAX) {
    assert(boundBytes <= FRAME_BYTES_MAX, 'a frame is bounded');
    this.boundBytes = boundBytes;
  }

  /**
   * Calls back for every whole frame, in order. The payload lies in the chunk or in a buffer of its own: it stays valid.
   * @throws WireError; the connection is of no use afterwards.
   */
  push(chunk: Buffer, onFrame: (kind: FrameKind, payload: Buffer) => void): void {
    let at = 0;
    while (this.#held !== undefined && at < chunk.length) at += this.#fill(chunk, at, onFrame);
    while (chunk.length - at >= LENGTH_BYTES) {
      const end = at + LENGTH_BYTES + this.#lengthOf(chunk, at);
      if (end > chunk.length) break;
      openFrame(chunk.subarray(at, end), onFrame);
      at = end;
    }
    if (at < chunk.length) this.#hold(chunk, at);
  }

  /** Bytes of a frame that has not arrived whole. */
  get heldBytes(): number {
    return this.#filled;
  }

  #hold(chunk: Buffer, at: number): void {
    const rest = chunk.length - at;
    const size = rest >= LENGTH_BYTES ? LENGTH_BYTES + this.#lengthOf(chunk, at) : LENGTH_BYTES;
    this.#held = Buffer.allocUnsafe(size);
    this.#filled = chunk.copy(this.#held, 0, at);
  }

  /** Takes from the chunk what the held frame lacks; returns how many bytes that were. */
  #fill(chunk: Buffer, at: number, onFrame: (kind: FrameKind, payload: Buffer) => void): number {
    let held = this.#held as Buffer;
    const taken = chunk.copy(held, this.#filled, at);
    this.#filled += taken;
    if (this.#filled < held.length) return taken;
    if (held.length === LENGTH_BYTES) {
      const size = LENGTH_BYTES + this.#lengthOf(held, 0);
      const whole = Buffer.allocUnsafe(size);
      held.copy(whole);
      held = whole;
      this.#held = whole;
      return taken;
    }
    this.#held = undefined;
    this.#filled = 0;
    openFrame(held, onFrame);
    return taken;
  }

  #lengthOf(bytes: Buffer, at: number): number {
    const length = bytes.readUInt32LE(at);
    if (length < CHECKSUM_BYTES + KIND_BYTES) {
      throw new WireError('WIRE_FRAME_TOO_SHORT', `a frame of ${length} bytes has no kind`, { length });
    }
    if (length - CHECKSUM_BYTES > this.boundBytes) {
      const message = `a frame of ${length} bytes passes the bound of ${this.boundBytes}`;
      throw new WireError('WIRE_FRAME_OVERSIZED', message, { length, boundBytes: this.boundBytes });
    }
    return length;
  }
}

function openFrame(frame: Buffer, onFrame: (kind: FrameKind, payload: Buffer) => void): void {
  const expected = frame.readUInt32LE(LENGTH_BYTES);
  const actual = crc32(frame.subarray(LENGTH_BYTES + CHECKSUM_BYTES));
  if (expected !== actual) {
    throw new WireError('WIRE_BAD_CHECKSUM', 'a frame does not match its checksum', { expected, actual });
  }
  const kind = frame[LENGTH_BYTES + CHECKSUM_BYTES] as number;
  if (kind < 1 || kind > KIND_MAX) throw new WireError('WIRE_UNKNOWN_KIND', `frame kind ${kind} is unknown`, { kind });
  onFrame(kind as FrameKind, frame.subarray(FRAME_OVERHEAD_BYTES));
}
