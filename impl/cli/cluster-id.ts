/** The number of a cluster as an option: from 1 to 2^64-1; anything else is a usage error. Mirrors no spec module. */
import { InvalidArgumentError } from 'commander';

const CLUSTER_MAX = 2n ** 64n - 1n;

export function clusterId(text: string): bigint {
  const value = /^[0-9]{1,20}$/.test(text) ? BigInt(text) : 0n;
  if (value < 1n || value > CLUSTER_MAX) throw new InvalidArgumentError('It takes a whole number from 1 to 2^64-1.');
  return value;
}
