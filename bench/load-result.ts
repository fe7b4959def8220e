/** What a closed loop of durable replicated writes measured, for any system; and how repetitions fold into one row. */

export interface LoadResult {
  readonly system: string;
  /** Requests in flight at all times. */
  readonly inFlight: number;
  readonly opsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Absent where the load client does not print it. */
  readonly p999Ms?: number;
  readonly errors: number;
  /** Latencies in ms at equal steps of the distribution, for the plot; absent where only p50 and p99 are printed. */
  readonly quantiles?: readonly number[];
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** Repetitions of one system at one level: medians, and the worst p99. */
export interface LoadRow {
  readonly system: string;
  readonly inFlight: number;
  readonly opsPerSecond: number;
  readonly opsPerSecondMin: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p99MsWorst: number;
  readonly p999Ms?: number;
  readonly errors: number;
  readonly repetitions: number;
}

export function foldRepetitions(results: readonly LoadResult[]): readonly LoadRow[] {
  const groups = new Map<string, LoadResult[]>();
  for (const result of results) {
    const key = `${result.system}\n${result.inFlight}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [result]);
    else group.push(result);
  }
  return [...groups.values()].map((group) => {
    const [first] = group as [LoadResult];
    const tails = group.flatMap(({ p999Ms }) => p999Ms ?? []);
    return {
      system: first.system,
      inFlight: first.inFlight,
      opsPerSecond: median(group.map(({ opsPerSecond }) => opsPerSecond)),
      opsPerSecondMin: Math.min(...group.map(({ opsPerSecond }) => opsPerSecond)),
      p50Ms: median(group.map(({ p50Ms }) => p50Ms)),
      p99Ms: median(group.map(({ p99Ms }) => p99Ms)),
      p99MsWorst: Math.max(...group.map(({ p99Ms }) => p99Ms)),
      ...(tails.length === 0 ? {} : { p999Ms: median(tails) }),
      errors: group.reduce((sum, { errors }) => sum + errors, 0),
      repetitions: group.length,
    };
  });
}
