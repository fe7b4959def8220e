/**
 * The replica of Vsr, broken on purpose: each named guard dropped, each effect left out, and the canaries of docs/canaries.md
 * that are a wrong choice. vsr-faults.ts holds them against the models, conformance/sim/canaries.ts against simulated runs.
 * Only the harness makes these; no rule of the spec is in here.
 */
import { type ActionFunction, assign, createMachine } from 'xstate';
import { better, type RankedVote } from '../../machines/quorum.ts';
import { conjunctsOf } from '../../machines/stepper.ts';
import { tableOf } from '../../machines/table.ts';
import { chosenBy, type VsrMachine, vsrMachine } from '../../machines/vsr.ts';
import type { ChangeVote, VsrContext, VsrEvent } from '../../machines/vsr-context.ts';
import { vsrGuards } from '../../machines/vsr-guards.ts';

/** What only the harness passes to a replica: a machine with broken rules, and effects to leave out, as `Event.effect`. */
export interface ReplicaFaults {
  readonly machine?: VsrMachine;
  readonly faults?: ReadonlySet<string>;
}

export interface BrokenVsr {
  readonly name: string;
  readonly rule: string;
  readonly canary?: string;
  readonly parts: ReplicaFaults;
}

type Guard = keyof typeof vsrGuards;
type AnyAction = ActionFunction<never, never, never, never, never, never, never, never, never>;

function fault(name: string, rule: string, parts: ReplicaFaults, canary?: string): BrokenVsr {
  return { name, rule, parts, ...(canary === undefined ? {} : { canary }) };
}

function guardedBy(guards: Partial<Record<Guard, unknown>>): VsrMachine {
  return vsrMachine.provide({ guards } as never) as VsrMachine;
}

function acting(name: string, action: unknown): VsrMachine {
  return vsrMachine.provide({ actions: { [name]: action as AnyAction } } as never) as VsrMachine;
}

/** The view change takes the log of the vote that is better in this sense. */
function choosing(isBetter: (a: ChangeVote, b: ChangeVote) => boolean): ReplicaFaults {
  const choice = assign(({ context }: { context: VsrContext }) => chosenBy(context, isBetter));
  return { machine: acting('chooseBestLog', choice) };
}

const longer = (a: RankedVote, b: RankedVote): boolean => a.op > b.op || (a.op === b.op && a.from < b.from);
const shorter = (a: RankedVote, b: RankedVote): boolean =>
  a.logView === b.logView && a.op !== b.op ? a.op < b.op : better(a, b);

/** E7. @param viewOf the view of the entry with this hash: no vote carries it */
export function lastEntryView(viewOf: (hash: string) => number): BrokenVsr {
  const newerLastEntry = (a: ChangeVote, b: ChangeVote): boolean =>
    better({ ...a, logView: viewOf(a.hash) }, { ...b, logView: viewOf(b.hash) });
  const rule = 'logView ranks a log, not the view of its last entry';
  return fault('last-entry-view', rule, choosing(newerLastEntry), 'E7');
}

/** A StartView of the view that is already entered is taken again. */
const startViewAgain: ReplicaFaults = {
  machine: guardedBy({
    HigherView: (args: { context: VsrContext; event: VsrEvent }) =>
      vsrGuards.HigherView(args) || (args.event.type === 'ReceiveStartViewWhileNormal' && vsrGuards.SameView(args)),
  }),
};

const commitWhatThePrimarySays: ReplicaFaults = {
  machine: acting(
    'commitWhatIsHeld',
    assign(({ context, event }: { context: VsrContext; event: VsrEvent }) => ({
      commit: ('message' in event ? event.message.commit : undefined) ?? context.commit,
    })),
  ),
};

/** A guard dropped from one event alone. */
function droppedFrom(event: VsrEvent['type'], guard: Guard): ReplicaFaults {
  const asked = vsrGuards[guard] as (args: { context: VsrContext; event: VsrEvent }) => boolean;
  return {
    machine: guardedBy({
      [guard]: (args: { context: VsrContext; event: VsrEvent }) => args.event.type === event || asked(args),
    }),
  };
}

/** The same machine, whose node "view-change" has the row of another node, too. */
function alsoInViewChange(event: VsrEvent['type']): ReplicaFaults {
  const { config, implementations } = vsrMachine;
  const states = config.states as unknown as Record<string, { readonly on: Readonly<Record<string, unknown>> }>;
  const changing = states['view-change'] as { readonly on: Readonly<Record<string, unknown>> };
  const row = states.normal?.on[event];
  const broken = { ...states, 'view-change': { ...changing, on: { ...changing.on, [event]: row } } };
  return { machine: createMachine({ ...config, states: broken } as never, implementations as never) as VsrMachine };
}

const leavingOut = (...effects: readonly string[]): ReplicaFaults => ({ faults: new Set(effects) });

const CANARIES: readonly BrokenVsr[] = [
  fault('longest-log', 'the log of the largest (logView, op) is chosen', choosing(longer), 'E6'),
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
  fault('read-without-quorum', 'Vsr.CompleteRead.ReadQuorum: a primary answers reads by itself', {
    machine: guardedBy({ ReadQuorum: ({ context }: { context: VsrContext }) => context.reading.oks.length > 0 }),
  }),
  fault(
    'read-answer-of-older-life',
    'Vsr.ReceiveReadRoundOk.SameView: the answer is of this view',
    droppedFrom('ReceiveReadRoundOk', 'SameView'),
  ),
  fault(
    'read-answered-in-view-change',
    'Vsr.ReceiveReadRound: a replica answers for a view that it has entered',
    alsoInViewChange('ReceiveReadRound'),
    'E15',
  ),
  fault(
    'chain-not-checked',
    'Vsr.ReceivePrepare.NextInSequence, Vsr.ReceivePrepare.ParentHashMatches',
    { machine: guardedBy({ NextInSequence: () => true, ParentHashMatches: () => true }) },
    'E30',
  ),
];

/** The rules that a guard is part of. */
function rulesOf(guard: string): readonly string[] {
  const rules = new Set<string>();
  for (const state of Object.keys(vsrMachine.states))
    for (const event of vsrMachine.events)
      if (conjunctsOf(vsrMachine, state, event)?.includes(guard)) rules.add(`Vsr.${event}.${guard}`);
  return [...rules];
}

/** Guards that change nothing by themselves, with the reason: the same holds in the spec, whose graph is the same without. */
const IMPLIED_GUARDS: Readonly<Partial<Record<Guard, string>>> = {
  FromAnother: 'a view begins with a quorum of votes, so another vote asks for the same StartView',
  HoldsOp: 'the named log stands still until its view has begun; the guard is for forged requests',
  NextInSequence: 'a parent hash stands at one op only: ParentHashMatches implies it (chain-not-checked drops both)',
  ParentHashMatches: 'in one view all logs are one log: NextInSequence implies it (chain-not-checked drops both)',
};

const DROPPED_GUARDS: readonly BrokenVsr[] = (Object.keys(vsrGuards) as readonly Guard[])
  .filter((guard) => !(guard in IMPLIED_GUARDS))
  .map((guard) => fault(`drop-${guard}`, rulesOf(guard).join(', '), { machine: guardedBy({ [guard]: () => true }) }));

/** Effects whose absence no variable of the spec shows: no model tells, only runs do (conformance/sim). */
export const UNSEEN_EFFECTS: ReadonlySet<string> = new Set([
  'PersistCommit.syncRest',
  'PersistView.syncRest',
  'StartView.syncRest',
  'EnterView.syncRest',
  'ReceiveCommit.deliverCommitted',
  'AdoptLog.deliverCommitted',
]);

function effectsOfTable(): readonly string[] {
  const effects = new Set<string>();
  for (const rows of tableOf(vsrMachine)?.rows ?? [])
    for (const [event, { steps }] of rows)
      for (const { type, assignment } of steps) if (assignment === undefined) effects.add(`${event}.${type}`);
  return [...effects];
}

const OMITTED_EFFECTS: readonly BrokenVsr[] = effectsOfTable().map((effect) =>
  fault(`omit-${effect}`, `Vsr.${effect.replace('.', ' does ')}`, leavingOut(effect)),
);

/** All but E7, which has to know more than a vote says: lastEntryView(). */
export const brokenVsr: readonly BrokenVsr[] = [...CANARIES, ...DROPPED_GUARDS, ...OMITTED_EFFECTS];
