/**
 * Goal: damage to copies never loses what was acknowledged, and never shows what nobody wrote (issue 3, storage.md).
 * Method: exhaustive on the file image: all corruptions of one, two and three copies, every bit, every torn and misdirected
 * write; single and double corruptions on a real file, too. No sampling.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RealDisk } from '../../../impl/ports/real-disk.ts';
import { decodeCopy, SECTOR_BYTES } from '../../../impl/storage/superblock-copy.ts';
import {
  diskWith,
  first,
  flipped,
  genesis,
  newest,
  opened,
  PLACES,
  sectorOf,
  subsetsOf,
  withSectors,
} from './superblock-image.ts';

/** On a machine that is busy with other things. */
const TEST_MS_MAX = 300_000;

/** Ways to lose a sector: what comes out is never whole. */
const CORRUPTIONS: readonly { readonly name: string; readonly of: (sector: Uint8Array) => Uint8Array }[] = [
  { name: 'zeros', of: () => new Uint8Array(SECTOR_BYTES) },
  { name: 'ones', of: () => new Uint8Array(SECTOR_BYTES).fill(0xff) },
  { name: 'a bit of the view', of: (sector) => flipped(sector, 40) },
  { name: 'a bit of the parent', of: (sector) => flipped(sector, 64) },
  { name: 'a bit of the hash', of: (sector) => flipped(sector, 127) },
  { name: 'a bit of the padding', of: (sector) => flipped(sector, 2000) },
  { name: 'a bit of the checksum', of: (sector) => flipped(sector, SECTOR_BYTES - 1) },
  { name: 'its second half', of: (sector) => Uint8Array.from(sector, (byte, at) => (at < 2048 ? byte : 0xaa)) },
];

/** Every way to choose one of the corruptions for each of these places. */
function* choices(places: readonly number[]): Generator<ReadonlyMap<number, Uint8Array>> {
  const [place, ...rest] = places;
  if (place === undefined) return yield new Map();
  for (const others of choices(rest))
    for (const { of } of CORRUPTIONS) yield new Map(others).set(place, of(sectorOf(newest, place)));
}

describe('Superblock: corruption', () => {
  it(
    'every single, double and triple corruption opens with what was acknowledged, all four are refused',
    () => {
      let images = 0;
      for (const places of subsetsOf(PLACES))
        for (const sectors of choices(places)) {
          const disk = diskWith(withSectors(newest, sectors));
          expect([places, opened(disk)]).toEqual([places, places.length === 4 ? 'SUPERBLOCK_UNREADABLE' : 2]);
          images++;
        }
      expect(images).toBe((CORRUPTIONS.length + 1) ** 4);
    },
    TEST_MS_MAX,
  );

  it(
    'every bit of a copy: the copy is not whole any more',
    () => {
      const sector = Uint8Array.from(sectorOf(newest, 1));
      for (let bit = 0; bit < SECTOR_BYTES * 8; bit++) {
        sector[bit >> 3] = (sector[bit >> 3] as number) ^ (1 << (bit & 7));
        const { kind } = decodeCopy(sector);
        if (kind !== 'broken') throw new Error(`bit ${bit}: the copy counts as ${kind}`);
        sector[bit >> 3] = (sector[bit >> 3] as number) ^ (1 << (bit & 7));
      }
    },
    TEST_MS_MAX,
  );

  it(
    'the same on a real file: every single and double corruption',
    () => {
      const folder = mkdtempSync(join(tmpdir(), 'lockstep-sweep-'));
      const real = new RealDisk();
      const path = join(folder, 'superblock');
      real.open(path, 'create').close();
      for (const places of subsetsOf(PLACES).filter(({ length }) => length === 1 || length === 2)) {
        for (const { of } of CORRUPTIONS) {
          const sectors = new Map(places.map((place) => [place, of(sectorOf(newest, place))]));
          const file = real.open(path, 'existing');
          file.write(0, [withSectors(newest, sectors)]);
          file.close();
          expect([places, opened(real, path)]).toEqual([places, 2]);
        }
      }
      rmSync(folder, { recursive: true, force: true });
    },
    TEST_MS_MAX,
  );
});

describe('Superblock: writes that went astray', () => {
  it('every sector in every other place, of this state or of the one before: the newest opens', () => {
    for (const image of [newest, first])
      for (const from of PLACES)
        for (const to of PLACES) {
          const disk = diskWith(withSectors(newest, new Map([[to, sectorOf(image, from)]])));
          expect([from, to, opened(disk)]).toEqual([from, to, 2]);
        }
  });

  it('two of them at once, beside every corruption of a third', () => {
    for (const [a, b, c] of [0, 1, 2, 3].flatMap((x) => PLACES.flatMap((y) => PLACES.map((z) => [x, y, z] as const)))) {
      if (new Set([a, b, c]).size < 3) continue;
      for (const { of } of CORRUPTIONS) {
        const sectors = new Map([
          [a, sectorOf(first, b)],
          [b, sectorOf(first, a)],
          [c, of(sectorOf(newest, c))],
        ]);
        expect([a, b, c, opened(diskWith(withSectors(newest, sectors)))]).toEqual([a, b, c, 2]);
      }
    }
  });

  it('a copy that two updates missed does not stop the others; alone beside one newest copy it is refused', () => {
    for (const place of PLACES) {
      const one = new Map([[place, sectorOf(genesis, place)]]);
      expect(opened(diskWith(withSectors(newest, one)))).toBe(2);
      const three = new Map(
        PLACES.filter((other) => other !== place).map((other) => [other, sectorOf(genesis, other)]),
      );
      expect(opened(diskWith(withSectors(newest, three)))).toBe('SUPERBLOCK_CONTRADICTED');
    }
  });
});

describe('Superblock: torn writes', () => {
  it(
    'one copy torn at every byte, from either side: the others decide',
    () => {
      for (const place of PLACES)
        for (let at = 0; at <= SECTOR_BYTES; at++) {
          const [old, next] = [sectorOf(first, place), sectorOf(newest, place)];
          for (const [head, tail] of [
            [next, old],
            [old, next],
          ] as const) {
            const torn = new Uint8Array(SECTOR_BYTES);
            torn.set(head.subarray(0, at));
            torn.set(tail.subarray(at), at);
            const copy = decodeCopy(torn);
            const isOldOrNew = Buffer.compare(torn, old) === 0 || Buffer.compare(torn, next) === 0;
            if ((copy.kind === 'whole') !== isOldOrNew) throw new Error(`copy ${place} torn at ${at} is ${copy.kind}`);
          }
        }
    },
    TEST_MS_MAX,
  );

  it(
    'both copies of a half torn, each at every place of a grid: the state before or the next, never another',
    () => {
      const cuts = [0, 1, 7, 8, 12, 16, 40, 63, 64, 96, 127, 128, 512, 2048, 4091, 4092, 4093, 4095, 4096];
      for (const half of [
        [0, 1],
        [2, 3],
      ] as const)
        for (const cutA of cuts)
          for (const cutB of cuts) {
            const sectors = new Map(
              half.map((place, at) => {
                const torn = Uint8Array.from(sectorOf(first, place));
                torn.set(sectorOf(newest, place).subarray(0, at === 0 ? cutA : cutB));
                return [place, torn];
              }),
            );
            // The second half is written only once the first is durable.
            const before =
              half[0] === 0 ? first : withSectors(first, new Map([0, 1].map((p) => [p, sectorOf(newest, p)])));
            const view = opened(diskWith(withSectors(before, sectors)));
            const isNew = half[0] === 2 || cutA >= SECTOR_BYTES || cutB >= SECTOR_BYTES;
            if (isNew) expect([half, cutA, cutB, view]).toEqual([half, cutA, cutB, 2]);
            else expect([1, 2]).toContain(view);
          }
    },
    TEST_MS_MAX,
  );
});
