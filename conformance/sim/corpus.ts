/**
 * Scenarios that reached something new, in the order in which they did, and which of them is changed next: one that reached
 * what few runs reach, and was not changed often. What is reached is a coverage key (coverage.ts) or a shape of the cluster
 * (cluster-shapes.ts). Deterministic. Mirrors no spec module.
 */
import type { SimulatedRandom } from '../../impl/ports/simulated-random.ts';
import type { Scenario } from './plan.ts';

/** Entries kept: at it the one that has been chosen most often goes. */
const ENTRIES_MAX = 2_000;
/** Keys and shapes told apart, about 100 bytes each; at it what is new is not seen as such. 1,000 runs of 3 replicas reach 20,000. */
const REACHED_MAX = 2_000_000;
/** Draws for one parent: of so many the one of most worth is taken. More is greedier. */
const DRAWS = 12;

type Reached = string | number;

interface Entry {
  readonly scenario: Scenario;
  /** Keys and shapes that it was the first to reach. */
  readonly firsts: readonly Reached[];
  chosen: number;
}

export class Corpus {
  readonly #entries: Entry[] = [];
  readonly #keys = new Set<string>();
  /** Of each key and shape, runs that reached it. */
  readonly #hits = new Map<Reached, number>();

  get size(): number {
    return this.#entries.length;
  }

  /** Coverage keys reached so far. */
  get keys(): ReadonlySet<string> {
    return this.#keys;
  }

  get shapes(): number {
    return this.#hits.size - this.#keys.size;
  }

  /** Keeps the scenario when it reached something new. @returns how much */
  offer(scenario: Scenario, keys: ReadonlySet<string>, shapes: ReadonlySet<number>): number {
    const firsts: Reached[] = [];
    for (const key of keys) {
      this.#keys.add(key);
      this.#note(key, firsts);
    }
    for (const shape of shapes) this.#note(shape, firsts);
    if (firsts.length === 0) return 0;
    if (this.#entries.length >= ENTRIES_MAX) this.#dropMostUsed();
    this.#entries.push({ scenario, firsts, chosen: 0 });
    return firsts.length;
  }

  /** One whose firsts are rare still, and that was not chosen often. @throws when there is none */
  choose(random: SimulatedRandom): Scenario {
    let best: Entry | undefined;
    let bestWorth = 0;
    for (let draw = 0; draw < DRAWS; draw++) {
      const entry = this.#drawn(random);
      const worth = this.#worthOf(entry);
      if (best !== undefined && worth <= bestWorth) continue;
      best = entry;
      bestWorth = worth;
    }
    if (best === undefined) throw new Error('a corpus without entries has nothing to choose');
    best.chosen++;
    return best.scenario;
  }

  /** Any of them, each as likely. */
  any(random: SimulatedRandom): Scenario {
    return this.#drawn(random).scenario;
  }

  #drawn(random: SimulatedRandom): Entry {
    return this.#entries[random.below(this.#entries.length)] as Entry;
  }

  #note(reached: Reached, firsts: Reached[]): void {
    const hits = this.#hits.get(reached) ?? 0;
    if (hits === 0 && this.#hits.size >= REACHED_MAX) return;
    this.#hits.set(reached, hits + 1);
    if (hits === 0) firsts.push(reached);
  }

  /** What only this one has reached counts whole, what many have reached hardly. */
  #worthOf({ firsts, chosen }: Entry): number {
    let worth = 0;
    for (const reached of firsts) worth += 1 / (this.#hits.get(reached) ?? 1);
    return worth / (1 + chosen);
  }

  #dropMostUsed(): void {
    let most = 0;
    for (const [at, { chosen }] of this.#entries.entries())
      if (chosen > (this.#entries[most] as Entry).chosen) most = at;
    this.#entries.splice(most, 1);
  }
}
