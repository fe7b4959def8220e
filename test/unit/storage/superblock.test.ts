/**
 * Goal: the superblock keeps what it acknowledged and says clearly what it will not do (storage.md, specs/Superblock.tla).
 * Method: format, open, update and reopen on the simulated disk with its faults, and on the real one.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { crc32 } from '../../../impl/crypto/hash.ts';
import type { Disk } from '../../../impl/ports/disk.ts';
import { RealDisk } from '../../../impl/ports/real-disk.ts';
import { SimulatedDisk } from '../../../impl/ports/simulated-disk.ts';
import { Superblock } from '../../../impl/storage/superblock.ts';
import { SECTOR_BYTES, SUPERBLOCK_FILE_BYTES } from '../../../impl/storage/superblock-copy.ts';
import type { SuperblockError } from '../../../impl/storage/superblock-error.ts';

const IDENTITY = { cluster: 7n, replica: 1, replicaCount: 3 };
const folder = mkdtempSync(join(tmpdir(), 'lockstep-superblock-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const disks: readonly { readonly name: string; readonly make: () => { disk: Disk; path: string } }[] = [
  { name: 'simulated disk', make: () => ({ disk: new SimulatedDisk(), path: '/superblock' }) },
  {
    name: 'real disk',
    make: () => ({ disk: new RealDisk(), path: join(mkdtempSync(join(folder, 'd-')), 'superblock') }),
  },
];

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause) return String(cause.code);
    throw cause;
  }
  return 'nothing thrown';
}

describe.each(disks)('Superblock on the $name', ({ make }) => {
  it('formats, opens, updates, and shows the same after a reopen', () => {
    const { disk, path } = make();
    Superblock.format(disk, path, IDENTITY);
    const first = Superblock.open(disk, path);
    expect(first.report.repaired).toEqual([]);
    expect(first.superblock.state).toMatchObject({ ...IDENTITY, sequence: 0, view: 0, logView: 0, commit: 0 });
    first.superblock.update({ view: 2, logView: 1, commit: 5 });
    const { hash } = first.superblock.state;
    first.superblock.close();
    const second = Superblock.open(disk, path);
    expect(second.superblock.state).toMatchObject({ ...IDENTITY, sequence: 1, view: 2, logView: 1, commit: 5, hash });
    expect(second.report.repaired).toEqual([]);
    second.superblock.close();
  });

  it('repairs three corrupt copies from the fourth', () => {
    const { disk, path } = make();
    Superblock.format(disk, path, IDENTITY);
    const { superblock } = Superblock.open(disk, path);
    superblock.update({ view: 1, logView: 1, commit: 0 });
    superblock.close();
    const file = disk.open(path, 'existing');
    for (const place of [0, 1, 3]) file.write(place * SECTOR_BYTES + 40, [Uint8Array.of(0xff)]);
    file.sync();
    file.close();
    const again = Superblock.open(disk, path);
    expect(again.report.repaired).toEqual([0, 1, 3]);
    expect(again.superblock.state).toMatchObject({ sequence: 1, view: 1 });
    again.superblock.close();
    expect(Superblock.open(disk, path).report.repaired).toEqual([]);
  });

  it('refuses a view, logView or commit that goes back, and a value that is no whole number; nothing changes', () => {
    const { disk, path } = make();
    Superblock.format(disk, path, IDENTITY);
    const { superblock } = Superblock.open(disk, path);
    superblock.update({ view: 3, logView: 2, commit: 4 });
    const before = superblock.state;
    for (const values of [
      { view: 2, logView: 2, commit: 4 },
      { view: 3, logView: 1, commit: 9 },
      { view: 3, logView: 2, commit: 3 },
    ])
      expect(codeOf(() => superblock.update(values))).toBe('SUPERBLOCK_REFUSED');
    superblock.update({ view: 3, logView: 2, commit: 4 }); // there already: durable already
    for (const values of [
      { view: 3, logView: 4, commit: 4 },
      { view: 3.5, logView: 2, commit: 4 },
      { view: Number.NaN, logView: 2, commit: 4 },
      { view: 2 ** 53, logView: 2, commit: 4 },
    ])
      expect(codeOf(() => superblock.update(values))).toBe('SUPERBLOCK_BAD_VALUE');
    expect(superblock.state).toBe(before);
    expect(superblock.status).toBe('open');
  });

  it('formats once: a second format finds a file and leaves it alone', () => {
    const { disk, path } = make();
    Superblock.format(disk, path, IDENTITY);
    expect(codeOf(() => Superblock.format(disk, path, { ...IDENTITY, cluster: 8n }))).toBe('DISK_EXISTS');
    expect(Superblock.open(disk, path).superblock.state.cluster).toBe(7n);
  });

  it('says what is wrong with each copy when none is whole, and changes nothing', () => {
    const { disk, path } = make();
    Superblock.format(disk, path, IDENTITY);
    const file = disk.open(path, 'existing');
    for (const place of [0, 1, 2, 3]) file.write(place * SECTOR_BYTES + 16, [Uint8Array.of(0xff)]);
    file.sync();
    expect(codeOf(() => Superblock.open(disk, path))).toBe('SUPERBLOCK_UNREADABLE');
    try {
      Superblock.open(disk, path);
    } catch (cause) {
      expect((cause as SuperblockError).evidence.copy2).toMatch(/crc at byte 4092/);
    }
    file.close();
  });

  it('takes no side between two histories', () => {
    const { disk, path } = make();
    Superblock.format(disk, path, IDENTITY);
    const { superblock } = Superblock.open(disk, path);
    superblock.close();
    const file = disk.open(path, 'existing');
    Superblock.format(disk, `${path}.other`, { ...IDENTITY, cluster: 9n });
    const other = disk.open(`${path}.other`, 'existing');
    const sector = new Uint8Array(SECTOR_BYTES);
    other.read(2 * SECTOR_BYTES, sector);
    file.write(2 * SECTOR_BYTES, [sector]);
    file.sync();
    file.close();
    expect(codeOf(() => Superblock.open(disk, path))).toBe('SUPERBLOCK_CONTRADICTED');
  });

  it('does not touch a file of a newer version', () => {
    const { disk, path } = make();
    Superblock.format(disk, path, IDENTITY);
    const file = disk.open(path, 'existing');
    const sector = new Uint8Array(SECTOR_BYTES);
    file.read(0, sector);
    const view = new DataView(sector.buffer);
    view.setUint32(8, 2, true);
    view.setUint32(SECTOR_BYTES - 4, crc32(sector.subarray(0, SECTOR_BYTES - 4)), true);
    file.write(0, [sector]);
    file.sync();
    file.close();
    expect(codeOf(() => Superblock.open(disk, path))).toBe('SUPERBLOCK_NEWER_VERSION');
  });
});

describe('Superblock when the disk fails', () => {
  const formatted = (): SimulatedDisk => {
    const disk = new SimulatedDisk();
    Superblock.format(disk, '/superblock', IDENTITY);
    return disk;
  };

  it.each([
    [{ operation: 'write', kind: 'io' } as const, 'SUPERBLOCK_IO'],
    [{ operation: 'write', kind: 'full' } as const, 'SUPERBLOCK_IO'],
    [{ operation: 'write', kind: 'short', bytes: 100 } as const, 'SUPERBLOCK_IO'],
    [{ operation: 'sync', kind: 'failed' } as const, 'SUPERBLOCK_SYNC_FAILED'],
  ])('halts on %o, and a reopen shows what was acknowledged or its child', (fault, code) => {
    const disk = formatted();
    const { superblock } = Superblock.open(disk, '/superblock');
    superblock.update({ view: 1, logView: 0, commit: 0 });
    disk.inject(fault);
    expect(codeOf(() => superblock.update({ view: 2, logView: 0, commit: 0 }))).toBe(code);
    expect(superblock.status).toBe('halted');
    expect(codeOf(() => superblock.update({ view: 3, logView: 0, commit: 0 }))).toBe('SUPERBLOCK_REFUSED');
    disk.crash();
    expect([1, 2]).toContain(Superblock.open(disk, '/superblock').superblock.state.view);
  });

  it('says that a read failed', () => {
    const disk = formatted();
    disk.inject({ operation: 'read', kind: 'io' });
    expect(codeOf(() => Superblock.open(disk, '/superblock'))).toBe('SUPERBLOCK_IO');
  });

  it('forks: two futures of one disk do not see each other', () => {
    const disk = formatted();
    const { superblock } = Superblock.open(disk, '/superblock');
    const other = disk.fork();
    const twin = superblock.fork(other);
    twin.update({ view: 5, logView: 0, commit: 0 });
    expect(superblock.state.view).toBe(0);
    expect(Superblock.open(disk, '/superblock').superblock.state.view).toBe(0);
    expect(Superblock.open(other, '/superblock').superblock.state.view).toBe(5);
  });
});

it('the real file has four sectors and nothing else', () => {
  const path = join(mkdtempSync(join(folder, 'd-')), 'superblock');
  Superblock.format(new RealDisk(), path, IDENTITY);
  expect(statSync(path).size).toBe(SUPERBLOCK_FILE_BYTES);
});
