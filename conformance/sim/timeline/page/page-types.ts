/** The form of what a page of a run is given (data.ts makes it). Plain JSON; mirrors no spec module. */
import type { RecordedState } from '../../../../impl/server/recorder.ts';
import type { SimEvent } from '../../sim-event.ts';
import type { FaultFamily } from '../fault-text.ts';

/** A guard's answer: words is an index of PageData.words. */
export interface PageGuard {
  readonly name: string;
  readonly holds: boolean;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly missing?: readonly string[];
  readonly words?: number;
}

export interface PageEvent {
  readonly step: number;
  readonly us: number;
  readonly kind: Exclude<SimEvent['kind'], 'send'> | 'undelivered';
  /** What a list of events shows, and what the filter searches beside the kind. */
  readonly text: string;
  /** Lane where it is; of a message the receiver's. */
  readonly replica?: number;
  /** Of a message: its sender, and when and in which step it was sent. */
  readonly from?: number;
  readonly sentUs?: number;
  readonly sentStep?: number;
  /** Why a message was lost. */
  readonly why?: string;
  readonly client?: number;
  /** Of a call: when it returned; of a fault: when it ends. */
  readonly untilUs?: number;
  readonly family?: FaultFamily;
  readonly taken?: boolean;
  readonly guards?: readonly PageGuard[];
  /** Fields of the recorded state that are other than in the replica's event before, or than at the beginning. */
  readonly changes?: Partial<RecordedState>;
  /** Lines of the explanation: indices of PageData.lines. */
  readonly lines?: readonly number[];
  /** Facts that the panel lists, in order. */
  readonly facts?: readonly (readonly [name: string, value: string])[];
}

/** A replica's lane in one view and status. */
export interface PageSpan {
  readonly replica: number;
  readonly fromUs: number;
  untilUs: number;
  readonly view: number;
  readonly status: string;
}

export interface PageFault {
  readonly event: number;
  readonly fromUs: number;
  untilUs: number;
  readonly text: string;
  readonly family: FaultFamily;
  readonly replicas: readonly number[];
  readonly links: readonly (readonly [from: number, to: number])[] | 'all';
  /** Row in the lane of faults. */
  readonly row: number;
}

export interface PageCall {
  readonly event: number;
  readonly client: number;
  readonly fromUs: number;
  untilUs: number;
  readonly text: string;
  outcome: string;
  readonly row: number;
}

export interface PageData {
  readonly replicaCount: number;
  /** State of every replica at the beginning. */
  readonly initial: RecordedState;
  readonly startUs: number;
  readonly endUs: number;
  readonly healUs: number | undefined;
  readonly failureEvent: number | undefined;
  readonly events: readonly PageEvent[];
  readonly spans: readonly PageSpan[];
  readonly faults: readonly PageFault[];
  readonly calls: readonly PageCall[];
  readonly lines: readonly string[];
  readonly words: readonly { readonly text: string; readonly places: readonly string[] }[];
  readonly isExplained: boolean;
}
