/**
 * A line of waiting things, first come, first served, in one array that is kept: a new one each time is garbage at once, and
 * V8 makes room for seventeen with the first push onto an empty one. Mirrors no spec module.
 */
import { assert } from '../../impl/ports/assert.ts';

export class WaitingLine<Item> {
  readonly #items: Item[] = [];
  #first = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#first;
  }

  push(item: Item): void {
    if (this.#first === this.#end) this.clear();
    this.#items[this.#end++] = item;
  }

  /** The one that has waited longest. */
  shift(): Item {
    assert(this.#first < this.#end, 'somebody waits');
    return this.#items[this.#first++] as Item;
  }

  /** Nobody waits any more. */
  clear(): void {
    this.#first = 0;
    this.#end = 0;
  }

  *[Symbol.iterator](): Generator<Item> {
    for (let at = this.#first; at < this.#end; at++) yield this.#items[at] as Item;
  }
}
