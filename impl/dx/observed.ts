/**
 * The envelope of every DX answer, and the id of what was observed. Equal ids mean equal bytes: nothing in an answer changes
 * while its id stays. So clocks, counters of frames and waiting times are not shown here; /metrics has them.
 */
import type { ExplainedReplica } from '../../machines/explanation.ts';
import { hashText } from '../crypto/hash.ts';
import { LockstepError } from '../ports/lockstep-error.ts';
import type { DxSource, LiveMachine } from '../server/dx-source.ts';
import { plain, snapshotId } from './canonical.ts';

const API_VERSION = '1';
/** The machine of the replica, by the name that it has everywhere. */
export const REPLICA_MACHINE = 'Vsr';

export interface Envelope {
  readonly api_version: string;
  readonly observed_at: { readonly snapshot_id: string; readonly commit_id: number };
  readonly data: unknown;
  readonly notes: readonly string[];
}

/** @param part what else this answer shows, such as the end of the history */
export function envelope(source: DxSource, data: unknown, notes: readonly string[] = [], part?: unknown): Envelope {
  const { replica } = source;
  const machines = source.machines().map(({ name, snapshot }) => [name, snapshot.value, snapshot.context]);
  const observed = [
    machines,
    replica.status,
    replica.statusReason,
    source.kernel(),
    source.peers().map(({ connected }) => connected),
    part,
  ];
  return {
    api_version: API_VERSION,
    observed_at: { snapshot_id: snapshotId(observed), commit_id: replica.commit },
    data: plain(data),
    notes,
  };
}

/** The replica of this process as explanations take it. */
export function explainedReplica(source: DxSource, machine: LiveMachine): ExplainedReplica {
  const { replica } = source;
  return {
    machine: machine.machine,
    snapshot: replica.snapshot,
    haltedBy: replica.status === 'halted' ? (replica.statusReason ?? 'no reason recorded') : undefined,
    entryAt: (op) => {
      const entry = readable(() => source.prepareAt(op));
      return entry && { op, view: entry.view, hash: hashText(entry.hash), parent: hashText(entry.parent) };
    },
  };
}

/** Undefined for what the disk does not give any more: a halted replica still explains the rest. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof LockstepError) return undefined;
    throw cause;
  }
}

/** What this process alone sees: connections. Not part of the spec, so not part of an explanation. */
export function connectionNotes({ peers, identity }: DxSource): string[] {
  return peers().flatMap(({ replica, address, connected }) =>
    replica === identity.replica || connected ? [] : [`no connection to replica ${replica} at ${address}`],
  );
}
