/** Calls in the order in which they came; taking the first costs the same however many wait. Mirrors no spec module. */
import type { Call } from './call.ts';

/** Places at the head that are empty before the rest moves up. */
const EMPTY_PLACES_MAX = 1_024;

export class CallQueue {
  #calls: (Call | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#calls.length - this.#head;
  }

  push(call: Call): void {
    this.#calls.push(call);
  }

  /** To the head, in their order. */
  unshift(calls: readonly Call[]): void {
    this.#calls = [...calls, ...this.#calls.slice(this.#head)];
    this.#head = 0;
  }

  /** The first that somebody still waits for. */
  peek(): Call | undefined {
    for (;;) {
      const call = this.#calls[this.#head];
      if (call === undefined || !call.isOver) return call;
      this.#drop();
    }
  }

  shift(): Call | undefined {
    const call = this.peek();
    if (call !== undefined) this.#drop();
    return call;
  }

  /** Takes out everything that is over by now, wherever it stands. */
  sweep(isOver: (call: Call) => boolean): void {
    if (this.length === 0) return;
    this.#calls = this.#calls.filter((call) => call !== undefined && !isOver(call));
    this.#head = 0;
  }

  /** Everything, in order; the queue is empty afterwards. */
  drain(): readonly Call[] {
    const calls = this.#calls.slice(this.#head) as Call[];
    this.#calls = [];
    this.#head = 0;
    return calls;
  }

  #drop(): void {
    this.#calls[this.#head] = undefined;
    this.#head++;
    if (this.#head === this.#calls.length) {
      this.#calls.length = 0;
      this.#head = 0;
    } else if (this.#head > EMPTY_PLACES_MAX && this.#head * 2 > this.#calls.length) {
      this.#calls.splice(0, this.#head);
      this.#head = 0;
    }
  }
}
