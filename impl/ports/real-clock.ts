/** The Clock port on the system's clock and Node's timers. The only file of impl that reads time; mirrors no spec module. */
import type { Clock } from './clock.ts';

export class RealClock implements Clock {
  wallMs(): number {
    return Date.now();
  }

  monotonicMs(): number {
    return performance.now();
  }

  startTicks(periodMs: number, onTick: () => void): () => void {
    const timer = setInterval(onTick, periodMs);
    return () => clearInterval(timer);
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  }
}
