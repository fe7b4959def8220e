/**
 * The clock of one simulated replica: virtual time as its own oscillator and its own wall clock show it. Ticks come from the
 * world (world.ts), so timers of the port are not there. Mirrors no spec module.
 */
import { AssertionError } from '../../impl/ports/assert.ts';
import type { Clock } from '../../impl/ports/clock.ts';

/** Epoch milliseconds at virtual time 0: any will do, and all runs have the same. */
const WALL_MS_AT_START = 1_700_000_000_000;
const PPM = 1_000_000;

export interface VirtualTime {
  /** Virtual microseconds. */
  readonly nowUs: number;
}

export class SimClock implements Clock {
  readonly #world: VirtualTime;
  /** Parts per million that this clock runs too fast. */
  #driftPpm = 0;
  /** Local microseconds and virtual ones at the last change of the drift. */
  #localUs = 0;
  #sinceUs = 0;
  #offsetUs = 0;

  constructor(world: VirtualTime) {
    this.#world = world;
  }

  drift(ppm: number): void {
    this.#localUs = this.#local();
    this.#sinceUs = this.#world.nowUs;
    this.#driftPpm += ppm;
  }

  /** Wall clock only. */
  shift(offsetUs: number): void {
    this.#offsetUs += offsetUs;
  }

  /** Virtual microseconds that a local period of 1 and more takes. */
  periodUs(localUs: number): number {
    if (this.#driftPpm === 0) return localUs; // nearly all clocks: no division for each tick
    return Math.max(1, Math.round((localUs * PPM) / (PPM + this.#driftPpm)));
  }

  wallMs(): number {
    return WALL_MS_AT_START + Math.floor((this.#local() + this.#offsetUs) / 1_000);
  }

  monotonicMs(): number {
    return this.#local() / 1_000;
  }

  startTicks(): () => void {
    throw new AssertionError('ASSERTION_FAILED', 'assertion failed: the world gives the ticks of a simulated replica');
  }

  after(): () => void {
    throw new AssertionError('ASSERTION_FAILED', 'assertion failed: a simulated replica sets no timers');
  }

  #local(): number {
    const passedUs = this.#world.nowUs - this.#sinceUs;
    if (this.#driftPpm === 0) return this.#localUs + passedUs;
    return this.#localUs + passedUs + Math.floor((passedUs * this.#driftPpm) / PPM);
  }
}
