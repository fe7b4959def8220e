/**
 * The order in which sessions are evicted: longest unused first, by the timestamp of the op of the last use, then lowest id
 * (specs/ClientSessions.tla, Oldest). A B+ tree that shares its nodes with the forks of it. Pure.
 */
import { EmptyBTree } from 'sorted-btree';
import { assert } from '../ports/assert.ts';

export interface Turn {
  readonly lastUsedMs: number;
  readonly id: number;
}

/** The package is CommonJS: what its default export is depends on who loads it. */
const SortedTree = EmptyBTree.constructor as new (entries: undefined, compare: CompareTurns) => Tree;
export type CompareTurns = (a: Turn, b: Turn) => number;
type Tree = typeof EmptyBTree;

/** Who goes first. */
export function goesBefore(a: Turn, b: Turn): number {
  return a.lastUsedMs - b.lastUsedMs || a.id - b.id;
}

/** Only a fork is ever changed, and only until it is shared. */
export class SessionOrder {
  readonly #tree: Tree;

  private constructor(tree: Tree) {
    this.#tree = tree;
  }

  /** @param compare another order than the right one: only the harness passes one */
  static empty(compare: CompareTurns = goesBefore): SessionOrder {
    return new SessionOrder(new SortedTree(undefined, compare));
  }

  get size(): number {
    return this.#tree.size;
  }

  /** Copies nothing now: a node is copied when either of the two changes it. */
  fork(): SessionOrder {
    return new SessionOrder(this.#tree.clone());
  }

  add(lastUsedMs: number, id: number): void {
    const isNew = this.#tree.set({ lastUsedMs, id }, undefined);
    assert(isNew, 'a session has one turn');
  }

  remove(turn: Turn): void {
    const wasThere = this.#tree.delete(turn);
    assert(wasThere, 'a session has its turn');
  }

  move(id: number, fromMs: number, toMs: number): void {
    this.remove({ lastUsedMs: fromMs, id });
    this.add(toMs, id);
  }

  /** The first to go that is not the spared one. */
  oldestBut(spared: number): Turn | undefined {
    const oldest = this.#tree.minKey();
    return oldest?.id === spared ? this.#tree.nextHigherKey(oldest) : oldest;
  }

  keys(): IterableIterator<Turn> {
    return this.#tree.keys();
  }
}
