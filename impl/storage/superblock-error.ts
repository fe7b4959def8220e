/** What can go wrong with a superblock, each with a stable code and its evidence as data. Mirrors no spec module. */
import { LockstepError } from '../ports/lockstep-error.ts';

export type SuperblockErrorCode =
  | 'SUPERBLOCK_UNREADABLE' // no copy passes its checksum
  | 'SUPERBLOCK_CONTRADICTED' // whole copies of two histories, or of two replicas
  | 'SUPERBLOCK_NEWER_VERSION' // written by a later format version; nothing is touched
  | 'SUPERBLOCK_REFUSED' // a rule of specs/Superblock.tla refuses the event; evidence.refusedBy names it
  | 'SUPERBLOCK_BAD_VALUE' // a number that is no whole number from 0 to 2^53-1
  | 'SUPERBLOCK_IO' // the disk refused a read or a write, or took less than it was given
  | 'SUPERBLOCK_SYNC_FAILED'; // what is on the medium is unknown: open again, never sync again

/** evidence: file, copy, position in the file, expected and actual, as far as they apply. */
export class SuperblockError extends LockstepError<SuperblockErrorCode> {}
