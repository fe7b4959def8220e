/**
 * Committed reads that would find nothing at the end of a stream, and are answered when something stands there, or when their
 * time is over. So a client follows a stream without asking again and again. Mirrors no spec module.
 */
import type { Clock } from '../ports/clock.ts';
import type { Connection } from '../ports/connection.ts';
import type { ReadRequest } from '../wire/request.ts';

/** Reads held at once, of all clients; at it the next one is answered at once, with nothing. */
const HELD_READS_MAX = 4_096;

export interface HeldReadsOptions {
  readonly clock: Clock;
  /** The offset that the next event of a stream gets; undefined: there is no such stream. */
  readonly endOf: (stream: string) => number | undefined;
  readonly holdMsMax: number;
}

interface Held {
  readonly client: Connection;
  readonly stream: string;
  readonly from: number;
  readonly read: () => void;
  readonly cancel: () => void;
}

export class HeldReads {
  readonly #options: HeldReadsOptions;
  readonly #byStream = new Map<string, Set<Held>>();
  #count = 0;
  #looks = false;
  #closed = false;

  constructor(options: HeldReadsOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#count;
  }

  /**
   * @param read answers it; called once, later, if it is held
   * @returns whether it is held
   */
  hold(client: Connection, { stream, from, linearizable, waitMs = 0 }: ReadRequest, read: () => void): boolean {
    const { clock, endOf, holdMsMax } = this.#options;
    if (waitMs === 0 || linearizable || this.#closed || this.#count >= HELD_READS_MAX) return false;
    const end = endOf(stream);
    if (end === undefined || end > from) return false;
    const cancel = clock.after(Math.min(waitMs, holdMsMax), () => this.#release(held));
    const held: Held = { client, stream, from, read, cancel };
    const others = this.#byStream.get(stream);
    if (others === undefined) this.#byStream.set(stream, new Set([held]));
    else others.add(held);
    this.#count++;
    return true;
  }

  /** Something was applied; looked at once for all that is applied together. */
  applied(): void {
    if (this.#count === 0 || this.#looks) return;
    this.#looks = true;
    queueMicrotask(() => {
      this.#looks = false;
      for (const [stream, all] of this.#byStream) {
        const end = this.#options.endOf(stream);
        for (const held of all) if (end === undefined || end > held.from) this.#release(held);
      }
    });
  }

  /** Nobody waits for its answer. */
  closed(client: Connection): void {
    if (this.#count === 0) return;
    for (const all of this.#byStream.values()) for (const held of all) if (held.client === client) this.#drop(held);
  }

  /** All are answered now, and no other is held. */
  drain(): void {
    this.#closed = true;
    for (const all of this.#byStream.values()) for (const held of all) this.#release(held);
  }

  #release(held: Held): void {
    this.#drop(held);
    held.read();
  }

  #drop(held: Held): void {
    const all = this.#byStream.get(held.stream);
    if (all?.delete(held) !== true) return;
    if (all.size === 0) this.#byStream.delete(held.stream);
    this.#count--;
    held.cancel();
  }
}
