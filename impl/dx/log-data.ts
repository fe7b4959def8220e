/** What the DX API says of the log and of replication: entries with their hashes, and how far each replica is known to be. */
import type { VsrContext } from '../../machines/vsr-context.ts';
import { hashText } from '../crypto/hash.ts';
import type { DxSource } from '../server/dx-source.ts';

/** Entries from `from` on, at most `limit`, oldest first. Bodies are not shown: /v1/streams reads them. */
export function logData({ replica, prepareAt }: DxSource, from: number, limit: number): unknown {
  const last = Math.min(replica.op, from + limit - 1);
  const entries = [];
  for (let op = from; op <= last; op++) {
    const entry = prepareAt(op);
    if (entry === undefined) break;
    const { view, parent, hash, timestamp, client, request, body } = entry;
    entries.push({
      op,
      view,
      parent: hashText(parent),
      hash: hashText(hash),
      timestamp,
      client,
      request,
      body_bytes: body.byteLength,
      durable: op <= replica.opDurable,
      committed: op <= replica.commit,
    });
  }
  return { op: replica.op, op_durable: replica.opDurable, commit: replica.commit, entries };
}

/** Bodies in one answer, together; at least one entry is there however large. */
const BODY_BYTES_MAX = 4 * 1024 * 1024;

/** What logData leaves out, so that a reader can compute each hash anew: the body of each entry, in base64. */
export function bodiesData({ replica, prepareAt }: DxSource, from: number, limit: number): unknown {
  const last = Math.min(replica.op, from + limit - 1);
  const entries: { readonly op: number; readonly body: string }[] = [];
  let bytes = 0;
  for (let op = from; op <= last; op++) {
    const body = prepareAt(op)?.body;
    bytes += body?.byteLength ?? 0;
    if (body === undefined || (bytes > BODY_BYTES_MAX && entries.length > 0)) break;
    entries.push({ op, body: Buffer.from(body).toString('base64') });
  }
  return { op: replica.op, entries };
}

/** Acknowledgements are the primary's count of this view: at any other replica they are not known, and so they are null. */
export function replicationData({ identity, replica, peers }: DxSource): unknown {
  const { acked } = replica.snapshot.context as VsrContext;
  const leads = replica.status === 'normal' && replica.primary === replica.replica;
  const connections = new Map(peers().map((peer) => [peer.replica, peer.connected]));
  return {
    view: replica.view,
    primary: replica.primary,
    replicas: identity.addresses.map((address, index) => ({
      replica: index,
      address,
      http: identity.httpAddresses[index] ?? (index === identity.replica ? identity.http : null),
      connected: index === identity.replica ? true : (connections.get(index) ?? false),
      acknowledged: leads ? (acked[index] ?? 0) : null,
      lag: leads ? replica.op - (acked[index] ?? 0) : null,
    })),
  };
}
