/** A few things at once, never more: for runs of TLC, each of which takes memory and a core. */

/** The results in the order of the items. */
export async function inParallel<T, R>(
  items: readonly T[],
  atOnceMax: number,
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results = new Map<number, R>();
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let at = next++; at < items.length; at = next++) results.set(at, await work(items[at] as T));
  };
  await Promise.all(Array.from({ length: atOnceMax }, lane));
  return items.map((_, at) => results.get(at) as R);
}
