/**
 * Writes what one replica does, step by step, for conformance/validate-cluster to hold against specs/Vsr.tla: one JSON line
 * an event that its machine took, with the message that it took and the whole context after it. Mirrors no spec module.
 * Each line is one write to the file, never synced: it survives a kill -9, not a loss of power. Costs a write an event, so
 * it is for checks, not for production.
 */
import type { MessageFacts, VsrContext } from '../../machines/vsr-context.ts';
import type { Disk, DiskFile } from '../ports/disk.ts';
import type { ReplicaPort, ReplicaRecord } from '../vsr/replica-port.ts';

export const RECORDING_VERSION = 1;

export function recordingFile(directory: string, replica: number): string {
  return `${directory}/replica-${replica}.jsonl`;
}

/** The context without what never changes in a process. */
export type RecordedState = Omit<VsrContext, 'replica' | 'replicaCount' | 'pipelineMax'> & { readonly status: string };

/** First line of every process. */
export interface OpenLine {
  readonly kind: 'open';
  readonly version: number;
  /** Decimal. */
  readonly cluster: string;
  readonly replica: number;
  readonly replicaCount: number;
  readonly state: RecordedState;
}

/** One event that was taken. */
export interface StepLine {
  readonly kind: 'step';
  /** Action of specs/Vsr.tla. */
  readonly type: string;
  readonly message?: MessageFacts | undefined;
  readonly state: RecordedState;
}

export type RecordLine = OpenLine | StepLine;

type Recorded = Pick<ReplicaPort, 'replica' | 'replicaCount' | 'cluster' | 'status' | 'snapshot'>;

export class Recorder {
  readonly #replica: Recorded;
  readonly #file: DiskFile;
  #position: number;

  private constructor(replica: Recorded, file: DiskFile) {
    this.#replica = replica;
    this.#file = file;
    this.#position = file.sizeBytes;
  }

  /**
   * Right after the replica was opened, before its first tick. Give every record of onEvent to note().
   * @param directory exists; one file a replica in it, and that of an earlier process of the same replica is continued
   */
  static open(disk: Disk, directory: string, replica: Recorded): Recorder {
    const path = recordingFile(directory, replica.replica);
    const recorder = new Recorder(replica, disk.open(path, disk.exists(path) ? 'existing' : 'create'));
    const { cluster, replica: index, replicaCount } = replica;
    recorder.#write({
      kind: 'open',
      version: RECORDING_VERSION,
      cluster: cluster.toString(),
      replica: index,
      replicaCount,
      state: stateOf(replica),
    });
    return recorder;
  }

  note({ taken, type, message }: ReplicaRecord): void {
    if (taken) this.#write({ kind: 'step', type, message, state: stateOf(this.#replica) });
  }

  close(): void {
    this.#file.close();
  }

  #write(line: RecordLine): void {
    const bytes = new TextEncoder().encode(`${JSON.stringify(line)}\n`);
    this.#position += this.#file.write(this.#position, [bytes]);
  }
}

function stateOf({ status, snapshot }: Recorded): RecordedState {
  const { replica: _replica, replicaCount: _count, pipelineMax: _max, ...state } = snapshot.context as VsrContext;
  return { status, ...state };
}
