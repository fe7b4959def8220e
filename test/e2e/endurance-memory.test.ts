/** Goal: the endurance run tells memory that grows with the log from garbage. Method: made-up runs of a known growth. */
import { expect, test } from 'vitest';
import { ENTRY_BYTES_MAX, growthOf, type MemorySample, NOISE_BYTES_MAX, residentBytes } from './endurance-memory.ts';

const MIB = 1024 ** 2;

/** @param entryBytes that stay for each entry; garbage comes and goes above it, and one replica is away now and then */
function run(entryBytes: number): readonly MemorySample[] {
  return Array.from({ length: 40 }, (_, at) => {
    const entries = at * 20_000;
    const residentBytes = [0, 1, 2].map((replica) => {
      const garbage = ((at * 7 + replica * 3) % 10) * 8 * MIB;
      return (at + replica) % 6 === 0 ? undefined : 120 * MIB + entries * entryBytes + garbage;
    });
    return { entries, residentBytes };
  });
}

test('garbage is no growth, and what stays for each entry is', () => {
  expect(growthOf(run(0))).toMatchObject({ entries: 400_000, isWithinBounds: true });
  const { bytes, entries, isWithinBounds } = growthOf(run(360));
  expect(bytes / entries).toBeGreaterThan(300);
  expect(bytes / entries).toBeLessThan(420);
  expect(isWithinBounds).toBe(false);
});

test('the bound is that of an entry and of noise', () => {
  const between = growthOf(run(0)).entries;
  const atBound = ENTRY_BYTES_MAX + NOISE_BYTES_MAX / between;
  expect(growthOf(run(atBound - 5)).isWithinBounds).toBe(true);
  expect(growthOf(run(atBound + 5)).isWithinBounds).toBe(false);
});

test('memory that was not read is within no bound, and a process that is gone has none', () => {
  expect(growthOf([]).isWithinBounds).toBe(false);
  const unread = run(0).map(({ entries, residentBytes: [first, second] }) => ({
    entries,
    residentBytes: [first, second, undefined],
  }));
  expect(growthOf(unread)).toMatchObject({ bytes: Number.NaN, isWithinBounds: false });
  expect(residentBytes(undefined)).toBeUndefined();
  if (process.platform === 'linux') expect(residentBytes(process.pid)).toBeGreaterThan(MIB);
});
