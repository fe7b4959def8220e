/**
 * Those who wait until this replica has applied an op: a read that the primary has told its commit number, or one that asks
 * for an op that its client has seen. Mirrors no spec module.
 */
interface Waiter {
  readonly op: number;
  /** On the monotonic clock. */
  readonly deadlineMs: number;
  readonly reached: () => void;
  readonly expired: () => void;
}

export class CommitWaiters {
  #waiters: Waiter[] = [];

  get count(): number {
    return this.#waiters.length;
  }

  add(waiter: Waiter): void {
    this.#waiters.push(waiter);
  }

  /** Everything up to this op is applied. */
  applied(commit: number): void {
    if (this.#waiters.length === 0) return;
    const reached = this.#waiters.filter((waiter) => waiter.op <= commit);
    if (reached.length === 0) return;
    this.#waiters = this.#waiters.filter((waiter) => waiter.op > commit);
    for (const waiter of reached) waiter.reached();
  }

  /** Ends those whose deadline is over. */
  review(nowMs: number): void {
    if (this.#waiters.length === 0) return;
    const expired = this.#waiters.filter((waiter) => waiter.deadlineMs <= nowMs);
    if (expired.length === 0) return;
    this.#waiters = this.#waiters.filter((waiter) => waiter.deadlineMs > nowMs);
    for (const waiter of expired) waiter.expired();
  }

  /** Nothing will be applied any more. */
  close(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.expired();
  }
}
