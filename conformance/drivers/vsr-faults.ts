/**
 * The replica of Vsr, broken on purpose (vsr-broken.ts), against the models: each must be caught by bisimulation.
 */
import type { ImplementationFault } from '../component.ts';
import { type VsrCluster, vsrDriverOver } from './vsr.ts';
import { type BrokenVsr, brokenVsr, lastEntryView, UNSEEN_EFFECTS } from './vsr-broken.ts';
import type { VsrStep } from './vsr-messages.ts';
import { viewOfEntry } from './vsr-texts.ts';

type Fault = ImplementationFault<VsrCluster, VsrStep>;

/** The smallest models first: a fault is walked until it is caught. */
const WALKED: readonly string[] = [
  'Vsr_stale.cfg',
  'Vsr_read_stale.cfg',
  'Vsr_restart.cfg',
  'Vsr_read_crash.cfg',
  'Vsr_read_rounds.cfg',
  'Vsr_ranking.cfg',
  'Vsr_normal.cfg',
  'Vsr_join.cfg',
  'Vsr_crash.cfg',
  'Vsr_pipeline.cfg',
  'Vsr_view.cfg',
];

/** Faults that only a larger model shows; the others are caught within seconds by the first ones. */
const WALKED_ONLY: Readonly<Record<string, readonly string[]>> = {
  'longest-log': ['Vsr_ranking.cfg'],
  'last-entry-view': ['Vsr_ranking.cfg'],
  'commit-beyond-log': ['Vsr_normal.cfg'],
  'drop-ViewIsDurable': ['Vsr_join.cfg'],
  'drop-LeftNormally': ['Vsr_crash.cfg'],
  'omit-AdoptLog.cutLog': ['Vsr_view.cfg'],
  'read-without-quorum': ['Vsr_read_join.cfg'],
  'read-answered-in-view-change': ['Vsr_read_join.cfg'],
  'drop-ViewLogCommitted': ['Vsr_read.cfg'],
  'drop-SameRound': ['Vsr_read_rounds.cfg'],
};

function faultOf({ name, rule, canary, parts }: BrokenVsr): Fault {
  const cfgs = WALKED_ONLY[name] ?? WALKED;
  return { name, rule, cfgs, driver: vsrDriverOver(parts), ...(canary === undefined ? {} : { canary }) };
}

/** In the order of docs/canaries.md: E7 after E6. */
const [longestLog, ...others] = brokenVsr;
const inOrder = [...(longestLog === undefined ? [] : [longestLog]), lastEntryView(viewOfEntry), ...others];

export const vsrFaults: readonly Fault[] = inOrder
  .filter(({ name }) => !UNSEEN_EFFECTS.has(name.replace(/^omit-/, '')))
  .map(faultOf);
