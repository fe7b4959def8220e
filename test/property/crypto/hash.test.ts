/** Goal: the fast functions of Node and the portable reference agree byte for byte. Method: random chunks, random cuts. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  crc32,
  crc32Portable,
  crc32WithZeros,
  hashText,
  sha256,
  sha256Portable,
  sha256Text,
} from '../../../impl/crypto/hash.ts';

const chunks = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 4 });

test('SHA-256: node:crypto equals noble, however the input is cut', () => {
  fc.assert(
    fc.property(chunks, (input) => {
      expect(hashText(sha256(...input))).toBe(hashText(sha256Portable(...input)));
      expect(hashText(sha256(Buffer.concat(input)))).toBe(hashText(sha256(...input)));
      expect(sha256Text(Buffer.concat(input))).toBe(hashText(sha256(...input)));
    }),
  );
});

test('CRC-32: a short chunk (counted here) and a long one (node:zlib) equal the table, however the input is cut', () => {
  fc.assert(
    fc.property(chunks, (input) => {
      expect(crc32(Buffer.concat(input))).toBe(crc32Portable(...input));
    }),
  );
});

test('CRC-32: zeros behind a chunk are worth the same looked up as counted', () => {
  for (const zeroCount of [0, 1, 3964]) {
    const withZeros = crc32WithZeros(zeroCount);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (chunk) => {
        expect(withZeros(crc32(chunk))).toBe(crc32Portable(chunk, new Uint8Array(zeroCount)));
      }),
    );
  }
});

test('known answers', () => {
  expect(hashText(sha256(Buffer.from('abc')))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  expect(crc32(Buffer.from('123456789'))).toBe(0xcbf43926);
});
