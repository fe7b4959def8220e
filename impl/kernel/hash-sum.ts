/**
 * The lane-wise sum of SHA-256 hashes that state-hash.ts keeps up to date: what an op touches is taken out and put in again,
 * and the order in which things came does not matter. Mirrors no spec module.
 */
export const SUM_LANES = 8;

/** By lane, modulo 2^32, as whole numbers with a sign: an array of those is copied in a fraction of the time of a Uint32Array. */
export type HashSum = readonly number[];

export function emptySum(): number[] {
  return new Array<number>(SUM_LANES).fill(0);
}

export function addHash(sum: number[], hash: Uint8Array): void {
  for (let lane = 0; lane < SUM_LANES; lane++) sum[lane] = ((sum[lane] as number) + laneOf(hash, lane)) | 0;
}

export function subtractHash(sum: number[], hash: Uint8Array): void {
  for (let lane = 0; lane < SUM_LANES; lane++) sum[lane] = ((sum[lane] as number) - laneOf(hash, lane)) | 0;
}

function laneOf(hash: Uint8Array, lane: number): number {
  const at = lane * 4;
  const low = (hash[at] as number) | ((hash[at + 1] as number) << 8);
  return low | ((hash[at + 2] as number) << 16) | ((hash[at + 3] as number) << 24);
}
