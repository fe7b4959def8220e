/**
 * A simulated run as an ITF trace that `lockstep replay` steps on the real code: every variable of specs/Vsr.tla after every
 * step, as the run recorded it, from the spec's Init on. What a broken implementation did wrong stands in the trace, so the
 * whole code refuses that step or ends elsewhere. Translates, decides nothing.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { RecordedState } from '../../../impl/server/recorder.ts';
import { type Trace, type TraceState, writeItf } from '../../replay/itf.ts';
import {
  type TlaValue,
  tlaByIndex,
  tlaInteger,
  tlaRecord,
  tlaSequence,
  tlaSet,
  tlaString,
} from '../../values/tla-value.ts';
import { ReplicaLog } from './replica-log.ts';
import { firstState, type RunStep, type RunSteps, WRITEBACK } from './run-steps.ts';
import { cfgOf } from './simulated-cfg.ts';
import { SpecValues } from './spec-values.ts';

/** Longest trace: each state has every log whole, and a person reads it. A shrunk run has some dozens of steps. */
export const TRACE_STEPS_MAX = 1_000;
/** Longer ones leave out `messages`, which only grows: the steps still say which message they take. */
const TRACE_MESSAGES_STEPS_MAX = 150;
/** What makes a primary tell its clients. */
const COMMITTING: ReadonlySet<string> = new Set(['PrimaryFsync', 'ReceivePrepareOk']);

export interface SimTrace {
  readonly trace: Trace;
  /** Steps of the run that are in it, from the first on. */
  readonly steps: number;
  /** Why it ends before the run, or before the step that was asked for. */
  readonly cut?: string;
}

/** @param about one sentence: why the trace is kept; @param upTo the last step that is wanted, such as the one that TLC refused */
export function simTrace({ replicaCount, steps }: RunSteps, about: string, upTo = steps.length): SimTrace {
  const wanted = steps.slice(0, Math.min(upTo, TRACE_STEPS_MAX));
  const writeback = wanted.findIndex(({ action }) => action === WRITEBACK);
  const taken = writeback < 0 ? wanted : wanted.slice(0, writeback);
  const states = new SpecStates(replicaCount, new SpecValues(steps), taken.length <= TRACE_MESSAGES_STEPS_MAX);
  const first: TraceState = { action: undefined, label: 'Init', event: undefined, values: states.texts() };
  const trace: Trace = {
    component: 'Vsr',
    cfg: cfgOf(replicaCount),
    about,
    states: [first, ...taken.map((step) => states.after(step))],
  };
  const told = { trace, steps: taken.length };
  if (writeback >= 0) return { ...told, cut: `at step ${writeback + 1} a disk had written back a part by itself` };
  return upTo > TRACE_STEPS_MAX ? { ...told, cut: `a trace has at most ${TRACE_STEPS_MAX} steps` } : told;
}

/** Writes the trace to a file, and the folder that it is in. @throws what the file system throws */
export function saveSimTrace(path: string, { trace }: SimTrace): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, writeItf(trace));
}

/** Every variable of the spec, followed from step to step. */
class SpecStates {
  readonly #values: SpecValues;
  readonly #hasMessages: boolean;
  readonly #replicas: RecordedState[];
  readonly #logs: readonly ReplicaLog[];
  readonly #messages = new Map<string, TlaValue>();
  readonly #acknowledged: TlaValue[] = [];
  /** By replica: ops acknowledged when its open round of reads began. */
  readonly #owed: number[];
  readonly #readAnswers = new Map<string, TlaValue>();
  #requests = 0;
  #crashes = 0;

  constructor(replicaCount: number, values: SpecValues, hasMessages: boolean) {
    this.#values = values;
    this.#hasMessages = hasMessages;
    this.#replicas = Array.from({ length: replicaCount }, () => firstState(replicaCount));
    this.#owed = this.#replicas.map(() => 0);
    this.#logs = this.#replicas.map(() => new ReplicaLog());
  }

  after(step: RunStep): TraceState {
    const { action, replica, before, after } = step;
    const log = this.#logs[replica] as ReplicaLog;
    if (action === 'Crash') log.crash();
    else log.take(action, after);
    this.#replicas[replica] = after;
    if (action === 'ClientRequest') this.#requests++;
    if (action === 'Crash') this.#crashes++;
    const sent = this.#values.sent(step);
    if (sent !== undefined) this.#messages.set(sent.text, sent);
    if (COMMITTING.has(action))
      for (let op = this.#acknowledged.length + 1; op <= after.commit; op++)
        this.#acknowledged.push(this.#values.entry(log.hashAt(op)));
    if (action === 'CompleteRead') {
      const owed = tlaInteger(this.#owed[replica] as number);
      const answer = tlaRecord({ shown: tlaInteger(before.reading.commit), owed });
      this.#readAnswers.set(answer.text, answer);
    }
    if (action === 'StartReadRound') this.#owed[replica] = this.#acknowledged.length;
    if (after.reading.oks.length === 0) this.#owed[replica] = 0;
    const message = this.#values.taken(step)?.text;
    const event = { type: action, replica, ...(message === undefined ? {} : { message }) };
    const label = `${action}(${replica}${message === undefined ? '' : `, ${message}`})`;
    return { action, label, event, values: this.texts() };
  }

  texts(): Readonly<Record<string, string>> {
    const byReplica = (project: (state: RecordedState, replica: number) => TlaValue): TlaValue =>
      tlaByIndex(this.#replicas, project);
    const number = (name: 'view' | 'viewDurable' | 'logView' | 'logViewDurable' | 'commit' | 'commitDurable') =>
      byReplica((state) => tlaInteger(state[name]));
    const entries = (hashes: readonly string[]): TlaValue =>
      tlaSequence(hashes.map((hash) => this.#values.entry(hash)));
    const log = (replica: number): ReplicaLog => this.#logs[replica] as ReplicaLog;
    const variables: Record<string, TlaValue> = {
      status: byReplica(({ status }) => tlaString(status)),
      view: number('view'),
      viewDurable: number('viewDurable'),
      logView: number('logView'),
      logViewDurable: number('logViewDurable'),
      log: byReplica((_, replica) => entries(log(replica).hashes)),
      logDurable: byReplica((_, replica) => entries(log(replica).durable)),
      commit: number('commit'),
      commitDurable: number('commitDurable'),
      acked: byReplica(({ acked }) => tlaByIndex(acked, tlaInteger)),
      startVotes: byReplica(({ startVotes }) => tlaSet(startVotes.map(tlaInteger))),
      changeVotes: byReplica(({ changeVotes }) =>
        tlaSet(changeVotes.map((vote) => this.#values.message('DoViewChange', vote))),
      ),
      target: byReplica(({ target: { from, op, hash, commit, next } }) =>
        tlaRecord({
          from: tlaInteger(from),
          op: tlaInteger(op),
          hash: tlaInteger(this.#values.valueOf(hash)),
          commit: tlaInteger(commit),
          next: tlaInteger(next),
        }),
      ),
      reading: byReplica(({ reading: { round, commit, oks } }) =>
        tlaRecord({ round: tlaInteger(round), commit: tlaInteger(commit), oks: tlaSet(oks.map(tlaInteger)) }),
      ),
      readOwed: tlaByIndex(this.#owed, tlaInteger),
      readAnswers: tlaSet(this.#readAnswers.values()),
      requests: tlaInteger(this.#requests),
      acknowledged: tlaSequence(this.#acknowledged),
      crashes: tlaInteger(this.#crashes),
    };
    if (this.#hasMessages) variables.messages = tlaSet(this.#messages.values());
    return Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, value.text]));
  }
}
