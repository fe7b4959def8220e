/**
 * Completes recordings of replicas that were killed. One event at most was under way: its effects are there and its line is
 * not. What the disk holds at the next start says so, or a peer that took a message of it. What was written and not synced
 * is there again, since the page cache survives a kill: in the spec an fsync whose messages are lost, then the crash.
 */
import type { RecordedState } from '../../impl/server/recorder.ts';
import type { MessageFacts } from '../../machines/vsr-context.ts';
import { sentBy, takenBy } from './messages.ts';
import { type Life, type Recording, RecordingError } from './recording.ts';
import { EMPTY_LOG, eventOf, type LogHashes, logAfter, type ReplicaStep, stateAfter } from './replica-run.ts';

/** A step with the message that it sends. */
export interface SendingStep extends ReplicaStep {
  readonly sends: string | undefined;
  /** The replica before the step, and its log. */
  readonly before: RecordedState;
  readonly logBefore: LogHashes;
}

/** An event without a line, at the end of a life. */
export interface UnderWay {
  readonly action: string;
  readonly message?: MessageFacts;
  /** Head after a request. */
  readonly headHash?: string;
}

/** All steps of each replica, crashes and what was under way at them included. */
export function completed(recordings: readonly Recording[]): readonly (readonly SendingStep[])[] {
  const underWay = recordings.map(({ replica, lives }) =>
    lives.map((life, index) => onDisk(replica, lastState(life), lives[index + 1]?.opened)),
  );
  const assemble = (): readonly (readonly SendingStep[])[] =>
    recordings.map((recording, index) => assembled(recording, underWay[index] ?? []));
  const first = assemble();
  const sent = new Set(first.flat().map(({ sends }) => sends));
  for (const step of first.flat()) {
    const taken = takenBy(step);
    if (taken === undefined || sent.has(taken)) continue;
    const sender = recordings.findIndex(({ replica }) => replica === step.message?.from);
    const found = recordings[sender]?.lives.findIndex((life, index) => {
      if (underWay[sender]?.[index] !== undefined) return false;
      const event = sending(taken, step, recordings[sender] as Recording, life, first[sender] ?? []);
      if (event === undefined) return false;
      (underWay[sender] as (UnderWay | undefined)[])[index] = event;
      return true;
    });
    if (found !== undefined && found >= 0) sent.add(taken);
  }
  return assemble();
}

function lastState({ opened, steps }: Life): RecordedState {
  return steps.at(-1)?.after ?? opened;
}

/** What the disk at the next start says was under way. */
export function onDisk(replica: number, last: RecordedState, opened: RecordedState | undefined): UnderWay | undefined {
  if (opened === undefined || last.status === 'recovering') return undefined;
  const primary = last.view % last.acked.length;
  const { view, op, headHash } = opened;
  if (view !== last.viewDurable || opened.logView !== last.logViewDurable || opened.commit !== last.commitDurable) {
    if (last.status === 'normal') return { action: 'PersistCommit' };
    if (last.logView !== last.view) return { action: 'PersistView' };
    if (last.status === 'normal') return { action: 'PersistCommit' };
    return { action: primary === replica ? 'StartView' : 'EnterView' };
  }
  if (sameLog(opened, last.op, last.headHash) || sameLog(opened, last.opDurable, last.headHashDurable))
    return undefined;
  if (last.status === 'normal') {
    if (primary === replica) return { action: 'ClientRequest', headHash };
    const message = { from: primary, view: last.view, op, hash: headHash, parent: last.headHash };
    return { action: 'ReceivePrepare', message };
  }
  if (sameLog(opened, last.target.op, last.target.hash) && op < last.op) return { action: 'AdoptLog' };
  const message = { from: last.target.from, to: replica, view: last.view, op, hash: headHash };
  return { action: 'ReceiveMissingEntry', message };
}

export function sameLog({ op, headHash }: RecordedState, length: number, hash: string): boolean {
  return op === length && headHash === hash;
}

function assembled({ replica, lives }: Recording, underWay: readonly (UnderWay | undefined)[]): readonly SendingStep[] {
  const steps: SendingStep[] = [];
  let before = lives[0]?.opened as RecordedState;
  let logBefore: LogHashes = EMPTY_LOG;
  const add = (step: ReplicaStep): void => {
    const after = logAfter(logBefore, step);
    steps.push({ ...step, sends: sentBy(step, after), before, logBefore });
    before = step.after;
    logBefore = after;
  };
  const infer = ({ action, message, headHash }: UnderWay, at: string): void => {
    const named = headHash === undefined ? {} : { after: { ...before, headHash } };
    const after = stateAfter(replica, before, eventOf({ action, message, ...named }, before, logBefore));
    if (after === undefined)
      throw new RecordingError(
        `${at}: what the disk holds here does not follow from what was recorded before (${action})`,
      );
    add({ action, replica, message, after, at: `${at}, inferred from what the disk holds or a peer got` });
  };
  for (const [index, life] of lives.entries()) {
    for (const step of life.steps) add(step);
    const event = underWay[index];
    const next = lives[index + 1];
    if (event !== undefined) infer(event, next?.at ?? `end of ${life.at}`);
    if (next === undefined || before.status === 'recovering') continue;
    if (!sameLog(next.opened, before.opDurable, before.headHashDurable))
      infer({ action: fsyncOf(replica, before) }, next.at);
    add({ action: 'Crash', replica, after: next.opened, at: next.at });
  }
  return steps;
}

export function fsyncOf(replica: number, { status, view, acked }: RecordedState): string {
  if (status === 'view-change') return 'ViewChangeFsync';
  return view % acked.length === replica ? 'PrimaryFsync' : 'BackupFsync';
}

/** The event at the end of this life that would have sent the message which the step took; undefined when none would. */
function sending(
  taken: string,
  { action, replica: taker, message }: ReplicaStep,
  { replica }: Recording,
  life: Life,
  steps: readonly SendingStep[],
): UnderWay | undefined {
  if (message === undefined) return undefined;
  const last = lastState(life);
  const lastStep = steps.findLast(({ at }) => at === (life.steps.at(-1)?.at ?? life.at));
  const log = lastStep === undefined ? EMPTY_LOG : logAfter(lastStep.logBefore, lastStep);
  const { view, op } = message;
  const candidates: readonly UnderWay[] = [
    ...['BackupFsync', 'EnterView', 'SendCommit', 'PersistView', 'SendDoViewChange', 'StartView', 'RequestEntry'].map(
      (name) => ({ action: name }),
    ),
    { action: 'AnswerStartViewChange', message: { from: taker, view } },
    ...(op === undefined ? [] : [{ action: 'ReceiveRequestEntry', message: { from: taker, to: replica, view, op } }]),
    ...(action === 'ReceivePrepare' ? [{ action: 'ClientRequest', headHash: message.hash ?? '' }] : []),
  ];
  return candidates.find(({ headHash, ...event }) => {
    const named = headHash === undefined ? {} : { after: { ...last, headHash } };
    const after = stateAfter(replica, last, eventOf({ ...event, ...named }, last, log));
    if (after === undefined) return false;
    const step = { ...event, replica, after, at: '' };
    return sentBy(step, logAfter(log, step)) === taken;
  });
}
