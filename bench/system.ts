/** A replicated log that a benchmark can start on this machine, load and stop. One folder of fresh data a start. */
import type { LoadResult } from './load-result.ts';

export interface LoadOptions {
  readonly inFlight: number;
  /** Bytes of one entry. */
  readonly bytes: number;
  readonly warmSeconds: number;
  readonly seconds: number;
}

/** committed: what the replica that is asked has; etcd says serializable. */
export type Consistency = 'linearizable' | 'committed';

export interface RunningSystem {
  load(options: LoadOptions): Promise<LoadResult>;
  /** Reads of one entry, where they can be measured. */
  readonly reads?: Readonly<Record<Consistency, (options: LoadOptions) => Promise<LoadResult>>>;
  stop(): Promise<void>;
  /** Resident memory of each replica's process in bytes, where it can be read. */
  residentBytes?(): readonly number[];
}

export interface System {
  readonly name: string;
  /** Three replicas with their data below the folder. */
  start(folder: string): Promise<RunningSystem>;
}
