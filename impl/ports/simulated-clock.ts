/**
 * The Clock port as a number that only advance() moves: timers run inside it, in the order of their due time, then of
 * their start. Deterministic; mirrors no spec module. A fork keeps the time and no timer: its owner starts its own.
 */
import { assert } from './assert.ts';
import type { Clock } from './clock.ts';

interface Timer {
  dueMs: number;
  readonly order: number;
  readonly periodMs: number | undefined;
  readonly callback: () => void;
}

export class SimulatedClock implements Clock {
  #nowMs: number;
  #started = 0;
  #timers: Timer[] = [];

  constructor(nowMs = 0) {
    this.#nowMs = nowMs;
  }

  fork(): SimulatedClock {
    return new SimulatedClock(this.#nowMs);
  }

  wallMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  startTicks(periodMs: number, onTick: () => void): () => void {
    assert(periodMs > 0, 'a period is positive');
    return this.#start(periodMs, periodMs, onTick);
  }

  after(delayMs: number, callback: () => void): () => void {
    assert(delayMs >= 0, 'a delay is not negative');
    return this.#start(delayMs, undefined, callback);
  }

  /** Runs every timer that falls due, one by one, with the clock at its due time. */
  advance(durationMs: number): void {
    const untilMs = this.#nowMs + durationMs;
    for (let next = this.#firstDue(untilMs); next !== undefined; next = this.#firstDue(untilMs)) {
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      if (next.periodMs === undefined) this.#stop(next);
      else next.dueMs += next.periodMs;
      next.callback();
    }
    this.#nowMs = untilMs;
  }

  #start(delayMs: number, periodMs: number | undefined, callback: () => void): () => void {
    const timer = { dueMs: this.#nowMs + delayMs, order: this.#started++, periodMs, callback };
    this.#timers.push(timer);
    return () => this.#stop(timer);
  }

  #stop(timer: Timer): void {
    this.#timers = this.#timers.filter((other) => other !== timer);
  }

  #firstDue(untilMs: number): Timer | undefined {
    const due = this.#timers.filter((timer) => timer.dueMs <= untilMs);
    return due.sort((a, b) => a.dueMs - b.dueMs || a.order - b.order)[0];
  }
}
