/**
 * Goal: a log of prepares that is longer than what its index knows whole answers as a short one: hashes, prepares, what a crash
 * would leave, after cuts far behind the newest, in forks and when it is opened again; and it refuses what it did not append.
 * Method: an array beside it; ops on both sides of each bound.
 */
import { describe, expect, test } from 'vitest';
import { GENESIS_HASH, hashesEqual } from '../../../impl/crypto/hash.ts';
import { SimulatedDisk } from '../../../impl/ports/simulated-disk.ts';
import { encodePrepare, newPrepare, type Prepare } from '../../../impl/vsr/prepare.ts';
import { HASHES_KEPT } from '../../../impl/vsr/prepare-index.ts';
import { PREPARE_RECORD_KIND, PrepareLog } from '../../../impl/vsr/prepare-log.ts';
import { RecordLogDouble } from './record-log-double.ts';

const CLUSTER = 7n;
/** Past the first chunk of marks. */
const OPS = 16_384 + HASHES_KEPT + 100;

function chained(previous: readonly Prepare[], count: number, value: number): Prepare[] {
  const all = [...previous];
  for (let n = 0; n < count; n++) {
    const last = all.at(-1);
    const link = { op: (last?.op ?? 0) + 1, parent: last?.hash ?? GENESIS_HASH };
    const body = new Uint8Array(2).fill(value);
    all.push(newPrepare({ cluster: CLUSTER, view: 1, ...link, timestamp: value, client: 1n, request: n, body }));
  }
  return all;
}

/** Ops around each bound, and some between. */
function opsOf(length: number): readonly number[] {
  const bounds = [1, 64, 65, 16_384, 16_385, length - HASHES_KEPT - 64, length - HASHES_KEPT, length - 1_024, length];
  const near = bounds.flatMap((op) => [op - 1, op, op + 1]);
  const spread = Array.from({ length: 40 }, (_, n) => 1 + ((n * 7_919) % length));
  return [...near, ...spread].filter((op) => op >= 1 && op <= length);
}

function expectLog(log: PrepareLog, model: readonly Prepare[]): void {
  expect(log.op).toBe(model.length);
  expect(hashesEqual(log.headHash, model.at(-1)?.hash ?? GENESIS_HASH)).toBe(true);
  for (const op of opsOf(model.length)) {
    const { hash } = model[op - 1] as Prepare;
    const other = Uint8Array.from(hash, (byte, at) => (at === 31 ? byte ^ 1 : byte));
    expect(hashesEqual(log.hashAt(op), hash)).toBe(true);
    expect([log.holds(op, hash), log.holds(op, other), log.holds(op, GENESIS_HASH)]).toEqual([true, false, false]);
    expect(log.prepareAt(op)).toEqual(model[op - 1]);
  }
}

describe('A log of prepares that is longer than its index knows', () => {
  const all = chained([], OPS, 1);

  function written(): { records: RecordLogDouble; log: PrepareLog } {
    const records = new RecordLogDouble();
    const { prepareLog: log } = PrepareLog.open(records, CLUSTER);
    for (let from = 0; from < OPS; from += 500) log.append(all.slice(from, from + 500));
    log.fsync();
    return { records, log };
  }

  test('is an array of prepares, opened again and in a fork, too', () => {
    const { records, log } = written();
    expectLog(log, all);
    expectLog(PrepareLog.open(records, CLUSTER).prepareLog, all);
    expectLog(log.fork(new SimulatedDisk()), all);
  });

  test.each([OPS - 10, OPS - HASHES_KEPT - 70, 16_385, 16_384, 100, 64, 0])('is cut at %i, and goes on', (kept) => {
    const { records, log } = written();
    const twin = log.fork(new SimulatedDisk());
    log.truncateTo(kept);
    const cut = all.slice(0, kept);
    expectLog(log, cut);
    expect(log.opDurable).toBe(OPS);
    for (const op of opsOf(OPS)) {
      expect(log.holdsDurably(op, (all[op - 1] as Prepare).hash)).toBe(true);
      expect(log.durablePrepareAt(op)).toEqual(all[op - 1]);
    }
    const other = chained(cut, HASHES_KEPT + 200, 2);
    for (let from = kept; from < other.length; from += 500) log.append(other.slice(from, from + 500));
    log.fsync();
    expectLog(log, other);
    expectLog(PrepareLog.open(records, CLUSTER).prepareLog, other);
    expectLog(twin, all);
  });

  test('an override far behind the head is a cut and an append', () => {
    const { records, log } = written();
    const other = chained(all.slice(0, 200), 3, 3);
    log.append(other.slice(200));
    expectLog(log, other);
    log.fsync();
    expectLog(PrepareLog.open(records, CLUSTER).prepareLog, other);
  });

  test.each([300, OPS - 1_500])('what is read back of op %i and is another prepare of that op is refused', (op) => {
    const { records, log } = written();
    const { hash: _, ...fields } = all[op - 1] as Prepare;
    const stranger = newPrepare({ ...fields, timestamp: 99 });
    const forged = records.records.map((record, at) =>
      at === op - 1 ? { kind: PREPARE_RECORD_KIND, payload: encodePrepare(stranger) } : record,
    );
    records.records.splice(0, forged.length, ...forged);
    expect(() => log.prepareAt(op)).toThrow(/not the prepare that was appended/);
    expect(log.prepareAt(op + 1)).toEqual(all[op]);
  });
});
