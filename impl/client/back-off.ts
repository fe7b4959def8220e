/** How long to wait before the next try: anything up to a bound that doubles (full jitter), so that clients do not come together. */
import type { Random } from '../ports/random.ts';

const BACK_OFF_MS_MIN = 10;
const BACK_OFF_MS_MAX = 500;
const DOUBLINGS_MAX = 10;

/** @param tries from 0: those that failed before @param atLeastMs what the server asked for; the chance comes on top */
export function backOffMs(tries: number, random: Random, atLeastMs = 0): number {
  const boundMs = Math.min(BACK_OFF_MS_MAX, BACK_OFF_MS_MIN * 2 ** Math.min(tries, DOUBLINGS_MAX));
  return atLeastMs + random.below(boundMs + 1);
}
