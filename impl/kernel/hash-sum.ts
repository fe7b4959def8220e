/**
 * The lane-wise sum of SHA-256 hashes that state-hash.ts keeps up to date: what an op touches is taken out and put in again,
 * and the order in which things came does not matter. Mirrors no spec module.
 */
export const SUM_LANES = 8;

export function addHash(sum: Uint32Array, hash: Uint8Array): void {
  for (let lane = 0; lane < SUM_LANES; lane++) sum[lane] = (sum[lane] as number) + laneOf(hash, lane);
}

export function subtractHash(sum: Uint32Array, hash: Uint8Array): void {
  for (let lane = 0; lane < SUM_LANES; lane++) sum[lane] = (sum[lane] as number) - laneOf(hash, lane);
}

function laneOf(hash: Uint8Array, lane: number): number {
  const at = lane * 4;
  return (
    (hash[at] as number) +
    ((hash[at + 1] as number) << 8) +
    ((hash[at + 2] as number) << 16) +
    ((hash[at + 3] as number) << 24)
  );
}
