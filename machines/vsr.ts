/**
 * One replica of specs/Vsr.tla as a table: one event an action, guards named and ordered as its conjuncts, one node a
 * status (VRR 4.1, 4.2). Effects are empty here: impl/vsr/replica-effects.ts does them, in the order of this table.
 * Context and events: vsr-context.ts; guards: vsr-guards.ts; invariants: vsr-invariants.ts. No I/O.
 */
import { and, assign, setup } from 'xstate';
import { bestOf, better, quorumOp } from './quorum.ts';
import { start } from './stepper.ts';
import { copiesContextBy } from './table.ts';
import {
  type ChangeVote,
  copyOfContext,
  type MessageFacts,
  NO_READING,
  noAcks,
  noTarget,
  openedContext,
  type VsrContext,
  type VsrEvent,
  type VsrInput,
} from './vsr-context.ts';
import { vsrGuards } from './vsr-guards.ts';

interface Args {
  readonly context: VsrContext;
  readonly event: VsrEvent;
}

/** What an effect sends, writes or delivers: the context when its turn comes, after the changes before it in the table. */
export interface EffectParams {
  readonly context: VsrContext;
  readonly message: MessageFacts | undefined;
}
const at = ({ context, event }: Args): EffectParams => ({
  context,
  message: 'message' in event ? event.message : undefined,
});
const effect = (_: unknown, _params: EffectParams): void => {};

function messageOf(event: VsrEvent): MessageFacts {
  if (!('message' in event)) throw new Error(`${event.type} carries no message`);
  return event.message;
}

/** Everything that belongs to one view is forgotten when another begins: MoveTo of the spec. */
function movedTo(context: VsrContext, view: number): Partial<VsrContext> {
  return {
    view,
    acked: noAcks(context.replicaCount),
    startVotes: [],
    changeVotes: [],
    reading: NO_READING,
    opBegun: 0,
  };
}

function withAck(acked: readonly number[], replica: number, op: number): readonly number[] {
  return acked.with(replica, op);
}

function withVote(votes: readonly ChangeVote[], vote: ChangeVote): readonly ChangeVote[] {
  return [...votes, vote].sort((a, b) => a.from - b.from);
}

/** What a replica brings to the view change. logView, not the view of the last entry, ranks the logs (canary E7). */
export function changeVoteOf({ replica, view, logView, op, headHash, commit }: VsrContext): ChangeVote {
  return { from: replica, view, logView, op, hash: headHash, commit };
}

const vsrSetup = setup({
  types: {} as { context: VsrContext; events: VsrEvent; input: VsrInput },
  guards: vsrGuards,
  actions: {
    appendOwnEntry: assign(({ context, event }) =>
      event.type === 'ClientRequest' ? { op: context.op + 1, headHash: event.hash } : {},
    ),
    appendEntry: assign(({ context, event }) => ({ op: context.op + 1, headHash: messageOf(event).hash ?? '' })),
    replaceFromEntry: assign(({ event }) => ({ op: messageOf(event).op ?? 0, headHash: messageOf(event).hash ?? '' })),
    logIsDurable: assign(({ context }) => ({ opDurable: context.op, headHashDurable: context.headHash })),
    countOwnAck: assign(({ context }) => ({ acked: withAck(context.acked, context.replica, context.op) })),
    countAck: assign(({ context, event }) => ({
      acked: withAck(context.acked, messageOf(event).from, messageOf(event).op ?? 0),
    })),
    commitWhatAQuorumHolds: assign(({ context }) => ({ commit: Math.max(context.commit, quorumOp(context.acked)) })),
    commitWhatIsHeld: assign(({ context, event }) => ({
      commit: Math.min(messageOf(event).commit ?? 0, context.op),
    })),
    moveToNextView: assign(({ context }) => movedTo(context, context.view + 1)),
    moveToItsView: assign(({ context, event }) => movedTo(context, messageOf(event).view)),
    forgetTarget: assign(({ context }) => ({ target: noTarget(context.replicaCount) })),
    forgetVotes: assign({ startVotes: [], changeVotes: [] }),
    superblockIsWritten: assign(({ context }) => ({
      viewDurable: context.view,
      logViewDurable: context.logView,
      commitDurable: context.commit,
    })),
    countOwnStartVote: assign(({ context }) => ({ startVotes: withReplica(context.startVotes, context.replica) })),
    countStartVote: assign(({ context, event }) => ({
      startVotes: withReplica(context.startVotes, messageOf(event).from),
    })),
    countOwnChangeVote: assign(({ context }) => ({
      changeVotes: withVote(context.changeVotes, changeVoteOf(context)),
    })),
    countChangeVote: assign(({ context, event }) => ({
      changeVotes: withVote(context.changeVotes, voteIn(messageOf(event))),
    })),
    chooseBestLog: assign(({ context }) => chosenBy(context, better)),
    fetchNamedLog: assign(({ context, event }) => {
      const { from, op = 0, hash = '' } = messageOf(event);
      return { target: { from, op, hash, commit: context.commit, next: context.commit + 1 } };
    }),
    wantNextEntry: assign(({ context }) => ({ target: { ...context.target, next: context.target.next + 1 } })),
    cutToTarget: assign(({ context }) => ({
      op: context.target.op,
      headHash: context.target.hash,
      logView: context.view,
      commit: Math.max(context.commit, context.target.commit),
    })),
    beginView: assign(({ context }) => ({
      acked: withAck(noAcks(context.replicaCount), context.replica, context.op),
      opBegun: context.op,
    })),
    beginReadRound: assign(({ context }) => ({
      reading: { round: context.reading.round + 1, commit: context.commit, oks: [context.replica] },
    })),
    countReadOk: assign(({ context, event }) => ({
      reading: { ...context.reading, oks: withReplica(context.reading.oks, messageOf(event).from) },
    })),
    endReadRound: assign(({ context }) => ({ reading: { ...NO_READING, round: context.reading.round } })),
    forgetVolatile: assign(({ context }) => reopened(context)),
    // Effects.
    writeOwnEntry: effect,
    writeEntry: effect,
    cutLog: effect,
    syncLog: effect,
    syncRest: effect, // a log that is what it durably was may still wait: see PrepareLog.isSynced
    writeSuperblock: effect,
    deliverCommitted: effect,
    sendPrepare: effect,
    sendPrepareOk: effect,
    sendCommit: effect,
    sendStartViewChange: effect,
    sendDoViewChange: effect,
    sendStartView: effect,
    sendRequestEntry: effect,
    sendEntry: effect,
    sendReadRound: effect,
    sendReadRoundOk: effect,
    deliverRead: effect,
  },
});

function withReplica(replicas: readonly number[], from: number): readonly number[] {
  return replicas.includes(from) ? replicas : [...replicas, from].sort((a, b) => a - b);
}

function voteIn({ from, view, logView = 0, op = 0, hash = '', commit = 0 }: MessageFacts): ChangeVote {
  return { from, view, logView, op, hash, commit };
}

/** The log of the best vote is the view's log, and the largest commit its commit. */
export function chosenBy(
  context: VsrContext,
  isBetter: (a: ChangeVote, b: ChangeVote) => boolean,
): Partial<VsrContext> {
  const best = bestOf(context.changeVotes, isBetter);
  if (best === undefined) return {};
  const commit = Math.max(...context.changeVotes.map((vote) => vote.commit));
  return { target: { from: best.from, op: best.op, hash: best.hash, commit, next: context.commit + 1 } };
}

function reopened(context: VsrContext): VsrContext {
  const { replica, replicaCount, pipelineMax, viewDurable, logViewDurable, opDurable, headHashDurable } = context;
  return openedContext({
    replica,
    replicaCount,
    pipelineMax,
    durable: {
      view: viewDurable,
      logView: logViewDurable,
      commit: context.commitDurable,
      op: opDurable,
      headHash: headHashDurable,
    },
  });
}

const does = <Name extends string>(type: Name) => ({ type, params: at });
const superblock = [does('syncRest'), does('writeSuperblock'), 'superblockIsWritten'] as const;
const sync = [does('syncLog'), 'logIsDurable'] as const;

const joinViewChange = {
  guard: and(['HigherView']),
  target: 'view-change',
  actions: ['moveToItsView', 'countStartVote', 'forgetTarget'],
} as const;
const joinView = {
  guard: and(['HigherView']),
  target: 'view-change',
  actions: ['moveToItsView', 'forgetTarget'],
} as const;
const answerRequestEntry = {
  guard: and(['AddressedHere', 'SameView', 'HoldsOp']),
  actions: [does('sendEntry')],
} as const;
const crash = { target: 'recovering', actions: ['forgetVolatile'] } as const;

export const vsrMachine = vsrSetup.createMachine({
  id: 'Vsr',
  initial: 'normal',
  context: ({ input }) => openedContext(input),
  states: {
    normal: {
      on: {
        ClientRequest: {
          guard: and(['IsPrimary', 'PipelineHasRoom']),
          actions: ['appendOwnEntry', does('writeOwnEntry'), does('sendPrepare')],
        },
        ReceivePrepare: {
          guard: and(['IsBackup', 'SameView', 'NextInSequence', 'ParentHashMatches']),
          actions: ['appendEntry', does('writeEntry')],
        },
        BackupFsync: { guard: and(['IsBackup', 'LogIsVolatile']), actions: [...sync, does('sendPrepareOk')] },
        PrimaryFsync: {
          guard: and(['IsPrimary', 'LogIsVolatile']),
          actions: [...sync, 'countOwnAck', 'commitWhatAQuorumHolds', does('deliverCommitted')],
        },
        ReceivePrepareOk: {
          guard: and(['IsPrimary', 'SameView', 'NewAcknowledgement']),
          actions: ['countAck', 'commitWhatAQuorumHolds', does('deliverCommitted')],
        },
        SendCommit: { guard: and(['IsPrimary']), actions: [does('sendCommit')] },
        ReceiveCommit: {
          guard: and(['IsBackup', 'SameView', 'CommitAdvances']),
          actions: ['commitWhatIsHeld', does('deliverCommitted')],
        },
        PersistCommit: { guard: and(['CommitIsVolatile', 'LogIsDurable']), actions: [...superblock] },
        StartReadRound: {
          guard: and(['IsPrimary', 'NoReadRound', 'ViewLogCommitted']),
          actions: ['beginReadRound', does('sendReadRound')],
        },
        ReceiveReadRound: { guard: and(['IsBackup', 'SameView']), actions: [does('sendReadRoundOk')] },
        ReceiveReadRoundOk: {
          guard: and(['IsPrimary', 'SameView', 'SameRound', 'ReadOkNeeded']),
          actions: ['countReadOk'],
        },
        CompleteRead: { guard: and(['ReadQuorum']), actions: [does('deliverRead'), 'endReadRound'] },
        HeartbeatTimeout: {
          guard: and(['IsBackup']),
          target: 'view-change',
          actions: ['moveToNextView', 'forgetTarget'],
        },
        Abdicate: { guard: and(['IsPrimary']), target: 'view-change', actions: ['moveToNextView', 'forgetTarget'] },
        JoinViewChange: joinViewChange,
        JoinView: joinView,
        AnswerStartViewChange: {
          guard: and(['IsPrimary', 'SameView', 'FromAnother']),
          actions: [does('sendStartView')],
        },
        ReceiveStartViewWhileNormal: {
          guard: and(['HigherView']),
          target: 'view-change',
          actions: ['moveToItsView', 'fetchNamedLog'],
        },
        ReceiveRequestEntry: answerRequestEntry,
        Crash: crash,
      },
    },
    'view-change': {
      on: {
        ViewChangeTimeout: { actions: ['moveToNextView', 'forgetTarget'] },
        JoinViewChange: joinViewChange,
        JoinView: joinView,
        ViewChangeFsync: { guard: and(['LogIsVolatile']), actions: [...sync] },
        PersistView: {
          guard: and(['ViewIsVolatile', 'LogIsDurable']),
          actions: [...superblock, 'countOwnStartVote', does('sendStartViewChange')],
        },
        ReceiveStartViewChange: { guard: and(['SameView', 'StartVoteNeeded']), actions: ['countStartVote'] },
        SendDoViewChange: {
          guard: and(['IsBackup', 'ViewIsDurable', 'StartQuorum', 'HasNoTarget']),
          actions: [does('sendDoViewChange')],
        },
        CastOwnChangeVote: {
          guard: and(['IsPrimary', 'ViewIsDurable', 'StartQuorum', 'OwnVoteNeeded']),
          actions: ['countOwnChangeVote'],
        },
        ReceiveDoViewChange: {
          guard: and(['IsPrimary', 'SameView', 'HasNoTarget', 'ChangeVoteNeeded']),
          actions: ['countChangeVote'],
        },
        ChooseLog: {
          guard: and(['IsPrimary', 'ChangeQuorum', 'HasNoTarget', 'LogNotAdopted']),
          actions: ['chooseBestLog'],
        },
        ReceiveStartView: { guard: and(['ViewOpen']), actions: ['moveToItsView', 'fetchNamedLog'] },
        RequestEntry: { guard: and(['HasTarget', 'TargetNotReached']), actions: [does('sendRequestEntry')] },
        ReceiveRequestEntry: answerRequestEntry,
        ReceiveHeldEntry: {
          guard: and(['AddressedHere', 'SameView', 'HasTarget', 'IsWanted', 'EntryHeld']),
          actions: ['wantNextEntry'],
        },
        ReceiveMissingEntry: {
          guard: and(['AddressedHere', 'SameView', 'HasTarget', 'IsWanted', 'EntryMissing', 'ViewIsDurable']),
          actions: ['replaceFromEntry', does('writeEntry'), 'wantNextEntry'],
        },
        AdoptLog: {
          guard: and(['HasTarget', 'LogNotAdopted', 'TargetReached', 'ViewIsDurable']),
          actions: ['cutToTarget', does('cutLog'), does('deliverCommitted')],
        },
        StartView: {
          guard: and(['IsPrimary', 'LogAdopted', 'LogIsDurable']),
          target: 'normal',
          actions: [...superblock, 'beginView', 'forgetVotes', 'forgetTarget', does('sendStartView')],
        },
        EnterView: {
          guard: and(['IsBackup', 'LogAdopted', 'LogIsDurable']),
          target: 'normal',
          actions: [...superblock, 'forgetVotes', 'forgetTarget', does('sendPrepareOk')],
        },
        Crash: crash,
      },
    },
    recovering: {
      on: {
        RestartAsBackup: { guard: and(['LeftNormally', 'IsBackup']), target: 'normal' },
        RestartAsPrimary: {
          guard: and(['LeftNormally', 'IsPrimary']),
          target: 'view-change',
          actions: ['moveToNextView'],
        },
        RestartInViewChange: {
          guard: and(['LeftInViewChange']),
          target: 'view-change',
          actions: ['moveToNextView'],
        },
      },
    },
  },
});

copiesContextBy(vsrMachine, copyOfContext);

export type VsrMachine = typeof vsrMachine;

/** A replica at its first start after format. */
export function firstStart(machine: VsrMachine, input: VsrInput): ReturnType<typeof start> {
  return start(machine, input);
}

/** A replica that opens what an earlier process left: it restarts by one of the Restart events. */
export function restarted(machine: VsrMachine, input: VsrInput): ReturnType<typeof start> {
  return machine.resolveState({ value: 'recovering', context: openedContext(input) });
}
