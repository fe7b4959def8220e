/**
 * What the clients of the endurance run were told, and how long they waited: the longest time in which nothing was
 * acknowledged to anybody, latencies while a death was fresh and otherwise; and what is wrong with the log afterwards.
 */

/** After a death operations count as made in its shadow. */
export const SHADOW_MS = 2_000;

export interface Sample {
  readonly startedMs: number;
  readonly tookMs: number;
}

export interface Told {
  readonly appender: number;
  readonly index: number;
  readonly offset: number;
}

export class EnduranceLedger {
  readonly acknowledged: Told[] = [];
  readonly unknown = new Set<string>();
  readonly refused: string[] = [];
  /** Reads that missed what was acknowledged before they began, or went back. */
  readonly staleReads: string[] = [];
  readonly samples: Sample[] = [];
  readonly deathsMs: number[] = [];
  /** Offset after the last that is acknowledged. */
  end = 0;
  reads = 0;
  #lastMs = performance.now();
  longestGapMs = 0;

  took(startedMs: number): void {
    const nowMs = performance.now();
    this.samples.push({ startedMs, tookMs: nowMs - startedMs });
    this.longestGapMs = Math.max(this.longestGapMs, nowMs - this.#lastMs);
    this.#lastMs = nowMs;
  }

  applied(told: Told, startedMs: number): void {
    this.acknowledged.push(told);
    this.end = Math.max(this.end, told.offset + 1);
    this.took(startedMs);
  }

  /** Of operations that began while a death was fresh, and of all others. */
  get latencies(): { readonly inShadow: readonly number[]; readonly otherwise: readonly number[] } {
    const inShadow: number[] = [];
    const otherwise: number[] = [];
    let death = 0;
    for (const { startedMs, tookMs } of this.samples.toSorted((a, b) => a.startedMs - b.startedMs)) {
      while (death < this.deathsMs.length && (this.deathsMs[death] as number) + SHADOW_MS < startedMs) death++;
      const died = this.deathsMs[death];
      const overlaps = died !== undefined && startedMs + tookMs >= died && startedMs <= died + SHADOW_MS;
      (overlaps ? inShadow : otherwise).push(tookMs);
    }
    return { inShadow, otherwise };
  }

  /** Everything that is wrong with what the log holds. */
  faultsOf(texts: readonly string[]): readonly string[] {
    const faults: string[] = [];
    const places = new Map<string, number>();
    const next = new Map<string, number>();
    for (const [offset, text] of texts.entries()) {
      if (places.has(text)) faults.push(`${text} stands at ${places.get(text)} and again at ${offset}`);
      places.set(text, offset);
      const [appender = '', index = ''] = text.split('/');
      const before = next.get(appender) ?? -1;
      if (Number(index) <= before)
        faults.push(`${text} stands behind ${appender}/${before}: out of its client's order`);
      next.set(appender, Number(index));
    }
    for (const { appender, index, offset } of this.acknowledged) {
      const place = places.get(`${appender}/${index}`);
      if (place !== offset)
        faults.push(`${appender}/${index}, acknowledged at ${offset}, is at ${place ?? 'no offset'}`);
    }
    const sent = new Set(this.acknowledged.map(({ appender, index }) => `${appender}/${index}`));
    for (const text of texts) if (!sent.has(text) && !this.unknown.has(text)) faults.push(`${text} was never sent`);
    return faults;
  }
}

/** Nearest rank; 0 for none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}
