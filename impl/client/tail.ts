/**
 * Every event of a stream from an offset on, in order and without end, as they are committed. While the caller works on one page
 * the next one is on its way; further than that nothing is read ahead. Mirrors no spec module.
 */
import type { Clock } from '../ports/clock.ts';
import type { AnswerOf, ReadEvent } from '../wire/answer.ts';
import { abortedError } from './client-error.ts';
import type { TailOptions } from './client-options.ts';

const TAIL_PAGE_EVENTS = 500;
/** How long the server holds a read that finds nothing. */
export const TAIL_HOLD_MS = 5_000;
/** Before the next read after one that found nothing and was not held. */
const TAIL_PAUSE_MS = 50;

/** A read of what a replica has that waits for the first event. */
export type ReadPage = (from: number, limit: number, signal: AbortSignal) => Promise<AnswerOf['read']>;

export async function* tailOf(
  readPage: ReadPage,
  clock: Clock,
  { from = 0, signal, pageEvents = TAIL_PAGE_EVENTS }: TailOptions,
): AsyncGenerator<ReadEvent, never, undefined> {
  const left = new AbortController();
  const leave = (): void => left.abort();
  if (signal?.aborted === true) throw abortedError('refused');
  signal?.addEventListener('abort', leave, { once: true });
  try {
    let offset = from;
    let next = readPage(offset, pageEvents, left.signal);
    for (;;) {
      const startedMs = clock.monotonicMs();
      const { events } = await next;
      offset += events.length;
      if (events.length === 0 && clock.monotonicMs() - startedMs < TAIL_PAUSE_MS) await pause(clock, left.signal);
      next = readPage(offset, pageEvents, left.signal);
      next.catch(() => {}); // it is awaited in the next round, if there is one
      yield* events;
    }
  } finally {
    signal?.removeEventListener('abort', leave);
    left.abort();
  }
}

function pause(clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      cancel();
      reject(abortedError('refused'));
    };
    const cancel = clock.after(TAIL_PAUSE_MS, () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
