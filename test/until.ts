/** Waits until something is so: the tests' way to wait, a condition with a deadline. Mirrors no spec module. */
import { setTimeout as delay } from 'node:timers/promises';

const WAIT_MS_MAX = 10_000;
const LOOK_MS = 2;

/**
 * @param what said in the error, after "it is not so that"
 * @throws when it is not so within `waitMsMax` milliseconds, or what `isSo` throws
 */
export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  waitMsMax: number = WAIT_MS_MAX,
): Promise<void> {
  const deadlineMs = performance.now() + waitMsMax;
  while (!(await isSo())) {
    if (performance.now() > deadlineMs) throw new Error(`after ${waitMsMax} ms it is not so that ${what}`);
    await delay(LOOK_MS);
  }
}
