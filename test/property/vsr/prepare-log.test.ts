/**
 * Goal: the log of prepares is an array of prepares, and a crash leaves what the array was at some moment after the last fsync.
 * Method: random appends, overrides, truncations, fsyncs, forks and crashes against that array; then misfits one by one.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GENESIS_HASH } from '../../../impl/crypto/hash.ts';
import { SimulatedDisk } from '../../../impl/ports/simulated-disk.ts';
import { newPrepare, type Prepare } from '../../../impl/vsr/prepare.ts';
import { PrepareLog, PrepareLogError, TRUNCATE_RECORD_KIND } from '../../../impl/vsr/prepare-log.ts';
import { RecordLogDouble } from './record-log-double.ts';

const CLUSTER = 7n;

function prepareAfter(previous: Prepare | undefined, value: number, bodyBytes = 3): Prepare {
  return newPrepare({
    cluster: CLUSTER,
    view: 1,
    op: (previous?.op ?? 0) + 1,
    parent: previous?.hash ?? GENESIS_HASH,
    timestamp: value,
    client: 1n,
    request: value,
    body: new Uint8Array(bodyBytes).fill(value),
  });
}

function chain(previous: Prepare | undefined, count: number, value: number): Prepare[] {
  const prepares: Prepare[] = [];
  for (let n = 0; n < count; n++) prepares.push(prepareAfter(prepares.at(-1) ?? previous, value + n));
  return prepares;
}

function expectLog(log: PrepareLog, model: readonly Prepare[]): void {
  expect(log.op).toBe(model.length);
  expect(log.headHash).toEqual(model.at(-1)?.hash ?? GENESIS_HASH);
  for (const [at, prepare] of model.entries()) {
    expect(log.hashAt(at + 1)).toEqual(prepare.hash);
    expect(log.prepareAt(at + 1)).toEqual(prepare);
  }
  expect(log.prepareAt(0)).toBeUndefined();
  expect(log.prepareAt(model.length + 1)).toBeUndefined();
}

function expectDurable(log: PrepareLog, durable: readonly Prepare[]): void {
  expect(log.opDurable).toBe(durable.length);
  for (const [at, prepare] of durable.entries()) expect(log.durablePrepareAt(at + 1)).toEqual(prepare);
  expect(log.durablePrepareAt(durable.length + 1)).toBeUndefined();
}

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('append' as const), count: fc.integer({ min: 1, max: 90 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('override' as const),
      back: fc.nat(100),
      count: fc.integer({ min: 1, max: 5 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('truncate' as const), back: fc.nat(100) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('fsync' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const), kept: fc.nat(8) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fork' as const), truncateTo: fc.nat(50) }) },
);

describe('PrepareLog', () => {
  test('is an array of prepares, over appends, overrides, truncations, fsyncs, forks and crashes', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        let records = new RecordLogDouble();
        let log = PrepareLog.open(records, CLUSTER).prepareLog;
        let model: Prepare[] = [];
        /** The log after each record that is not yet synced; the first is the durable one. */
        let moments: Prepare[][] = [[]];
        let value = 1;
        for (const action of steps) {
          if (action.kind === 'append' || action.kind === 'override') {
            const kept = action.kind === 'override' ? Math.max(0, model.length - action.back) : model.length;
            const added = chain(model[kept - 1], action.count, value);
            value += action.count;
            log.append(added);
            model = model.slice(0, kept);
            for (const prepare of added) {
              model = [...model, prepare];
              moments.push(model);
            }
          } else if (action.kind === 'truncate') {
            const op = Math.max(0, model.length - action.back);
            log.truncateTo(op);
            if (op < model.length) {
              model = model.slice(0, op);
              moments.push(model);
            }
          } else if (action.kind === 'fsync') {
            log.fsync();
            moments = [model];
            expect(log.isDurable).toBe(true);
          } else if (action.kind === 'crash') {
            const kept = Math.min(action.kept, records.recordsWritten - records.recordsDurable);
            records = records.crashed(kept);
            log = PrepareLog.open(records, CLUSTER).prepareLog;
            model = moments[kept] as Prepare[];
            moments = [model];
          } else {
            const twin = log.fork(new SimulatedDisk());
            const op = Math.min(action.truncateTo, model.length);
            twin.truncateTo(op);
            const other = [...model.slice(0, op), ...chain(model[op - 1], 3, 1000)];
            twin.append(other.slice(op));
            expectLog(twin, other);
            expectDurable(twin, moments[0] as Prepare[]);
          }
          expectLog(log, model);
          expectDurable(log, moments[0] as Prepare[]);
          expect(log.isDurable).toBe(sameLog(model, moments[0] as Prepare[]));
          expect(log.isSynced).toBe(moments.length === 1);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('an entry that comes back is durable again before the fsync, and not synced', () => {
    const log = PrepareLog.open(new RecordLogDouble(), CLUSTER).prepareLog;
    const [one, two] = chain(undefined, 2, 1) as [Prepare, Prepare];
    log.append([one, two]);
    log.fsync();
    log.append([prepareAfter(one, 9)]);
    expect([log.opDurable, log.isDurable, log.isSynced]).toEqual([2, false, false]);
    log.append([two]);
    expect([log.opDurable, log.isDurable, log.isSynced]).toEqual([2, true, false]);
    log.fsync();
    expect([log.opDurable, log.isDurable, log.isSynced]).toEqual([2, true, true]);
  });

  test('a prepare that does not follow is refused, and nothing changes', () => {
    const records = new RecordLogDouble();
    const log = PrepareLog.open(records, CLUSTER).prepareLog;
    const [one, two, three] = chain(undefined, 3, 1) as [Prepare, Prepare, Prepare];
    log.append([one]);
    const stranger = newPrepare({ ...two, cluster: 8n });
    const orphan = newPrepare({ ...two, parent: three.hash });
    for (const [prepares, code] of [
      [[three], 'PREPARE_LOG_GAP'],
      [[two, two], 'PREPARE_LOG_BROKEN_CHAIN'],
      [[stranger], 'PREPARE_LOG_WRONG_CLUSTER'],
      [[orphan], 'PREPARE_LOG_BROKEN_CHAIN'],
      [[two, newPrepare({ ...three, parent: one.hash })], 'PREPARE_LOG_BROKEN_CHAIN'],
    ] as const) {
      expect(codeOf(() => log.append(prepares))).toBe(code);
      expectLog(log, [one]);
      expect(records.recordsWritten).toBe(1);
    }
  });

  test('a record of the disk that does not fit stops the opening', () => {
    const [one, two, three] = chain(undefined, 3, 1) as [Prepare, Prepare, Prepare];
    const records = new RecordLogDouble();
    const log = PrepareLog.open(records, CLUSTER).prepareLog;
    log.append([one, two, three]);
    log.truncateTo(1);
    log.fsync();
    const cut = records.records[3];
    const without = (at: number) => new RecordLogDouble(records.records.filter((_, n) => n !== at));
    expect(codeOf(() => PrepareLog.open(without(1), CLUSTER))).toBe('PREPARE_LOG_GAP');
    expect(codeOf(() => PrepareLog.open(without(2), CLUSTER))).toBe('PREPARE_LOG_GAP');
    expect(codeOf(() => PrepareLog.open(records, 8n))).toBe('PREPARE_LOG_WRONG_CLUSTER');
    const payload = Uint8Array.from(cut?.payload ?? []);
    payload[9] = (payload[9] ?? 0) ^ 1;
    const forged = [...records.records.slice(0, 3), { kind: TRUNCATE_RECORD_KIND, payload }];
    expect(codeOf(() => PrepareLog.open(new RecordLogDouble(forged), CLUSTER))).toBe('PREPARE_LOG_BROKEN_CHAIN');
    const unknown = [...records.records, { kind: 9, payload }];
    expect(codeOf(() => PrepareLog.open(new RecordLogDouble(unknown), CLUSTER))).toBe('PREPARE_LOG_UNKNOWN_RECORD');
  });

  test('the cache is bounded, and what it lost is read from the records', () => {
    const log = PrepareLog.open(new RecordLogDouble(), CLUSTER).prepareLog;
    const prepares: Prepare[] = [];
    for (let n = 1; n <= 60; n++) prepares.push(prepareAfter(prepares.at(-1), n, 1023 * 1024));
    log.append(prepares);
    for (const n of [1, 2, 30, 60]) expect(log.prepareAt(n)?.hash).toEqual(prepares[n - 1]?.hash);
  });
});

function sameLog(a: readonly Prepare[], b: readonly Prepare[]): boolean {
  return a.length === b.length && a.at(-1) === b.at(-1);
}

function codeOf(run: () => unknown): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (!(error instanceof PrepareLogError)) throw error;
    return error.code;
  }
}
