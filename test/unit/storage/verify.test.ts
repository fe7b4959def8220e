/**
 * Goal: verify names every fault with file, position and what to do, changes nothing, and finds nothing in what is well.
 * Method: a small directory; every byte of its log and of its superblock flipped in turn, two faults at once, a torn tail.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { RealDisk } from '../../../impl/ports/real-disk.ts';
import { SimulatedDisk } from '../../../impl/ports/simulated-disk.ts';
import { formatDataDirectory, LOG_FILE, openDataDirectory } from '../../../impl/storage/data-directory.ts';
import { DirectoryError } from '../../../impl/storage/directory-error.ts';
import { inspectDataDirectory } from '../../../impl/storage/inspect.ts';
import { SECTOR_BYTES } from '../../../impl/storage/superblock-copy.ts';
import { verifyDataDirectory } from '../../../impl/storage/verify.ts';

const IDENTITY = { cluster: 7n, replica: 1, replicaCount: 3 };
const SMALL = { log: { segmentBytes: 4096 } };
const LOG = `/a/${LOG_FILE}`;
const SUPERBLOCK = '/a/superblock';
const PAYLOADS = [5, 0, 90, 17, 1].map((bytes, at) => new Uint8Array(bytes).fill(at + 1));
const FRAME_BYTES = 50;

let disk: SimulatedDisk;
/** Where each record begins, and where the last one ends. */
let positions: readonly number[];
beforeEach(() => {
  disk = new SimulatedDisk();
  formatDataDirectory(disk, '/a', IDENTITY, SMALL);
  const { log, superblock, close } = openDataDirectory(disk, '/a', IDENTITY, {
    log: { ...SMALL.log, compress: false },
  });
  log.append(PAYLOADS.map((payload) => ({ kind: 1, payload })));
  log.fsync();
  superblock.update({ view: 1, logView: 1, commit: 5 });
  close();
  let end = 0;
  positions = [0, ...PAYLOADS.map((payload) => (end += FRAME_BYTES + payload.byteLength))];
});

function flip(path: string, position: number): void {
  const byte = new Uint8Array(1);
  disk.readMedium(path, position, byte);
  disk.damage(path, position, Uint8Array.of((byte[0] as number) ^ 0x10));
}

function contentOf(path: string, bytes: number): string {
  const content = new Uint8Array(bytes);
  disk.readMedium(path, 0, content);
  return Buffer.from(content).toString('base64');
}

describe('verify', () => {
  it('finds nothing in a directory that is well', () => {
    const report = verifyDataDirectory(disk, '/a');
    expect(report.findings).toEqual([]);
    expect(report).toMatchObject({
      ok: true,
      identity: { cluster: '7', replica: 1, replicaCount: 3 },
      superblock: { sequence: 1, view: 1, commit: 5, copiesWhole: 4 },
      log: { verdict: 'whole', records: 5, bytes: positions[5], recordsBehindDamage: 0 },
    });
  });

  it('every byte of every record: one fault, in that record, and the records behind it are counted', () => {
    for (let position = 0; position < (positions[5] as number); position++) {
      const record = positions.findLastIndex((start) => start <= position);
      const before = contentOf(LOG, 4096);
      flip(LOG, position);
      const changed = contentOf(LOG, 4096);
      const { ok, findings, log } = verifyDataDirectory(disk, '/a');
      expect([position, ok]).toEqual([position, false]);
      expect(findings[0]).toMatchObject({ severity: 'fault', file: LOG, position: positions[record], record });
      expect([position, log?.records, log?.recordsBehindDamage]).toEqual([position, record, 4 - record]);
      expect(findings[0]?.advice).toMatch(/restore the directory/);
      expect(findings).toHaveLength(1);
      expect(contentOf(LOG, 4096)).toBe(changed);
      flip(LOG, position);
      expect(contentOf(LOG, 4096)).toBe(before);
    }
  });

  it('every two records damaged: both are named', () => {
    for (let first = 0; first < 5; first++)
      for (let second = first + 1; second < 5; second++) {
        for (const record of [first, second]) flip(LOG, (positions[record] as number) + 12);
        const { findings, log } = verifyDataDirectory(disk, '/a');
        const places = findings.map(({ position }) => position);
        // Two side by side are one hole; apart, each has its own line.
        expect(places).toContain(positions[first]);
        if (second > first + 1) expect(places).toContain(positions[second]);
        else expect(findings.length).toBeGreaterThan(second === 4 ? 0 : 1);
        expect((log?.records ?? 0) + (log?.recordsBehindDamage ?? 0)).toBe(3);
        for (const record of [first, second]) flip(LOG, (positions[record] as number) + 12);
      }
  });

  it('every byte of every copy of the superblock: that copy is named, with position; a start makes it good', () => {
    for (let position = 0; position < 4 * SECTOR_BYTES; position += position % SECTOR_BYTES < 130 ? 1 : 97) {
      flip(SUPERBLOCK, position);
      const { ok, findings, superblock } = verifyDataDirectory(disk, '/a');
      expect([position, ok, superblock?.copiesWhole]).toEqual([position, false, 3]);
      expect(findings).toHaveLength(1);
      expect(findings[0]).toMatchObject({ code: 'SUPERBLOCK_COPY_BROKEN', copy: Math.floor(position / SECTOR_BYTES) });
      flip(SUPERBLOCK, position);
    }
    expect(verifyDataDirectory(disk, '/a').ok).toBe(true);
  });

  it('tells a torn tail, which is no fault, from damage, which is one', () => {
    disk.damage(LOG, positions[5] as number, Uint8Array.of(5, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3));
    const { ok, findings } = verifyDataDirectory(disk, '/a');
    expect(ok).toBe(true);
    expect(findings[0]).toMatchObject({ code: 'APPEND_LOG_TORN_TAIL', severity: 'note', position: positions[5] });
  });

  it('names what no copy can tell: unreadable, contradicted, misdirected, stale', () => {
    const sector = new Uint8Array(SECTOR_BYTES);
    disk.readMedium(SUPERBLOCK, SECTOR_BYTES, sector);
    disk.damage(SUPERBLOCK, 3 * SECTOR_BYTES, sector);
    expect(verifyDataDirectory(disk, '/a').findings.map(({ code, copy }) => [code, copy])).toEqual([
      ['SUPERBLOCK_COPY_MISDIRECTED', 3],
    ]);
    formatDataDirectory(disk, '/b', { ...IDENTITY, cluster: 8n }, SMALL);
    disk.readMedium('/b/superblock', 0, sector);
    disk.damage(SUPERBLOCK, 0, sector);
    expect(verifyDataDirectory(disk, '/a').findings.at(-1)).toMatchObject({ code: 'SUPERBLOCK_CONTRADICTED' });
    for (const place of [0, 1, 2, 3]) flip(SUPERBLOCK, place * SECTOR_BYTES + 50);
    expect(verifyDataDirectory(disk, '/a').findings.at(-1)).toMatchObject({ code: 'SUPERBLOCK_UNREADABLE' });
  });

  it('says that committed records are missing, that the log is gone, that the directory is in use or not formatted', () => {
    const { close } = openDataDirectory(disk, '/a', {}, SMALL);
    expect(() => verifyDataDirectory(disk, '/a')).toThrow(DirectoryError);
    close();
    disk.damage(LOG, positions[4] as number, new Uint8Array(FRAME_BYTES + 1)); // the last record is gone without a trace
    expect(verifyDataDirectory(disk, '/a').findings[0]).toMatchObject({ code: 'APPEND_LOG_RECORDS_MISSING' });
    disk.remove(LOG);
    expect(verifyDataDirectory(disk, '/a').findings[0]).toMatchObject({ code: 'DIRECTORY_LOG_MISSING', file: LOG });
    disk.makeDirectory('/c');
    expect(() => verifyDataDirectory(disk, '/c')).toThrow(/not formatted/);
  });
});

describe('inspect', () => {
  it('lists copies and records, from any place, and says what is in a payload', () => {
    const describePayload = (_: number, payload: Uint8Array): { first: number } => ({ first: payload[0] ?? -1 });
    const all = inspectDataDirectory(disk, '/a', { describe: describePayload });
    expect(all.superblock.copies.map(({ kind, state }) => [kind, state?.sequence])).toEqual(
      Array.from({ length: 4 }, () => ['whole', 1]),
    );
    expect(all.log?.listed.map(({ offset, position }) => [offset, position])).toEqual(
      [0, 1, 2, 3, 4].map((offset) => [offset, positions[offset]]),
    );
    expect(all.log?.listed.map(({ payload }) => payload?.first)).toEqual([1, -1, 3, 4, 5]);
    expect(all.log?.listed[1]?.previousHash).toBe(all.log?.listed[0]?.hash);
    const offsets = (from: number | undefined, limit: number): readonly number[] | undefined =>
      inspectDataDirectory(disk, '/a', { ...(from === undefined ? {} : { from }), limit }).log?.listed.map(
        ({ offset }) => offset,
      );
    expect(offsets(1, 2)).toEqual([1, 2]);
    expect(offsets(undefined, 2)).toEqual([3, 4]);
    expect(offsets(-3, 2)).toEqual([2, 3]);
    expect(offsets(9, 2)).toEqual([]);
  });

  it('shows why a copy is not whole', () => {
    flip(SUPERBLOCK, SECTOR_BYTES + 40);
    expect(inspectDataDirectory(disk, '/a').superblock.copies[1]?.why).toMatch(/crc at byte 8188: expected/);
  });
});

describe('verify on the real disk', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lockstep-verify-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('finds what was changed in the file', () => {
    const real = new RealDisk();
    const path = join(folder, 'a');
    formatDataDirectory(real, path, IDENTITY, SMALL);
    const { log, close } = openDataDirectory(real, path, IDENTITY, SMALL);
    log.append(PAYLOADS.map((payload) => ({ kind: 1, payload })));
    log.fsync();
    close();
    expect(verifyDataDirectory(real, path).ok).toBe(true);
    const file = real.open(`${path}/${LOG_FILE}`, 'existing');
    file.write(60, [Uint8Array.of(0xee)]);
    file.close();
    expect(verifyDataDirectory(real, path).findings[0]).toMatchObject({ record: 1, file: `${path}/${LOG_FILE}` });
  });
});
