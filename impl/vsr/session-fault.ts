/** Names of the ways in which the table of sessions can be broken on purpose: for mutants. Only the harness passes one. */
export type SessionFaultName =
  /** A retry is executed again, and gets that answer. */
  | 'answered-anew'
  /** A use does not move a session to the end of the order of eviction. */
  | 'use-not-noted'
  /** For a reply that does not fit a session stays and loses its replies. */
  | 'replies-forgotten'
  /** For a reply that does not fit the session may go that it belongs to. */
  | 'evict-own-session';
