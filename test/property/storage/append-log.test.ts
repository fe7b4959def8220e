/**
 * AppendLog byte by byte. Goal: never an acknowledged record lost, never a cut that is not reported, never damage cut away.
 * Method: a crash after every write and at every byte of it, a flipped bit at every position of a file, failures while a log
 * is opened, and random scripts against an array.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hashText } from '../../../impl/crypto/hash.ts';
import { DiskError } from '../../../impl/ports/disk.ts';
import { SimulatedDisk } from '../../../impl/ports/simulated-disk.ts';
import { AppendLog, type OpenReport } from '../../../impl/storage/append-log.ts';
import { AppendLogError } from '../../../impl/storage/append-log-error.ts';
import type { AppendLogOptions } from '../../../impl/storage/append-log-options.ts';

const PATH = '/log';
const OPTIONS: AppendLogOptions = { segmentBytes: 700, recordBytesMax: 300, unsyncedBytesMax: 2000 };

interface Record {
  readonly kind: number;
  readonly payload: Uint8Array;
}

const textOf = ({ kind, payload }: Record): string => `${kind} ${Buffer.from(payload).toString('hex')}`;

/** What only a seed says: bytes that lz4 cannot shrink, or ones that it can. */
function payload(seed: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) =>
    seed % 3 === 0 ? seed : (at * 167 + seed * 59 + ((at * at) >> 3)) & 255,
  );
}

const SCRIPT: readonly (readonly Record[])[] = [
  [{ kind: 1, payload: payload(1, 40) }],
  [
    { kind: 1, payload: payload(2, 5) },
    { kind: 2, payload: new Uint8Array(0) },
    { kind: 1, payload: payload(3, 200) },
  ],
  [{ kind: 255, payload: new Uint8Array(90) }],
  [
    { kind: 1, payload: payload(4, 130) },
    { kind: 1, payload: payload(6, 300) },
    { kind: 1, payload: payload(7, 1) },
  ],
  [{ kind: 1, payload: payload(8, 290) }],
];

function recordsOf(log: AppendLog): readonly string[] {
  const found: string[] = [];
  log.scan(0, (record) => found.push(textOf(record)));
  return found;
}

/** Opens after a crash and holds what it finds against what was written and acknowledged; returns the report. */
function expectSurvivors(
  disk: SimulatedDisk,
  options: AppendLogOptions,
  written: readonly string[],
  acknowledged: number,
): OpenReport {
  const { log, report } = AppendLog.open(disk, PATH, options);
  expect(report.verdict).not.toBe('damaged');
  expect(report.records).toBeGreaterThanOrEqual(acknowledged);
  expect(recordsOf(log)).toEqual(written.slice(0, report.records));
  expect(report.tornBytes > 0).toBe(report.verdict === 'torn');
  expect(log.recordsDurable).toBe(report.records);
  disk.crash();
  const again = AppendLog.open(disk, PATH, options);
  expect(again.report).toMatchObject({ verdict: 'whole', records: report.records, tornBytes: 0 });
  expect(hashText(again.log.headHash)).toBe(hashText(report.headHash));
  return report;
}

/** Crashes after every write and at every byte of it, with a sync every so many batches. */
function sweepCrashes(options: AppendLogOptions, every: number): void {
  const disk = new SimulatedDisk();
  const log = AppendLog.create(disk, PATH, options);
  const written: string[] = [];
  let acknowledged = 0;
  let crashes = 0;
  let cuts = 0;
  SCRIPT.forEach((batch, index) => {
    log.append(batch);
    written.push(...batch.map(textOf));
    for (let keep = 0; keep <= disk.unsyncedBytes(PATH); keep++) {
      const fork = disk.fork();
      fork.crash(() => keep);
      const report = expectSurvivors(fork, options, written, acknowledged);
      if (keep === disk.unsyncedBytes(PATH)) expect(report.records).toBe(written.length);
      crashes++;
      if (report.verdict === 'torn') cuts++;
    }
    if ((index + 1) % every === 0) {
      log.fsync();
      acknowledged = log.recordsDurable;
    }
  });
  expect(crashes).toBeGreaterThan(900);
  expect(cuts).toBeGreaterThan(crashes / 2);
}

/** Flips each bit of each record, and a bit of each byte behind them. */
function flipBits(options: AppendLogOptions): void {
  const disk = new SimulatedDisk();
  const log = AppendLog.create(disk, PATH, options);
  const written: string[] = [];
  for (const batch of SCRIPT.slice(0, 4)) {
    log.append(batch);
    written.push(...batch.map(textOf));
  }
  log.fsync();
  const { bytesWritten } = log;
  const file = disk.open(PATH, 'existing');
  const byte = new Uint8Array(1);
  let beyond = 0;
  for (let position = 0; position < file.sizeBytes; position++) {
    for (const bit of position < bytesWritten ? [0, 1, 2, 3, 4, 5, 6, 7] : [0]) {
      const fork = disk.fork();
      file.read(position, byte);
      fork.damage(PATH, position, Uint8Array.of((byte[0] ?? 0) ^ (1 << bit)));
      const { log: opened, report } = AppendLog.open(fork, PATH, options);
      if (position < bytesWritten) {
        expect(report.verdict, `bit ${bit} of byte ${position}`).toBe('damaged');
        expect(report.tornBytes).toBe(0);
        expect(report.records).toBeLessThan(written.length);
        expect(fork.unsyncedBytes(PATH)).toBe(0);
      } else {
        expect(recordsOf(opened)).toEqual(written);
        expect(report.tornBytes).toBeGreaterThan(0);
        beyond++;
      }
    }
  }
  expect(beyond).toBeGreaterThan(0);
}

/** Random scripts with every failure, against an array. */
function runScripts(options: AppendLogOptions): void {
  const operation = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        op: fc.constant('append' as const),
        sizes: fc.array(fc.nat(300), { minLength: 1, maxLength: 4 }),
      }),
    },
    { weight: 3, arbitrary: fc.record({ op: fc.constant('fsync' as const) }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constant('short' as const), bytes: fc.nat(400) }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constant('fsync-fails' as const) }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constant('write-fails' as const) }) },
    { weight: 1, arbitrary: fc.record({ op: fc.constant('restart' as const) }) },
    { weight: 2, arbitrary: fc.record({ op: fc.constant('crash' as const), keep: fc.nat(2500) }) },
  );
  fc.assert(
    fc.property(fc.array(operation, { minLength: 1, maxLength: 40 }), (script) => {
      const disk = new SimulatedDisk();
      let log = AppendLog.create(disk, PATH, options);
      /** Everything that the log may hold, in order; a restart tells how much of it is left. */
      let written: string[] = [];
      let acknowledged = 0;
      let number = 0;
      const reopen = (): void => {
        const { log: opened, report } = AppendLog.open(disk, PATH, options);
        expect(report.verdict).not.toBe('damaged');
        expect(report.records).toBeGreaterThanOrEqual(acknowledged);
        expect(recordsOf(opened)).toEqual(written.slice(0, report.records));
        written = written.slice(0, report.records);
        acknowledged = report.records;
        log = opened;
      };
      const attempt = (act: () => void): boolean => {
        try {
          act();
          return true;
        } catch (error) {
          expect(error).toBeInstanceOf(AppendLogError);
          return false;
        }
      };
      for (const step of script) {
        if (step.op === 'append') {
          const batch = step.sizes.map((size) => ({ kind: 1 + (number % 255), payload: payload(++number, size) }));
          const { status } = log;
          if (attempt(() => log.append(batch)) || (status === 'open' && log.status === 'short'))
            written.push(...batch.map(textOf));
          if (log.status === 'short') attempt(() => log.finishWrite());
        } else if (step.op === 'fsync') {
          if (log.status === 'unknown') attempt(() => log.reverify());
          if (attempt(() => log.fsync())) acknowledged = log.recordsDurable;
        } else if (step.op === 'short') disk.inject({ operation: 'write', kind: 'short', bytes: step.bytes });
        else if (step.op === 'fsync-fails') disk.inject({ operation: 'sync', kind: 'failed' });
        else if (step.op === 'write-fails') disk.inject({ operation: 'write', kind: 'io' });
        else {
          disk.disarm();
          log.close();
          if (step.op === 'crash') disk.crash(() => step.keep);
          else disk.exitProcess();
          reopen();
        }
        expect(log.recordsDurable).toBeGreaterThanOrEqual(acknowledged);
      }
      disk.disarm();
      log.close();
      disk.crash();
      reopen();
    }),
    { numRuns: 300 },
  );
}

describe('AppendLog', () => {
  test.each([1, 2, 5])(
    'a crash at every byte of every write loses no acknowledged record, and reports each cut (a sync every %i batches)',
    (every) => sweepCrashes(OPTIONS, every),
  );

  test('a flipped bit at every position of a file is damage when it hits a record, and never cuts one', () =>
    flipBits(OPTIONS));

  test('random scripts with every failure: what a twin array knows to be acknowledged is always there', () =>
    runScripts(OPTIONS));

  test('what the caller knows to be durable is damage when it is gone, whatever the tail looks like', () => {
    const disk = new SimulatedDisk();
    const log = AppendLog.create(disk, PATH, OPTIONS);
    log.append([...(SCRIPT[0] ?? []), ...(SCRIPT[1] ?? [])]);
    for (let keep = 0; keep < disk.unsyncedBytes(PATH); keep++) {
      const fork = disk.fork();
      fork.crash(() => keep);
      const { report } = AppendLog.open(fork, PATH, { ...OPTIONS, recordsDurableMin: 4 });
      expect(report).toMatchObject({ verdict: 'damaged', tornBytes: 0 });
    }
  });

  test('opening may fail at any operation, and the next try finds the same records', () => {
    const disk = new SimulatedDisk();
    const log = AppendLog.create(disk, PATH, OPTIONS);
    log.append(SCRIPT[1] ?? []);
    disk.crash(() => 120);
    const faults = [
      { operation: 'read', kind: 'io' },
      { operation: 'write', kind: 'io' },
      { operation: 'write', kind: 'short', bytes: 3 },
      { operation: 'write', kind: 'full' },
      { operation: 'sync', kind: 'failed' },
    ] as const;
    const expected = AppendLog.open(disk.fork(), PATH, OPTIONS).report;
    expect(expected).toMatchObject({ verdict: 'torn', records: 2 });
    for (const fault of faults) {
      const fork = disk.fork();
      fork.inject(fault);
      let failed = false;
      try {
        AppendLog.open(fork, PATH, OPTIONS);
      } catch (error) {
        expect(error).toBeInstanceOf(DiskError);
        failed = true;
      }
      expect(failed).toBe(fault.kind !== 'short');
      fork.crash(() => 7);
      const { log: opened, report } = AppendLog.open(fork, PATH, OPTIONS);
      expect(report.records).toBe(expected.records);
      expect(hashText(opened.headHash)).toBe(hashText(expected.headHash));
    }
  });

  test.each([
    ['ack-before-fsync', (options: AppendLogOptions) => sweepCrashes(options, 1)],
    ['cut-not-reported', (options: AppendLogOptions) => sweepCrashes(options, 1)],
    ['cut-at-first-bad-crc', flipBits],
    ['crc-not-checked', flipBits],
    ['retry-fsync', runScripts],
    ['window-not-rewritten', runScripts],
    ['short-write-ignored', runScripts],
  ] as const)('canary: the code with the fault %s does not pass', (fault, check) => {
    expect(() => check({ ...OPTIONS, faults: new Set([fault]) })).toThrow();
  });
});
