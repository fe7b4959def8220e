/**
 * The hash of the table of client sessions, a function of what it holds and not of how it came to hold it: SHA-256 over a
 * lane-wise sum, to which each session adds a mix of its numbers and of its replies' digests; the sum changes with what an op
 * touches only. As in impl/kernel/state-hash.ts it finds our bugs and a disk's lies, and is no proof against somebody who
 * may choose what is summed. Mirrors no spec module.
 */
import { sha256 } from '../crypto/hash.ts';
import { writeU32, writeU64 } from '../ports/little-endian.ts';
import type { ReplyWindow } from './session-replies.ts';

const SUM_LANES = 8;
/** First byte of what is hashed: one kind is never taken for another; impl/kernel/state-hash.ts lists them all. */
const TAG_TABLE = 6;
const U32_RANGE = 2 ** 32;
interface HashedTable {
  readonly sessions: { readonly size: number };
  readonly replyCount: number;
  readonly newestId: number;
  readonly sum: Uint32Array;
}

export function emptySum(): Uint32Array {
  return new Uint32Array(SUM_LANES);
}

const tableBytes = Buffer.allocUnsafeSlow(17 + SUM_LANES * 4);

export function tableHash({ sessions, replyCount, newestId, sum }: HashedTable): Uint8Array {
  tableBytes[0] = TAG_TABLE;
  writeU32(tableBytes, 1, sessions.size);
  writeU32(tableBytes, 5, replyCount);
  writeU64(tableBytes, 9, newestId);
  for (let lane = 0; lane < SUM_LANES; lane++) writeU32(tableBytes, 17 + lane * 4, sum[lane] as number);
  return sha256(tableBytes);
}

interface HashedSession {
  readonly id: number;
  readonly lastUsedMs: number;
  readonly replies: ReplyWindow<unknown>;
}

export function addSession(sum: Uint32Array, session: HashedSession): void {
  fill(session);
  for (let lane = 0; lane < SUM_LANES; lane++) sum[lane] = (sum[lane] as number) + mixed(lane);
}

export function subtractSession(sum: Uint32Array, session: HashedSession): void {
  fill(session);
  for (let lane = 0; lane < SUM_LANES; lane++) sum[lane] = (sum[lane] as number) - mixed(lane);
}

/** What is mixed, filled before anything else runs: Murmur3's own mix of each word, which is the same for every lane. */
const WORDS = 9;
const words = new Int32Array(WORDS);

function fill({ id, lastUsedMs, replies }: HashedSession): void {
  const { highest, size, sums } = replies;
  words[0] = mixedWord(id);
  words[1] = mixedWord(id / U32_RANGE);
  words[2] = mixedWord(lastUsedMs);
  words[3] = mixedWord(lastUsedMs / U32_RANGE);
  words[4] = mixedWord(highest);
  words[5] = mixedWord(highest / U32_RANGE);
  words[6] = mixedWord(size);
  words[7] = mixedWord(sums[0]);
  words[8] = mixedWord(sums[1]);
}

/** @param word of which the 32 low bits before the point count */
function mixedWord(word: number): number {
  const scattered = Math.imul(word, 0xcc9e2d51);
  return Math.imul((scattered << 15) | (scattered >>> 17), 0x1b873593);
}

/** Murmur3 over the words, one seed a lane. */
function mixed(lane: number): number {
  let hash = (lane + 1) * 0x9e3779b1;
  for (let at = 0; at < WORDS; at++) {
    hash ^= words[at] as number;
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
