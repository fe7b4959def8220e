/**
 * How far the runs are: on a terminal one line that replaces itself; elsewhere one line when they begin, one for every tenth
 * of them, and one an hour when a tenth takes longer. The time comes from the caller. Mirrors no spec module.
 */
import { grouped } from '../../report/html.ts';

/** Redraws of the line of a terminal, at most: more would only flicker. */
const REDRAW_MS_MIN = 100;
/** Before this much has passed a rate says nothing. */
const RATE_MS_MIN = 1_000;
const HOUR_MS = 3_600_000;
const LINES_OF_ALL = 10;

export interface ProgressOptions {
  readonly terminal: boolean;
  readonly columns: number;
  readonly write: (text: string) => void;
  /** All runs, and those that were done before this start. */
  readonly runs: number;
  readonly doneBefore: number;
}

export class Progress {
  readonly #options: ProgressOptions;
  readonly #startMs: number;
  #saidMs: number;
  #saidTenth = -1;
  #lineShown = false;

  /** @param nowMs monotonic */
  constructor(options: ProgressOptions, nowMs: number) {
    this.#options = options;
    this.#startMs = nowMs;
    this.#saidMs = options.terminal ? Number.NEGATIVE_INFINITY : nowMs;
  }

  update(done: number, failed: number, nowMs: number): void {
    const { terminal, columns, write, runs } = this.#options;
    const sinceMs = nowMs - this.#saidMs;
    if (terminal) {
      if (sinceMs < REDRAW_MS_MIN) return;
      write(`\r\x1b[2K${this.#text(done, failed, nowMs).slice(0, columns - 1)}`);
      this.#lineShown = true;
    } else {
      const tenth = this.#tenthOf(done);
      if (done === runs || (tenth === this.#saidTenth && sinceMs < HOUR_MS)) return;
      this.#saidTenth = tenth;
      write(`${this.#text(done, failed, nowMs)}\n`);
    }
    this.#saidMs = nowMs;
  }

  /** Before anything else is printed. */
  clear(): void {
    if (this.#lineShown) this.#options.write('\r\x1b[2K');
    this.#lineShown = false;
    if (this.#options.terminal) this.#saidMs = Number.NEGATIVE_INFINITY;
  }

  #tenthOf(done: number): number {
    return Math.floor((done * LINES_OF_ALL) / this.#options.runs);
  }

  #text(done: number, failed: number, nowMs: number): string {
    const { runs, doneBefore } = this.#options;
    const elapsedMs = nowMs - this.#startMs;
    const rate = (done - doneBefore) / (elapsedMs / 1000);
    const pace =
      elapsedMs < RATE_MS_MIN || rate <= 0 ? '' : `, ${rateText(rate)}/s, ${timeText((runs - done) / rate)} left`;
    const share = Math.floor((100 * done) / runs);
    return `sim: ${grouped(done)} of ${grouped(runs)} runs (${share} %)${pace}, ${failed === 0 ? 'no failure' : `${grouped(failed)} failed`}`;
  }
}

export function rateText(perSecond: number): string {
  return perSecond < 10 ? perSecond.toFixed(1) : grouped(Math.round(perSecond));
}

export function timeText(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${whole % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
