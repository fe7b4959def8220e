/**
 * What is due when, in virtual microseconds: a binary heap by time, then by the order of scheduling, so that equal times have
 * one order. Mirrors no spec module.
 */
import { assert } from '../../impl/ports/assert.ts';

/** Kinds of what a world has to do, as numbers: they are words of the history too. */
export const DUE = {
  frame: 1,
  tick: 2,
  turn: 3,
  clientNext: 4,
  clientDeadline: 5,
  clientAnswer: 6,
  clientAsk: 7,
  plan: 8,
  faultEnd: 9,
  restart: 10,
  peerLost: 11,
} as const;
export type DueKind = (typeof DUE)[keyof typeof DUE];

export interface Due {
  readonly atUs: number;
  readonly order: number;
  readonly kind: DueKind;
  /** Replica, client or number in the plan, as the kind wants it. */
  readonly subject: number;
  readonly detail: unknown;
}

export class Scheduler {
  readonly #heap: Due[] = [];
  #order = 0;

  get size(): number {
    return this.#heap.length;
  }

  get nextUs(): number {
    return this.#heap[0]?.atUs ?? Number.POSITIVE_INFINITY;
  }

  push(atUs: number, kind: DueKind, subject: number, detail?: unknown): void {
    const heap = this.#heap;
    const due: Due = { atUs, order: this.#order++, kind, subject, detail };
    let at = heap.length;
    heap.push(due);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Due;
      if (!before(due, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = due;
  }

  pop(): Due {
    const heap = this.#heap;
    const first = heap[0];
    assert(first !== undefined, 'something is due');
    const last = heap.pop() as Due;
    if (heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      const right = child + 1;
      if (right < heap.length && before(heap[right] as Due, heap[child] as Due)) child = right;
      const below = heap[child] as Due;
      if (!before(below, last)) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function before(a: Due, b: Due): boolean {
  return a.atUs < b.atUs || (a.atUs === b.atUs && a.order < b.order);
}
