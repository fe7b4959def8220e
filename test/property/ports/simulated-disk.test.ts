/**
 * Goal: the simulated disk is what its twin of plain arrays is, and a power loss leaves no more than its writeback allows.
 * Method: random writes, syncs that work, fail or lie, lost writes, rot, forks and crashes against the twin; then power
 * losses of each writeback against crashes at every byte and against the pages one by one.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SimulatedDisk, type Writeback } from '../../../impl/ports/simulated-disk.ts';
import { SimulatedRandom } from '../../../impl/ports/simulated-random.ts';
import { DiskTwin } from './disk-twin.ts';

const PATH = '/file';
const SIZE_BYTES = 12_000;
const PAGE = 4096;
const WRITEBACKS: readonly Writeback[] = ['fifo', 'random', 'elevator', 'deadline'];

function empty(pageBytes: number): SimulatedDisk {
  const disk = new SimulatedDisk({ pageBytes });
  disk.open(PATH, 'create').preallocate(SIZE_BYTES);
  disk.syncDirectory('/');
  return disk;
}

function write(disk: SimulatedDisk, position: number, bytes: readonly number[]): void {
  const [head, rest] = [bytes.slice(0, 3), bytes.slice(3)];
  disk.open(PATH, 'existing').write(position, [Uint8Array.from(head), Uint8Array.from(rest)]);
}

const mediumOf = (disk: SimulatedDisk): Buffer => {
  const bytes = Buffer.alloc(SIZE_BYTES);
  disk.readMedium(PATH, 0, bytes);
  return bytes;
};
const cacheOf = (disk: SimulatedDisk): Buffer => {
  const bytes = Buffer.alloc(SIZE_BYTES);
  disk.open(PATH, 'read').read(0, bytes);
  return bytes;
};

const place = fc.nat({ max: SIZE_BYTES - 1 });
/** Short, or long enough for whole pages; near each other, so that they overlap. */
const length = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 500, max: 5000 }));
const written = fc
  .record({ position: fc.oneof(fc.nat({ max: 700 }), place), length, value: fc.integer({ min: 1, max: 255 }) })
  .map(({ position, length, value }) => ({
    position,
    bytes: Array.from({ length: Math.min(length, SIZE_BYTES - position) }, (_, at) => ((value + at) % 255) + 1),
  }));
const step = fc.oneof(
  { weight: 6, arbitrary: written.map((write) => ({ op: 'write' as const, ...write })) },
  { weight: 1, arbitrary: written.map((write) => ({ op: 'lost-write' as const, ...write })) },
  { weight: 1, arbitrary: written.map((write) => ({ op: 'damage' as const, ...write })) },
  { weight: 3, arbitrary: fc.constantFrom({ op: 'sync' as const }, { op: 'sync-fails' as const }) },
  { weight: 1, arbitrary: fc.constant({ op: 'sync-lies' as const }) },
  { weight: 2, arbitrary: fc.boolean().map((goOnWithFork) => ({ op: 'fork' as const, goOnWithFork })) },
  { weight: 1, arbitrary: fc.constant({ op: 'exit' as const }) },
  { weight: 1, arbitrary: fc.nat({ max: 9000 }).map((keep) => ({ op: 'crash' as const, keep })) },
);

function take(disk: SimulatedDisk, twin: DiskTwin, step: Exclude<Step, { readonly op: 'fork' }>): void {
  switch (step.op) {
    case 'write':
      write(disk, step.position, step.bytes);
      twin.write(step.position, step.bytes);
      break;
    case 'lost-write':
      if (step.bytes.length < 512) break;
      disk.inject({ operation: 'write', kind: 'lost' });
      write(disk, step.position, step.bytes);
      twin.show(step.position, step.bytes);
      break;
    case 'damage':
      disk.damage(PATH, step.position, Uint8Array.from(step.bytes));
      twin.damage(step.position, step.bytes);
      break;
    case 'sync':
      disk.open(PATH, 'existing').sync();
      twin.sync();
      break;
    case 'sync-fails':
      disk.inject({ operation: 'sync', kind: 'failed' });
      expect(() => disk.open(PATH, 'existing').sync()).toThrow('fdatasync failed');
      twin.forget();
      break;
    case 'sync-lies':
      disk.inject({ operation: 'sync', kind: 'lost' });
      disk.open(PATH, 'existing').sync();
      twin.forget();
      break;
    case 'exit':
      disk.exitProcess();
      break;
    case 'crash':
      disk.crash(() => step.keep);
      twin.crash(step.keep);
      break;
  }
}

type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

function expectEqual(disk: SimulatedDisk, twin: DiskTwin): void {
  expect(cacheOf(disk).equals(Uint8Array.from(twin.cache)), 'what a read sees').toBe(true);
  expect(mediumOf(disk).equals(Uint8Array.from(twin.medium)), 'what is durable').toBe(true);
  expect(disk.unsyncedBytes(PATH)).toBe(twin.waitingBytes);
  expect(disk.writtenBytes(PATH)).toBe(twin.medium.findLastIndex((byte) => byte !== 0) + 1);
}

describe('the simulated disk', () => {
  test.each([512, 1024, PAGE])('is its twin of plain arrays (pages of %i bytes)', (pageBytes) => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), fc.nat(), (steps, keep) => {
        let disk = empty(pageBytes);
        let twin = new DiskTwin(SIZE_BYTES);
        const left: [SimulatedDisk, DiskTwin][] = [];
        for (const step of steps) {
          if (step.op === 'fork') {
            const forks: [SimulatedDisk, DiskTwin] = [disk.fork(), twin.fork()];
            left.push(step.goOnWithFork ? [disk, twin] : forks);
            if (step.goOnWithFork) [disk, twin] = forks;
          } else take(disk, twin, step);
          expectEqual(disk, twin);
        }
        left.push([disk, twin]);
        for (const [one, itsTwin] of left) {
          expectEqual(one, itsTwin); // whatever its forks did
          const kept = keep % (itsTwin.waitingBytes + 1);
          one.crash(() => kept);
          itsTwin.crash(kept);
          expectEqual(one, itsTwin);
        }
      }),
      { numRuns: 100 },
    );
  });
});

/** Some writes on top of a synced one, and one that a failed sync has forgotten. */
function waiting(writes: readonly { readonly position: number; readonly bytes: readonly number[] }[]): SimulatedDisk {
  const disk = empty(512);
  write(disk, 100, new Array<number>(600).fill(251));
  disk.open(PATH, 'existing').sync();
  for (const [at, { position, bytes }] of writes.entries()) {
    write(disk, position, bytes);
    if (at > 0) continue;
    disk.inject({ operation: 'sync', kind: 'lost' });
    disk.open(PATH, 'existing').sync();
  }
  return disk;
}

const share = fc.integer({ min: 0, max: 1000 });

describe('a power loss with requests in flight', () => {
  test('fifo: is a crash that keeps some prefix', () => {
    fc.assert(
      fc.property(fc.array(written, { maxLength: 3 }), share, fc.boolean(), fc.nat(), (writes, kept, torn, seed) => {
        const disk = waiting(writes);
        const after = disk.fork();
        const random = new SimulatedRandom(seed);
        const report = after.powerLoss({ keptPerMille: kept, writeback: 'fifo', torn, random });
        expect(report.reordered).toBe(false);
        const total = disk.unsyncedBytes(PATH);
        const prefixes = Array.from({ length: total + 1 }, (_, keep) => keep);
        const left = mediumOf(after);
        expect(prefixes.some((keep) => leftBy(disk, keep).equals(left))).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  test('fifo, torn: any prefix of a crash can come out, at any byte', () => {
    const bytes = Array.from({ length: 14 }, (_, at) => at + 1);
    const found = new Set<number>();
    for (let seed = 0; seed < 200; seed++)
      for (const keptPerMille of [0, 500, 1000])
        for (const torn of [false, true]) {
          const disk = empty(512);
          write(disk, PAGE - 5, bytes); // two pages: 5 bytes and 9
          disk.powerLoss({ keptPerMille, writeback: 'fifo', torn, random: new SimulatedRandom(seed) });
          const left = mediumOf(disk).subarray(PAGE - 5, PAGE + 9);
          const kept = bytes.findIndex((byte, at) => left[at] !== byte);
          found.add(kept < 0 ? bytes.length : kept);
          expect(left.subarray(kept < 0 ? bytes.length : kept).every((byte) => byte === 0)).toBe(true);
        }
    expect([...found].sort((a, b) => a - b)).toEqual(Array.from({ length: 15 }, (_, at) => at));
  });

  test.each(WRITEBACKS)(
    '%s: of pages that were written once, so many are there and the others are as before',
    (writeback) => {
      const pages = fc.uniqueArray(fc.nat({ max: 200 }), { minLength: 1, maxLength: 60 });
      fc.assert(
        fc.property(pages, share, fc.boolean(), fc.nat(), (numbers, keptPerMille, torn, seed) => {
          const disk = new SimulatedDisk();
          const file = disk.open(PATH, 'create');
          disk.syncDirectory('/');
          for (const page of numbers) file.write(page * PAGE, [new Uint8Array(PAGE).fill(1)]);
          file.sync();
          for (const page of numbers) file.write(page * PAGE, [new Uint8Array(PAGE).fill(2)]);
          const random = new SimulatedRandom(seed);
          const report = disk.powerLoss({ keptPerMille, writeback, torn, random });
          const whole: number[] = [];
          const cut: number[] = [];
          for (const page of numbers) {
            const bytes = new Uint8Array(PAGE);
            disk.readMedium(PATH, page * PAGE, bytes);
            const end = bytes.indexOf(1);
            if (end < 0) whole.push(page);
            else if (end > 0) cut.push(page);
            expect(bytes.subarray(Math.max(0, end)).every((byte) => byte === (end < 0 ? 2 : 1))).toBe(true);
          }
          expect(report.pages).toBe(numbers.length);
          expect(whole.length).toBe(Math.floor((numbers.length * keptPerMille) / 1000));
          expect(report.kept).toBe(whole.length);
          expect(cut.length).toBe(torn && whole.length < numbers.length ? 1 : 0);
          expect(report.torn).toBe(cut.length === 1);
          const first = numbers.slice(0, whole.length);
          if (!report.reordered) expect([...whole].sort()).toEqual([...first].sort());
        }),
        { numRuns: 60 },
      );
    },
  );

  test.each(WRITEBACKS)('%s: what is newer in a page never gives way to what is older', (writeback) => {
    for (let seed = 0; seed < 50; seed++)
      for (const keptPerMille of [0, 200, 400, 600, 800, 1000]) {
        const disk = empty(512);
        for (const value of [1, 2, 3, 4]) write(disk, 10, [value, value, value]);
        write(disk, PAGE, [9]);
        disk.powerLoss({ keptPerMille, writeback, torn: false, random: new SimulatedRandom(seed) });
        const [value, ...rest] = mediumOf(disk).subarray(10, 13);
        const there = mediumOf(disk)[PAGE] === 9 ? 1 : 0;
        expect(rest).toEqual([value, value]);
        expect((value as number) + there).toBe((keptPerMille * 5) / 1000);
      }
  });

  test('the order is that of all files together', () => {
    const disk = new SimulatedDisk();
    const [b, a] = ['/b', '/a'].map((path) => disk.open(path, 'create'));
    disk.syncDirectory('/');
    for (const [at, file] of [b, a, b, a].entries()) file?.write(at * PAGE, [Uint8Array.of(1)]);
    const left = (writeback: Writeback): readonly number[] => {
      const after = disk.fork();
      after.powerLoss({ keptPerMille: 500, writeback, torn: false, random: new SimulatedRandom(1) });
      return ['/a', '/b'].map((path) => after.writtenBytes(path));
    };
    expect(left('fifo')).toEqual([PAGE + 1, 1]);
    expect(left('elevator')).toEqual([3 * PAGE + 1, 0]);
  });

  test.each(WRITEBACKS)('%s: the same random, the same result', (writeback) => {
    fc.assert(
      fc.property(fc.array(written, { maxLength: 8 }), share, fc.nat(), (writes, keptPerMille, seed) => {
        const results = [0, 1].map(() => {
          const disk = waiting(writes);
          const random = new SimulatedRandom(seed);
          const report = disk.powerLoss({ keptPerMille, writeback, torn: true, random });
          return `${JSON.stringify(report)} ${mediumOf(disk).toString('hex')} ${random.below(2 ** 32)}`;
        });
        expect(results[0]).toBe(results[1]);
      }),
      { numRuns: 30 },
    );
  });
});

function leftBy(disk: SimulatedDisk, keepBytes: number): Buffer {
  const after = disk.fork();
  after.crash(() => keepBytes);
  return mediumOf(after);
}
