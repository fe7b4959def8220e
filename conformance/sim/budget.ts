/**
 * What a run may do to a cluster so that it must survive: at most f of 2f + 1 replicas lose what they must not lose, and those
 * do not come back. What further components will one day survive is outside, by name. Mirrors no spec module.
 */
import type { FaultKind, ReplicaCount } from './plan.ts';

/** Replicas that may be lost for good, or be kept from the others for ever, in one run. */
export function lostReplicasMax(replicaCount: ReplicaCount): number {
  return (replicaCount - 1) >> 1;
}

/** Kinds of fault that make a replica one of those: each needs a component that is not there yet to heal. */
export const LOSING_KINDS: ReadonlySet<FaultKind> = new Set([
  'lost-write',
  'misdirected-write',
  'lost-fsync',
  'disk-reordering',
  'latent-corruption',
  'gone-for-good',
]);

export interface Outside {
  readonly what: string;
  /** The component that will survive it. */
  readonly until: string;
}

/** What no run within the budget does, since nothing survives it yet. */
export const OUTSIDE_BUDGET: readonly Outside[] = [
  {
    what: 'a replica comes back after its disk lost or misplaced a write, lied about a sync, or rotted in the log (it is gone for good instead, at most f of them)',
    until: 'LogRepair',
  },
  {
    what: 'a replica comes back without what it had acknowledged, or with an empty disk',
    until: 'Recovery',
  },
  {
    what: 'unsynced writes that reach the disk out of order before a power loss leave a log that is refused, not cut (the replica may stay down, at most f of them)',
    until: 'LogRepair',
  },
  { what: 'a backup that lacks more than the log of its peers still holds', until: 'StateTransfer' },
  {
    what: 'a peer that sends well-formed lies (Byzantine); changed bits are inside',
    until: 'none: the protocol trusts its peers',
  },
];

/** One line for the report of a run or of many. */
export function budgetText(replicaCount: ReplicaCount): string {
  const lost = lostReplicasMax(replicaCount);
  return `${replicaCount} replicas: at most ${lost} of them lose what they must not lose, or are cut off for good; the others crash, stall, halt over their disks and come back at will`;
}
