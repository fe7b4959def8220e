/**
 * The steps of specs/Vsr.tla that a simulated run took, in its one true order: each event that a machine took, and what a stop
 * of a node was. At a stop one event at most was under way, and the disk may have written back part of what no fsync had
 * covered: what it holds when the node is opened again says so. Decides nothing about whether a step was right: TLC does.
 */
import type { RecordedState } from '../../../impl/server/recorder.ts';
import {
  type MessageFacts,
  NO_ENTRY_HASH,
  NO_READING,
  noAcks,
  noTarget,
  type VsrEvent,
} from '../../../machines/vsr-context.ts';
import { fsyncOf, onDisk, sameLog } from '../../validate-cluster/crashes.ts';
import { stateAfter } from '../../validate-cluster/replica-run.ts';
import type { SimEvent } from '../sim-event.ts';
import { ReplicaLog } from './replica-log.ts';

/**
 * No action of Vsr: the disk writes the log back up to an op that is neither its end nor what was last synced. For a backup it
 * is BackupFsync at the moment when the log ended there. A primary's PrimaryFsync then would have counted its own copy too:
 * here it counts nothing, which the spec has no action for, and which only makes less known. So it is told apart.
 */
export const WRITEBACK = 'Writeback';

/** One step of one replica. */
export interface RunStep {
  /** Action of specs/Vsr.tla, or WRITEBACK. */
  readonly action: string;
  readonly replica: number;
  readonly message?: MessageFacts | undefined;
  readonly before: RecordedState;
  readonly after: RecordedState;
  /** What the machine is asked for, with the facts of the log. */
  readonly event: VsrEvent;
  /** Number of the simulator's step, and its time in virtual microseconds. */
  readonly simStep: number;
  readonly atUs: number;
  /** Not seen in the run but inferred from what a disk held after a stop. */
  readonly inferred?: boolean;
}

export interface RunSteps {
  readonly replicaCount: number;
  readonly steps: readonly RunStep[];
}

type Machine = SimEvent & { readonly kind: 'machine' };
type Up = SimEvent & { readonly kind: 'up' };
type Down = SimEvent & { readonly kind: 'down' };

interface Known {
  state: RecordedState;
  readonly log: ReplicaLog;
  /** Where the steps of its last stop go, known when it is opened again; undefined while it is up. */
  stop: { readonly event: Down | Up; readonly steps: RunStep[] } | undefined;
}

/** Takes the events of one run in their order; everything but machine, down and up is passed over. */
export class RunStepsReader {
  readonly #replicaCount: number;
  readonly #known: readonly Known[];
  readonly #parts: (RunStep | RunStep[])[] = [];

  constructor(replicaCount: number) {
    this.#replicaCount = replicaCount;
    this.#known = Array.from({ length: replicaCount }, () => ({
      state: firstState(replicaCount),
      log: new ReplicaLog(),
      stop: undefined,
    }));
  }

  take(event: SimEvent): void {
    if (event.kind === 'machine') this.#takeMachine(event);
    else if (event.kind === 'down') this.#takeDown(event);
    else if (event.kind === 'up') this.#takeUp(event);
  }

  /** A node that stays down takes no step any more: it is silent, which the spec allows any replica to be. */
  get steps(): RunSteps {
    return { replicaCount: this.#replicaCount, steps: this.#parts.flat() };
  }

  #takeMachine({ replica, type, taken, message, state, step, atUs }: Machine): void {
    if (!taken) return;
    const known = this.#known[replica] as Known;
    this.#parts.push(added(known, { action: type, replica, message, after: state, simStep: step, atUs }));
  }

  #takeDown(event: Down): void {
    const known = this.#known[event.replica] as Known;
    if (known.stop !== undefined) return;
    known.stop = { event, steps: [] };
    this.#parts.push(known.stop.steps);
  }

  #takeUp(event: Up): void {
    const known = this.#known[event.replica] as Known;
    if (known.stop === undefined) {
      if (event.state.status === 'normal') return; // the first start: the spec's Init
      this.#takeDown({ ...event, kind: 'down', why: 'halted' });
    }
    const stop = known.stop as NonNullable<Known['stop']>;
    known.stop = undefined;
    for (const step of stepsOfStop(known, stop.event, event.state)) stop.steps.push(step);
  }
}

export function runSteps(replicaCount: number, events: Iterable<SimEvent>): RunSteps {
  const reader = new RunStepsReader(replicaCount);
  for (const event of events) reader.take(event);
  return reader.steps;
}

interface Taken {
  readonly action: string;
  readonly replica: number;
  readonly message?: MessageFacts | undefined;
  readonly after: RecordedState;
  readonly simStep: number;
  readonly atUs: number;
  readonly inferred?: boolean;
}

function added(known: Known, taken: Taken): RunStep {
  const { state: before, log } = known;
  const event = eventOf(taken, before, log);
  if (taken.action === 'Crash') log.crash();
  else log.take(taken.action, taken.after);
  known.state = taken.after;
  return { ...taken, before, event };
}

/** What was under way at the stop, what the disk wrote back by itself, and the crash. */
function* stepsOfStop(known: Known, { replica, step, atUs }: Down | Up, opened: RecordedState): Iterable<RunStep> {
  const at = { replica, simStep: step, atUs };
  const isHeld = known.log.mayHoldUpTo(opened.op, opened.headHash);
  const last = known.state;
  if (!isHeld || !sameSuperblock(opened, last)) {
    const underWay = onDisk(replica, last, opened);
    if (underWay !== undefined) yield* inferred(known, at, underWay);
  }
  if (known.state.status !== 'recovering' && !sameLog(opened, known.state.opDurable, known.state.headHashDurable)) {
    const { state, log } = known;
    if (sameLog(opened, state.op, state.headHash)) yield* inferred(known, at, { action: fsyncOf(replica, state) });
    else if (log.mayHoldUpTo(opened.op, opened.headHash)) {
      log.writeBack(opened.op);
      const after = { ...state, opDurable: opened.op, headHashDurable: opened.headHash };
      yield added(known, { ...at, action: WRITEBACK, after, inferred: true });
    }
  }
  if (known.state.status !== 'recovering' || !sameLog(opened, known.state.op, known.state.headHash))
    yield added(known, { ...at, action: 'Crash', after: opened });
  known.state = opened;
}

function sameSuperblock(opened: RecordedState, last: RecordedState): boolean {
  const { viewDurable, logViewDurable, commitDurable } = last;
  return opened.view === viewDurable && opened.logView === logViewDurable && opened.commit === commitDurable;
}

/** The event that nobody saw; none when the machine would not have taken it: then TLC says what is wrong with the crash. */
function* inferred(
  known: Known,
  at: { readonly replica: number; readonly simStep: number; readonly atUs: number },
  { action, message, headHash }: NonNullable<ReturnType<typeof onDisk>>,
): Iterable<RunStep> {
  const named = headHash === undefined ? known.state : { ...known.state, headHash };
  const event = eventOf({ action, message, after: named }, known.state, known.log);
  const after = stateAfter(at.replica, known.state, event);
  if (after !== undefined) yield added(known, { ...at, action, message, after, inferred: true });
}

/** The event of an action with the facts that its guards ask of the log before it. */
function eventOf(
  { action, message, after }: Pick<Taken, 'action' | 'message' | 'after'>,
  before: RecordedState,
  log: ReplicaLog,
): VsrEvent {
  if (action === 'ClientRequest') return { type: action, hash: after.headHash };
  if (action === 'RequestEntry' || action === 'AdoptLog')
    return { type: action, hashAtTarget: log.hashAt(before.target.op) };
  if (message === undefined) return { type: action } as VsrEvent;
  return { type: action, message, hashAtOp: log.hashAt(message.op ?? 0) } as VsrEvent;
}

/** Init of the spec. */
export function firstState(replicaCount: number): RecordedState {
  return {
    status: 'normal',
    view: 0,
    viewDurable: 0,
    logView: 0,
    logViewDurable: 0,
    op: 0,
    headHash: NO_ENTRY_HASH,
    opDurable: 0,
    headHashDurable: NO_ENTRY_HASH,
    commit: 0,
    commitDurable: 0,
    acked: noAcks(replicaCount),
    startVotes: [],
    changeVotes: [],
    target: noTarget(replicaCount),
    reading: NO_READING,
    opBegun: 0,
  };
}
