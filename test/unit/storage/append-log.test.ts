/**
 * AppendLog, rule by rule, on the simulated disk and (the same cases) on a real one. Goal: each failure of the disk leads to
 * the state that has its name, and nothing that fsync() covered is lost. Method: fault injection by name, crash, reopen.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hashText } from '../../../impl/crypto/hash.ts';
import type { Disk } from '../../../impl/ports/disk.ts';
import { RealDisk } from '../../../impl/ports/real-disk.ts';
import { SimulatedDisk } from '../../../impl/ports/simulated-disk.ts';
import { AppendLog } from '../../../impl/storage/append-log.ts';
import { AppendLogError } from '../../../impl/storage/append-log-error.ts';
import type { AppendLogOptions } from '../../../impl/storage/append-log-options.ts';

const PATH = '/log';
const SMALL: AppendLogOptions = { segmentBytes: 256, recordBytesMax: 128, unsyncedBytesMax: 512 };

function record(text: string): { kind: number; payload: Uint8Array } {
  return { kind: 1, payload: new TextEncoder().encode(text) };
}

function texts(log: AppendLog): readonly string[] {
  const found: string[] = [];
  log.scan(0, ({ payload }) => found.push(new TextDecoder().decode(payload)));
  return found;
}

function codeOf(act: () => void): string {
  try {
    act();
  } catch (error) {
    if (error instanceof AppendLogError) return error.code;
    throw error;
  }
  return 'none';
}

function simulated(options = SMALL): { disk: SimulatedDisk; log: AppendLog } {
  const disk = new SimulatedDisk();
  return { disk, log: AppendLog.create(disk, PATH, options) };
}

describe.each(['simulated', 'real'] as const)('AppendLog on the %s disk', (kind) => {
  let folder = '/';
  let disk: Disk = new SimulatedDisk();
  beforeAll(() => {
    if (kind === 'simulated') return;
    folder = mkdtempSync(join(tmpdir(), 'append-log-'));
    disk = new RealDisk();
  });
  afterAll(() => {
    if (kind === 'real') rmSync(folder, { recursive: true });
  });

  test('Reopen: what was synced is there, chained, in order', () => {
    const path = join(folder, 'chain');
    const log = AppendLog.create(disk, path, SMALL);
    log.append([record('a'), record('b')]);
    expect([log.recordsWritten, log.recordsDurable]).toEqual([2, 0]);
    log.fsync();
    expect(log.recordsDurable).toBe(2);
    log.append([record('c')]);
    log.fsync();
    const { headHash } = log;
    log.close();
    expect(codeOf(() => log.append([record('d')]))).toBe('APPEND_LOG_CLOSED');

    const { log: again, report } = AppendLog.open(disk, path, SMALL);
    expect(report).toMatchObject({ verdict: 'whole', records: 3, tornBytes: 0 });
    expect(hashText(again.headHash)).toBe(hashText(headHash));
    expect(texts(again)).toEqual(['a', 'b', 'c']);
    expect(hashText(again.read(2).previousHash)).toBe(hashText(again.read(1).hash));
    expect(again.recordsDurable).toBe(3);
    again.close();
  });

  test('Grow: a batch that has no room grows the file by whole steps, and all of it is found again', () => {
    const path = join(folder, 'grow');
    const log = AppendLog.create(disk, path, SMALL);
    const payloads = Array.from({ length: 12 }, (_, index) => `${index}`.repeat(90).slice(0, 90));
    for (const payload of payloads) {
      log.append([record(payload)]);
      log.fsync();
    }
    log.close();
    const { log: again } = AppendLog.open(disk, path, SMALL);
    expect(texts(again)).toEqual(payloads);
    again.close();
  });

  test('Append: a payload above the limit is refused and nothing is written', () => {
    const log = AppendLog.create(disk, join(folder, 'large'), SMALL);
    expect(codeOf(() => log.append([record('x'.repeat(129))]))).toBe('APPEND_LOG_RECORD_TOO_LARGE');
    expect([log.recordsWritten, log.status]).toEqual([0, 'open']);
    log.close();
  });

  test('UnsyncedWithinLimit: a batch beyond the unsynced bytes is refused until fsync()', () => {
    const log = AppendLog.create(disk, join(folder, 'limit'), { ...SMALL, policy: { kind: 'none' }, compress: false });
    for (let index = 0; index < 3; index++) log.append([record('x'.repeat(100))]);
    expect(codeOf(() => log.append([record('x'.repeat(100))]))).toBe('APPEND_LOG_REFUSED');
    log.fsync();
    log.append([record('x'.repeat(100))]);
    expect([log.recordsWritten, log.recordsDurable]).toEqual([4, 3]);
    log.close();
  });

  test('read: an offset that is not there is an error with the count', () => {
    const log = AppendLog.create(disk, join(folder, 'read'), SMALL);
    expect(codeOf(() => log.read(0))).toBe('APPEND_LOG_NO_SUCH_RECORD');
    log.close();
  });

  test('policies: every-batch and every-record sync by themselves, group-commit by size and by time', () => {
    const batch = [record('a'), record('b')];
    for (const policy of ['every-batch', 'every-record'] as const) {
      const log = AppendLog.create(disk, join(folder, policy), { ...SMALL, policy: { kind: policy } });
      log.append(batch);
      expect(log.recordsDurable).toBe(2);
      log.close();
    }
    const policy = { kind: 'group-commit', bytes: 150, milliseconds: 10 } as const;
    const log = AppendLog.create(disk, join(folder, 'group'), { ...SMALL, policy });
    log.append(batch, 100);
    expect(log.recordsDurable).toBe(0);
    expect([log.fsyncIfDue(109), log.fsyncIfDue(110), log.fsyncIfDue(111)]).toEqual([false, true, false]);
    expect(log.recordsDurable).toBe(2);
    log.append([...batch, record('c')], 120);
    expect(log.recordsDurable).toBe(5);
    log.close();
  });
});

describe('AppendLog and a disk that fails', () => {
  test('Crash: what fsync() covered survives, what it did not may go', () => {
    const { disk, log } = simulated();
    log.append([record('a')]);
    log.fsync();
    log.append([record('b')]);
    disk.crash();
    const { log: again, report } = AppendLog.open(disk, PATH, SMALL);
    expect(texts(again)).toEqual(['a']);
    expect(report.verdict).toBe('whole');
  });

  test('CrashTearing: a torn tail is cut, reported, and stays away after the next crash', () => {
    const { disk, log } = simulated();
    log.append([record('a')]);
    log.fsync();
    log.append([record('b')]);
    disk.crash(() => 20);
    const { log: again, report } = AppendLog.open(disk, PATH, SMALL);
    expect(report).toMatchObject({ verdict: 'torn', records: 1 });
    expect(report.tornBytes).toBeGreaterThan(0);
    expect(report.reason?.code).toMatch(/APPEND_LOG_/);
    disk.crash();
    expect(AppendLog.open(disk, PATH, SMALL).report).toMatchObject({ verdict: 'whole', records: 1, tornBytes: 0 });
    expect(texts(again)).toEqual(['a']);
  });

  test('ReopenDamaged: damage before the tail is never cut; the log takes nothing', () => {
    const { disk, log } = simulated();
    log.append([record('a'), record('b')]);
    log.fsync();
    disk.damage(PATH, 50, Uint8Array.of(255));
    const { log: again, report } = AppendLog.open(disk, PATH, SMALL);
    expect(report).toMatchObject({ verdict: 'damaged', records: 0, tornBytes: 0 });
    expect(again.status).toBe('damaged');
    expect(again.statusReason?.code).toBe('APPEND_LOG_DAMAGED');
    expect(codeOf(() => again.append([record('c')]))).toBe('APPEND_LOG_REFUSED');
  });

  test('RecordsMissing: fewer records than the caller knows to be durable are damage', () => {
    const { disk, log } = simulated();
    log.append([record('a')]);
    log.fsync();
    const { report } = AppendLog.open(disk, PATH, { ...SMALL, recordsDurableMin: 2 });
    expect(report).toMatchObject({ verdict: 'damaged', records: 1 });
    expect(report.reason?.code).toBe('APPEND_LOG_RECORDS_MISSING');
  });

  test('GrowNoSpace: status full keeps what it has, syncs, and takes more after resume()', () => {
    const { disk, log } = simulated({ ...SMALL, compress: false });
    log.append([record('x'.repeat(100))]);
    disk.setCapacity(0);
    expect(codeOf(() => log.append([record('y'.repeat(100))]))).toBe('APPEND_LOG_DISK_FULL');
    expect([log.status, log.recordsWritten]).toEqual(['full', 1]);
    expect(codeOf(() => log.append([record('y')]))).toBe('APPEND_LOG_REFUSED');
    log.fsync();
    expect(log.recordsDurable).toBe(1);
    expect(codeOf(() => log.resume())).toBe('APPEND_LOG_DISK_FULL');
    disk.setCapacity(undefined);
    log.resume();
    log.append([record('y'.repeat(100))]);
    expect([log.status, log.recordsWritten, log.statusReason]).toEqual(['open', 2, undefined]);
  });

  test('ShortWrite: the rest of the batch is written before anything else', () => {
    const { disk, log } = simulated();
    disk.inject({ operation: 'write', kind: 'short', bytes: 70 });
    expect(codeOf(() => log.append([record('a'), record('b')]))).toBe('APPEND_LOG_SHORT_WRITE');
    expect([log.status, log.recordsWritten]).toEqual(['short', 0]);
    expect(codeOf(() => log.append([record('c')]))).toBe('APPEND_LOG_REFUSED');
    log.finishWrite();
    log.fsync();
    disk.crash();
    expect(texts(AppendLog.open(disk, PATH, SMALL).log)).toEqual(['a', 'b']);
  });

  test('WriteFails: status failed takes nothing; a restart reads again what is there', () => {
    const { disk, log } = simulated();
    log.append([record('a')]);
    log.fsync();
    disk.inject({ operation: 'write', kind: 'io' });
    expect(codeOf(() => log.append([record('b')]))).toBe('APPEND_LOG_IO');
    expect(log.status).toBe('failed');
    expect(codeOf(() => log.fsync())).toBe('APPEND_LOG_REFUSED');
    log.close();
    expect(texts(AppendLog.open(disk, PATH, SMALL).log)).toEqual(['a']);
  });

  test('FsyncFails: never synced again before it was read back, verified and rewritten', () => {
    const { disk, log } = simulated();
    log.append([record('a')]);
    disk.inject({ operation: 'sync', kind: 'failed' });
    expect(codeOf(() => log.fsync())).toBe('APPEND_LOG_SYNC_FAILED');
    expect([log.status, log.recordsDurable]).toEqual(['unknown', 0]);
    expect(codeOf(() => log.fsync())).toBe('APPEND_LOG_REFUSED');
    log.reverify();
    log.fsync();
    disk.crash();
    expect(texts(AppendLog.open(disk, PATH, SMALL).log)).toEqual(['a']);
  });

  test('Reopen: a sync that failed before a restart of the process loses nothing (the window is written again)', () => {
    const { disk, log } = simulated();
    log.append([record('a')]);
    disk.inject({ operation: 'sync', kind: 'failed' });
    expect(codeOf(() => log.fsync())).toBe('APPEND_LOG_SYNC_FAILED');
    log.close();
    const { log: again } = AppendLog.open(disk, PATH, SMALL);
    expect(again.recordsDurable).toBe(1);
    disk.crash();
    expect(texts(AppendLog.open(disk, PATH, SMALL).log)).toEqual(['a']);
  });

  test('ReverifyDamaged: what does not read back halts the log', () => {
    const { disk, log } = simulated();
    log.append([record('a')]);
    disk.inject({ operation: 'sync', kind: 'failed' });
    expect(codeOf(() => log.fsync())).toBe('APPEND_LOG_SYNC_FAILED');
    disk.damage(PATH, 10, Uint8Array.of(1));
    expect(codeOf(() => log.reverify())).toBe('APPEND_LOG_CRC_MISMATCH');
    expect(log.status).toBe('damaged');
  });

  test('fork: the twin goes its own way', () => {
    const { disk, log } = simulated();
    log.append([record('a')]);
    const other = disk.fork();
    const twin = log.fork(other);
    twin.append([record('b')]);
    log.append([record('c')]);
    expect([texts(log), texts(twin)]).toEqual([
      ['a', 'c'],
      ['a', 'b'],
    ]);
  });
});
