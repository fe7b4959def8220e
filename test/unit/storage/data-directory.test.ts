/**
 * Goal: a data directory opens for its own replica and nobody else, and every refusal says what, where and what to do.
 * Method: format and open on the simulated and the real disk; each refusal once, with a look that nothing was written.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { crc32 } from '../../../impl/crypto/hash.ts';
import { type Disk, DiskError } from '../../../impl/ports/disk.ts';
import { RealDisk } from '../../../impl/ports/real-disk.ts';
import { SimulatedDisk } from '../../../impl/ports/simulated-disk.ts';
import { formatDataDirectory, LOG_FILE, openDataDirectory } from '../../../impl/storage/data-directory.ts';
import { DirectoryError } from '../../../impl/storage/directory-error.ts';
import { SECTOR_BYTES } from '../../../impl/storage/superblock-copy.ts';

const IDENTITY = { cluster: 7n, replica: 1, replicaCount: 3 };
const SMALL = { log: { segmentBytes: 64 * 1024 } };
const folder = mkdtempSync(join(tmpdir(), 'lockstep-directory-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const disks: readonly { readonly name: string; readonly make: () => { disk: Disk; home: string } }[] = [
  { name: 'simulated disk', make: () => ({ disk: new SimulatedDisk(), home: '' }) },
  { name: 'real disk', make: () => ({ disk: new RealDisk(), home: mkdtempSync(join(folder, 'd-')) }) },
];

function errorOf(act: () => unknown): DirectoryError {
  try {
    act();
  } catch (cause) {
    if (cause instanceof DirectoryError) return cause;
    throw cause;
  }
  throw new Error('nothing thrown');
}

function change(disk: Disk, path: string, position: number, bytes: Uint8Array): void {
  const file = disk.open(path, 'existing');
  file.write(position, [bytes]);
  file.sync();
  file.close();
}

describe.each(disks)('Data directory on the $name', ({ make }) => {
  it('formats, opens, and opens again with what was written', () => {
    const { disk, home } = make();
    const path = `${home}/a/b`;
    formatDataDirectory(disk, path, IDENTITY, SMALL);
    const first = openDataDirectory(disk, path, IDENTITY, SMALL);
    expect(first.report.firstStart).toBe(true);
    expect(first.superblock.state).toMatchObject(IDENTITY);
    first.log.append([{ kind: 1, payload: Uint8Array.of(1, 2, 3) }]);
    first.log.fsync();
    first.superblock.update({ view: 1, logView: 0, commit: 1 });
    first.close();
    const second = openDataDirectory(disk, `${path}/`, {}, SMALL);
    expect(second.report.firstStart).toBe(false);
    expect(second.log.recordsWritten).toBe(1);
    expect(second.superblock.state).toMatchObject({ view: 1, commit: 1 });
    second.close();
  });

  it('is a first start once only, even when nothing was written', () => {
    const { disk, home } = make();
    formatDataDirectory(disk, `${home}/a`, IDENTITY, SMALL);
    openDataDirectory(disk, `${home}/a`, {}, SMALL).close();
    const again = openDataDirectory(disk, `${home}/a`, {}, SMALL);
    expect(again.report.firstStart).toBe(false);
    again.close();
  });

  it.each([
    [{ cluster: 8n }, 'DIRECTORY_FOREIGN_CLUSTER', /formatted for cluster 7, not 8/],
    [{ replica: 2 }, 'DIRECTORY_WRONG_REPLICA', /formatted for replica 1, not 2/],
    [{ replicaCount: 5 }, 'DIRECTORY_WRONG_REPLICA_COUNT', /formatted for replicaCount 3, not 5/],
  ])('refuses %o and writes nothing', (expected, code, message) => {
    const { disk, home } = make();
    formatDataDirectory(disk, `${home}/a`, IDENTITY, SMALL);
    const before = disk.list(`${home}/a`);
    const error = errorOf(() => openDataDirectory(disk, `${home}/a`, { ...IDENTITY, ...expected }, SMALL));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    expect(disk.list(`${home}/a`)).toEqual(before);
    openDataDirectory(disk, `${home}/a`, IDENTITY, SMALL).close();
  });

  it('refuses what is not there and what is not formatted', () => {
    const { disk, home } = make();
    expect(errorOf(() => openDataDirectory(disk, `${home}/none`)).code).toBe('DIRECTORY_NOT_FOUND');
    disk.makeDirectory(`${home}/empty`);
    expect(errorOf(() => openDataDirectory(disk, `${home}/empty`)).code).toBe('DIRECTORY_UNFORMATTED');
    expect(disk.list(`${home}/empty`)).toEqual([]);
  });

  it('formats only what is empty, and only once', () => {
    const { disk, home } = make();
    formatDataDirectory(disk, `${home}/a`, IDENTITY, SMALL);
    expect(errorOf(() => formatDataDirectory(disk, `${home}/a`, { ...IDENTITY, cluster: 9n }, SMALL)).code).toBe(
      'DIRECTORY_FORMATTED',
    );
    disk.makeDirectory(`${home}/b`);
    disk.open(`${home}/b/letter.txt`, 'create').close();
    const error = errorOf(() => formatDataDirectory(disk, `${home}/b`, IDENTITY, SMALL));
    expect([error.code, error.evidence.file]).toEqual(['DIRECTORY_NOT_EMPTY', 'letter.txt']);
    expect(openDataDirectory(disk, `${home}/a`, {}, SMALL).superblock.state.cluster).toBe(7n);
  });

  it('does not format over a log with records whose superblock is gone', () => {
    const { disk, home } = make();
    formatDataDirectory(disk, `${home}/a`, IDENTITY, SMALL);
    const { log, close } = openDataDirectory(disk, `${home}/a`, {}, SMALL);
    log.append([{ kind: 1, payload: Uint8Array.of(1) }]);
    log.fsync();
    close();
    disk.remove(`${home}/a/superblock`);
    disk.remove(`${home}/a/started`);
    const error = errorOf(() => formatDataDirectory(disk, `${home}/a`, IDENTITY, SMALL));
    expect(error.code).toBe('DIRECTORY_NOT_EMPTY');
    expect(error.message).toMatch(/its log has records, and its superblock is gone/);
  });

  it.each([
    { cluster: 0n },
    { cluster: 2n ** 64n },
    { replica: 3 },
    { replica: -1 },
    { replica: 0.5 },
    { replicaCount: 0 },
  ])('refuses the identity %o', (wrong) => {
    const { disk, home } = make();
    expect(errorOf(() => formatDataDirectory(disk, `${home}/a`, { ...IDENTITY, ...wrong }, SMALL)).code).toBe(
      'DIRECTORY_BAD_IDENTITY',
    );
    expect(disk.exists(`${home}/a`)).toBe(false);
  });

  it('is one process at a time', () => {
    const { disk, home } = make();
    formatDataDirectory(disk, `${home}/a`, IDENTITY, SMALL);
    const { close } = openDataDirectory(disk, `${home}/a`, {}, SMALL);
    expect(errorOf(() => openDataDirectory(disk, `${home}/a`, {}, SMALL)).code).toBe('DIRECTORY_IN_USE');
    close();
    openDataDirectory(disk, `${home}/a`, {}, SMALL).close();
  });

  it('refuses a newer version and writes nothing', () => {
    const { disk, home } = make();
    formatDataDirectory(disk, `${home}/a`, IDENTITY, SMALL);
    const sector = new Uint8Array(SECTOR_BYTES);
    disk.open(`${home}/a/superblock`, 'existing').read(0, sector);
    const view = new DataView(sector.buffer);
    view.setUint32(8, 2, true);
    view.setUint32(SECTOR_BYTES - 4, crc32(sector.subarray(0, SECTOR_BYTES - 4)), true);
    change(disk, `${home}/a/superblock`, 0, sector);
    const before = disk.list(`${home}/a`);
    expect(errorOf(() => openDataDirectory(disk, `${home}/a`, {}, SMALL)).code).toBe('DIRECTORY_NEWER_VERSION');
    expect(disk.list(`${home}/a`)).toEqual(before);
  });

  it('says where a log is damaged, cuts nothing, and lets the directory go', () => {
    const { disk, home } = make();
    formatDataDirectory(disk, `${home}/a`, IDENTITY, SMALL);
    const { log, close } = openDataDirectory(disk, `${home}/a`, {}, SMALL);
    for (let at = 0; at < 3; at++) log.append([{ kind: 1, payload: Uint8Array.of(at, at, at) }]);
    log.fsync();
    close();
    change(disk, `${home}/a/${LOG_FILE}`, 60, Uint8Array.of(0xff)); // in record 1: 50 bytes of frame, 3 of payload
    for (const _ of [1, 2]) {
      const error = errorOf(() => openDataDirectory(disk, `${home}/a`, {}, SMALL));
      expect(error.code).toBe('DIRECTORY_LOG_DAMAGED');
      expect(error.evidence).toMatchObject({ records: 1, file: `${home}/a/${LOG_FILE}` });
    }
    disk.remove(`${home}/a/${LOG_FILE}`);
    expect(errorOf(() => openDataDirectory(disk, `${home}/a`, {}, SMALL)).code).toBe('DIRECTORY_LOG_MISSING');
  });

  it('says that a superblock is damaged', () => {
    const { disk, home } = make();
    formatDataDirectory(disk, `${home}/a`, IDENTITY, SMALL);
    for (const place of [0, 1, 2, 3]) change(disk, `${home}/a/superblock`, place * SECTOR_BYTES, Uint8Array.of(0));
    const error = errorOf(() => openDataDirectory(disk, `${home}/a`, {}, SMALL));
    expect(error.code).toBe('DIRECTORY_SUPERBLOCK_DAMAGED');
    expect(error.evidence.copy0).toMatch(/magic at byte 0/);
  });

  it('says that copies are of two replicas, whatever is expected, and lets the directory go', () => {
    const { disk, home } = make();
    for (const replica of [1, 2]) formatDataDirectory(disk, `${home}/${replica}`, { ...IDENTITY, replica }, SMALL);
    const sector = new Uint8Array(SECTOR_BYTES);
    disk.open(`${home}/2/superblock`, 'read').read(0, sector);
    change(disk, `${home}/1/superblock`, 0, sector);
    for (const replica of [1, 2, 1])
      expect(errorOf(() => openDataDirectory(disk, `${home}/1`, { replica }, SMALL)).code).toBe(
        'DIRECTORY_SUPERBLOCK_DAMAGED',
      );
  });

  it('says that the log lacks what the superblock has as committed', () => {
    const { disk, home } = make();
    formatDataDirectory(disk, `${home}/a`, IDENTITY, SMALL);
    const { superblock, close } = openDataDirectory(disk, `${home}/a`, {}, SMALL);
    superblock.update({ view: 0, logView: 0, commit: 1 });
    close();
    const error = errorOf(() => openDataDirectory(disk, `${home}/a`, {}, SMALL));
    expect(error.code).toBe('DIRECTORY_LOG_DAMAGED');
  });
});

describe('Data directory when the disk refuses', () => {
  it('disk full: says so, leaves nothing behind, and formats once there is space', () => {
    const disk = new SimulatedDisk({ capacityBytes: 32 * 1024 });
    expect(errorOf(() => formatDataDirectory(disk, '/a', IDENTITY, SMALL)).code).toBe('DIRECTORY_DISK_FULL');
    expect(disk.list('/a')).toEqual([]);
    disk.setCapacity(undefined);
    formatDataDirectory(disk, '/a', IDENTITY, SMALL);
    openDataDirectory(disk, '/a', IDENTITY, SMALL).close();
  });

  it('no permission: says so (a disk that refuses as the system does)', () => {
    const disk = new SimulatedDisk();
    formatDataDirectory(disk, '/a', IDENTITY, SMALL);
    disk.open = (path) => {
      throw new DiskError('DISK_NO_PERMISSION', `${path}: open failed (EACCES)`, { path, system: 'EACCES' });
    };
    expect(errorOf(() => openDataDirectory(disk, '/a', IDENTITY, SMALL)).code).toBe('DIRECTORY_NO_PERMISSION');
  });

  it.each([
    { operation: 'write', kind: 'io' } as const,
    { operation: 'preallocate', kind: 'io' } as const,
    { operation: 'sync', kind: 'failed' } as const,
  ])('a format that meets %o is not formatted, and may be run again', (fault) => {
    const disk = new SimulatedDisk();
    disk.inject(fault);
    expect(errorOf(() => formatDataDirectory(disk, '/a', IDENTITY, SMALL)).code).toBe('DIRECTORY_IO');
    expect(errorOf(() => openDataDirectory(disk, '/a', IDENTITY, SMALL)).code).toBe('DIRECTORY_UNFORMATTED');
    formatDataDirectory(disk, '/a', IDENTITY, SMALL);
    openDataDirectory(disk, '/a', IDENTITY, SMALL).close();
  });
});

describe('Data directory on the real disk only', () => {
  it('takes over the lock of a dead process, and names a live one', () => {
    const disk = new RealDisk();
    const path = join(mkdtempSync(join(folder, 'd-')), 'a');
    formatDataDirectory(disk, path, IDENTITY, SMALL);
    writeFileSync(join(path, 'lock'), '999999999 -\n');
    openDataDirectory(disk, path, IDENTITY, SMALL).close();
    expect(readdirSync(path)).not.toContain('lock');
    const { close } = openDataDirectory(disk, path, IDENTITY, SMALL);
    const error = errorOf(() => openDataDirectory(disk, path, IDENTITY, SMALL));
    expect(error.evidence.pid).toBe(process.pid);
    expect(readFileSync(join(path, 'lock'), 'utf8')).toMatch(new RegExp(`^${process.pid} `));
    close();
  });

  it('tells a file from a directory', () => {
    const path = join(mkdtempSync(join(folder, 'd-')), 'a');
    writeFileSync(path, 'a letter');
    expect(errorOf(() => openDataDirectory(new RealDisk(), path)).code).toBe('DIRECTORY_NOT_A_DIRECTORY');
    expect(errorOf(() => formatDataDirectory(new RealDisk(), path, IDENTITY)).code).toBe('DIRECTORY_NOT_A_DIRECTORY');
    expect(readFileSync(path, 'utf8')).toBe('a letter');
  });
});
