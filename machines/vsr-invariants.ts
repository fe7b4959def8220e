/**
 * The invariants of specs/Vsr.tla by their names, over what is observed of a whole cluster: shared by the conformance
 * driver, the simulator and the tests. Pure. Hashes are text; equal hashes are equal entries with equal histories.
 */
import { quorumOf } from './quorum.ts';
import { type MessageFacts, NO_ENTRY_HASH, type Reading } from './vsr-context.ts';

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
  readonly reading: Reading;
}

/** What a round of reads answered. */
export interface ReadAnswer {
  /** Op that was shown. */
  readonly shown: number;
  /** Ops that clients had been told of when the round began. */
  readonly owed: number;
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
  /** By replica: ops that clients had been told of when its open round of reads began; 0 without one. */
  readonly readOwed: readonly number[];
  readonly readAnswers: readonly ReadAnswer[];
}

const STATUSES: readonly string[] = ['normal', 'view-change', 'recovering'];
const SPEAKS_FOR_ITS_VIEW: ReadonlySet<string> = new Set([
  'StartViewChange',
  'DoViewChange',
  'StartView',
  'PrepareOk',
  'ReadRoundOk',
]);

const isNat = (value: number): boolean => Number.isInteger(value) && value >= 0;
const isReplica = (value: number, replicaCount: number): boolean => value >= 0 && value < replicaCount;

/** Loops, not every(): asked after every step of a simulated replica, where a closure for each list would be made. */
function areNats(values: readonly number[]): boolean {
  for (let at = 0; at < values.length; at++) if (!isNat(values[at] as number)) return false;
  return true;
}

function areReplicas(values: readonly number[], replicaCount: number): boolean {
  for (let at = 0; at < values.length; at++) if (!isReplica(values[at] as number, replicaCount)) return false;
  return true;
}

function areOfReplicas(votes: ReplicaView['changeVotes'], replicaCount: number): boolean {
  for (let at = 0; at < votes.length; at++) if (!isReplica(votes[at]?.from ?? -1, replicaCount)) return false;
  return true;
}

/** Whether two logs have the same entries from the op after `after` up to this op, as far as both go. */
function agreeUpTo(a: readonly EntryView[], b: readonly EntryView[], op: number, after: number): boolean {
  const end = Math.min(op, a.length, b.length);
  for (let at = after; at < end; at++) if (a[at]?.hash !== b[at]?.hash) return false;
  return true;
}

/**
 * What an invariant says of one replica, one message, two of them or one op: the invariant is that it holds of all. Who knows
 * what a step has changed asks it of that alone (conformance/sim/invariant-oracle.ts). `after`: ops up to it are known to do.
 */
export const vsrParts = {
  replicaTypeOK: (replica: ReplicaView, replicaCount: number): boolean =>
    STATUSES.includes(replica.status) &&
    isNat(replica.view) &&
    isNat(replica.viewDurable) &&
    isNat(replica.logView) &&
    isNat(replica.logViewDurable) &&
    isNat(replica.commit) &&
    isNat(replica.commitDurable) &&
    replica.acked.length === replicaCount &&
    areNats(replica.acked) &&
    areReplicas(replica.startVotes, replicaCount) &&
    areOfReplicas(replica.changeVotes, replicaCount) &&
    replica.target.from >= 0 &&
    replica.target.from <= replicaCount &&
    isNat(replica.reading.round) &&
    isNat(replica.reading.commit) &&
    areReplicas(replica.reading.oks, replicaCount),

  messageTypeOK: ({ from }: { readonly from: number }, replicaCount: number): boolean => isReplica(from, replicaCount),

  acknowledgedTypeOK: (acknowledged: number, requests: number): boolean => acknowledged <= requests,

  agree: (a: ReplicaView, b: ReplicaView, after = 0): boolean =>
    agreeUpTo(a.log, b.log, Math.min(a.commit, b.commit), after),

  committedAsTold: ({ log, commit }: ReplicaView, acknowledged: readonly string[], after = 0): boolean => {
    const end = Math.min(commit, log.length, acknowledged.length);
    for (let at = after; at < end; at++) if (log[at]?.hash !== acknowledged[at]) return false;
    return true;
  },

  onePrefix: (a: ReplicaView, b: ReplicaView, after = 0): boolean =>
    a.status !== 'normal' ||
    b.status !== 'normal' ||
    a.view !== b.view ||
    agreeUpTo(a.log, b.log, Number.POSITIVE_INFINITY, after),

  holdsItsCommit: ({ commit, log }: ReplicaView): boolean => commit <= log.length,

  spokeForDurableView: ({ type, view }: MessageView, sender: ReplicaView | undefined): boolean =>
    !SPEAKS_FOR_ITS_VIEW.has(type) || view <= (sender?.viewDurable ?? -1),

  logViewWithinView: ({ viewDurable, logViewDurable }: ReplicaView): boolean => logViewDurable <= viewDurable,

  /** Of two messages at one place, a view and an op. */
  preparedAlike: (a: { readonly hash?: string }, b: { readonly hash?: string }): boolean => a.hash === b.hash,

  acknowledgedDurably: ({ type, view, op = 0, logView = 0 }: MessageView, sender: ReplicaView | undefined): boolean => {
    if (sender === undefined) return false;
    if (type === 'DoViewChange') return sender.logViewDurable >= logView;
    if (type !== 'PrepareOk') return true;
    return sender.logViewDurable >= view && (sender.viewDurable !== view || sender.logDurable.length >= op);
  },

  survives: (hash: string, op: number, replicas: readonly ReplicaView[]): boolean => {
    let holders = 0;
    for (const { logDurable } of replicas) if (logDurable[op - 1]?.hash === hash) holders++;
    return holders >= quorumOf(replicas.length);
  },

  shownAsOwed: ({ shown, owed }: ReadAnswer, acknowledged: number): boolean => owed <= shown && shown <= acknowledged,

  askedInThisLife: ({ type, view, round = 0 }: MessageView, sender: ReplicaView | undefined): boolean =>
    type !== 'ReadRound' || sender?.status !== 'normal' || sender.view !== view || round <= sender.reading.round,

  chained: ({ log }: ReplicaView, after = 0): boolean => {
    for (let at = after; at < log.length; at++)
      if (log[at]?.parent !== (log[at - 1]?.hash ?? NO_ENTRY_HASH)) return false;
    return true;
  },
} as const;

/** Of all pairs of replicas, each once. */
function everyPair(
  replicas: readonly ReplicaView[],
  holds: (a: ReplicaView, b: ReplicaView, after?: number) => boolean,
): boolean {
  return replicas.every((a, index) => replicas.slice(index + 1).every((b) => holds(a, b)));
}

export const vsrInvariants = {
  TypeOK: ({ replicas, messages, acknowledged, requests, crashes, readOwed, readAnswers }: ClusterView): boolean =>
    replicas.every((replica) => vsrParts.replicaTypeOK(replica, replicas.length)) &&
    messages.every((message) => vsrParts.messageTypeOK(message, replicas.length)) &&
    vsrParts.acknowledgedTypeOK(acknowledged.length, requests) &&
    isNat(crashes) &&
    readOwed.length === replicas.length &&
    readOwed.every(isNat) &&
    readAnswers.every(({ shown, owed }) => isNat(shown) && isNat(owed)),

  /** No two replicas commit different entries at one op, and what a client was told is what they committed. */
  Agreement: ({ replicas, acknowledged }: ClusterView): boolean =>
    everyPair(replicas, vsrParts.agree) && replicas.every((one) => vsrParts.committedAsTold(one, acknowledged)),

  /** In one view all logs are one log, of different lengths. */
  PrefixConsistency: ({ replicas }: ClusterView): boolean => everyPair(replicas, vsrParts.onePrefix),

  /** Nobody commits what it does not hold (canary E9). */
  CommitNotExceedOp: ({ replicas }: ClusterView): boolean => replicas.every(vsrParts.holdsItsCommit),

  /** A crash never takes a replica back behind a view that it has voted in (canary E15). */
  ViewMonotonic: ({ replicas, messages }: ClusterView): boolean =>
    messages.every((message) => vsrParts.spokeForDurableView(message, replicas[message.from])) &&
    replicas.every(vsrParts.logViewWithinView),

  /** A view has one history: no op is prepared in it twice with different entries (canary E14). */
  LeaderUniquePerView: ({ messages }: ClusterView): boolean => {
    const prepared = new Map<string, MessageView>();
    return messages.every((message) => {
      if (message.type !== 'Prepare') return true;
      const place = `${message.view}.${message.op}`;
      const first = prepared.get(place);
      if (first === undefined) prepared.set(place, message);
      return first === undefined || vsrParts.preparedAlike(first, message);
    });
  },

  /** What a replica has acknowledged or brought to a view change, it holds durable while it can act in that view (E13, E21). */
  AcknowledgedIsDurable: ({ replicas, messages }: ClusterView): boolean =>
    messages.every((message) => vsrParts.acknowledgedDurably(message, replicas[message.from])),

  /** Nothing acknowledged is ever lost: a quorum holds it durable at all times. */
  CommittedSurvives: ({ replicas, acknowledged }: ClusterView): boolean =>
    acknowledged.every((hash, at) => vsrParts.survives(hash, at + 1, replicas)),

  /** A read shows all that clients had been told when it began, and nothing that they may not be told yet. */
  ReadsLinearizable: ({ readAnswers, acknowledged }: ClusterView): boolean =>
    readAnswers.every((answer) => vsrParts.shownAsOwed(answer, acknowledged.length)),

  /** What this life of a primary has not asked, nobody can have answered: a view has one count of rounds. */
  ReadRoundsUnique: ({ replicas, messages }: ClusterView): boolean =>
    messages.every((message) => vsrParts.askedInThisLife(message, replicas[message.from])),

  /** Every entry names the hash of the one before it (canary E30). */
  HashChain: ({ replicas }: ClusterView): boolean => replicas.every((one) => vsrParts.chained(one)),
} as const;

export type VsrInvariant = keyof typeof vsrInvariants;
