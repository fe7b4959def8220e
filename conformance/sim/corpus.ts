/**
 * Scenarios that reached something new, in the order in which they did, and which of them is changed next. New is a coverage
 * key (coverage.ts) or a shape of the cluster (cluster-shapes.ts). Deterministic. Mirrors no spec module.
 */
import type { SimulatedRandom } from '../../impl/ports/simulated-random.ts';
import type { Scenario } from './plan.ts';

/** Entries kept: at it the one that has been chosen most often goes. */
const ENTRIES_MAX = 2_000;
/** Draws for one parent: of so many the least used one is taken. */
const DRAWS = 3;

interface Entry {
  readonly scenario: Scenario;
  /** New keys and shapes that it brought. */
  readonly news: number;
  chosen: number;
}

export class Corpus {
  readonly #entries: Entry[] = [];
  readonly #keys = new Set<string>();
  readonly #shapes = new Set<number>();

  get size(): number {
    return this.#entries.length;
  }

  /** Coverage keys reached so far. */
  get keys(): ReadonlySet<string> {
    return this.#keys;
  }

  get shapes(): number {
    return this.#shapes.size;
  }

  /** Keeps the scenario when it reached something new. @returns how much */
  offer(scenario: Scenario, keys: ReadonlySet<string>, shapes: ReadonlySet<number>): number {
    const before = this.#keys.size + this.#shapes.size;
    for (const key of keys) this.#keys.add(key);
    for (const shape of shapes) this.#shapes.add(shape);
    const news = this.#keys.size + this.#shapes.size - before;
    if (news === 0) return 0;
    if (this.#entries.length >= ENTRIES_MAX) this.#dropMostUsed();
    this.#entries.push({ scenario, news, chosen: 0 });
    return news;
  }

  /** One that brought much and was not chosen often. @throws when there is none */
  choose(random: SimulatedRandom): Scenario {
    let best: Entry | undefined;
    for (let draw = 0; draw < DRAWS; draw++) {
      const entry = this.#entries[random.below(this.#entries.length)] as Entry;
      if (best === undefined || worthOf(entry) > worthOf(best)) best = entry;
    }
    if (best === undefined) throw new Error('a corpus without entries has nothing to choose');
    best.chosen++;
    return best.scenario;
  }

  #dropMostUsed(): void {
    let most = 0;
    for (const [at, { chosen }] of this.#entries.entries())
      if (chosen > (this.#entries[most] as Entry).chosen) most = at;
    this.#entries.splice(most, 1);
  }
}

function worthOf({ news, chosen }: Entry): number {
  return news / (1 + chosen);
}
