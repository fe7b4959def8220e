/**
 * The hash of the table of client sessions, a function of what it holds and not of how it came to hold it: each session has a
 * hash, and their lane-wise sum changes with what an op touches only. As impl/kernel/state-hash.ts has it for streams: it
 * finds our bugs and a disk's lies, and is no proof against somebody who may choose the hashes. Mirrors no spec module.
 */
import { sha256 } from '../crypto/hash.ts';
import type { ReplyWindow } from './session-replies.ts';

const SUM_LANES = 8;
/** First byte of what is hashed: one kind is never taken for another. impl/kernel/state-hash.ts lists them all. */
const TAG_TABLE = 6;
const TAG_SESSION = 7;
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

export function sessionHash(id: number, lastUsedMs: number, replies: ReplyWindow<unknown>): Uint8Array {
  const bytes = scratch.subarray(0, 37);
  bytes[0] = TAG_SESSION;
  let at = writeU64(bytes, id, 1);
  at = writeU64(bytes, lastUsedMs, at);
  at = writeU64(bytes, replies.highest, at);
  at = bytes.writeUInt32LE(replies.size, at);
  at = bytes.writeUInt32LE(replies.sums[0], at);
  bytes.writeUInt32LE(replies.sums[1], at);
  return sha256(bytes);
}

export function addHash(sum: Uint32Array, hash: Uint8Array): void {
  for (let lane = 0; lane < SUM_LANES; lane++) sum[lane] = (sum[lane] as number) + laneOf(hash, lane);
}

export function subtractHash(sum: Uint32Array, hash: Uint8Array): void {
  for (let lane = 0; lane < SUM_LANES; lane++) sum[lane] = (sum[lane] as number) - laneOf(hash, lane);
}

function laneOf(hash: Uint8Array, lane: number): number {
  const at = lane * 4;
  const [a, b, c, d] = [hash[at], hash[at + 1], hash[at + 2], hash[at + 3]] as [number, number, number, number];
  return a + (b << 8) + (c << 16) + (d << 24);
}

function writeU64(bytes: Buffer, value: number, at: number): number {
  bytes.writeUInt32LE(value % U32_RANGE, at);
  return bytes.writeUInt32LE(Math.floor(value / U32_RANGE), at + 4);
}
