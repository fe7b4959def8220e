/** What the mirror check says: spec, machine and driver do not show the same thing. One finding has one kind and one sentence. */

export type MirrorKind =
  | 'action-without-event'
  | 'event-without-action'
  | 'outside-machine'
  | 'event-in-wrong-status'
  | 'ambiguous-event'
  | 'event-without-effect'
  | 'guard-missing'
  | 'guard-extra'
  | 'guard-order'
  | 'guard-unused'
  | 'guard-anonymous'
  | 'status-without-node'
  | 'node-without-status'
  | 'hidden-transition'
  | 'invariant-without-predicate'
  | 'predicate-without-invariant'
  | 'constant-restated';

export interface MirrorFinding {
  readonly kind: MirrorKind;
  /** What, where on both sides, what to do. */
  readonly message: string;
  readonly action?: string;
}

export interface MirrorResult {
  /** What was found on both sides. */
  readonly actions: number;
  readonly guards: number;
  readonly invariants: number;
  /** Actions that the component names as outside its machine, with the reason. */
  readonly outside: Readonly<Record<string, string>>;
  readonly findings: readonly MirrorFinding[];
}
