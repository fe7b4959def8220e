/** Files of a superblock for its tests: after so many updates, with these sectors, on a disk; and what opens from them. */
import type { Disk } from '../../../impl/ports/disk.ts';
import { SimulatedDisk } from '../../../impl/ports/simulated-disk.ts';
import { Superblock } from '../../../impl/storage/superblock.ts';
import { SECTOR_BYTES, SUPERBLOCK_FILE_BYTES } from '../../../impl/storage/superblock-copy.ts';

export const PATH = '/superblock';
export const IDENTITY = { cluster: 7n, replica: 1, replicaCount: 3 };
export const PLACES = [0, 1, 2, 3];
export const viewOf = (view: number): { view: number; logView: number; commit: number } => ({
  view,
  logView: view,
  commit: view,
});

/** Files after 0, 1, 2 … updates: image n shows view n. */
function images(count: number): readonly Uint8Array[] {
  const disk = new SimulatedDisk();
  Superblock.format(disk, PATH, IDENTITY);
  const { superblock } = Superblock.open(disk, PATH);
  return Array.from({ length: count }, (_, view) => {
    if (view > 0) superblock.update(viewOf(view));
    const image = new Uint8Array(SUPERBLOCK_FILE_BYTES);
    disk.readMedium(PATH, 0, image);
    return image;
  });
}

export const [genesis, first, newest] = images(3) as [Uint8Array, Uint8Array, Uint8Array];
export const sectorOf = (image: Uint8Array, place: number): Uint8Array =>
  image.subarray(place * SECTOR_BYTES, (place + 1) * SECTOR_BYTES);

/** The image with these sectors in these places. */
export function withSectors(image: Uint8Array, sectors: ReadonlyMap<number, Uint8Array>): Uint8Array {
  const changed = Uint8Array.from(image);
  for (const [place, sector] of sectors) changed.set(sector, place * SECTOR_BYTES);
  return changed;
}

export function diskWith(image: Uint8Array): SimulatedDisk {
  const disk = new SimulatedDisk();
  const file = disk.open(PATH, 'create');
  file.write(0, [image]);
  file.sync();
  disk.syncDirectory('/');
  return disk;
}

/** View of an opened superblock, or the code of the refusal. */
export function opened(disk: Disk, path = PATH): number | string {
  try {
    const { superblock } = Superblock.open(disk, path);
    const { view } = superblock.state;
    superblock.close();
    return view;
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause) return String(cause.code);
    throw cause;
  }
}

export function flipped(sector: Uint8Array, at: number): Uint8Array {
  const changed = Uint8Array.from(sector);
  changed[at] = (changed[at] as number) ^ 1;
  return changed;
}

export function subsetsOf(places: readonly number[]): readonly (readonly number[])[] {
  const [place, ...rest] = places;
  if (place === undefined) return [[]];
  return subsetsOf(rest).flatMap((subset) => [subset, [place, ...subset]]);
}
