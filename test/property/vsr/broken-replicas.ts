/** Replicas that leave out one effect or one rule: what a test of clusters must notice. */
import { vsrMachine } from '../../../machines/vsr.ts';
import type { vsrGuards } from '../../../machines/vsr-guards.ts';
import type { NodeOptions } from './cluster-node.ts';

const without = (guard: keyof typeof vsrGuards): NodeOptions => ({
  machine: vsrMachine.provide({ guards: { [guard]: () => true } } as never) as typeof vsrMachine,
});
const leavingOut = (...effects: readonly string[]): NodeOptions => ({ faults: new Set(effects) });

export const CANARIES: readonly (readonly [string, NodeOptions])[] = [
  ['an acknowledgement that is not durable', leavingOut('BackupFsync.syncLog')],
  ['a commit that the primary has not on disk', leavingOut('PrimaryFsync.syncLog')],
  ['a vote whose view is not durable', leavingOut('PersistView.writeSuperblock')],
  ['a view that is entered before it is durable', leavingOut('EnterView.writeSuperblock')],
  ['a suffix that is not cut', leavingOut('AdoptLog.cutLog')],
  ['a commit that is never said', leavingOut('SendCommit.sendCommit')],
  ['an entry that is never given', leavingOut('ReceiveRequestEntry.sendEntry')],
  ['a committed op that is not handed to the kernel', leavingOut('ReceiveCommit.deliverCommitted')],
  ['a primary that takes prepares as a backup does', without('IsBackup')],
  ['a message of an older view', without('SameView')],
  ['a view that begins before its log is there', without('LogAdopted')],
  ['a log that is taken without a target', without('HasTarget')],
  ['a replica that left in a view change and comes back as if not', without('LeftNormally')],
];
