/**
 * The invariants of specs/Vsr.tla by their names, over what is observed of a whole cluster: shared by the conformance
 * driver, the simulator and the tests. Pure. Hashes are text; equal hashes are equal entries with equal histories.
 */
import { quorumOf } from './quorum.ts';
import { type MessageFacts, NO_ENTRY_HASH } from './vsr-context.ts';

export interface EntryView {
  readonly view: number;
  readonly hash: string;
  readonly parent: string;
}

export interface ReplicaView {
  readonly status: string;
  readonly view: number;
  readonly viewDurable: number;
  readonly logView: number;
  readonly logViewDurable: number;
  /** Entries from op 1. */
  readonly log: readonly EntryView[];
  /** What a crash leaves of it. */
  readonly logDurable: readonly EntryView[];
  readonly commit: number;
  readonly commitDurable: number;
  readonly acked: readonly number[];
  readonly startVotes: readonly number[];
  readonly changeVotes: readonly { readonly from: number }[];
  readonly target: { readonly from: number };
}

export interface MessageView extends MessageFacts {
  readonly type: string;
}

export interface ClusterView {
  /** By index; replicas that are down are "recovering". */
  readonly replicas: readonly ReplicaView[];
  /** Every message ever sent. */
  readonly messages: readonly MessageView[];
  /** Hashes of the entries acknowledged to clients, in order of op. */
  readonly acknowledged: readonly string[];
  /** Requests taken so far. */
  readonly requests: number;
  readonly crashes: number;
}

const STATUSES: readonly string[] = ['normal', 'view-change', 'recovering'];
const SPEAKS_FOR_ITS_VIEW: ReadonlySet<string> = new Set(['StartViewChange', 'DoViewChange', 'StartView', 'PrepareOk']);

/** Whether two logs have the same entries up to this op, as far as both go. Equal hashes say so in one comparison. */
function agreeUpTo(a: readonly { hash: string }[], b: readonly { hash: string }[], op: number): boolean {
  const end = Math.min(op, a.length, b.length);
  for (let at = 0; at < end; at++) if (a[at]?.hash !== b[at]?.hash) return false;
  return true;
}

const isNat = (value: number): boolean => Number.isInteger(value) && value >= 0;

export const vsrInvariants = {
  TypeOK: ({ replicas, messages, acknowledged, requests, crashes }: ClusterView): boolean =>
    replicas.every(
      (replica) =>
        STATUSES.includes(replica.status) &&
        isNat(replica.view) &&
        isNat(replica.viewDurable) &&
        isNat(replica.logView) &&
        isNat(replica.logViewDurable) &&
        isNat(replica.commit) &&
        isNat(replica.commitDurable) &&
        replica.acked.length === replicas.length &&
        replica.acked.every(isNat) &&
        replica.startVotes.every((from) => from >= 0 && from < replicas.length) &&
        replica.changeVotes.every(({ from }) => from >= 0 && from < replicas.length) &&
        replica.target.from >= 0 &&
        replica.target.from <= replicas.length,
    ) &&
    messages.every(({ from }) => from >= 0 && from < replicas.length) &&
    acknowledged.length <= requests &&
    isNat(crashes),

  /** No two replicas commit different entries at one op, and what a client was told is what they committed. */
  Agreement: ({ replicas, acknowledged }: ClusterView): boolean =>
    replicas.every(
      (a, index) =>
        replicas.slice(index + 1).every((b) => agreeUpTo(a.log, b.log, Math.min(a.commit, b.commit))) &&
        acknowledged.every((hash, at) => at >= Math.min(a.commit, a.log.length) || a.log[at]?.hash === hash),
    ),

  /** In one view all logs are one log, of different lengths. */
  PrefixConsistency: ({ replicas }: ClusterView): boolean =>
    replicas.every((a, index) =>
      replicas
        .slice(index + 1)
        .every(
          (b) =>
            a.status !== 'normal' ||
            b.status !== 'normal' ||
            a.view !== b.view ||
            agreeUpTo(a.log, b.log, Number.POSITIVE_INFINITY),
        ),
    ),

  /** Nobody commits what it does not hold (canary E9). */
  CommitNotExceedOp: ({ replicas }: ClusterView): boolean => replicas.every(({ commit, log }) => commit <= log.length),

  /** A crash never takes a replica back behind a view that it has voted in (canary E15). */
  ViewMonotonic: ({ replicas, messages }: ClusterView): boolean =>
    messages.every(
      ({ type, from, view }) => !SPEAKS_FOR_ITS_VIEW.has(type) || view <= (replicas[from]?.viewDurable ?? -1),
    ) && replicas.every(({ viewDurable, logViewDurable }) => logViewDurable <= viewDurable),

  /** A view has one history: no op is prepared in it twice with different entries (canary E14). */
  LeaderUniquePerView: ({ messages }: ClusterView): boolean => {
    const prepared = new Map<string, string | undefined>();
    return messages.every(({ type, view, op, hash }) => {
      if (type !== 'Prepare') return true;
      const place = `${view}.${op}`;
      if (prepared.has(place)) return prepared.get(place) === hash;
      prepared.set(place, hash);
      return true;
    });
  },

  /** What a replica has acknowledged or brought to a view change, it holds durable while it can act in that view (E13, E21). */
  AcknowledgedIsDurable: ({ replicas, messages }: ClusterView): boolean =>
    messages.every(({ type, from, view, op = 0, logView = 0 }) => {
      const sender = replicas[from];
      if (sender === undefined) return false;
      if (type === 'DoViewChange') return sender.logViewDurable >= logView;
      if (type !== 'PrepareOk') return true;
      return sender.logViewDurable >= view && (sender.viewDurable !== view || sender.logDurable.length >= op);
    }),

  /** Nothing acknowledged is ever lost: a quorum holds it durable at all times. */
  CommittedSurvives: ({ replicas, acknowledged }: ClusterView): boolean =>
    acknowledged.every(
      (hash, at) =>
        replicas.filter(({ logDurable }) => logDurable[at]?.hash === hash).length >= quorumOf(replicas.length),
    ),

  /** Every entry names the hash of the one before it (canary E30). */
  HashChain: ({ replicas }: ClusterView): boolean =>
    replicas.every(({ log }) => log.every(({ parent }, at) => parent === (log[at - 1]?.hash ?? NO_ENTRY_HASH))),
} as const;

export type VsrInvariant = keyof typeof vsrInvariants;
