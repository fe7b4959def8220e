/** Goal: a write in several calls tells the caller how much the file has taken, whatever call fails. Method: a double. */
import { expect, test } from 'vitest';
import { writeInParts } from '../../../impl/ports/real-disk.ts';

const chunks = Array.from({ length: 2500 }, () => new Uint8Array(3));
const bytesOf = (part: readonly Uint8Array[]): number => part.reduce((sum, { byteLength }) => sum + byteLength, 0);

test('all calls succeed: every byte, each call behind the one before', () => {
  const positions: number[] = [];
  const written = writeInParts(chunks, (part, at) => {
    positions.push(at);
    return bytesOf(part);
  });
  expect([written, positions]).toEqual([7500, [0, 3072, 6144]]);
});

test('a later call fails: a short write, no error', () => {
  const written = writeInParts(chunks, (part, at) => {
    if (at > 0) throw new Error('no space left');
    return bytesOf(part);
  });
  expect(written).toBe(3072);
});

test('a later call is short: the calls behind it are not made', () => {
  const written = writeInParts(chunks, (part, at) => (at > 0 ? 5 : bytesOf(part)));
  expect(written).toBe(3077);
});

test('the first call fails: the error', () => {
  expect(() =>
    writeInParts(chunks, () => {
      throw new Error('no space left');
    }),
  ).toThrow('no space left');
});
