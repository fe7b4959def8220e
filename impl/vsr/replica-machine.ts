/**
 * Where the machine of one replica stands: the one place where machines/vsr.ts is asked and moved, and what is told of it
 * (onEvent, the last refusal). Mirrors the volatile variables of specs/Vsr.tla by way of the machine's context. Performs no
 * effect: replica.ts does, and says here why it halted.
 */
import type { AnyMachineSnapshot } from 'xstate';
import { evaluateWithEvidence } from '../../machines/evidence.ts';
import { type RuleId, refusals } from '../../machines/stepper.ts';
import { type Effect, enabledRow, type Row, type Table, tableOf, take } from '../../machines/table.ts';
import type { VsrMachine } from '../../machines/vsr.ts';
import type { VsrContext, VsrEvent } from '../../machines/vsr-context.ts';
import { assert } from '../ports/assert.ts';
import type { SpecMessage } from './replica-messages.ts';
import type { Refusal, ReplicaRecord, ReplicaStatus } from './replica-port.ts';

interface Refused {
  readonly event: VsrEvent;
  readonly from: number | undefined;
  readonly snapshot: AnyMachineSnapshot;
}

export class ReplicaMachine {
  readonly machine: VsrMachine;
  readonly #table: Table;
  onEvent: ((record: ReplicaRecord) => void) | undefined = undefined;
  /** Code and sentence of what halted the replica. */
  haltedBy: string | undefined = undefined;
  #snapshot: AnyMachineSnapshot;
  /** Of the snapshot. Kept beside it: a private getter is a call of V8's runtime, and this is asked at every turn. */
  #context: VsrContext;
  #eventsTaken = 0;
  /** Asked for its reasons only when somebody wants them: a snapshot never changes. */
  #lastRefused: Refused | undefined = undefined;

  constructor(machine: VsrMachine, snapshot: AnyMachineSnapshot) {
    const table = tableOf(machine);
    assert(table !== undefined, 'the machine of a replica, a broken one too, is a table');
    this.machine = machine;
    this.#table = table;
    this.#snapshot = snapshot;
    this.#context = snapshot.context as VsrContext;
  }

  /** Goes on apart from here. Nobody listens to it. */
  fork(): ReplicaMachine {
    const twin = new ReplicaMachine(this.machine, this.#snapshot);
    twin.haltedBy = this.haltedBy;
    twin.#eventsTaken = this.#eventsTaken;
    twin.#lastRefused = this.#lastRefused;
    return twin;
  }

  get snapshot(): AnyMachineSnapshot {
    return this.#snapshot;
  }

  get context(): VsrContext {
    return this.#context;
  }

  get status(): ReplicaStatus {
    return this.haltedBy === undefined ? (this.#snapshot.value as ReplicaStatus) : 'halted';
  }

  get eventsTaken(): number {
    return this.#eventsTaken;
  }

  get lastRefusal(): Refusal | undefined {
    if (this.#lastRefused === undefined) return undefined;
    const { event, from, snapshot } = this.#lastRefused;
    return { type: event.type, from, refusedBy: refusals(this.machine, snapshot, event) };
  }

  isEnabled(event: VsrEvent): boolean {
    return this.enabledRow(event) !== undefined;
  }

  /** What would take this event now, for advance(). */
  enabledRow(event: VsrEvent): Row | undefined {
    return enabledRow(this.#table, this.#snapshot, event);
  }

  /** Takes an event by its enabled row. @returns what the table wants done now, in its order; then record() it */
  advance(row: Row, event: VsrEvent): readonly Effect[] {
    const [next, effects] = take(this.#table, row, this.#snapshot, event);
    this.#snapshot = next;
    this.#context = next.context as VsrContext;
    this.#eventsTaken++;
    return effects;
  }

  /** Notes an event that is not enabled. */
  refuse(event: VsrEvent, message: SpecMessage | undefined): void {
    this.#lastRefused = { event, from: message?.from, snapshot: this.#snapshot };
    this.record(event, message, this.#snapshot, false);
  }

  refusals(event: VsrEvent): readonly RuleId[] {
    return refusals(this.machine, this.#snapshot, event);
  }

  /** @param before where the event found the machine */
  record(event: VsrEvent, message: SpecMessage | undefined, before: AnyMachineSnapshot, taken: boolean): void {
    if (this.onEvent === undefined) return;
    const { view, op, commit } = this.#context;
    this.onEvent({
      type: event.type,
      taken,
      statusBefore: String(before.value) as ReplicaStatus,
      statusAfter: this.status,
      from: message?.from,
      message: 'message' in event ? event.message : undefined,
      view,
      op,
      commit,
      guards: () => evaluateWithEvidence(this.machine, before, event),
    });
  }
}
