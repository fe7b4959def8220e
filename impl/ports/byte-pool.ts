/**
 * Bytes for frames, prepares, records and pages, cut from larger pieces: an ArrayBuffer of its own for each costs more than filling it.
 * What is cut off is never given again; a piece lives as long as its longest-lived cut. Not zeroed. Mirrors no spec module.
 */

/** More means fewer ArrayBuffers, and more memory held by one old cut. */
const PIECE_BYTES = 64 * 1024;
/** Larger ones get an ArrayBuffer of their own. */
const CUT_BYTES_MAX = PIECE_BYTES / 8;
/** Cuts begin at multiples of 8. */
const ALIGNMENT = 8;

let piece = Buffer.allocUnsafeSlow(PIECE_BYTES).buffer as ArrayBuffer;
let used = 0;

export function newBytes(count: number): Uint8Array {
  if (count > CUT_BYTES_MAX) return new Uint8Array(Buffer.allocUnsafeSlow(count).buffer as ArrayBuffer);
  if (used + count > PIECE_BYTES) {
    piece = Buffer.allocUnsafeSlow(PIECE_BYTES).buffer as ArrayBuffer;
    used = 0;
  }
  const cut = new Uint8Array(piece, used, count);
  used += Math.ceil(count / ALIGNMENT) * ALIGNMENT;
  return cut;
}
