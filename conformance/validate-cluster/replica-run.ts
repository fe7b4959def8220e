/**
 * One replica's run out of its recording, and the machine asked what a step would be: the state before a step, its log as
 * hashes (the recording has only the ends), and the state after an event of which nothing was recorded.
 */
import type { RecordedState } from '../../impl/server/recorder.ts';
import { advance, type RuleId, refusals } from '../../machines/stepper.ts';
import { vsrMachine } from '../../machines/vsr.ts';
import type { MessageFacts, VsrEvent } from '../../machines/vsr-context.ts';

/** One step of one replica. */
export interface ReplicaStep {
  /** Action of specs/Vsr.tla. */
  readonly action: string;
  readonly replica: number;
  readonly message?: MessageFacts | undefined;
  readonly after: RecordedState;
  /** `replica-1.jsonl, line 34`, or what it was inferred from. */
  readonly at: string;
}

/** Hashes of the entries of a log, op 1 first. */
export interface LogHashes {
  readonly log: readonly string[];
  readonly durable: readonly string[];
}

export const EMPTY_LOG: LogHashes = { log: [], durable: [] };

const FSYNCS: ReadonlySet<string> = new Set(['BackupFsync', 'PrimaryFsync', 'ViewChangeFsync']);

/** The log after a step, by its ends: what a record says of them is believed here and held against the spec by TLC. */
export function logAfter({ log, durable }: LogHashes, { action, after }: ReplicaStep): LogHashes {
  if (action === 'Crash') return { log: durable.slice(0, after.op), durable: durable.slice(0, after.op) };
  if (FSYNCS.has(action)) return { log, durable: log };
  if (action === 'ReceiveMissingEntry' || action === 'ClientRequest' || action === 'ReceivePrepare')
    return { log: [...log.slice(0, Math.max(0, after.op - 1)), after.headHash], durable };
  if (after.op < log.length) return { log: log.slice(0, after.op), durable };
  return { log, durable };
}

export function hashAt({ log }: LogHashes, op: number): string | undefined {
  return op === 0 ? '0'.repeat(64) : log[op - 1];
}

/** The event of an action with the facts that its guards ask of the log. */
export function eventOf(
  { action, message, after }: Pick<ReplicaStep, 'action' | 'message'> & { readonly after?: RecordedState },
  before: RecordedState,
  hashes: LogHashes,
): VsrEvent {
  if (action === 'ClientRequest') return { type: action, hash: after?.headHash ?? '' };
  if (action === 'RequestEntry' || action === 'AdoptLog')
    return { type: action, hashAtTarget: hashAt(hashes, before.target.op) };
  if (message === undefined) return { type: action } as VsrEvent;
  return { type: action, message, hashAtOp: hashAt(hashes, message.op ?? 0) } as VsrEvent;
}

/** Rules of the machine that refuse the event in this state. */
export function refusedBy(replica: number, before: RecordedState, event: VsrEvent): readonly RuleId[] {
  return refusals(vsrMachine, snapshotOf(replica, before), event);
}

/** The state after the event; undefined when the machine refuses it. */
export function stateAfter(replica: number, before: RecordedState, event: VsrEvent): RecordedState | undefined {
  const snapshot = snapshotOf(replica, before);
  if (refusals(vsrMachine, snapshot, event).length > 0) return undefined;
  const [next] = advance(vsrMachine, snapshot, event as never);
  const { replica: _replica, replicaCount: _count, pipelineMax: _max, ...state } = next.context;
  return { ...state, status: String(next.value) } as RecordedState;
}

function snapshotOf(replica: number, { status, ...state }: RecordedState): ReturnType<typeof vsrMachine.resolveState> {
  // The bound of the pipeline is a constant of the cfg: the spec holds a recorded request against it.
  const context = { ...state, replica, replicaCount: state.acked.length, pipelineMax: Number.MAX_SAFE_INTEGER };
  return vsrMachine.resolveState({ value: status as 'normal', context });
}
