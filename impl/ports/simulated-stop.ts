/**
 * The end of a process or of the power in the middle of what it does to its disk: thrown through everything. Not a
 * LockstepError on purpose: no code of ours may take it for an error of the disk, translate it or go on after it.
 * Mirrors no spec module.
 */

export type MutatingOperation =
  | 'write'
  | 'sync'
  | 'preallocate'
  | 'truncate'
  | 'create'
  | 'make-directory'
  | 'rename'
  | 'remove'
  | 'sync-directory';

export class SimulatedStop extends Error {
  /** What the world was asked to do, in its own words. */
  readonly why: string;
  readonly operation: MutatingOperation;
  readonly path: string;

  constructor(why: string, operation: MutatingOperation, path: string) {
    // Every stop is expected, and nobody reads its stack: to walk it takes V8 as long as three appends to a log.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(`${why}: the world stopped this process at ${operation} of ${path}`);
    Error.stackTraceLimit = stackTraceLimit;
    this.name = 'SimulatedStop';
    this.why = why;
    this.operation = operation;
    this.path = path;
  }
}
