/** The Random port: the only source of chance. Real: real-random.ts (node:crypto); simulated: simulated-random.ts (seeded). */
export interface Random {
  /** Uniform in 0..boundExclusive-1; boundExclusive from 1 to 2^32. */
  below(boundExclusive: number): number;
  bytes(count: number): Uint8Array;
}
