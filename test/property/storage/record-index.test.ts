/**
 * Goal: a log finds each of its records, however long it is, though it knows the places of the newest only; and what it holds
 * for that in memory does not grow with the records. Method: an array beside it, forks that go on apart; then a log of more
 * records than are known on a real disk, read forward, backward and at random, and damaged where the way to a record leads.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hashesEqual } from '../../../impl/crypto/hash.ts';
import { RealDisk } from '../../../impl/ports/real-disk.ts';
import { AppendLog } from '../../../impl/storage/append-log.ts';
import { AppendLogError } from '../../../impl/storage/append-log-error.ts';
import { scanLog } from '../../../impl/storage/log-scan.ts';
import { MARK_BYTES, RECORDS_KNOWN_MAX, RecordIndex } from '../../../impl/storage/record-index.ts';

const step = fc.record({
  from: fc.nat(),
  times: fc.oneof({ weight: 5, arbitrary: fc.nat(300) }, { weight: 1, arbitrary: fc.constant(RECORDS_KNOWN_MAX) }),
  bytes: fc.constantFrom(50, 333, MARK_BYTES - 1, MARK_BYTES, 3 * MARK_BYTES),
});

test('an index is an array of positions, of which it knows the newest and a mark before each', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 5 }), fc.nat(), (steps, pick) => {
      const twins: [RecordIndex, number[]][] = [[new RecordIndex(), [0]]];
      for (const { from, times, bytes } of steps) {
        const [index, positions] = twins[from % twins.length] as [RecordIndex, number[]];
        twins.push([index.fork(), [...positions]]);
        for (let time = 0; time < times; time++) {
          index.push(positions.at(-1) as number);
          positions.push((positions.at(-1) as number) + bytes);
        }
      }
      for (const [index, positions] of twins) {
        const endBytes = positions.at(-1) as number;
        const records = positions.length - 1;
        expect(index.records).toBe(records);
        for (let record = 0; record < records; record++) {
          const known = index.positionOf(record);
          if (known !== undefined) expect(known).toBe(positions[record]);
          else expect(record).toBeLessThan(records - RECORDS_KNOWN_MAX);
        }
        const within = pick % (endBytes + 2);
        const exact = positions.find((position) => endBytes - position <= within) as number;
        if (records === 0) continue;
        const record = pick % records;
        const mark = index.markBefore(record);
        expect(mark.record).toBeLessThanOrEqual(record);
        expect(mark.position).toBe(positions[mark.record]);
        const lastBytes = (positions[record] as number) - (positions[Math.max(0, record - 1)] as number);
        expect((positions[record] as number) - mark.position).toBeLessThan(MARK_BYTES + lastBytes);
        const start = index.startWithin(endBytes, within);
        expect(positions).toContain(start);
        expect(start).toBeLessThanOrEqual(exact);
        const isKnown = records <= RECORDS_KNOWN_MAX || exact > (positions[records - RECORDS_KNOWN_MAX] as number);
        if (isKnown) expect(start).toBe(exact);
        else expect(exact - start).toBeLessThan(2 * MARK_BYTES + 3 * MARK_BYTES);
      }
    }),
    { numRuns: 30 },
  );
});

describe('a log with more records than are known', () => {
  const RECORDS = RECORDS_KNOWN_MAX + 3_000;
  const disk = new RealDisk();
  let folder = '/';
  let log: AppendLog;
  const sizeOf = (offset: number): number => (offset % 700 === 5 ? 2 * MARK_BYTES + 77 : 1 + ((offset * 37) % 400));
  const payloadOf = (offset: number): Uint8Array =>
    Uint8Array.from({ length: sizeOf(offset) }, (_, at) => (offset * 7 + at * 13) & 255);

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'record-index-'));
    log = AppendLog.create(disk, join(folder, 'log'), { segmentBytes: 1024 * 1024 });
    for (let offset = 0; offset < RECORDS; offset += 50)
      log.append(Array.from({ length: Math.min(50, RECORDS - offset) }, (_, at) => recordOf(offset + at)));
    log.fsync();
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const recordOf = (offset: number): { kind: number; payload: Uint8Array } => ({
    kind: 1 + (offset % 9),
    payload: payloadOf(offset),
  });
  const expectAt = (opened: AppendLog, offset: number): void => {
    const { kind, payload } = opened.read(offset);
    expect(kind).toBe(1 + (offset % 9));
    expect(hashesEqual(payload, payloadOf(offset))).toBe(true);
  };

  test('is read at every offset: forward, backward, at random, from any on, in a fork, and when it is opened again', () => {
    const path = join(folder, 'log');
    const again = AppendLog.open(disk, path, { segmentBytes: 1024 * 1024 }).log;
    const fork = log.fork(disk);
    for (const opened of [log, again, fork]) {
      expect(opened.recordsWritten).toBe(RECORDS);
      for (let offset = 0; offset < RECORDS; offset += 3) expectAt(opened, offset);
      for (let offset = RECORDS - 1; offset >= 0; offset -= 31) expectAt(opened, offset);
      for (let time = 0; time < 500; time++) expectAt(opened, (time * 7_919) % RECORDS);
      const seen: number[] = [];
      opened.scan(2_345, ({ offset, payload }) => {
        if (hashesEqual(payload, payloadOf(offset))) seen.push(offset);
      });
      expect(seen).toEqual(Array.from({ length: RECORDS - 2_345 }, (_, at) => 2_345 + at));
    }
    again.close();
    fork.close();
  });

  test('names the damaged record on the way to an old one, and gives out nothing else', () => {
    const path = join(folder, 'log');
    const index = new RecordIndex();
    const positions: number[] = [];
    const file = disk.open(path, 'existing');
    scanLog(file, { payloadBytesMax: 1024 * 1024 }, (_, position) => {
      index.push(position);
      positions.push(position);
    });
    const mark = index.markBefore(1_500);
    const hit = mark.record + 2;
    const byte = new Uint8Array(1);
    const at = (positions[hit] as number) + 42; // its length
    file.read(at, byte);
    file.write(at, [byte.map((value) => value ^ 0x10)]);
    const fresh = log.fork(disk); // nothing of the file in memory
    expectAt(fresh, hit - 1);
    const wrong = refusalOf(() => fresh.read(hit + 1));
    expect(['APPEND_LOG_HEADER_INVALID', 'APPEND_LOG_CRC_MISMATCH']).toContain(wrong.code);
    expect(['APPEND_LOG_HEADER_INVALID', 'APPEND_LOG_CRC_MISMATCH']).toContain(refusalOf(() => fresh.read(hit)).code);
    expectAt(fresh, mark.record);
    const following = index.markBefore(hit + 400);
    expect(following.record).toBeGreaterThan(hit);
    expectAt(fresh, following.record);
    file.write(at, [byte]);
    expectAt(fresh.fork(disk), hit + 1);
    fresh.close();
    file.close();
  });
});

function refusalOf(act: () => unknown): AppendLogError {
  try {
    act();
  } catch (error) {
    if (error instanceof AppendLogError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
