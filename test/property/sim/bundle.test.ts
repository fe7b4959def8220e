/**
 * Goal: no bundle that lost or changed a bit is taken for a bundle. Method: every single bit of a small one flipped, and
 * every place to cut it.
 */
import { describe, expect, test } from 'vitest';
import { compressed, decompressed } from '../../../conformance/sim/compressed-text.ts';

const text = JSON.stringify({ format: 1, words: 'a bundle of some length, of some length, of some length' });
const file = compressed(text);

describe('A compressed text', () => {
  test('comes back as it was, also when it is empty', () => {
    expect(decompressed(file)).toEqual({ text });
    expect(decompressed(compressed(''))).toEqual({ text: '' });
  });

  test('with any one bit flipped is never another text', () => {
    for (let bit = 0; bit < file.length * 8; bit++) {
      const flipped = Buffer.from(file);
      flipped[bit >> 3] = (file[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const read = decompressed(flipped);
      if ('text' in read) expect(read.text, `bit ${bit}`).toBe(text);
      else expect(read.unreadable, `bit ${bit}`).toBe(bit < 32 ? 'not-zstd' : 'damaged');
    }
  });

  test('cut anywhere is refused', () => {
    for (let length = 0; length < file.length; length++)
      expect(decompressed(file.subarray(0, length)), `${length} bytes`).toHaveProperty('unreadable');
  });
});
