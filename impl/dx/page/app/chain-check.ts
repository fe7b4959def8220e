/**
 * The hash chain of the log, computed again where it is read: SHA-256 by @noble over exactly what impl/vsr/prepare.ts hashes,
 * and each parent compared with the hash before. Trusts nothing but the first hash it begins with. Mirrors no spec module.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import type { LogEntry } from './answers.ts';

/** parent 32, op u64, view u32, timestamp u64, client u64, request u32; little endian. */
const HASHED_HEADER_BYTES = 32 + 8 + 4 + 8 + 8 + 4;

export type Verdict =
  | 'whole' // the hash is that of header and body, and the parent is the hash before
  | 'changed' // header or body are not what the hash was made of
  | 'cut' // the parent is another entry than the one before
  | 'after a break' // the entry itself is as it was, but what it continues is not
  | 'unread'; // its body is not known here: only the link was compared

export interface Checked {
  readonly entry: LogEntry;
  readonly verdict: Verdict;
  /** What the hash would have to be; undefined: the body is not known. */
  readonly computed: string | undefined;
}

/** @param bodies of the entries by op, as far as they are known */
export function checkedChain(
  entries: readonly LogEntry[],
  bodies: ReadonlyMap<number, Uint8Array>,
): readonly Checked[] {
  let before: string | undefined;
  let isBroken = false;
  return entries.map((entry) => {
    const body = bodies.get(entry.op);
    const computed = body && hashOfEntry(entry, body);
    const isOwn = computed === undefined || computed === entry.hash;
    const isLinked = before === undefined || entry.parent === before;
    // What follows continues the entry as it is, not as its hash claims it to be.
    before = computed ?? entry.hash;
    const verdict = verdictOf(isOwn, isLinked, isBroken, computed !== undefined);
    if (verdict === 'changed' || verdict === 'cut') isBroken = true;
    return { entry, verdict, computed };
  });
}

function verdictOf(isOwn: boolean, isLinked: boolean, isBroken: boolean, isRead: boolean): Verdict {
  if (!isOwn) return 'changed';
  if (isBroken) return 'after a break';
  if (!isLinked) return 'cut';
  return isRead ? 'whole' : 'unread';
}

export function hashOfEntry({ parent, op, view, timestamp, client, request }: LogEntry, body: Uint8Array): string {
  const bytes = new Uint8Array(HASHED_HEADER_BYTES + body.byteLength);
  const fields = new DataView(bytes.buffer);
  bytes.set(hexToBytes(parent), 0);
  fields.setBigUint64(32, BigInt(op), true);
  fields.setUint32(40, view, true);
  fields.setBigUint64(44, BigInt(timestamp), true);
  fields.setBigUint64(52, BigInt(client), true);
  fields.setUint32(60, request, true);
  bytes.set(body, HASHED_HEADER_BYTES);
  return bytesToHex(sha256(bytes));
}
