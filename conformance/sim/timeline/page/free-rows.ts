/** Rows for spans that overlap: a lane of faults, of calls. Pure. */

/** Rows of a lane in which spans overlap: each takes the first row that is free. */
export class FreeRows {
  readonly #until: number[] = [];

  /** @param untilUs Infinity while it is not known */
  take(fromUs: number, untilUs: number): number {
    const free = this.#until.findIndex((until) => until <= fromUs);
    const row = free < 0 ? this.#until.length : free;
    this.#until[row] = untilUs;
    return row;
  }

  end(row: number, atUs: number): void {
    this.#until[row] = atUs;
  }
}
