/**
 * Pure arithmetic of quorums, mirrors the operators Quorum, Primary, QuorumOp and Better of specs/Vsr.tla (VRR 4.1, 4.2).
 * No imports but types; no state.
 */

/** What ranks one replica's log in a view change. */
export interface RankedVote {
  readonly from: number;
  readonly logView: number;
  readonly op: number;
}

/** Replicas that must agree: any two quorums share one. */
export function quorumOf(replicaCount: number): number {
  return Math.floor(replicaCount / 2) + 1;
}

export function primaryOf(view: number, replicaCount: number): number {
  return view % replicaCount;
}

/** The largest op that a quorum has acknowledged; acked holds one op a replica. */
export function quorumOp(acked: readonly number[]): number {
  const quorum = quorumOf(acked.length);
  let reached = 0;
  for (let replica = 0; replica < acked.length; replica++) {
    const op = acked[replica] as number;
    if (op > reached && holdersOf(op, acked) >= quorum) reached = op;
  }
  return reached;
}

/** Counted, not sorted: a copy and a sort of a handful of numbers take V8 ten times as long. */
function holdersOf(op: number, acked: readonly number[]): number {
  let holders = 0;
  for (let replica = 0; replica < acked.length; replica++) if ((acked[replica] as number) >= op) holders++;
  return holders;
}

/** a is a better start for a view than b: later logView, then longer, then the lower replica. */
export function better(a: RankedVote, b: RankedVote): boolean {
  if (a.logView !== b.logView) return a.logView > b.logView;
  if (a.op !== b.op) return a.op > b.op;
  return a.from < b.from;
}

/** The vote that no other is better than; undefined without votes. */
export function bestOf<Vote>(votes: readonly Vote[], isBetter: (a: Vote, b: Vote) => boolean): Vote | undefined {
  let best = votes[0];
  for (const vote of votes) if (best !== undefined && isBetter(vote, best)) best = vote;
  return best;
}
