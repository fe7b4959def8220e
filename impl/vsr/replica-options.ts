/** What a replica (replica.ts) is opened with, and why it may not open. Mirrors no spec module. */
import type { VsrMachine } from '../../machines/vsr.ts';
import type { VsrInput } from '../../machines/vsr-context.ts';
import { hashText } from '../crypto/hash.ts';
import type { Clock } from '../ports/clock.ts';
import { LockstepError } from '../ports/lockstep-error.ts';
import type { Network } from '../ports/network.ts';
import type { Random } from '../ports/random.ts';
import { PIPELINE_OPS_MAX } from './limits.ts';
import type { Prepare } from './prepare.ts';
import type { ReplicaLog, ReplicaSuperblock } from './replica-effects.ts';

export interface ReplicaPorts {
  readonly superblock: ReplicaSuperblock;
  readonly log: ReplicaLog;
  readonly network: Network;
  readonly clock: Clock;
  readonly random: Random;
}

export interface ReplicaOptions extends ReplicaPorts {
  /** The first start after format: normal in view 0. Every later one restarts from the disk. */
  readonly firstStart: boolean;
  readonly onCommitted?: (prepare: Prepare) => void;
  readonly onRead?: (commit: number) => void;
  /** Most ops that a primary holds uncommitted; models have fewer. */
  readonly pipelineOpsMax?: number;
  /** Only the harness passes these: effects to leave out, as `Event.effect`, and a machine with broken rules. */
  readonly faults?: ReadonlySet<string>;
  readonly machine?: VsrMachine;
}

export type ReplicaErrorCode = 'REPLICA_LOG_SHORT';

/** What a replica cannot open. */
export class ReplicaError extends LockstepError<ReplicaErrorCode> {}

/**
 * What the machine starts from.
 * @throws ReplicaError REPLICA_LOG_SHORT when the log lacks what the superblock says is committed: it has lost entries
 */
export function inputOf({ superblock, log, pipelineOpsMax }: ReplicaOptions): VsrInput {
  const { replica, replicaCount, view, logView, commit } = superblock.state;
  if (log.op < commit) {
    throw new ReplicaError(
      'REPLICA_LOG_SHORT',
      `the log ends at op ${log.op}, and the superblock has op ${commit} as committed: entries are lost; run lockstep verify`,
      { op: log.op, commit },
    );
  }
  return {
    replica,
    replicaCount,
    pipelineMax: pipelineOpsMax ?? PIPELINE_OPS_MAX,
    durable: { view, logView, commit, op: log.op, headHash: hashText(log.headHash) },
  };
}
