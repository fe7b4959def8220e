/**
 * A node of a simulated run as specs/Vsr.tla sees it after an event: what is volatile as the machine has it, what is durable as
 * superblock and log really have it, so that TLC judges what was done and not what was believed. Reads memory only: a look at
 * the disk could meet a fault, and whoever listens must not change the run.
 */
import { hashText } from '../../../impl/crypto/hash.ts';
import type { RecordedState } from '../../../impl/server/recorder.ts';
import type { Superblock } from '../../../impl/storage/superblock.ts';
import type { PrepareLog } from '../../../impl/vsr/prepare-log.ts';
import type { Replica } from '../../../impl/vsr/replica.ts';
import type { VsrContext } from '../../../machines/vsr-context.ts';

export interface RecordedNode {
  readonly replica: Pick<Replica, 'status' | 'snapshot'>;
  readonly log: Pick<PrepareLog, 'opDurable' | 'opShared' | 'hashAt'>;
  readonly superblock: Pick<Superblock, 'status' | 'state'>;
}

export function recordedState({ replica, log, superblock }: RecordedNode): RecordedState {
  const {
    replica: _replica,
    replicaCount: _count,
    pipelineMax: _max,
    ...state
  } = replica.snapshot.context as VsrContext;
  const { opDurable } = log;
  // Above opShared the durable entries are those that a discard left on the disk: the machine says which.
  const headHashDurable = opDurable <= log.opShared ? hashText(log.hashAt(opDurable)) : state.headHashDurable;
  const recorded = { status: replica.status, ...state, opDurable, headHashDurable };
  if (superblock.status !== 'open') return recorded;
  const { view: viewDurable, logView: logViewDurable, commit: commitDurable } = superblock.state;
  return { ...recorded, viewDurable, logViewDurable, commitDurable };
}
