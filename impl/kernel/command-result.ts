/** What became of a command, as it travels to whoever asked. Mirrors no spec module. */
import type { Refused } from './rules.ts';

/** What a request of a session may get, and a retry gets again. */
export type FirstResult =
  | { readonly kind: 'StreamCreated' }
  /** nextOffset: how many events it had. */
  | { readonly kind: 'StreamDeleted'; readonly nextOffset: number }
  | Appended
  | Refused;

/** Results are JSON: they travel between replicas. */
export type CommandResult =
  | FirstResult
  | Repeated
  | { readonly kind: 'SessionRegistered'; readonly clientId: number }
  | { readonly kind: 'BarrierPassed' };

/** The request of the session was executed by an earlier op; nothing was done now. */
export interface Repeated {
  readonly kind: 'Repeated';
  readonly commitId: number;
  readonly result: FirstResult;
}

export interface Appended {
  readonly kind: 'Appended';
  readonly firstOffset: number;
  readonly count: number;
  /** The op that holds the events: an earlier one when this append was repeated. */
  readonly commitId: number;
  /** The key had this answer already; nothing was appended now. */
  readonly repeated: boolean;
}
