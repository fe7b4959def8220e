/** One replica of fake-run.ts: the machine of specs/Vsr.tla with its log as a list of hashes. For tests of the timeline. */
import type { SimEvent } from '../../../../conformance/sim/sim-event.ts';
import type { RecordedState } from '../../../../impl/server/recorder.ts';
import { PIPELINE_OPS_MAX } from '../../../../impl/vsr/limits.ts';
import { ACTIONS_OF } from '../../../../impl/vsr/replica-messages.ts';
import { evaluateWithEvidence } from '../../../../machines/evidence.ts';
import type { ExplainedReplica } from '../../../../machines/explanation.ts';
import { primaryOf } from '../../../../machines/quorum.ts';
import { advance, type Effect, refusals } from '../../../../machines/stepper.ts';
import { firstStart, restarted, vsrMachine } from '../../../../machines/vsr.ts';
import {
  INTERNAL_ACTIONS,
  type MessageFacts,
  NO_ENTRY_HASH,
  type VsrContext,
  type VsrEvent,
} from '../../../../machines/vsr-context.ts';

/** The replica as it was in a recorded state, for what explains itself. */
export const liveReplicas = new WeakMap<RecordedState, ExplainedReplica>();

export interface FakeMessage {
  readonly type: keyof typeof ACTIONS_OF;
  readonly facts: MessageFacts;
}

type MachineRecord = Omit<Extract<SimEvent, { kind: 'machine' }>, 'kind' | 'step' | 'atUs' | 'replica'>;
type Event = { readonly type: string; readonly [fact: string]: unknown };

interface Outcome {
  readonly records: MachineRecord[];
  readonly sent: { readonly to: number; readonly message: FakeMessage }[];
  taken: boolean;
}

export class FakeReplica {
  readonly replica: number;
  readonly #replicaCount: number;
  #snapshot: ReturnType<typeof firstStart>;
  #log: { readonly hash: string; readonly parent: string }[] = [];
  isDown = false;
  /** When the primary was last heard of. */
  heardUs = 0;

  constructor(replica: number, replicaCount: number) {
    this.replica = replica;
    this.#replicaCount = replicaCount;
    const durable = { view: 0, logView: 0, commit: 0, op: 0, headHash: NO_ENTRY_HASH };
    this.#snapshot = firstStart(vsrMachine, { replica, replicaCount, pipelineMax: PIPELINE_OPS_MAX, durable });
  }

  get #context(): VsrContext {
    return this.#snapshot.context as VsrContext;
  }

  get status(): string {
    return String(this.#snapshot.value);
  }

  get view(): number {
    return this.#context.view;
  }

  get commit(): number {
    return this.#context.commit;
  }

  get isPrimary(): boolean {
    return this.status === 'normal' && primaryOf(this.view, this.#replicaCount) === this.replica;
  }

  get needsSync(): boolean {
    return this.#context.headHash !== this.#context.headHashDurable;
  }

  get state(): RecordedState {
    const { replica: _replica, replicaCount: _count, pipelineMax: _max, ...state } = this.#context;
    return { status: this.status, ...state };
  }

  /** The state, with the replica behind it kept in liveReplicas. */
  #recorded(): RecordedState {
    const state = this.state;
    const log = this.#log.slice();
    const hashAt = (op: number): string => log[op - 1]?.hash ?? NO_ENTRY_HASH;
    liveReplicas.set(state, {
      machine: vsrMachine,
      snapshot: this.#snapshot,
      haltedBy: undefined,
      entryAt: (op) => (op > log.length ? undefined : { op, view: 0, hash: hashAt(op), parent: hashAt(op - 1) }),
    });
    return state;
  }

  /** What a crash leaves, opened again. */
  reopen(): void {
    const { replica, replicaCount, pipelineMax } = this.#context;
    const { viewDurable: view, logViewDurable: logView, commitDurable: commit, opDurable: op } = this.#context;
    this.#log.length = op;
    const durable = { view, logView, commit, op, headHash: this.hashAt(op) ?? NO_ENTRY_HASH };
    this.#snapshot = restarted(vsrMachine, { replica, replicaCount, pipelineMax, durable });
    this.isDown = false;
  }

  hashAt(op: number): string | undefined {
    return op === 0 ? NO_ENTRY_HASH : this.#log[op - 1]?.hash;
  }

  targetEvent(type: 'RequestEntry' | 'AdoptLog'): Event {
    return { type, hashAtTarget: this.hashAt(this.#context.target.op) };
  }

  /** What a primary sends again at its tick. */
  uncommitted(): Outcome['sent'] {
    const { replica: from, view, op: head, acked } = this.#context;
    return acked.flatMap((held, to) => {
      const entry = this.#log[held];
      if (to === from || held >= head || entry === undefined) return [];
      return [{ to, message: { type: 'Prepare', facts: { from, view, op: held + 1, ...entry } } as const }];
    });
  }

  /** Every event that may take this message: at most one of them does. */
  eventsOf({ type, facts }: FakeMessage): readonly Event[] {
    const hashAtOp = facts.op === undefined ? undefined : this.hashAt(facts.op);
    return ACTIONS_OF[type].map((action) => ({ type: action, message: facts, hashAtOp }));
  }

  put(event: Event): Outcome {
    const outcome: Outcome = { records: [], sent: [], taken: false };
    outcome.taken = this.#take(event, outcome);
    for (let again = outcome.taken || event.type === 'Crash'; again; )
      again = INTERNAL_ACTIONS.some((type) => {
        const internal = type === 'AdoptLog' ? this.targetEvent(type) : { type };
        return refusals(vsrMachine, this.#snapshot, internal).length === 0 && this.#take(internal, outcome);
      });
    return outcome;
  }

  #take(event: Event, outcome: Outcome): boolean {
    if (event.type === 'Crash') return false;
    const taken = refusals(vsrMachine, this.#snapshot, event).length === 0;
    const guards = evaluateWithEvidence(vsrMachine, this.#snapshot as never, event);
    const message = event.message as MessageFacts | undefined;
    if (taken) {
      const [next, effects] = advance(vsrMachine, this.#snapshot, event as unknown as VsrEvent);
      const parent = this.#context.headHash;
      this.#snapshot = next;
      for (const effect of effects) this.#perform(effect, parent, message, outcome);
    }
    outcome.records.push({ type: event.type, taken, message, guards, state: this.#recorded() });
    return taken;
  }

  #perform({ type }: Effect, parent: string, asked: MessageFacts | undefined, { sent }: Outcome): void {
    const { replica: from, view, op, commit, headHash: hash, logView, target } = this.#context;
    const primary = primaryOf(view, this.#replicaCount);
    const send = (to: number, name: FakeMessage['type'], facts: Omit<MessageFacts, 'from' | 'view'>): void => {
      if (to !== from) sent.push({ to, message: { type: name, facts: { from, view, ...facts } } });
    };
    const toAll = (name: FakeMessage['type'], facts: Omit<MessageFacts, 'from' | 'view'>): void => {
      for (let to = 0; to < this.#replicaCount; to++) send(to, name, facts);
    };
    if (type === 'writeOwnEntry') this.#log.push({ hash, parent });
    if (type === 'writeEntry') {
      this.#log.length = op - 1;
      this.#log.push({ hash, parent: asked?.parent ?? parent });
    }
    if (type === 'cutLog') this.#log.length = op;
    if (type === 'sendPrepare') toAll('Prepare', { op, hash, parent });
    if (type === 'sendPrepareOk') send(primary, 'PrepareOk', { op });
    if (type === 'sendCommit') toAll('Commit', { commit });
    if (type === 'sendStartViewChange') toAll('StartViewChange', {});
    if (type === 'sendDoViewChange') send(primary, 'DoViewChange', { logView, op, hash, commit });
    if (type === 'sendStartView') toAll('StartView', { op, hash });
    if (type === 'sendRequestEntry') send(target.from, 'RequestEntry', { to: target.from, op: target.next });
    if (type === 'sendEntry' && asked?.op !== undefined) {
      const entry = this.#log[asked.op - 1];
      if (entry !== undefined) send(asked.from, 'Entry', { to: asked.from, op: asked.op, ...entry });
    }
  }
}
