/**
 * The end of a turn of the event loop, when everything that has arrived is handled: what was gathered becomes prepares, the
 * prepares leave, one fsync covers all that was written, and what waited for it leaves. The prepares leave before the own
 * fsync, so that all replicas sync at the same time; PrepareOk and answers leave after it. Mirrors no spec module: each step
 * is one of Vsr's actions or none.
 */
import type { Turn } from '../ports/turn.ts';

export interface TurnParts {
  readonly propose: () => void;
  readonly sync: () => void;
  /** Writes what is gathered for peers and clients. */
  readonly send: () => void;
  /** Our own fault: nothing goes on. */
  readonly failed: (cause: unknown) => void;
}

export class TurnEnd {
  readonly #turn: Turn;
  readonly #parts: TurnParts;
  /** One function for all turns. */
  readonly #run: () => void;
  #scheduled = false;
  #stopped = false;

  constructor(turn: Turn, parts: TurnParts) {
    this.#turn = turn;
    this.#parts = parts;
    const run = (): void => this.run();
    this.#run = run;
  }

  /** Something has happened that the end of this turn must see. */
  wake(): void {
    if (this.#scheduled || this.#stopped) return;
    this.#scheduled = true;
    this.#turn.atEnd(this.#run);
  }

  run(): void {
    this.#scheduled = false;
    if (this.#stopped) return;
    const { propose, sync, send, failed } = this.#parts;
    try {
      propose();
      send();
      sync();
      send();
    } catch (cause) {
      failed(cause);
    }
  }

  stop(): void {
    this.#stopped = true;
  }
}
