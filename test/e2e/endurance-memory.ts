/**
 * Whether the memory of replicas grows with their log: resident bytes of each, beside the entries of the log. The least of a
 * quarter counts, since what is above it is garbage that nobody has collected yet; the first quarter is a start.
 */
import { readFileSync } from 'node:fs';

/** Of one replica: what an entry may take in each of its indexes together. docs/operating.md has what it takes. */
export const ENTRY_BYTES_MAX = 40;
/**
 * By so much a replica's least memory of one quarter may differ from that of another with the same log: V8 lets garbage that
 * has become old lie until there is about as much of it as of what lives, and a replica that starts makes some.
 */
export const NOISE_BYTES_MAX = 16 * 1024 ** 2;

export interface MemorySample {
  /** Of the log. */
  readonly entries: number;
  /** Of each replica; undefined when it was not running. */
  readonly residentBytes: readonly (number | undefined)[];
}

export interface MemoryGrowth {
  /** From the second quarter to the last, of one replica in the mean; NaN when a replica's memory was not read. */
  readonly bytes: number;
  readonly entries: number;
  readonly isWithinBounds: boolean;
}

export function growthOf(samples: readonly MemorySample[]): MemoryGrowth {
  const quarter = Math.floor(samples.length / 4);
  const [before, after] = [samples.slice(quarter, 2 * quarter), samples.slice(samples.length - quarter)];
  const entries = meanEntries(after) - meanEntries(before);
  const replicas = samples[0]?.residentBytes.length ?? 0;
  const grown = Array.from({ length: replicas }, (_, replica) => leastOf(after, replica) - leastOf(before, replica));
  const bytes = grown.reduce((sum, one) => sum + one, 0) / replicas;
  return { bytes, entries, isWithinBounds: bytes <= entries * ENTRY_BYTES_MAX + NOISE_BYTES_MAX };
}

/** Of a process; undefined when it is gone, or where there is no /proc. */
export function residentBytes(pid: number | undefined): number | undefined {
  if (pid === undefined) return undefined;
  try {
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kib === undefined ? undefined : Number(kib) * 1_024;
  } catch {
    return undefined;
  }
}

function meanEntries(samples: readonly MemorySample[]): number {
  return samples.reduce((sum, { entries }) => sum + entries, 0) / Math.max(1, samples.length);
}

/** NaN when it was never read in all this time: what is not known is within no bound. */
function leastOf(samples: readonly MemorySample[], replica: number): number {
  const known = samples.map((sample) => sample.residentBytes[replica]).filter((bytes) => bytes !== undefined);
  return known.length === 0 ? Number.NaN : Math.min(...known);
}
