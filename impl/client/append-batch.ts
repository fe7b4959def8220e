/**
 * Small appends to one stream that wait, made one request: as many as lie together at the head of the queue, up to a bound.
 * Nothing is delayed for it: an append that can leave at once leaves alone. Pure; mirrors no spec module.
 */
import type { AppendEvent, AppendRequest } from '../wire/request.ts';
import type { Call } from './call.ts';
import type { CallQueue } from './call-queue.ts';

/** Events of one batch; the server takes 1,000 in one append. */
const BATCH_EVENTS_MAX = 512;
/** Bytes of the events of one batch. Larger ones gain nothing and make the requests behind them wait. */
const BATCH_BYTES_MAX = 64 * 1024;
/** An append of more bytes goes alone. */
const SMALL_APPEND_BYTES_MAX = 16 * 1024;

/** Takes the call at the head of the queue and those behind it that may go with it; at least one. */
export function takeBatch(queue: CallQueue, batching: boolean): readonly Call[] {
  const first = queue.shift() as Call;
  const batch = [first];
  if (!batching) return batch;
  let bytes = smallBytes(first);
  if (bytes === undefined) return batch;
  const { stream } = first.body as AppendRequest;
  let events = (first.body as AppendRequest).events.length;
  for (;;) {
    const next = queue.peek();
    if (next === undefined) return batch;
    const more = smallBytes(next);
    if (more === undefined) return batch;
    const body = next.body as AppendRequest;
    bytes += more;
    if (body.stream !== stream || bytes > BATCH_BYTES_MAX || events + body.events.length > BATCH_EVENTS_MAX)
      return batch;
    next.eventsBefore = events;
    events += body.events.length;
    batch.push(queue.shift() as Call);
  }
}

/** One body for all of them. */
export function batchBody(batch: readonly Call[]): AppendRequest {
  const events: AppendEvent[] = [];
  for (const { body } of batch) for (const event of (body as AppendRequest).events) events.push(event);
  const { stream } = (batch[0] as Call).body as AppendRequest;
  return { operation: 'append', stream, expectedOffset: undefined, idempotencyKey: '', session: undefined, events };
}

/** Bytes of an append that may go with others; undefined: it goes alone. */
function smallBytes({ body, alone }: Call): number | undefined {
  if (alone || body.operation !== 'append') return undefined;
  if (body.expectedOffset !== undefined || body.idempotencyKey !== '' || body.events.length === 0) return undefined;
  let bytes = 0;
  for (const { data } of body.events) bytes += data.byteLength;
  return bytes <= SMALL_APPEND_BYTES_MAX ? bytes : undefined;
}
