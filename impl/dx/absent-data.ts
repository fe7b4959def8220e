/**
 * What the DX API says of parts that have no component yet: the little that is known, and in notes the name of what is
 * missing. Nothing is made up to fill a form. Mirrors no spec module.
 */
import type { SuperblockContext } from '../../machines/superblock.ts';
import type { DxSource } from '../server/dx-source.ts';

export interface Partial {
  readonly data: unknown;
  readonly notes: readonly string[];
}

export function mvccData(source: DxSource): Partial {
  const { commit, stateHash, streams } = source.kernel();
  return {
    data: { versions: [{ commit_id: commit, state_hash: stateHash, streams }] },
    notes: ['there is no component Mvcc yet: only the newest applied state can be read'],
  };
}

export function snapshotsData(): Partial {
  return {
    data: { snapshots: [] },
    notes: [
      'there is no component StateTransfer yet: no snapshot is made, and a replica that starts applies its log from op 1',
    ],
  };
}

export function checkpointsData(source: DxSource): Partial {
  const superblock = source.machines().find(({ name }) => name === 'Superblock');
  const context = superblock?.snapshot.context as SuperblockContext | undefined;
  const notes = ['there is no component Checkpoint yet: nothing is signed'];
  if (context?.state === undefined) notes.push('no superblock is open here: what is durably committed is not known');
  return { data: { checkpoints: [], durable_commit: context?.state?.commit ?? 0 }, notes };
}

export function indexesData({ replica, kernel }: DxSource): Partial {
  return {
    data: {
      indexes: [
        {
          name: 'prepares',
          finds: 'the place of an op in the log file',
          entries: replica.op,
          durable: false,
          code: 'impl/vsr/prepare-index.ts',
        },
        {
          name: 'runs',
          finds: 'the op and command of an offset in a stream; entries are streams',
          entries: kernel().streams,
          durable: false,
          code: 'impl/kernel/run-list.ts',
        },
      ],
    },
    notes: ['there is no component Segments yet: both are in memory and made anew from the log at start'],
  };
}
