/** Ways to break the superblock's code on purpose, for the conformance engine: each must be found. Mirrors no spec module. */
export type SuperblockFaultName =
  | 'first-whole-copy' // takes the first whole copy for the state, and asks no other
  | 'checksum-not-checked' // believes a copy whose checksum fails
  | 'one-phase' // writes all four copies at once
  | 'second-half-not-written' // shows a state that two copies hold
  | 'repair-everything' // writes over the copies that it repairs from
  | 'parent-not-linked' // a new state does not carry the hash of the one before
  | 'sync-skipped' // shows a state before it is durable
  | 'sync-again' // repeats a sync that failed, and believes the second answer
  | 'short-write-ignored'; // takes a write that was cut short for a whole one
