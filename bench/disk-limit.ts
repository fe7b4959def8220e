/**
 * The disk's own limit, measured in the run whose figures it is set beside: one block into a preallocated file, then
 * fdatasync, one after the other, over the same Disk port that the log uses.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { quantile } from '../impl/client/load.ts';
import { RealDisk } from '../impl/ports/real-disk.ts';

const FILE_BYTES = 64 * 1024 * 1024;

export interface DiskLimit {
  readonly blockBytes: number;
  readonly syncsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export function measureDiskLimit(folder: string | undefined, blockBytes: number, seconds: number): DiskLimit {
  const directory = mkdtempSync(join(folder ?? tmpdir(), 'lockstep-disk-'));
  try {
    const disk = new RealDisk();
    const file = disk.open(join(directory, 'limit'), 'create');
    file.preallocate(FILE_BYTES);
    const block = [new Uint8Array(blockBytes).fill(0x76)];
    const latencies: number[] = [];
    const started = performance.now();
    let position = 0;
    while (performance.now() - started < seconds * 1000) {
      const before = performance.now();
      file.write(position, block);
      file.sync();
      latencies.push(performance.now() - before);
      position = (position + blockBytes) % (FILE_BYTES - blockBytes);
    }
    const elapsedSeconds = (performance.now() - started) / 1000;
    file.close();
    const sorted = Float64Array.from(latencies).sort();
    return {
      blockBytes,
      syncsPerSecond: latencies.length / elapsedSeconds,
      p50Ms: quantile(sorted, 0.5),
      p99Ms: quantile(sorted, 0.99),
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
