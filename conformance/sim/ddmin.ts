/**
 * Delta debugging (Zeller and Hildebrandt, Simplifying and Isolating Failure-Inducing Input, TSE 2002): the part of a list
 * that is still needed. Halves first, then smaller and smaller chunks, at last one by one until none can go. Only complements
 * are tried: a half alone is the complement of the other one. Pure. Mirrors no spec module.
 */

/**
 * @param fails whether the rest still fails; asked for shorter lists only, never for `items` itself, which does
 * @returns a part of `items`, in their order, of which no single one can be left out, unless `fails` changed its mind
 */
export function ddmin<T>(items: readonly T[], fails: (kept: readonly T[]) => boolean): readonly T[] {
  let kept = items;
  for (let chunk = kept.length >> 1; chunk > 1; chunk = Math.min(chunk >> 1, kept.length >> 1))
    kept = withoutChunks(kept, chunk, fails);
  return withoutSingles(kept, fails);
}

/** From the end: what happens late is needed least often. */
function withoutChunks<T>(items: readonly T[], chunk: number, fails: (kept: readonly T[]) => boolean): readonly T[] {
  let kept = items;
  for (let end = kept.length; end > 0; end -= chunk) {
    const candidate = [...kept.slice(0, Math.max(0, end - chunk)), ...kept.slice(end)];
    if (fails(candidate)) kept = candidate;
  }
  return kept;
}

/** Round and round, until each one has been tried since the last that went. */
function withoutSingles<T>(items: readonly T[], fails: (kept: readonly T[]) => boolean): readonly T[] {
  let kept = items;
  let at = kept.length - 1;
  for (let needed = 0; needed < kept.length; ) {
    const candidate = [...kept.slice(0, at), ...kept.slice(at + 1)];
    if (fails(candidate)) {
      kept = candidate;
      needed = 0;
    } else needed += 1;
    at = at > 0 ? at - 1 : kept.length - 1;
  }
  return kept;
}
