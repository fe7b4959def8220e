/**
 * A proof of an event as the page asks for it and verifies it: page after page of entries up to the head, then the head against
 * what another replica says of that place in its log. The verifier is impl/crypto/log-proof.ts. Mirrors no spec module.
 */
import { type LogHead, type LogProof, verifyLogProof } from '../../../crypto/log-proof.ts';
import type { LogData } from './answers.ts';
import { ask, askDx } from './browser.ts';
import { apiKey, baseOf, cluster, ownReplica } from './store.ts';

/** Pages of one proof: a log that is longer than that is for lockstep verify. */
const PAGES_MAX = 50;

interface ProofPage extends LogProof {
  readonly head: LogHead;
  readonly next?: number;
}

export interface Proved {
  readonly tone: 'good' | 'bad' | 'plain';
  readonly text: string;
}

/** @param path of the proofs of one stream */
export async function proofOf(path: string, offset: number): Promise<Proved> {
  let after: LogHead | undefined;
  let links = 0;
  let from = '';
  for (let page = 0; page < PAGES_MAX; page++) {
    const asked = await ask<ProofPage>(`${path}?offset=${offset}${from}`, { key: apiKey.value });
    if (!asked.ok) return { tone: 'plain', text: `No proof is given: ${asked.problem.message}` };
    const { next } = asked.value;
    const verdict = verifyLogProof(asked.value, after);
    if (!verdict.verified)
      return { tone: 'bad', text: `✗ Not proved: ${verdict.because} at entry ${verdict.commitId}` };
    after = verdict.head;
    links += asked.value.links.length;
    if (next === undefined) break;
    from = `&from=${next}`;
  }
  if (after === undefined) return { tone: 'plain', text: 'No proof is given.' };
  const witness = await witnessOf(after);
  const text = `${links} ${links === 1 ? 'hash' : 'hashes'} computed here, up to entry ${after.commitId}`;
  if (witness === undefined) return { tone: 'good', text: `✓ ${text}; no other replica to compare that hash with` };
  const same = witness.hash === after.hash;
  return same
    ? { tone: 'good', text: `✓ ${text}, whose hash replica ${witness.replica} has too` }
    : { tone: 'bad', text: `✗ ${text}, but replica ${witness.replica} has another hash there` };
}

/** What another replica has at the head; undefined when none that answers has got there. */
async function witnessOf({
  commitId,
}: LogHead): Promise<{ readonly replica: number; readonly hash: string } | undefined> {
  for (const { replica, status } of cluster.value.cards) {
    const base = baseOf(replica);
    if (replica === ownReplica.value || base === undefined || status === undefined) continue;
    const asked = await askDx<LogData>(base, `log?from=${commitId}&limit=1`, apiKey.value);
    const entry = asked.ok ? asked.value.entries[0] : undefined;
    if (entry !== undefined) return { replica, hash: entry.hash };
  }
  return undefined;
}
