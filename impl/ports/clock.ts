/** The Clock port. Nothing else reads time or sets a timer. Real: real-clock.ts; simulated: simulated-clock.ts. */
export interface Clock {
  /** Milliseconds since the epoch, wall clock: for timestamps only, never for a decision. */
  wallMs(): number;
  /** Milliseconds, monotonic, origin arbitrary: for durations. */
  monotonicMs(): number;
  /** Calls onTick every periodMs until the returned stop is called. */
  startTicks(periodMs: number, onTick: () => void): () => void;
  /** Calls back once after delayMs unless cancelled by the returned function. */
  after(delayMs: number, callback: () => void): () => void;
}
