/**
 * What is due when, in virtual microseconds: a binary heap by time, then by the order of scheduling, so that equal times have
 * one order. What is scheduled in the order in which it comes due waits in a queue, of which only the first is in the heap: a
 * run has some fifty things far ahead, and ten at hand. Mirrors no spec module.
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

/** Time and order of one thing are one number, exact below 2^53: one comparison says which is first. Times are 31 bits. */
const ORDERS = 2 ** 22;
/** Things that wait at once, at first: doubled when there are more. */
const SLOTS_FIRST = 1_024;
const NOWHERE = -1;

/** What comes due in the order in which it is put here: slots, each with the one behind it. */
interface Queue {
  first: number;
  last: number;
}

export class Scheduler {
  // What was taken last.
  atUs = 0;
  kind: DueKind = DUE.plan;
  /** Replica, client or number in the plan, as the kind wants it. */
  subject = 0;
  detail: unknown = undefined;

  /** Slots, as a heap: numbers in typed arrays, for an object each would be garbage at once. */
  #heap = new Int32Array(SLOTS_FIRST);
  #size = 0;
  // By slot.
  #keys = new Float64Array(SLOTS_FIRST);
  #kinds = new Int32Array(SLOTS_FIRST);
  #subjects = new Int32Array(SLOTS_FIRST);
  /** The slot behind this one in its queue, or among those that are free. */
  #nexts = new Int32Array(SLOTS_FIRST);
  readonly #details: unknown[] = [];
  #free = NOWHERE;
  #order = 0;
  readonly #plan: Queue = { first: NOWHERE, last: NOWHERE };
  readonly #deadlines: Queue = { first: NOWHERE, last: NOWHERE };

  get nextUs(): number {
    return this.#size === 0 ? Number.POSITIVE_INFINITY : timeOf(this.#keys[this.#heap[0] as number] as number);
  }

  push(atUs: number, kind: DueKind, subject: number, detail?: unknown): void {
    assert(atUs >= 0 && (atUs | 0) === atUs, 'a time is whole microseconds, and a run is over in 2^31 of them');
    assert(this.#order < ORDERS, 'a run is over long before its things to do are too many');
    const slot = this.#slot();
    this.#keys[slot] = atUs * ORDERS + this.#order++;
    this.#kinds[slot] = kind;
    this.#subjects[slot] = subject;
    this.#details[slot] = detail;
    if (kind === DUE.plan) this.#enqueue(this.#plan, slot);
    else if (kind === DUE.clientDeadline) this.#enqueue(this.#deadlines, slot);
    else this.#rise(slot);
  }

  /** Takes what is due first: its fields say what. */
  take(): void {
    assert(this.#size > 0, 'something is due');
    const slot = this.#heap[0] as number;
    const kind = this.#kinds[slot] as DueKind;
    this.atUs = timeOf(this.#keys[slot] as number);
    this.kind = kind;
    this.subject = this.#subjects[slot] as number;
    this.detail = this.#details[slot];
    this.#details[slot] = undefined;
    this.#size--;
    if (this.#size > 0) this.#sink(this.#heap[this.#size] as number);
    if (kind === DUE.plan) this.#dequeue(this.#plan, slot);
    else if (kind === DUE.clientDeadline) this.#dequeue(this.#deadlines, slot);
    this.#nexts[slot] = this.#free;
    this.#free = slot;
  }

  /** Behind the last one, or into the heap when it is due before that. */
  #enqueue(queue: Queue, slot: number): void {
    this.#nexts[slot] = NOWHERE;
    const isEmpty = queue.first === NOWHERE;
    if (!isEmpty && (this.#keys[slot] as number) > (this.#keys[queue.last] as number)) {
      this.#nexts[queue.last] = slot;
      queue.last = slot;
      return;
    }
    this.#rise(slot);
    if (!isEmpty) return;
    queue.first = slot;
    queue.last = slot;
  }

  /** The next one of the queue comes to the heap when its first has left it. */
  #dequeue(queue: Queue, slot: number): void {
    if (queue.first !== slot) return;
    queue.first = this.#nexts[slot] as number;
    if (queue.first !== NOWHERE) this.#rise(queue.first);
  }

  #rise(slot: number): void {
    const heap = this.#heap;
    const keys = this.#keys;
    const key = keys[slot] as number;
    let at = this.#size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as number;
      if ((keys[above] as number) < key) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = slot;
  }

  /** From the root down to where it belongs. */
  #sink(slot: number): void {
    const heap = this.#heap;
    const keys = this.#keys;
    const size = this.#size;
    const key = keys[slot] as number;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      const right = child + 1;
      if (right < size && (keys[heap[right] as number] as number) < (keys[heap[child] as number] as number))
        child = right;
      const below = heap[child] as number;
      if (key < (keys[below] as number)) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = slot;
  }

  #slot(): number {
    const slot = this.#free;
    if (slot === NOWHERE) {
      const { length } = this.#details;
      if (length === this.#heap.length) this.#double();
      this.#details.push(undefined);
      return length;
    }
    this.#free = this.#nexts[slot] as number;
    return slot;
  }

  #double(): void {
    this.#heap = doubled(this.#heap);
    this.#keys = doubled(this.#keys);
    this.#kinds = doubled(this.#kinds);
    this.#subjects = doubled(this.#subjects);
    this.#nexts = doubled(this.#nexts);
  }
}

/** A small integer: as a double every field that takes it would be boxed. */
function timeOf(key: number): number {
  return (key / ORDERS) | 0;
}

function doubled<Numbers extends Int32Array | Float64Array>(numbers: Numbers): Numbers {
  const twice = new (numbers.constructor as new (length: number) => Numbers)(numbers.length * 2);
  twice.set(numbers);
  return twice;
}
