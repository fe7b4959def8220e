/**
 * The hash chain of the log, computed again where it is read: SHA-256 by @noble, as in proofs
 * (impl/crypto/log-proof.ts), and each parent compared with the hash before. Trusts nothing but the first hash it begins with. Mirrors no spec module.
 */
import { hashOfLink } from '../../../crypto/log-proof.ts';
import type { LogEntry } from './answers.ts';

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

/** @param bodies of the entries by op in base64, as far as they are known */
export function checkedChain(entries: readonly LogEntry[], bodies: ReadonlyMap<number, string>): readonly Checked[] {
  let before: string | undefined;
  let isBroken = false;
  return entries.map((entry) => {
    const body = bodies.get(entry.op);
    const computed = body === undefined ? undefined : hashOfEntry(entry, body);
    const isOwn = computed === undefined || computed === entry.hash;
    const isLinked = before === undefined || entry.parent === before;
    before = entry.hash;
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

export function hashOfEntry(entry: LogEntry, bodyBase64: string): string {
  const { op: commitId, client, view, parent, hash, timestamp, request } = entry;
  return hashOfLink({ commitId, view, parent, hash, timestamp, client: String(client), request, bodyBase64 });
}
