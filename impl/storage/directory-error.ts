/** Why a data directory cannot be made or used, each with a stable code and its evidence as data. Mirrors no spec module. */
import { LockstepError } from '../ports/lockstep-error.ts';

export type DirectoryErrorCode =
  | 'DIRECTORY_NOT_FOUND'
  | 'DIRECTORY_NOT_A_DIRECTORY'
  | 'DIRECTORY_UNFORMATTED' // no superblock in it
  | 'DIRECTORY_FORMATTED' // format finds a superblock
  | 'DIRECTORY_NOT_EMPTY' // format finds files that are not its own
  | 'DIRECTORY_BAD_IDENTITY' // a cluster, replica or replicaCount that cannot be
  | 'DIRECTORY_FOREIGN_CLUSTER'
  | 'DIRECTORY_WRONG_REPLICA'
  | 'DIRECTORY_WRONG_REPLICA_COUNT'
  | 'DIRECTORY_NEWER_VERSION'
  | 'DIRECTORY_IN_USE' // a live process has it
  | 'DIRECTORY_NO_PERMISSION'
  | 'DIRECTORY_DISK_FULL'
  | 'DIRECTORY_SUPERBLOCK_DAMAGED' // no copy is whole, or copies contradict each other
  | 'DIRECTORY_LOG_MISSING'
  | 'DIRECTORY_LOG_DAMAGED' // nothing was cut
  | 'DIRECTORY_IO';

/** evidence: directory, file, expected and actual, as far as they apply. The cause is the error of the layer below. */
export class DirectoryError extends LockstepError<DirectoryErrorCode> {}
