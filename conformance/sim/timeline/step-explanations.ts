/**
 * Why a replica is where it is after an event, or why it refused one, in the words of `lockstep explain` and of a replay: the
 * same functions over the recorded state. What the log holds is read off the heads that the replica went through, since a
 * recorded state names its head alone. Mirrors no spec module.
 */
import type { RecordedState } from '../../../impl/server/recorder.ts';
import { PIPELINE_OPS_MAX } from '../../../impl/vsr/limits.ts';
import {
  type AppliedRule,
  type EntryFacts,
  type ExplainedReplica,
  explanationText,
} from '../../../machines/explanation.ts';
import { vsrMachine } from '../../../machines/vsr.ts';
import { NO_ENTRY_HASH, type VsrContext } from '../../../machines/vsr-context.ts';
import type { Explain } from '../../component.ts';
import type { SimEvent } from '../sim-event.ts';

type MachineEvent = Extract<SimEvent, { kind: 'machine' }>;
export type Words = Pick<AppliedRule, 'rule_id' | 'description' | 'spec' | 'machine'>;

/** One replica's explanations, event by event in order. */
export class StepExplanations {
  readonly #explain: Explain;
  readonly #replica: number;
  readonly #replicaCount: number;
  readonly #heads = new Map<number, EntryFacts>();
  /** By event and status: what the spec says of each guard. */
  readonly #words: Map<string, ReadonlyMap<string, Words>>;
  #before: RecordedState | undefined;

  /** @param words shared by the replicas of a run */
  constructor(explain: Explain, replica: number, replicaCount: number, words: Map<string, ReadonlyMap<string, Words>>) {
    this.#explain = explain;
    this.#replica = replica;
    this.#replicaCount = replicaCount;
    this.#words = words;
  }

  /** The replica begins in this state. */
  opened(state: RecordedState): readonly string[] {
    this.#learn(state);
    return explanationText(this.#explain.explain('replica', this.#explained(state)));
  }

  /** Lines of the explanation after the event: of the state when it was taken, of the refusal when not. */
  after(event: MachineEvent): readonly string[] {
    const { step, type, taken, guards, message, state } = event;
    if (taken || this.#before === undefined) return this.opened(state);
    const words = this.wordsOf(event);
    const rules = guards.map(({ rule, guard, holds, facts, missing }): AppliedRule => {
      const said = words.get(guard) ?? { rule_id: rule, description: '' };
      return { ...said, evaluation: holds, evidence: facts, ...(missing.length > 0 ? { missing } : {}) };
    });
    const past = { sequence: step, event: type, from: message?.from, status: state.status, rules };
    return explanationText(this.#explain.explain('refusal', this.#explained(state), { past }));
  }

  /** What the spec says of each guard of the event, by name. */
  wordsOf({ type, state }: MachineEvent): ReadonlyMap<string, Words> {
    const status = this.#before?.status ?? state.status;
    const key = `${type} ${status}`;
    let words = this.#words.get(key);
    if (words === undefined) {
      const asked = this.#explain.explain('refusal', this.#explained(this.#before ?? state), { event: type });
      words = new Map(
        asked.rules_applied.map(({ rule_id, description, spec, machine }) => [
          rule_id.split('.').at(-1) ?? '',
          {
            rule_id,
            description,
            ...(spec === undefined ? {} : { spec }),
            ...(machine === undefined ? {} : { machine }),
          },
        ]),
      );
      this.#words.set(key, words);
    }
    return words;
  }

  #explained(state: RecordedState): ExplainedReplica {
    const { status, ...rest } = state;
    const who = { replica: this.#replica, replicaCount: this.#replicaCount, pipelineMax: PIPELINE_OPS_MAX };
    const context: VsrContext = { ...who, ...rest };
    const isHalted = !(status in vsrMachine.states);
    return {
      machine: vsrMachine,
      snapshot: isHalted ? { value: status, context } : vsrMachine.resolveState({ value: status, context } as never),
      haltedBy: isHalted ? status : undefined,
      entryAt: (op) => this.#heads.get(op),
    };
  }

  #learn(state: RecordedState): void {
    const { op, headHash, view } = state;
    for (let above = op + 1; this.#heads.delete(above); above++);
    if (op > 0 && this.#heads.get(op)?.hash !== headHash) {
      const parent = op === 1 ? NO_ENTRY_HASH : (this.#heads.get(op - 1)?.hash ?? '');
      this.#heads.set(op, { op, view, hash: headHash, parent });
    }
    this.#before = state;
  }
}
