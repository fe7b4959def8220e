/**
 * The guards of specs/Vsr.tla by their names and in its order. Total: false when the event lacks what is asked for, never
 * a throw, so that dx/ may ask any guard in any state.
 */
import { primaryOf, quorumOf } from './quorum.ts';
import type { MessageFacts, VsrContext, VsrEvent } from './vsr-context.ts';

interface GuardArgs {
  readonly context: VsrContext;
  readonly event: VsrEvent;
}

const NO_MESSAGE: MessageFacts = { from: -1, view: -1 };

function messageOf(event: VsrEvent): MessageFacts {
  return 'message' in event ? event.message : NO_MESSAGE;
}

/** NaN compares as false with everything. */
const opOf = (event: VsrEvent): number => messageOf(event).op ?? Number.NaN;

function isPrimary({ replica, replicaCount, view }: VsrContext): boolean {
  return primaryOf(view, replicaCount) === replica;
}

function hasTarget({ target, replicaCount }: VsrContext): boolean {
  return target.from !== replicaCount;
}

function logIsDurable({ op, headHash, opDurable, headHashDurable }: VsrContext): boolean {
  return op === opDurable && headHash === headHashDurable;
}

function hasStartQuorum({ startVotes, replicaCount }: VsrContext): boolean {
  return startVotes.length >= quorumOf(replicaCount);
}

function hasChangeQuorum({ changeVotes, replicaCount }: VsrContext): boolean {
  return changeVotes.length >= quorumOf(replicaCount);
}

function targetReached({ target }: VsrContext, event: VsrEvent): boolean {
  return 'hashAtTarget' in event && event.hashAtTarget === target.hash;
}

function isEntryHeld(event: VsrEvent): boolean {
  return 'message' in event && event.hashAtOp !== undefined && event.hashAtOp === event.message.hash;
}

function isHigherView(context: VsrContext, event: VsrEvent): boolean {
  return messageOf(event).view > context.view;
}

/** Of the event of a read: rounds are whole numbers, NaN is none. */
const roundOf = (event: VsrEvent): number => messageOf(event).round ?? Number.NaN;

function hasReadQuorum({ reading, replicaCount }: VsrContext): boolean {
  return reading.oks.length >= quorumOf(replicaCount);
}

function isSameView(context: VsrContext, event: VsrEvent): boolean {
  return messageOf(event).view === context.view;
}

export const vsrGuards = {
  IsPrimary: ({ context }: GuardArgs) => isPrimary(context),
  IsBackup: ({ context }: GuardArgs) => !isPrimary(context),
  SameView: ({ context, event }: GuardArgs) => isSameView(context, event),
  FromAnother: ({ context, event }: GuardArgs) => 'message' in event && event.message.from !== context.replica,
  HigherView: ({ context, event }: GuardArgs) => isHigherView(context, event),
  PipelineHasRoom: ({ context }: GuardArgs) => context.op - context.commit < context.pipelineMax,
  NextInSequence: ({ context, event }: GuardArgs) => opOf(event) === context.op + 1,
  ParentHashMatches: ({ context, event }: GuardArgs) => messageOf(event).parent === context.headHash,
  CommitAdvances: ({ context, event }: GuardArgs) =>
    (messageOf(event).commit ?? Number.NaN) > context.commit && context.op > context.commit,
  NewAcknowledgement: ({ context, event }: GuardArgs) =>
    opOf(event) > (context.acked[messageOf(event).from] ?? Number.NaN),
  LogIsDurable: ({ context }: GuardArgs) => logIsDurable(context),
  LogIsVolatile: ({ context }: GuardArgs) => !logIsDurable(context),
  ViewIsDurable: ({ context }: GuardArgs) => context.view === context.viewDurable,
  ViewIsVolatile: ({ context }: GuardArgs) => context.view !== context.viewDurable,
  CommitIsVolatile: ({ context }: GuardArgs) => context.commit !== context.commitDurable,
  HasNoTarget: ({ context }: GuardArgs) => !hasTarget(context),
  HasTarget: ({ context }: GuardArgs) => hasTarget(context),
  LogNotAdopted: ({ context }: GuardArgs) => context.logView !== context.view,
  LogAdopted: ({ context }: GuardArgs) => context.logView === context.view,
  StartQuorum: ({ context }: GuardArgs) => hasStartQuorum(context),
  StartVoteNeeded: ({ context, event }: GuardArgs) =>
    'message' in event && !context.startVotes.includes(event.message.from) && !hasStartQuorum(context),
  ChangeQuorum: ({ context }: GuardArgs) => hasChangeQuorum(context),
  ChangeVoteNeeded: ({ context, event }: GuardArgs) =>
    'message' in event &&
    !hasChangeQuorum(context) &&
    context.changeVotes.every((vote) => vote.from !== event.message.from),
  OwnVoteNeeded: ({ context }: GuardArgs) =>
    !hasChangeQuorum(context) && context.changeVotes.every((vote) => vote.from !== context.replica),
  TargetReached: ({ context, event }: GuardArgs) => targetReached(context, event),
  TargetNotReached: ({ context, event }: GuardArgs) => 'hashAtTarget' in event && !targetReached(context, event),
  AddressedHere: ({ context, event }: GuardArgs) => messageOf(event).to === context.replica,
  HoldsOp: ({ context, event }: GuardArgs) => opOf(event) <= context.op,
  IsWanted: ({ context, event }: GuardArgs) => opOf(event) === context.target.next,
  EntryHeld: ({ event }: GuardArgs) => isEntryHeld(event),
  EntryMissing: ({ event }: GuardArgs) => 'message' in event && !isEntryHeld(event),
  ViewOpen: ({ context, event }: GuardArgs) =>
    isSameView(context, event) ? !hasTarget(context) && context.logView !== context.view : isHigherView(context, event),
  LeftNormally: ({ context }: GuardArgs) => context.viewDurable === context.logViewDurable,
  LeftInViewChange: ({ context }: GuardArgs) => context.viewDurable !== context.logViewDurable,
  NoReadRound: ({ context }: GuardArgs) => context.reading.oks.length === 0,
  ViewLogCommitted: ({ context }: GuardArgs) => context.commit >= context.opBegun,
  SameRound: ({ context, event }: GuardArgs) => roundOf(event) === context.reading.round,
  ReadQuorum: ({ context }: GuardArgs) => hasReadQuorum(context),
  ReadOkNeeded: ({ context, event }: GuardArgs) =>
    'message' in event &&
    context.reading.oks.length > 0 &&
    !context.reading.oks.includes(event.message.from) &&
    !hasReadQuorum(context),
};
