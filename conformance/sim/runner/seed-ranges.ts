/** Ranges of seeds: which are done, which remain, and the pieces that workers are handed. Pure. Mirrors no spec module. */

export interface SeedRange {
  readonly first: number;
  /** From 1. */
  readonly count: number;
}

/** With one more range: in order, neighbours joined. The ranges do not overlap. */
export function withRange(ranges: readonly SeedRange[], added: SeedRange): readonly SeedRange[] {
  const joined: SeedRange[] = [];
  for (const range of [...ranges, added].sort((left, right) => left.first - right.first)) {
    const last = joined.at(-1);
    if (last !== undefined && last.first + last.count === range.first)
      joined[joined.length - 1] = { first: last.first, count: last.count + range.count };
    else joined.push(range);
  }
  return joined;
}

/** What of `all` is in none of the ranges, which lie inside of it, in order. */
export function withoutRanges(all: SeedRange, done: readonly SeedRange[]): readonly SeedRange[] {
  const remaining: SeedRange[] = [];
  let from = all.first;
  for (const { first, count } of done) {
    if (first > from) remaining.push({ first: from, count: first - from });
    from = first + count;
  }
  const end = all.first + all.count;
  if (end > from) remaining.push({ first: from, count: end - from });
  return remaining;
}

export function runsIn(ranges: readonly SeedRange[]): number {
  return ranges.reduce((sum, { count }) => sum + count, 0);
}

/** Hands out ranges in pieces, in order. */
export class SeedQueue {
  readonly #ranges: SeedRange[];

  constructor(ranges: readonly SeedRange[]) {
    this.#ranges = [...ranges];
  }

  /** @param runsMax from 1 @returns undefined when nothing is left */
  take(runsMax: number): SeedRange | undefined {
    const range = this.#ranges.shift();
    if (range === undefined || range.count <= runsMax) return range;
    this.#ranges.unshift({ first: range.first + runsMax, count: range.count - runsMax });
    return { first: range.first, count: runsMax };
  }
}
