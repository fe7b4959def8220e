/**
 * The replica of Vsr, broken on purpose: each named guard dropped, each effect left out, and the canaries of docs/canaries.md
 * that are a wrong choice. Each must be caught by bisimulation. Only the harness makes these; no rule of the spec is in here.
 */
import { type ActionFunction, assign } from 'xstate';
import { better, type RankedVote } from '../../machines/quorum.ts';
import { conjunctsOf } from '../../machines/stepper.ts';
import { tableOf } from '../../machines/table.ts';
import { chosenBy, type VsrMachine, vsrMachine } from '../../machines/vsr.ts';
import type { ChangeVote, VsrContext, VsrEvent } from '../../machines/vsr-context.ts';
import { vsrGuards } from '../../machines/vsr-guards.ts';
import type { ImplementationFault } from '../component.ts';
import { type VsrCluster, vsrDriverOver } from './vsr.ts';
import type { VsrStep } from './vsr-messages.ts';
import type { NodeFaults } from './vsr-node.ts';
import { viewOfEntry } from './vsr-texts.ts';

type Fault = ImplementationFault<VsrCluster, VsrStep>;
type Guard = keyof typeof vsrGuards;
type AnyAction = ActionFunction<never, never, never, never, never, never, never, never, never>;

/** The smallest models first: a fault is walked until it is caught. */
const WALKED: readonly string[] = [
  'Vsr_stale.cfg',
  'Vsr_restart.cfg',
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
};

function fault(name: string, rule: string, faults: NodeFaults, canary?: string): Fault {
  const cfgs = WALKED_ONLY[name] ?? WALKED;
  return { name, rule, cfgs, driver: vsrDriverOver(faults), ...(canary === undefined ? {} : { canary }) };
}

function guardedBy(guards: Partial<Record<Guard, unknown>>): VsrMachine {
  return vsrMachine.provide({ guards } as never) as VsrMachine;
}

function acting(name: string, action: unknown): VsrMachine {
  return vsrMachine.provide({ actions: { [name]: action as AnyAction } } as never) as VsrMachine;
}

/** The view change takes the log of the vote that is better in this sense. */
function choosing(isBetter: (a: ChangeVote, b: ChangeVote) => boolean): NodeFaults {
  const choice = assign(({ context }: { context: VsrContext }) => chosenBy(context, isBetter));
  return { machine: acting('chooseBestLog', choice) };
}

const longer = (a: RankedVote, b: RankedVote): boolean => a.op > b.op || (a.op === b.op && a.from < b.from);
const shorter = (a: RankedVote, b: RankedVote): boolean =>
  a.logView === b.logView && a.op !== b.op ? a.op < b.op : better(a, b);
const newerLastEntry = (a: ChangeVote, b: ChangeVote): boolean =>
  better({ ...a, logView: viewOfEntry(a.hash) }, { ...b, logView: viewOfEntry(b.hash) });

/** A StartView of the view that is already entered is taken again. */
const startViewAgain: NodeFaults = {
  machine: guardedBy({
    HigherView: (args: { context: VsrContext; event: VsrEvent }) =>
      vsrGuards.HigherView(args) || (args.event.type === 'ReceiveStartViewWhileNormal' && vsrGuards.SameView(args)),
  }),
};

const commitWhatThePrimarySays: NodeFaults = {
  machine: acting(
    'commitWhatIsHeld',
    assign(({ context, event }: { context: VsrContext; event: VsrEvent }) => ({
      commit: ('message' in event ? event.message.commit : undefined) ?? context.commit,
    })),
  ),
};

const leavingOut = (...effects: readonly string[]): NodeFaults => ({ faults: new Set(effects) });

const CANARIES: readonly Fault[] = [
  fault('longest-log', 'the log of the largest (logView, op) is chosen', choosing(longer), 'E6'),
  fault('last-entry-view', 'logView ranks a log, not the view of its last entry', choosing(newerLastEntry), 'E7'),
  fault('start-view-again', 'Vsr.ReceiveStartViewWhileNormal.HigherView', startViewAgain, 'E8'),
  fault('commit-beyond-log', 'a backup commits what it holds and no more', commitWhatThePrimarySays, 'E9'),
  fault(
    'acknowledge-before-log-view-durable',
    'EnterView: the superblock is written before PrepareOk leaves',
    leavingOut('EnterView.writeSuperblock'),
    'E13',
  ),
  fault(
    'begin-before-log-view-durable',
    'StartView: the superblock is written before the first prepare leaves',
    leavingOut('StartView.writeSuperblock'),
    'E14',
  ),
  fault(
    'vote-before-view-durable',
    'PersistView: the superblock is written before StartViewChange leaves',
    leavingOut('PersistView.writeSuperblock'),
    'E15',
  ),
  fault('shortest-log', 'the longest log of the largest logView is chosen', choosing(shorter), 'E19'),
  fault(
    'acknowledge-before-fsync',
    'BackupFsync: the log is synced before PrepareOk leaves',
    leavingOut('BackupFsync.syncLog'),
    'E21',
  ),
  fault(
    'chain-not-checked',
    'Vsr.ReceivePrepare.NextInSequence, Vsr.ReceivePrepare.ParentHashMatches',
    { machine: guardedBy({ NextInSequence: () => true, ParentHashMatches: () => true }) },
    'E30',
  ),
];

/** The rules that a guard is part of. */
export function rulesOf(guard: string): readonly string[] {
  const rules = new Set<string>();
  for (const state of Object.keys(vsrMachine.states))
    for (const event of vsrMachine.events)
      if (conjunctsOf(vsrMachine, state, event)?.includes(guard)) rules.add(`Vsr.${event}.${guard}`);
  return [...rules];
}

/** Guards that change nothing by themselves, with the reason: the same holds in the spec, whose graph is the same without. */
export const IMPLIED_GUARDS: Readonly<Partial<Record<Guard, string>>> = {
  FromAnother: 'a view begins with a quorum of votes, so another vote asks for the same StartView',
  HoldsOp: 'the named log stands still until its view has begun; the guard is for forged requests',
  NextInSequence: 'a parent hash stands at one op only: ParentHashMatches implies it (chain-not-checked drops both)',
  ParentHashMatches: 'in one view all logs are one log: NextInSequence implies it (chain-not-checked drops both)',
};

const DROPPED_GUARDS: readonly Fault[] = (Object.keys(vsrGuards) as readonly Guard[])
  .filter((guard) => !(guard in IMPLIED_GUARDS))
  .map((guard) => fault(`drop-${guard}`, rulesOf(guard).join(', '), { machine: guardedBy({ [guard]: () => true }) }));

/** Effects whose absence no variable of the spec shows; test/property/vsr/cluster-canaries.test.ts finds them. */
const UNSEEN_EFFECTS: ReadonlySet<string> = new Set([
  'PersistCommit.syncRest',
  'PersistView.syncRest',
  'StartView.syncRest',
  'EnterView.syncRest',
  'ReceiveCommit.deliverCommitted',
  'AdoptLog.deliverCommitted',
]);

function effectsOfTable(): readonly string[] {
  const effects = new Set<string>();
  for (const rows of tableOf(vsrMachine)?.rows.values() ?? [])
    for (const [event, { steps }] of rows)
      for (const { type, assignment } of steps) if (assignment === undefined) effects.add(`${event}.${type}`);
  return [...effects];
}

const OMITTED_EFFECTS: readonly Fault[] = effectsOfTable()
  .filter((effect) => !UNSEEN_EFFECTS.has(effect))
  .map((effect) => fault(`omit-${effect}`, `Vsr.${effect.replace('.', ' does ')}`, leavingOut(effect)));

export const vsrFaults: readonly Fault[] = [...CANARIES, ...DROPPED_GUARDS, ...OMITTED_EFFECTS];
