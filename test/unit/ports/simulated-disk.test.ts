/**
 * Goal: each fault of the simulated disk does what its name says, once, says that it did, and nothing else.
 * Method: one fault, one operation that meets it; then what a read sees and what a power loss leaves.
 */
import { describe, expect, test } from 'vitest';
import { DiskError, type DiskFile } from '../../../impl/ports/disk.ts';
import { LockstepError } from '../../../impl/ports/lockstep-error.ts';
import { type DiskFault, SimulatedDisk, SimulatedStop } from '../../../impl/ports/simulated-disk.ts';
import { SimulatedRandom } from '../../../impl/ports/simulated-random.ts';

const PATH = '/file';
const SIZE_BYTES = 16_384;

function opened(): { disk: SimulatedDisk; file: DiskFile; used: string[] } {
  const disk = new SimulatedDisk();
  const file = disk.open(PATH, 'create');
  file.preallocate(SIZE_BYTES);
  disk.syncDirectory('/');
  const used: string[] = [];
  disk.onFault = ({ operation, kind }, path) => used.push(`${operation} ${kind} ${path}`);
  return { disk, file, used };
}

const filled = (bytes: number, value: number): Uint8Array => new Uint8Array(bytes).fill(value);

/** Runs of equal bytes, as `value x count`. */
function runs(bytes: Uint8Array): string {
  const found: string[] = [];
  for (let from = 0; from < bytes.byteLength; ) {
    let to = from;
    while (to < bytes.byteLength && bytes[to] === bytes[from]) to++;
    found.push(`${bytes[from]} x ${to - from}`);
    from = to;
  }
  return found.join(', ');
}

function cacheOf(disk: SimulatedDisk): string {
  const bytes = new Uint8Array(SIZE_BYTES);
  disk.open(PATH, 'read').read(0, bytes);
  return runs(bytes);
}

function mediumOf(disk: SimulatedDisk): string {
  const bytes = new Uint8Array(SIZE_BYTES);
  disk.readMedium(PATH, 0, bytes);
  return runs(bytes);
}

describe('faults of the simulated disk', () => {
  test('a lost fsync says yes, and the old medium is what a power loss leaves', () => {
    const { disk, file, used } = opened();
    disk.inject({ operation: 'sync', kind: 'lost' });
    file.write(0, [filled(100, 1)]);
    file.sync();
    expect(used).toEqual(['sync lost /file']);
    file.sync(); // the pages count as clean
    expect([cacheOf(disk), mediumOf(disk)]).toEqual(['1 x 100, 0 x 16284', '0 x 16384']);
    const wroteAgain = disk.fork();
    const other = wroteAgain.open(PATH, 'existing');
    other.write(0, [filled(100, 1)]);
    other.sync();
    expect(mediumOf(wroteAgain)).toBe('1 x 100, 0 x 16284');
    disk.crash();
    expect(cacheOf(disk)).toBe('0 x 16384');
  });

  test('a lost write is seen until the power goes, and is on the medium by no sync', () => {
    const { disk, file, used } = opened();
    disk.inject({ operation: 'write', kind: 'lost' });
    file.write(0, [filled(511, 1)]); // less than a sector: nothing that a device could lose alone
    expect(used).toEqual([]);
    file.write(512, [filled(300, 2), filled(300, 3)]);
    expect(used).toEqual(['write lost /file']);
    file.sync();
    file.sync();
    expect(cacheOf(disk)).toBe('1 x 511, 0 x 1, 2 x 300, 3 x 300, 0 x 15272');
    disk.crash(() => Number.MAX_SAFE_INTEGER);
    expect(cacheOf(disk)).toBe('1 x 511, 0 x 15873');
  });

  test('a lost write at a share of it loses that page alone', () => {
    for (const [atPerMille, left] of [
      [0, '0 x 4096, 1 x 8192, 0 x 4096'],
      [500, '0 x 1000, 1 x 3096, 0 x 4096, 1 x 4096, 0 x 4096'],
      [1000, '0 x 1000, 1 x 7192, 0 x 8192'],
    ] as const) {
      const { disk, file } = opened();
      disk.inject({ operation: 'write', kind: 'lost', atPerMille });
      file.write(1000, [filled(11_288, 1)]);
      file.sync();
      expect(mediumOf(disk)).toBe(left);
      expect(cacheOf(disk)).toBe('0 x 1000, 1 x 11288, 0 x 4096');
    }
  });

  test('a misdirected write: its sectors are durable elsewhere, and seen where they were sent', () => {
    const { disk, file, used } = opened();
    file.write(0, [filled(SIZE_BYTES, 9)]);
    file.sync();
    disk.inject({ operation: 'write', kind: 'misdirected', atPerMille: 500 });
    file.write(100, [filled(600, 1)]);
    expect(used).toEqual(['write misdirected /file']);
    expect(cacheOf(disk)).toBe('9 x 100, 1 x 600, 9 x 15684');
    expect(mediumOf(disk)).toBe('9 x 16384');
    file.sync();
    disk.crash();
    // Two sectors, to the middle of the 30 places that there are: sector 15.
    expect(cacheOf(disk)).toBe('9 x 7780, 1 x 600, 9 x 8004');
  });

  test('a misdirected write never lands where it was sent', () => {
    for (let atPerMille = 0; atPerMille <= 1000; atPerMille += 20) {
      const { disk, file } = opened();
      disk.inject({ operation: 'write', kind: 'misdirected', atPerMille });
      file.write(SIZE_BYTES - 1024, [filled(1024, 1)]);
      file.sync();
      const bytes = new Uint8Array(SIZE_BYTES);
      disk.readMedium(PATH, 0, bytes);
      expect(bytes.indexOf(1) % 512).toBe(0);
      expect(bytes.indexOf(1)).toBeLessThan(SIZE_BYTES - 1024);
      expect(bytes.lastIndexOf(1) - bytes.indexOf(1)).toBe(1023);
    }
  });

  test('a fault with a path waits for that file', () => {
    const { disk, file, used } = opened();
    const other = disk.open('/other', 'create');
    disk.inject({ operation: 'sync', kind: 'failed', path: '/other' });
    file.sync();
    expect(used).toEqual([]);
    expect(() => other.sync()).toThrow(DiskError);
    expect(used).toEqual(['sync failed /other']);
  });

  test.each<[DiskFault, (file: DiskFile) => void]>([
    [{ operation: 'read', kind: 'io' }, (file) => file.read(0, new Uint8Array(1))],
    [{ operation: 'write', kind: 'io' }, (file) => file.write(0, [filled(1, 1)])],
    [{ operation: 'write', kind: 'full' }, (file) => file.write(0, [filled(1, 1)])],
    [{ operation: 'preallocate', kind: 'full' }, (file) => file.preallocate(SIZE_BYTES + 1)],
    [{ operation: 'preallocate', kind: 'io' }, (file) => file.preallocate(SIZE_BYTES + 1)],
    [{ operation: 'sync', kind: 'failed' }, (file) => file.sync()],
  ])('%o is met once, and reported', (fault, act) => {
    const { disk, file, used } = opened();
    disk.inject(fault);
    expect(() => act(file)).toThrow(DiskError);
    expect(used).toEqual([`${fault.operation} ${fault.kind} /file`]);
    act(file);
    expect(used).toHaveLength(1);
  });

  test('a disk without space is reported each time', () => {
    const { disk, file, used } = opened();
    disk.setCapacity(0);
    expect(() => file.preallocate(SIZE_BYTES * 2)).toThrow('no space left');
    expect(() => file.write(SIZE_BYTES, [filled(1, 1)])).toThrow('no space left');
    expect(used).toEqual(['preallocate full /file', 'write full /file']);
  });

  test('writtenBytes: where the durable content ends', () => {
    const { disk, file } = opened();
    expect([disk.sizeBytes(PATH), disk.writtenBytes(PATH)]).toEqual([SIZE_BYTES, 0]);
    file.write(5000, [filled(10, 1), filled(10, 0)]);
    expect(disk.writtenBytes(PATH)).toBe(0);
    file.sync();
    expect(disk.writtenBytes(PATH)).toBe(5010);
  });

  test('a process that dies leaves its unsynced writes and their order to the next power loss', () => {
    const { disk, file } = opened();
    file.write(10, [filled(30, 1)]);
    file.write(0, [filled(20, 2)]);
    disk.exitProcess();
    expect(cacheOf(disk)).toBe('2 x 20, 1 x 20, 0 x 16344');
    expect(disk.pendingWrites(PATH).map(({ position, bytes }) => [position, runs(bytes)])).toEqual([
      [10, '1 x 30'],
      [0, '2 x 20'],
    ]);
    const left = [10, 35, 50].map((kept) => {
      const after = disk.fork();
      after.crash(() => kept);
      return cacheOf(after);
    });
    expect(left).toEqual(['0 x 10, 1 x 10, 0 x 16364', '2 x 5, 0 x 5, 1 x 30, 0 x 16344', '2 x 20, 1 x 20, 0 x 16344']);
    disk.open(PATH, 'existing').sync(); // the next process may make it durable
    expect(mediumOf(disk)).toBe('2 x 20, 1 x 20, 0 x 16344');
  });

  test('what a forgotten write had there does not come back over what is newer and durable', () => {
    const { disk, file } = opened();
    file.write(0, [filled(30, 1)]);
    disk.inject({ operation: 'sync', kind: 'lost' });
    file.sync();
    file.write(10, [filled(10, 2)]);
    file.sync();
    expect(disk.unsyncedBytes(PATH)).toBe(20);
    disk.crash(() => 20);
    expect(cacheOf(disk)).toBe('1 x 10, 2 x 10, 1 x 10, 0 x 16354');
  });

  test('names that no sync of the directory covered are kept as any prefix', () => {
    const found = new Set<string>();
    for (let seed = 0; seed < 50; seed++) {
      const disk = new SimulatedDisk();
      for (const path of ['/a', '/b']) disk.open(path, 'create');
      const random = new SimulatedRandom(seed);
      disk.powerLoss({ keptPerMille: 0, writeback: 'fifo', torn: false, random });
      found.add(disk.list('/').join());
    }
    expect([...found].sort()).toEqual(['', 'a', 'a,b']);
  });
});

describe('a stop', () => {
  test.each([
    [0, '0 x 16384'],
    [499, '1 x 49, 0 x 16335'],
    [1000, '1 x 60, 2 x 40, 0 x 16284'],
  ])('in a write, at share %i: so much of it is in the cache', (share, left) => {
    const { disk, file } = opened();
    disk.armStop(2, share, 'power-loss');
    file.sync();
    expect(disk.isStopArmed).toBe(true);
    expect(() => file.write(0, [filled(60, 1), filled(40, 2)])).toThrow(SimulatedStop);
    expect(disk.isStopArmed).toBe(false);
    disk.exitProcess();
    expect(cacheOf(disk)).toBe(left);
    expect(mediumOf(disk)).toBe('0 x 16384');
  });

  test.each([
    [499, '0 x 16384'],
    [500, '1 x 10, 0 x 16374'],
  ])('at a sync, share %i: before or after', (share, left) => {
    const { disk, file } = opened();
    file.write(0, [filled(10, 1)]);
    disk.armStop(1, share, 'power-loss');
    expect(() => file.sync()).toThrow(SimulatedStop);
    disk.crash();
    expect(cacheOf(disk)).toBe(left);
  });

  test('at every other operation too', () => {
    const acts: readonly ((disk: SimulatedDisk, file: DiskFile) => void)[] = [
      (_, file) => file.preallocate(SIZE_BYTES * 2),
      (_, file) => file.truncate(1),
      (disk) => disk.open('/new', 'create'),
      (disk) => disk.rename(PATH, '/moved'),
      (disk) => disk.remove(PATH),
      (disk) => disk.makeDirectory('/directory'),
      (disk) => disk.syncDirectory('/'),
    ];
    const shown = (disk: SimulatedDisk): string => `${disk.list('/')} ${disk.exists(PATH) ? disk.sizeBytes(PATH) : ''}`;
    for (const [at, act] of acts.entries())
      for (const share of [0, 1000]) {
        const { disk, file } = opened();
        const before = shown(disk);
        disk.armStop(1, share, 'process-crash');
        expect(() => act(disk, file), `act ${at}`).toThrow('process-crash: the world stopped this process');
        disk.exitProcess();
        if (share === 0 || at === acts.length - 1) expect(shown(disk)).toBe(before);
        else expect(shown(disk)).not.toBe(before);
      }
  });

  test('is no error of ours, and nothing happens after it until the process is gone', () => {
    const { disk, file } = opened();
    disk.armStop(1, 0, 'process-crash');
    expect(() => file.write(0, [filled(10, 1)])).toThrow(SimulatedStop);
    const { stopped } = disk;
    expect(stopped).not.toBeInstanceOf(LockstepError);
    expect([stopped?.why, stopped?.operation, stopped?.path]).toEqual(['process-crash', 'write', PATH]);
    const after = disk.fork();
    for (const act of [
      () => file.write(0, [filled(10, 1)]),
      () => file.sync(),
      () => file.read(0, new Uint8Array(1)),
      () => disk.open('/new', 'create'),
      () => disk.open(PATH, 'read'),
      () => disk.exists(PATH),
      () => disk.list('/'),
      () => disk.lock('/'),
      () => after.syncDirectory('/'),
    ])
      expect(act).toThrow(SimulatedStop);
    disk.exitProcess();
    expect(disk.stopped).toBe(undefined);
    expect(cacheOf(disk)).toBe('0 x 16384');
    expect(() => file.write(0, [filled(10, 1)]), 'a handle of the process that ended').toThrow('changes nothing');
  });

  test('that is taken back does not come, and a fork has its own', () => {
    const { disk, file } = opened();
    disk.armStop(1, 0, 'power-loss');
    const fork = disk.fork();
    disk.disarm();
    file.sync();
    expect(() => fork.open(PATH, 'existing').sync()).toThrow(SimulatedStop);
    expect(disk.operations).toBe(fork.operations);
  });

  test('hides what the disk would have refused', () => {
    const { disk, file, used } = opened();
    disk.inject({ operation: 'write', kind: 'io' });
    disk.armStop(1, 1000, 'power-loss');
    expect(() => file.write(0, [filled(10, 1)])).toThrow(SimulatedStop);
    expect(used).toEqual(['write io /file']);
  });

  test('a lock of a process that has ended cannot be let go by it a second time', () => {
    const { disk } = opened();
    const old = disk.lock('/');
    disk.exitProcess();
    disk.lock('/');
    old.release();
    expect(() => disk.lock('/')).toThrow('in use');
  });
});
