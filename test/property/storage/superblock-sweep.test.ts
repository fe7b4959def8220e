/**
 * Goal: nothing that a superblock has shown is lost, whenever the power or the process goes (issue 3, point 4).
 * Method: exhaustive: power loss after every operation and at every byte of every write; processes killed around syncs that
 * fail, while the machine lives on and then loses its power.
 */
import { describe, expect, it } from 'vitest';
import type { Disk, DiskFile } from '../../../impl/ports/disk.ts';
import { SimulatedDisk } from '../../../impl/ports/simulated-disk.ts';
import { Superblock } from '../../../impl/storage/superblock.ts';
import { SECTOR_BYTES } from '../../../impl/storage/superblock-copy.ts';
import {
  diskWith,
  flipped,
  IDENTITY,
  newest,
  opened,
  PATH,
  PLACES,
  subsetsOf,
  viewOf,
  withSectors,
} from './superblock-image.ts';

const SWEEP_MS_MAX = 600_000;

class PowerLoss extends Error {}

/** Counts what changes the disk, and loses the power before one of them; a write is done first, so that its bytes may tear. */
class FailingDisk {
  readonly disk: SimulatedDisk;
  operations = 0;
  readonly #last: number;

  constructor(disk: SimulatedDisk, last: number) {
    this.disk = disk;
    this.#last = last;
  }

  port(): Disk {
    const { disk } = this;
    const counted = (): void => {
      if (this.operations++ >= this.#last) throw new PowerLoss();
    };
    return new Proxy(disk, {
      get: (target, name) => {
        if (name === 'open') return (path: string, mode: 'existing') => countedFile(target.open(path, mode), counted);
        const value = Reflect.get(target, name) as unknown;
        if (typeof value !== 'function') return value;
        const call = (...args: unknown[]): unknown => (value as (...all: unknown[]) => unknown).apply(target, args);
        if (name !== 'rename' && name !== 'syncDirectory') return call;
        return (...args: unknown[]) => {
          counted();
          return call(...args);
        };
      },
    });
  }
}

function countedFile(file: DiskFile, counted: () => void): DiskFile {
  return {
    path: file.path,
    get sizeBytes() {
      return file.sizeBytes;
    },
    read: (position, target) => file.read(position, target),
    write: (position, chunks) => {
      const taken = file.write(position, chunks);
      counted();
      return taken;
    },
    sync: () => {
      counted();
      file.sync();
    },
    preallocate: (sizeBytes) => file.preallocate(sizeBytes),
    truncate: (sizeBytes) => file.truncate(sizeBytes),
    close: () => file.close(),
  };
}

/** Opens, updates; returns the last view that was shown, and how many operations there were. */
function run(
  disk: SimulatedDisk,
  updates: readonly number[],
  last: number,
): { shown: number; operations: number; done: boolean } {
  const failing = new FailingDisk(disk, last);
  let shown = -1;
  try {
    const { superblock } = Superblock.open(failing.port(), PATH);
    shown = superblock.state.view;
    for (const view of updates) {
      superblock.update(viewOf(view));
      shown = view;
    }
    return { shown, operations: failing.operations, done: true };
  } catch (cause) {
    if (!(cause instanceof PowerLoss)) throw cause;
    return { shown, operations: failing.operations, done: false };
  }
}

/** Power loss before every operation and, once it is open, at every byte of what waits for a sync then. */
function sweep(start: SimulatedDisk, updates: readonly number[], atLeast: number, everyByte: boolean): number {
  let crashes = 0;
  for (let last = 0; ; last++) {
    const stopped = start.fork();
    const { shown, done } = run(stopped, updates, last);
    const acknowledged = Math.max(shown, atLeast);
    const bytes = stopped.unsyncedBytes(PATH);
    for (let keep = 0; keep <= bytes; keep += everyByte && shown >= 0 ? 1 : 509) {
      const disk = stopped.fork();
      disk.crash(() => keep);
      const view = opened(disk);
      crashes++;
      const next = updates.find((update) => update > acknowledged) ?? acknowledged;
      if (view !== acknowledged && view !== next)
        throw new Error(`operation ${last}, ${keep} bytes kept: ${acknowledged} was shown, and ${view} opens`);
      if (keep % 512 !== 0) continue;
      disk.crash(); // what the reopened one showed is durable
      if (opened(disk) !== view) throw new Error(`operation ${last}, ${keep} bytes kept: ${view} was shown, then lost`);
    }
    if (done) return crashes;
  }
}

describe('Superblock: power loss', () => {
  it(
    'at every byte of every write of two updates: what was shown is there, or its child',
    () => {
      const crashes = sweep(diskWith(newest), [3, 4], 2, true);
      expect(crashes).toBeGreaterThan(4 * 2 * SECTOR_BYTES);
    },
    SWEEP_MS_MAX,
  );

  it.each(
    subsetsOf(PLACES)
      .filter(({ length }) => length === 1 || length === 2)
      .map((places) => [places]),
  )(
    'while copies %j are being repaired, and in the update after: what was acknowledged is there',
    (places) => {
      const broken = new Map(places.map((place) => [place, new Uint8Array(SECTOR_BYTES)]));
      expect(sweep(diskWith(withSectors(newest, broken)), [3], 2, false)).toBeGreaterThan(30);
    },
    SWEEP_MS_MAX,
  );

  it('while it is formatted: afterwards there is none, or a whole one', () => {
    for (let last = 0; ; last++) {
      const disk = new SimulatedDisk();
      const failing = new FailingDisk(disk, last);
      let done = true;
      try {
        Superblock.format(failing.port(), PATH, IDENTITY);
      } catch (cause) {
        if (!(cause instanceof PowerLoss)) throw cause;
        done = false;
      }
      for (let names = 0; names <= 4; names++) {
        const after = disk.fork();
        after.crash((path) => (path.endsWith('draft') ? 5000 : 0), names);
        if (after.exists(PATH)) expect(opened(after)).toBe(0);
        else Superblock.format(after, PATH, IDENTITY);
      }
      if (done) return;
    }
  });
});

describe('Superblock: processes that die while the machine lives on', () => {
  it('killed before every operation, reopened from the cache, then the power goes: what was shown is there', () => {
    for (let last = 0; last < 40; last++) {
      const disk = diskWith(newest);
      const { shown, done } = run(disk, [3, 4], last);
      disk.exitProcess();
      const view = opened(disk);
      expect([shown < 0 ? 2 : shown, shown + 1]).toContain(view === 2 && shown < 0 ? 2 : view);
      disk.crash();
      expect([last, opened(disk)]).toEqual([last, view]);
      if (done) return;
    }
  });

  it('the second half waits in the cache of a dead process while the first rots: a repair makes it durable first', () => {
    for (let last = 0; last < 12; last++) {
      const disk = diskWith(newest);
      const { superblock } = Superblock.open(disk, PATH);
      superblock.beginUpdate(viewOf(3));
      superblock.writeFirstHalf();
      superblock.syncFirstHalf();
      superblock.writeSecondHalf();
      disk.exitProcess();
      for (const place of [0, 1]) disk.damage(PATH, place * SECTOR_BYTES, new Uint8Array(SECTOR_BYTES));
      const { done } = run(disk, [], last);
      const waiting = disk.pendingWrites(PATH);
      const before = waiting.length === 1 && waiting[0]?.position === 2 * SECTOR_BYTES;
      disk.crash();
      for (const { position, bytes } of waiting)
        for (let at = 0; at < bytes.byteLength; at += SECTOR_BYTES)
          disk.damage(PATH, position + at, flipped(bytes.subarray(at, at + SECTOR_BYTES), 3000));
      // Until the repair has begun, four copies are lost: that is beyond what is promised.
      if (last > 0 || !before) expect([last, opened(disk)]).toEqual([last, 3]);
      if (done) return;
    }
  });

  it('syncs that fail in one process after another, at any point, then the power goes: what was shown is there', () => {
    let shown = 0;
    for (const atUpdate of [0, 1])
      for (const failing of syncsThatFail(6, 2))
        for (const kept of [0, SECTOR_BYTES, 3 * SECTOR_BYTES, Number.POSITIVE_INFINITY]) {
          const disk = diskWith(newest);
          const { superblock } = Superblock.open(disk, PATH);
          const state = superblock.state;
          superblock.close();
          expect(state.view).toBe(2);
          expect(withFailingSync(disk, 5 + atUpdate, () => updateTo3(disk))).toBe('SUPERBLOCK_SYNC_FAILED');
          for (const at of failing) withFailingSync(disk, at, () => opened(disk));
          const view = opened(disk);
          expect([2, 3]).toContain(view);
          disk.crash(() => kept);
          expect([atUpdate, failing, kept, opened(disk)]).toEqual([atUpdate, failing, kept, view]);
          shown++;
        }
    expect(shown).toBe(2 * (1 + 6 + 36) * 4);
  });
});

/** Which sync fails, in up to so many processes. */
function syncsThatFail(syncs: number, processes: number): readonly (readonly number[])[] {
  if (processes === 0) return [[]];
  const fewer = syncsThatFail(syncs, processes - 1);
  const longest = fewer.filter(({ length }) => length === processes - 1);
  return [...fewer, ...longest.flatMap((list) => Array.from({ length: syncs }, (_, at) => [...list, at]))];
}

function updateTo3(disk: SimulatedDisk): number | string {
  try {
    const { superblock } = Superblock.open(disk, PATH);
    superblock.update(viewOf(3));
    return superblock.state.view;
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause) return String(cause.code);
    throw cause;
  }
}

/** The sync with this number fails in this process, if it comes so far; then the process dies. */
function withFailingSync<T>(disk: SimulatedDisk, at: number, act: () => T): T {
  const open = disk.open.bind(disk);
  let syncs = 0;
  disk.open = (path, mode) => {
    const file = open(path, mode);
    const sync = file.sync.bind(file);
    file.sync = () => {
      if (syncs++ === at) disk.inject({ operation: 'sync', kind: 'failed' });
      sync();
    };
    return file;
  };
  const result = act();
  disk.open = open;
  disk.exitProcess();
  return result;
}
