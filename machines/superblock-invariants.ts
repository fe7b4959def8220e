/**
 * The invariants of specs/Superblock.tla by their names, over what is observed of a superblock and its medium: shared by
 * the conformance driver and the tests. Pure. A state is known by its hash; what was written is known by the hashes.
 */
import { COPIES, type CopyFacts, FIRST_HALF, mayOpen, type SuperblockState } from './superblock.ts';

export interface SuperblockView {
  readonly status: string;
  readonly state: SuperblockState | undefined;
  readonly stale: readonly number[];
  /** What each place holds on the medium; undefined when it is not whole. */
  readonly copies: CopyFacts;
  readonly inFlight: readonly number[];
  /** The newest state that anybody was shown. */
  readonly acknowledged: SuperblockState;
  /** Hashes of every state that was ever to be written. */
  readonly written: { has(hash: string): boolean };
  /** Whole copies lost since the four last agreed. */
  readonly damage: number;
  /** Most damage under which nothing acknowledged is lost, and under which it opens, too. */
  readonly damageMax: number;
  readonly openDamageMax: number;
}

const STATUSES: readonly string[] = [
  'closed',
  'write-first',
  'sync-first',
  'write-second',
  'sync-second',
  'open',
  'halted',
];

function isRunning({ status }: SuperblockView): boolean {
  return status !== 'closed' && status !== 'halted';
}

function isPromised({ damage, damageMax }: SuperblockView): boolean {
  return damage <= damageMax;
}

const isNat = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

function isState(state: SuperblockState): boolean {
  return isNat(state.sequence) && isNat(state.view) && isNat(state.logView) && isNat(state.commit);
}

export const superblockInvariants = {
  TypeOK: ({ status, state, stale, copies, inFlight, damage }: SuperblockView): boolean =>
    STATUSES.includes(status) &&
    (state === undefined || isState(state)) &&
    copies.every((copy) => copy === undefined || isState(copy)) &&
    [...stale, ...inFlight].every((place) => COPIES.includes(place)) &&
    isNat(damage),

  /** If everything in flight were lost now, a copy at least as new as what somebody was shown would be there. */
  AcknowledgedSurvives: (seen: SuperblockView): boolean =>
    !isPromised(seen) ||
    seen.copies.some(
      (copy) => copy !== undefined && copy.sequence >= seen.acknowledged.sequence && seen.written.has(copy.hash),
    ),

  /** If all that is in flight tore now, and at most one copy was lost before, nothing that was shown is lost. */
  TornHalfSurvives: ({ damage, damageMax, copies, inFlight, acknowledged, written }: SuperblockView): boolean =>
    damage + FIRST_HALF.length > damageMax ||
    copies.some(
      (copy, place) =>
        copy !== undefined &&
        !inFlight.includes(place) &&
        copy.sequence >= acknowledged.sequence &&
        written.has(copy.hash),
    ),

  /** A repair never writes over what it repairs from. */
  RepairKeepsSource: (seen: SuperblockView): boolean => {
    const { state, acknowledged, copies, stale } = seen;
    if (!isPromised(seen) || !isRunning(seen) || state?.hash !== acknowledged.hash) return true;
    return copies.some((copy, place) => copy?.hash === state.hash && !stale.includes(place));
  },

  /** It never halts at open for no reason. */
  HaltsForDamageOnly: ({ status, state, damage }: SuperblockView): boolean =>
    status !== 'halted' || state !== undefined || damage > 0,

  /** It never runs on what was not read whole, whatever the damage. */
  RunsOnWhole: (seen: SuperblockView): boolean => !isRunning(seen) || seen.state !== undefined,

  /** It never stops while the damage is within the budget and no copy of another history is there. */
  OpensWithinBudget: ({ damage, openDamageMax, copies, written }: SuperblockView): boolean => {
    const stranger = copies.some((copy) => copy !== undefined && !written.has(copy.hash));
    return damage > openDamageMax || stranger || mayOpen(copies);
  },

  /** It never runs on a state that nobody wrote: torn, corrupt or foreign. */
  NeverForged: (seen: SuperblockView): boolean =>
    !isPromised(seen) || !isRunning(seen) || (seen.state !== undefined && seen.written.has(seen.state.hash)),

  /** View, logView, commit and sequence never go back. */
  Monotonic: (seen: SuperblockView): boolean => {
    const { state, acknowledged } = seen;
    if (!isPromised(seen) || !isRunning(seen)) return true;
    if (state === undefined) return false;
    return (['sequence', 'view', 'logView', 'commit'] as const).every((field) => state[field] >= acknowledged[field]);
  },

  /** What runs is what was shown last, or its child: one history. */
  ParentChain: (seen: SuperblockView): boolean => {
    const { state, acknowledged } = seen;
    if (!isPromised(seen) || !isRunning(seen)) return true;
    if (state === undefined) return false;
    const isChild = state.sequence === acknowledged.sequence + 1 && state.parent === acknowledged.hash;
    return state.hash === acknowledged.hash || isChild;
  },

  /** Once shown and undamaged, all four copies hold the state. */
  ShownIsEverywhere: ({ status, state, copies, damage }: SuperblockView): boolean =>
    status !== 'open' || damage !== 0 || copies.every((copy) => copy?.hash === state?.hash),
};
