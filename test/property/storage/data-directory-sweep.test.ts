/**
 * Goal: a data directory is formatted as a whole or not at all, and a start that loses the power loses nothing.
 * Method: power loss before every operation of format and of open on the simulated disk, with every part of the changes of
 * names that were not synced, and with half of the bytes that were not; then format again or open.
 */
import { describe, expect, it } from 'vitest';
import type { Disk, DiskFile } from '../../../impl/ports/disk.ts';
import { SimulatedDisk } from '../../../impl/ports/simulated-disk.ts';
import { formatDataDirectory, openDataDirectory } from '../../../impl/storage/data-directory.ts';
import { DirectoryError } from '../../../impl/storage/directory-error.ts';

const IDENTITY = { cluster: 7n, replica: 1, replicaCount: 3 };
const SMALL = { log: { segmentBytes: 4096 } };
/** Changes of names in one format or open: more than there are. */
const NAMES_MAX = 6;

class PowerLoss extends Error {}

/** The disk until its operation number `last`; then nothing more happens. */
function failing(disk: SimulatedDisk, last: number): Disk {
  let operations = 0;
  const counted = <T>(act: () => T): T => {
    if (operations++ >= last) throw new PowerLoss();
    return act();
  };
  const fileOf = (file: DiskFile): DiskFile => ({
    path: file.path,
    get sizeBytes() {
      return file.sizeBytes;
    },
    read: (position, target) => file.read(position, target),
    write: (position, chunks) => counted(() => file.write(position, chunks)),
    sync: () => counted(() => file.sync()),
    preallocate: (sizeBytes) => counted(() => file.preallocate(sizeBytes)),
    truncate: (sizeBytes) => counted(() => file.truncate(sizeBytes)),
    close: () => file.close(),
  });
  return {
    open: (path, mode) =>
      mode === 'create' ? counted(() => fileOf(disk.open(path, mode))) : fileOf(disk.open(path, mode)),
    exists: (path) => disk.exists(path),
    list: (path) => disk.list(path),
    makeDirectory: (path) => counted(() => disk.makeDirectory(path)),
    rename: (from, to) => counted(() => disk.rename(from, to)),
    remove: (path) => counted(() => disk.remove(path)),
    syncDirectory: (path) => counted(() => disk.syncDirectory(path)),
    lock: (path) => counted(() => disk.lock(path)),
  };
}

/** Whether act came to its end before the power was lost. */
function until(act: () => void): boolean {
  try {
    act();
    return true;
  } catch (cause) {
    if (cause instanceof PowerLoss) return false;
    throw cause;
  }
}

/** What the power loss may leave: part of the names, and all, half or none of the bytes. */
function* crashesOf(disk: SimulatedDisk): Generator<SimulatedDisk> {
  for (let names = 0; names <= NAMES_MAX; names++)
    for (const part of [0, 0.5, 1]) {
      const after = disk.fork();
      after.crash((path) => Math.floor(after.unsyncedBytes(path) * part), names);
      yield after;
    }
}

function formatAgain(disk: SimulatedDisk): void {
  try {
    formatDataDirectory(disk, '/a', IDENTITY, SMALL);
  } catch (cause) {
    if (!(cause instanceof DirectoryError) || cause.code !== 'DIRECTORY_FORMATTED') throw cause;
  }
}

describe('Data directory: power loss', () => {
  it('while it is formatted: it opens as new, or says that it is not formatted and can be formatted again', () => {
    for (let last = 0; ; last++) {
      const disk = new SimulatedDisk();
      const done = until(() => formatDataDirectory(failing(disk, last), '/a', IDENTITY, SMALL));
      for (const after of crashesOf(disk)) {
        formatAgain(after);
        const { report, superblock, log } = openDataDirectory(after, '/a', IDENTITY, SMALL);
        expect([last, report.firstStart, superblock.state.sequence, log.recordsWritten]).toEqual([last, true, 0, 0]);
      }
      if (!done) continue;
      expect(last).toBeGreaterThan(8);
      return;
    }
  });

  it('while it is opened: what was acknowledged is there, and a start that was seen is no first start again', () => {
    for (let last = 0; ; last++) {
      const disk = new SimulatedDisk();
      formatDataDirectory(disk, '/a', IDENTITY, SMALL);
      const first = openDataDirectory(disk, '/a', IDENTITY, SMALL);
      first.log.append([{ kind: 1, payload: Uint8Array.of(1) }]);
      first.log.fsync();
      first.superblock.update({ view: 1, logView: 1, commit: 1 });
      first.close();
      const done = until(() => void openDataDirectory(failing(disk, last), '/a', IDENTITY, SMALL));
      for (const after of crashesOf(disk)) {
        const { report, superblock, log } = openDataDirectory(after, '/a', IDENTITY, SMALL);
        expect(report.firstStart).toBe(false);
        expect([last, superblock.state.view, log.recordsWritten]).toEqual([last, 1, 1]);
      }
      if (!done) continue;
      expect(last).toBeGreaterThan(5);
      return;
    }
  });

  it('a first start that was shown is remembered, wherever the power goes', () => {
    for (let last = 0; ; last++) {
      const disk = new SimulatedDisk();
      formatDataDirectory(disk, '/a', IDENTITY, SMALL);
      const shown = until(() => void openDataDirectory(failing(disk, last), '/a', IDENTITY, SMALL));
      for (const after of crashesOf(disk)) {
        const { firstStart } = openDataDirectory(after, '/a', IDENTITY, SMALL).report;
        if (shown) expect([last, firstStart]).toEqual([last, false]);
      }
      if (shown) return;
    }
  });
});
