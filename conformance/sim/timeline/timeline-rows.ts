/**
 * A run's events as rows to read: a message with what became of it at its receiver, a step that a replica takes by itself, a
 * fault, a client's call, one row each, with the lanes as they are after it. Text and Mermaid are made of them. Mirrors no
 * spec module.
 */
import type { MessageFacts } from '../../../machines/vsr-context.ts';
import type { Fault } from '../plan.ts';
import type { SimEvent } from '../sim-event.ts';
import { faultText, placeOf } from './fault-text.ts';

export interface Lane {
  readonly view: number;
  readonly status: string;
  readonly isDown: boolean;
}

export interface TimelineRow {
  readonly step: number;
  readonly atUs: number;
  readonly kind:
    | 'message'
    | 'dropped'
    | 'act'
    | 'down'
    | 'up'
    | 'fault'
    | 'fault-end'
    | 'call'
    | 'return'
    | 'client-crash'
    | 'heal'
    | 'failure';
  /** Of a message. */
  readonly from?: number;
  /** Of a message: its receiver; else the replica that it happens at. */
  readonly at?: number;
  readonly client?: number;
  readonly text: string;
  /** A step that repeats itself all the time and changed nothing worth a row. */
  readonly isQuiet: boolean;
  /** The replica's view or status is another than before. */
  readonly isViewChange: boolean;
  readonly fault?: Fault;
  /** Of a fault: it lasts, and an end follows. */
  readonly isLasting?: boolean;
  /** By replica, after it. */
  readonly lanes: readonly Lane[];
}

/** Steps of every tick or of no consequence: only their number is shown. */
const QUIET_ACTIONS: ReadonlySet<string> = new Set(['SendCommit', 'PersistCommit', 'RequestEntry', 'SendDoViewChange']);
const QUIET_REFUSED_MESSAGES: ReadonlySet<string> = new Set(['Commit', 'StartViewChange', 'PrepareOk']);

export function timelineRows(events: readonly SimEvent[], replicaCount: number): readonly TimelineRow[] {
  const reader = new RowReader(replicaCount);
  for (const event of events) reader.read(event);
  return reader.finish();
}

const TAKES_MACHINE_EVENTS: ReadonlySet<TimelineRow['kind']> = new Set(['message', 'act', 'call']);

type MachineEvent = Extract<SimEvent, { kind: 'machine' }>;
type Place = Pick<TimelineRow, 'from' | 'at' | 'client' | 'fault' | 'isLasting'>;

/** A row whose step is not over: what a replica does in it is added. */
class Draft {
  readonly at: number | undefined;
  readonly step: number;
  readonly #start: { readonly atUs: number; readonly kind: TimelineRow['kind'] };
  readonly #place: Place;
  readonly #head: string;
  readonly #message: MessageFacts | undefined;
  readonly #asked = new Set<string>();
  #taken = false;
  #refusedBy: string | undefined;
  readonly #acts: string[] = [];
  #change = '';
  #commits: readonly [first: number, last: number] | undefined;

  constructor({ step, atUs }: SimEvent, kind: TimelineRow['kind'], place: Place, head: string, message?: MessageFacts) {
    this.step = step;
    this.#message = message;
    this.at = place.at;
    this.#start = { atUs, kind };
    this.#place = place;
    this.#head = head;
  }

  /** Whether the machine's event is about this row. Frames that come together are all delivered before any is taken. */
  takes({ step, replica, type, message }: MachineEvent): boolean {
    if (this.step !== step || this.at !== replica || !TAKES_MACHINE_EVENTS.has(this.#start.kind)) return false;
    if (message === undefined) return true;
    return !this.#asked.has(type) && isSameMessage(message, this.#message);
  }

  machine(event: MachineEvent, before: Lane | undefined): void {
    const { taken, type, message, state } = event;
    this.#asked.add(type);
    const { kind } = this.#start;
    const isAnswer = kind === 'message' ? message !== undefined : kind === 'call' && type === 'ClientRequest';
    if (taken && isAnswer) this.#taken = true;
    else if (taken) this.#acts.push(type);
    else if (isAnswer || this.#head === type) this.#refusedBy ??= firstFailing(event);
    if (before?.view !== state.view || before.status !== state.status)
      this.#change = `view ${state.view} ${state.status}`;
  }

  commit(op: number): void {
    this.#commits = [this.#commits?.[0] ?? op, op];
  }

  finished(lanes: readonly Lane[]): TimelineRow {
    const { kind } = this.#start;
    const isAct = kind === 'act';
    const [first, last] = this.#commits ?? [];
    const refusal = this.#taken || this.#refusedBy === undefined ? [] : [`refused: ${this.#refusedBy}`];
    const isRefused = refusal.length > 0 && this.#acts.length === 0;
    const parts = [
      ...(isAct && !isRefused ? [] : [this.#head]),
      ...(isAct && !isRefused ? [] : refusal),
      ...this.#acts,
      ...(this.#change === '' ? [] : [this.#change]),
      ...(first === undefined ? [] : [first === last ? `commits ${first}` : `commits ${first} to ${last}`]),
    ];
    const changesNothing = this.#change === '' && first === undefined;
    const actsAreQuiet = this.#acts.every((act) => QUIET_ACTIONS.has(act));
    const isQuietMessage =
      kind === 'message' && isRefused && QUIET_REFUSED_MESSAGES.has(this.#head.split(' ')[0] ?? '');
    return {
      step: this.step,
      ...this.#start,
      ...this.#place,
      text: parts.join(' '),
      isQuiet: changesNothing && actsAreQuiet && (isAct || isQuietMessage),
      isViewChange: this.#change !== '',
      lanes,
    };
  }
}

class RowReader {
  readonly #rows: TimelineRow[] = [];
  readonly #sent = new Map<number, MessageFacts | undefined>();
  /** By operation: the replica that was asked first. */
  readonly #calledAt = new Map<number, number>();
  /** Of the step that is not over, in order. */
  #drafts: Draft[] = [];
  #lanes: readonly Lane[];

  constructor(replicaCount: number) {
    this.#lanes = Array.from({ length: replicaCount }, () => ({ view: 0, status: 'normal', isDown: false }));
  }

  finish(): readonly TimelineRow[] {
    this.#finishStep();
    return this.#rows;
  }

  read(event: SimEvent): void {
    switch (event.kind) {
      case 'send':
        this.#sent.set(event.frame, event.facts);
        break;
      case 'deliver':
      case 'drop':
        this.#message(event);
        break;
      case 'machine':
        this.#machine(event);
        break;
      case 'commit':
        this.#drafts.findLast(({ step, at }) => step === event.step && at === event.replica)?.commit(event.op);
        break;
      case 'down':
        this.#begin(event, 'down', { at: event.replica }, `down: ${event.why}${reasonText(event.reason)}`);
        this.#setLane(event.replica, { isDown: true });
        break;
      case 'up': {
        const { view, status, op, commit } = event.state;
        this.#begin(event, 'up', { at: event.replica }, `up in view ${view}: op ${op}, commit ${commit}`);
        this.#setLane(event.replica, { isDown: false, view, status });
        break;
      }
      default:
        this.#other(event);
    }
  }

  #other(event: Exclude<SimEvent, { kind: 'send' | 'deliver' | 'drop' | 'machine' | 'commit' | 'down' | 'up' }>): void {
    switch (event.kind) {
      case 'fault':
      case 'fault-end': {
        const { fault, kind } = event;
        const [at] = placeOf(fault).replicas;
        const text = `${kind === 'fault' ? '' : 'end of '}${faultText(fault)}`;
        const isLasting = kind === 'fault-end' || event.untilUs > event.atUs;
        this.#begin(event, kind, { fault, isLasting, ...(at === undefined ? {} : { at }) }, text);
        break;
      }
      case 'call': {
        const { client, operation, replica: at } = event;
        this.#calledAt.set(operation, at);
        this.#begin(event, 'call', { at, client }, `client ${client} calls #${operation}: ${event.what}`);
        break;
      }
      case 'return': {
        const { client, operation, outcome } = event;
        const at = this.#calledAt.get(operation);
        this.#calledAt.delete(operation);
        this.#begin(
          event,
          'return',
          at === undefined ? { client } : { at, client },
          `client ${client} gets #${operation}: ${outcome}`,
        );
        break;
      }
      case 'client-crash':
        this.#begin(event, 'client-crash', { client: event.client }, `client ${event.client} crashes`);
        break;
      case 'heal':
        this.#begin(event, 'heal', {}, 'heal: all faults have ended, everything must complete');
        break;
      case 'failure':
        this.#begin(event, 'failure', {}, `${event.oracle}: ${event.message}`);
        break;
    }
  }

  #message(event: Extract<SimEvent, { kind: 'deliver' | 'drop' }>): void {
    const { frame, from, to: at, message } = event;
    const facts = this.#sent.get(frame);
    const text = `${message}${factsText(facts)}`;
    if (event.kind === 'drop') this.#begin(event, 'dropped', { from, at }, `${text} lost: ${event.why}`);
    else this.#begin(event, 'message', { from, at }, text, facts);
  }

  /** What the receiver makes of a message joins the message's row; what a replica does by itself has its own. */
  #machine(event: MachineEvent): void {
    const { replica, type, state } = event;
    const before = this.#lanes[replica];
    const draft = event.message === undefined ? this.#latest(event) : this.#drafts.find((each) => each.takes(event));
    (draft ?? this.#begin(event, 'act', { at: replica }, type)).machine(event, before);
    this.#setLane(replica, { view: state.view, status: state.status, isDown: false });
  }

  /** The row that this event follows without another replica's between. */
  #latest(event: MachineEvent): Draft | undefined {
    const last = this.#drafts.at(-1);
    return last?.takes(event) === true ? last : undefined;
  }

  #begin(event: SimEvent, kind: TimelineRow['kind'], place: Place, text: string, message?: MessageFacts): Draft {
    if (this.#drafts[0]?.step !== event.step) this.#finishStep();
    const draft = new Draft(event, kind, place, text, message);
    this.#drafts.push(draft);
    return draft;
  }

  #finishStep(): void {
    for (const draft of this.#drafts) this.#rows.push(draft.finished(this.#lanes));
    this.#drafts = [];
  }

  #setLane(replica: number, change: Partial<Lane>): void {
    const lane = this.#lanes[replica];
    if (lane === undefined) return;
    const next = { ...lane, ...change };
    if (next.view === lane.view && next.status === lane.status && next.isDown === lane.isDown) return;
    this.#lanes = this.#lanes.with(replica, next);
  }
}

/** ` v1 op 5`. */
export function factsText(facts: MessageFacts | undefined): string {
  if (facts === undefined) return '';
  const { view, op, commit } = facts;
  return ` v${view}${op === undefined ? '' : ` op ${op}`}${commit === undefined ? '' : ` commit ${commit}`}`;
}

function isSameMessage(a: MessageFacts, b: MessageFacts | undefined): boolean {
  return (
    b !== undefined &&
    (['from', 'view', 'to', 'op', 'logView', 'commit', 'hash'] as const).every((field) => a[field] === b[field])
  );
}

/** The guard that refuses first, by name. */
export function firstFailing({ guards }: MachineEvent): string {
  return guards.find(({ holds }) => !holds)?.guard ?? 'no guard';
}

function reasonText(reason: string | undefined): string {
  return reason === undefined ? '' : ` (${reason})`;
}
