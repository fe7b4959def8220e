/**
 * The hash of the table of client sessions, a function of what it holds and not of how it came to hold it: SHA-256 over a
 * lane-wise sum, to which each session adds a mix of its numbers and of its replies' digests; the sum changes with what an op
 * touches only. As in impl/kernel/state-hash.ts it finds our bugs and a disk's lies, and is no proof against somebody who
 * may choose what is summed. Mirrors no spec module.
 */
import { sha256 } from '../crypto/hash.ts';
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

const scratch = Buffer.allocUnsafeSlow(64);

export function tableHash({ sessions, replyCount, newestId, sum }: HashedTable): Uint8Array {
  const bytes = scratch.subarray(0, 17 + SUM_LANES * 4);
  bytes[0] = TAG_TABLE;
  let at = bytes.writeUInt32LE(sessions.size, 1);
  at = bytes.writeUInt32LE(replyCount, at);
  at = writeU64(bytes, newestId, at);
  for (const lane of sum) at = bytes.writeUInt32LE(lane, at);
  return sha256(bytes);
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

/** What is mixed, filled before anything else runs. */
const WORDS = 9;
const words = new Uint32Array(WORDS);

function fill({ id, lastUsedMs, replies }: HashedSession): void {
  words[0] = id;
  words[1] = id / U32_RANGE;
  words[2] = lastUsedMs;
  words[3] = lastUsedMs / U32_RANGE;
  words[4] = replies.highest;
  words[5] = replies.highest / U32_RANGE;
  words[6] = replies.size;
  words[7] = replies.sums[0];
  words[8] = replies.sums[1];
}

/** Murmur3 over the words, one seed a lane. */
function mixed(lane: number): number {
  let hash = (lane + 1) * 0x9e3779b1;
  for (let at = 0; at < WORDS; at++) {
    let word = Math.imul(words[at] as number, 0xcc9e2d51);
    word = (word << 15) | (word >>> 17);
    hash ^= Math.imul(word, 0x1b873593);
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function writeU64(bytes: Buffer, value: number, at: number): number {
  bytes.writeUInt32LE(value % U32_RANGE, at);
  return bytes.writeUInt32LE(Math.floor(value / U32_RANGE), at + 4);
}
