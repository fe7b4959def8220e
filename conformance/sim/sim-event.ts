/**
 * What happens in a simulated run, one record a step, for the timeline, the diagram, bundles and coverage. Made only when
 * somebody listens: a run is deterministic, so whoever wants its events runs it again with a listener. Mirrors no spec module.
 */
import type { RecordedState } from '../../impl/server/recorder.ts';
import type { GuardEvidence } from '../../machines/evidence.ts';
import type { MessageFacts } from '../../machines/vsr-context.ts';
import type { Fault, FaultKind } from './plan.ts';

interface At {
  /** Number of the step, from 1: what bisect and the timeline count. */
  readonly step: number;
  /** Virtual microseconds. */
  readonly atUs: number;
}

export type SimEvent = At &
  (
    | {
        readonly kind: 'send';
        readonly frame: number;
        readonly from: number;
        readonly to: number;
        readonly message: string;
        readonly facts: MessageFacts | undefined;
      }
    /** The frame reaches the replica; its machine events follow in the same step. */
    | {
        readonly kind: 'deliver';
        readonly frame: number;
        readonly from: number;
        readonly to: number;
        readonly message: string;
      }
    /** why: the kind of fault, or that the receiver is down. */
    | {
        readonly kind: 'drop';
        readonly frame: number;
        readonly from: number;
        readonly to: number;
        readonly message: string;
        readonly why: FaultKind | 'down' | 'reset';
      }
    /** An event was put to the replica's machine. */
    | {
        readonly kind: 'machine';
        readonly replica: number;
        /** Action of specs/Vsr.tla. */
        readonly type: string;
        readonly taken: boolean;
        readonly message: MessageFacts | undefined;
        readonly guards: readonly GuardEvidence[];
        /** After the event. */
        readonly state: RecordedState;
      }
    | { readonly kind: 'down'; readonly replica: number; readonly why: FaultKind | 'halted'; readonly reason?: string }
    /** The replica is opened again; state as it begins. */
    | { readonly kind: 'up'; readonly replica: number; readonly state: RecordedState }
    | { readonly kind: 'fault'; readonly fault: Fault; readonly untilUs: number }
    | { readonly kind: 'fault-end'; readonly fault: Fault }
    | {
        readonly kind: 'call';
        readonly client: number;
        readonly operation: number;
        readonly replica: number;
        readonly what: string;
      }
    | { readonly kind: 'return'; readonly client: number; readonly operation: number; readonly outcome: string }
    | { readonly kind: 'client-crash'; readonly client: number }
    | {
        readonly kind: 'commit';
        readonly replica: number;
        readonly op: number;
        readonly hash: string;
        readonly stateHash: string;
      }
    /** All faults have ended: from here everything must complete. */
    | { readonly kind: 'heal' }
    | { readonly kind: 'failure'; readonly oracle: string; readonly message: string }
  );

export type SimEventKind = SimEvent['kind'];

type WithoutPlace<Event> = Event extends unknown ? Omit<Event, 'step' | 'atUs'> : never;
/** As the world emits it: step and time are the world's to add. */
export type EmittedEvent = WithoutPlace<SimEvent>;
