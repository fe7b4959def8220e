/** One text for one value: what snapshot ids are made of, and what the DX API sends. Mirrors no spec module. Pure. */
import { hashText, sha256 } from '../crypto/hash.ts';

/** Hexadecimal digits of a snapshot id. */
const SNAPSHOT_ID_DIGITS = 16;

/** What JSON lacks becomes text: big integers as decimal, bytes as hexadecimal, maps and sets as lists. */
export function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (value instanceof Map) return [...value].map(([key, item]) => [plain(key), plain(item)]);
  if (value instanceof Set) return [...value].map(plain);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, plain(item)]));
  return value;
}

/** JSON with the fields of every object in alphabetical order. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(sorted(plain(value)));
}

/** Equal values have equal ids. */
export function snapshotId(value: unknown): string {
  return hashText(sha256(Buffer.from(canonicalJson(value)))).slice(0, SNAPSHOT_ID_DIGITS);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, item]) => [name, sorted(item)]));
}
