/**
 * What the log costs on this disk. Three tables: a file that is preallocated beside one that grows, by batch size, one
 * fdatasync a batch; the same write and sync on the main thread, in libuv's pool and in a worker; opening a log.
 * `node --import tsx bench/append-log.ts [--seconds 2] [--open-mb 1024] [--record-bytes 1024] [--folder DIR] [--only open]`
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import Table from 'cli-table3';
import { quantile } from '../impl/client/load.ts';
import { GENESIS_HASH } from '../impl/crypto/hash.ts';
import type { Disk, DiskFile } from '../impl/ports/disk.ts';
import { RealDisk } from '../impl/ports/real-disk.ts';
import { AppendLog } from '../impl/storage/append-log.ts';
import { encodeBatch, type LogBatch } from '../impl/storage/log-batch.ts';
import { RECORD_FRAME_BYTES } from '../impl/storage/log-record.ts';

const BATCHES = [1, 16, 64, 256];
const MIB = 1024 ** 2;
/** Room for every batch of a run. */
const FILE_BYTES = 128 * MIB;
const PLAIN = { style: { head: [], border: [] } };
const COLUMNS = ['batches/s', 'records/s', 'p50 ms', 'p99 ms'];
/** One turn of the work beside the log. */
const WORK_MS = 0.2;
/** Of one subject in the load with work beside it, before the next has its turn. */
const SLICE_MS = 100;

interface Run {
  readonly batches: number;
  readonly seconds: number;
  /** Of one batch, sorted. */
  readonly latenciesMs: Float64Array;
}

/** A write and a sync of one batch at a position; the ways differ in who waits for the disk. */
interface Way {
  readonly name: string;
  commit(position: number, batch: LogBatch): void | Promise<void>;
  close(): void | Promise<void>;
}

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '2' },
    'open-mb': { type: 'string', default: '256' },
    'record-bytes': { type: 'string', default: '1024' },
    folder: { type: 'string', default: tmpdir() },
    only: { type: 'string', default: 'files ways open' },
  },
});
const seconds = Number(values.seconds);
const recordBytes = Number(values['record-bytes']);
const openBytes = Number(values['open-mb']) * MIB;
const folder = mkdtempSync(join(values.folder, 'lockstep-append-log-bench-'));

const PAYLOADS = Array.from({ length: 64 }, (_, number) =>
  Uint8Array.from({ length: recordBytes }, (__, at) => (at * 167 + number * 59 + ((at * at * number) >> 3)) & 255),
);

function records(count: number): readonly { kind: number; payload: Uint8Array }[] {
  return Array.from({ length: count }, (_, at) => ({ kind: 1, payload: PAYLOADS[at % PAYLOADS.length] as Uint8Array }));
}

/** One row of a table: what is measured, and how often at most (the file has an end). */
interface Subject {
  readonly labels: readonly (string | number)[];
  readonly batch: number;
  readonly turnsMax: number;
  act(turn: number): void | Promise<void>;
  close(): void | Promise<void>;
}

/** One commit of each subject after the other, so that what else the disk does falls on each of them alike. */
async function interleaved(subjects: readonly Subject[]): Promise<readonly Run[]> {
  const latencies = subjects.map((): number[] => []);
  const started = performance.now();
  const turnsMax = Math.min(...subjects.map((subject) => subject.turnsMax));
  for (let turn = 0; turn < turnsMax && performance.now() - started < seconds * 1000 * subjects.length; turn++)
    for (const [index, subject] of subjects.entries()) {
      const before = performance.now();
      await subject.act(turn);
      latencies[index]?.push(performance.now() - before);
    }
  return latencies.map((each) => ({
    batches: each.length,
    seconds: each.reduce((sum, ms) => sum + ms, 0) / 1000,
    latenciesMs: Float64Array.from(each).sort(),
  }));
}

/** Short slices of each subject with work beside it, in turn. */
async function besideWork(subjects: readonly Subject[]): Promise<readonly { commits: number; turns: number }[]> {
  const totals = subjects.map(() => ({ commits: 0, turns: 0, seconds: 0 }));
  const slices = Math.ceil((seconds * 1000) / SLICE_MS);
  for (let slice = 0; slice < slices; slice++)
    for (const [index, subject] of subjects.entries()) {
      const total = totals[index] as (typeof totals)[number];
      const started = performance.now();
      const finish = workBeside();
      while (performance.now() - started < SLICE_MS) {
        await subject.act(total.commits++);
        await new Promise((resolve) => setImmediate(resolve));
      }
      total.turns += finish();
      total.seconds += (performance.now() - started) / 1000;
    }
  return totals.map(({ commits, turns, seconds: elapsed }) => ({ commits: commits / elapsed, turns: turns / elapsed }));
}

function cells({ batches, seconds: elapsed, latenciesMs }: Run, batch: number): readonly string[] {
  const perSecond = batches / elapsed;
  const [p50, p99] = [0.5, 0.99].map((share) => quantile(latenciesMs, share).toFixed(2));
  return [perSecond.toFixed(0), (perSecond * batch).toFixed(0), p50 ?? '', p99 ?? ''];
}

/** Growing: the file starts empty and every write makes it longer, so that a sync has a size and blocks to write as well. */
class GrowingDisk extends RealDisk implements Disk {
  override open(path: string, mode: 'create' | 'existing'): DiskFile {
    const file = super.open(path, mode);
    const bound = { write: file.write.bind(file), read: file.read.bind(file), sync: file.sync.bind(file) };
    return {
      ...bound,
      path,
      get sizeBytes() {
        return Math.max(file.sizeBytes, FILE_BYTES);
      },
      preallocate: () => {},
      truncate: file.truncate.bind(file),
      close: file.close.bind(file),
    };
  }
}

async function filesTable(): Promise<string> {
  const table = new Table({ ...PLAIN, head: ['file', 'batch', ...COLUMNS] });
  const kinds = [
    ['preallocated', new RealDisk()],
    ['growing', new GrowingDisk()],
  ] as const;
  for (const batch of BATCHES) {
    const batchRecords = records(batch);
    const subjects = kinds.map(([name, disk]): Subject => {
      const path = join(folder, `${name}-${batch}`);
      const log = AppendLog.create(disk, path, { segmentBytes: FILE_BYTES, compress: false });
      return {
        labels: [name, batch],
        batch,
        turnsMax: Math.floor(FILE_BYTES / (batch * (recordBytes + RECORD_FRAME_BYTES))),
        act: () => {
          log.append(batchRecords);
          log.fsync();
        },
        close: () => {
          log.close();
          rmSync(path);
        },
      };
    });
    const runs = await interleaved(subjects);
    for (const subject of subjects) await subject.close();
    for (const [index, { labels }] of subjects.entries()) table.push([...labels, ...cells(runs[index] as Run, batch)]);
  }
  return table.toString();
}

function onMainThread(path: string): Way {
  const file = new RealDisk().open(path, 'existing');
  return {
    name: 'main thread',
    commit: (position, { chunks }) => {
      file.write(position, chunks);
      file.sync();
    },
    close: () => file.close(),
  };
}

async function inPool(path: string): Promise<Way> {
  const handle = await open(path, 'r+');
  return {
    name: "libuv's pool",
    commit: async (position, { chunks }) => {
      await handle.writev(chunks as Uint8Array[], position);
      await handle.datasync();
    },
    close: () => handle.close(),
  };
}

const WORKER = `
const { parentPort, workerData } = require('node:worker_threads');
const { openSync, writevSync, fdatasyncSync, closeSync } = require('node:fs');
const fd = openSync(workerData, 'r+');
parentPort.on('message', ({ position, chunks }) => {
  if (chunks === undefined) { closeSync(fd); process.exit(0); }
  writevSync(fd, chunks, position);
  fdatasyncSync(fd);
  parentPort.postMessage(0);
});`;

function inWorker(path: string): Way {
  const worker = new Worker(WORKER, { eval: true, workerData: path });
  return {
    name: 'worker',
    commit: (position, { chunks }) =>
      new Promise<void>((resolve) => {
        worker.once('message', () => resolve());
        worker.postMessage({ position, chunks });
      }),
    close: async () => {
      await worker.terminate();
    },
  };
}

function spin(milliseconds: number): void {
  for (const started = performance.now(); performance.now() - started < milliseconds; );
}

/** Other work on the main thread, one turn after the other; returns what stops it and counts the turns. */
function workBeside(): () => number {
  let turns = 0;
  let working = true;
  const work = (): void => {
    spin(WORK_MS);
    turns++;
    if (working) setImmediate(work);
  };
  setImmediate(work);
  return () => {
    working = false;
    return turns;
  };
}

/** A closed loop of commits, alone; then with work beside it, which is what the main thread gets done meanwhile. */
async function waysTable(): Promise<string> {
  const besideHead = ['batches/s beside work', `turns of ${WORK_MS} ms /s`];
  const table = new Table({ ...PLAIN, head: ['who waits', 'batch', ...COLUMNS, ...besideHead] });
  const end = { path: '', records: 0, endBytes: 0, headHash: GENESIS_HASH };
  for (const batch of [1, 64]) {
    const encoded = encodeBatch(end, records(batch), { recordBytesMax: recordBytes, compress: false });
    const subjectOf = (way: Way): Subject => ({
      labels: [way.name, batch],
      batch,
      turnsMax: Number.POSITIVE_INFINITY,
      act: (turn) => way.commit((turn * encoded.bytes) % (FILE_BYTES - encoded.bytes), encoded),
      close: () => {},
    });
    const ways = [
      onMainThread(fileFor(`main-${batch}`)),
      await inPool(fileFor(`pool-${batch}`)),
      inWorker(fileFor(`worker-${batch}`)),
    ];
    const subjects = ways.map(subjectOf);
    const alone = await interleaved(subjects);
    const beside = await besideWork(subjects);
    for (const [index, { labels }] of subjects.entries()) {
      const both = [beside[index]?.commits, beside[index]?.turns].map((rate) => (rate ?? 0).toFixed(0));
      table.push([...labels, ...cells(alone[index] as Run, batch), ...both]);
    }
    for (const way of ways) await way.close();
  }
  return table.toString();
}

/** Preallocated, and written once all over, so that no way pays for the first use of a block. */
function fileFor(name: string): string {
  const path = join(folder, name);
  const file = new RealDisk().open(path, 'create');
  file.preallocate(FILE_BYTES);
  const used = new Uint8Array(MIB).fill(1);
  for (let position = 0; position < FILE_BYTES; position += MIB) file.write(position, [used]);
  file.sync();
  file.close();
  return path;
}

function openTable(): string {
  const table = new Table({
    ...PLAIN,
    head: ['records of', 'records', 'MiB', 'open s', 'MiB/s', 'of it on the CPU s', 'read all s'],
  });
  const disk = new RealDisk();
  for (const bytes of [256, recordBytes, 64 * 1024]) {
    const path = join(folder, `open-${bytes}`);
    const log = AppendLog.create(disk, path, { compress: false, policy: { kind: 'none' } });
    const payload = Uint8Array.from({ length: bytes }, (_, at) => (at * 167) & 255);
    const batch = Array.from({ length: Math.ceil((256 * 1024) / bytes) }, () => ({ kind: 1, payload }));
    for (let waiting = 0; log.bytesWritten < openBytes; waiting++) {
      log.append(batch);
      if (waiting % 16 === 0) log.fsync();
    }
    log.fsync();
    log.close();
    const cpu = process.cpuUsage();
    const started = performance.now();
    const { log: opened, report } = AppendLog.open(disk, path);
    const openSeconds = (performance.now() - started) / 1000;
    const used = process.cpuUsage(cpu);
    const reading = performance.now();
    opened.scan(0, () => {});
    const readSeconds = (performance.now() - reading) / 1000;
    const mib = report.endBytes / MIB;
    table.push([
      `${bytes} B`,
      report.records,
      mib.toFixed(0),
      openSeconds.toFixed(2),
      (mib / openSeconds).toFixed(0),
      ((used.user + used.system) / 1e6).toFixed(2),
      readSeconds.toFixed(2),
    ]);
    opened.close();
    rmSync(path);
  }
  return table.toString();
}

try {
  console.log(
    `Node ${process.version}, records of ${recordBytes} bytes, ${seconds} s a row, folder on ${values.folder}`,
  );
  if (values.only.includes('files')) console.log(`\nOne fdatasync a batch\n${await filesTable()}`);
  if (values.only.includes('ways')) console.log(`\nThe same write and sync, by who waits for it\n${await waysTable()}`);
  if (values.only.includes('open')) console.log(`\nOpening a log: every record's crc and chain hash\n${openTable()}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
