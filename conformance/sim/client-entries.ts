/**
 * What a simulated client asks and how it ended, in the words of the wire and of the history that is judged
 * (client-history.ts). A part of sim-clients.ts; mirrors no spec module.
 */
import { assert } from '../../impl/ports/assert.ts';
import type { Appended, Failure, ReadAnswer } from '../../impl/wire/answer.ts';
import type { AppendEvent, AppendRequest, ReadRequest, RequestBody } from '../../impl/wire/request.ts';
import type { HistoryEntry } from './client-history.ts';
import type { ClientAction } from './plan.ts';
import { eventData, partsOf } from './sim-values.ts';

export interface Called {
  readonly operation: number;
  readonly callUs: number;
  readonly body: RequestBody;
}

export type Ended =
  | { readonly kind: 'applied'; readonly answer: unknown }
  | { readonly kind: 'refused'; readonly failure: Failure }
  | { readonly kind: 'unknown' };

/** @param nextOffset where each stream goes on, as far as the client has seen; @param key empty: none */
export function bodyOf(action: ClientAction, nextOffset: ReadonlyMap<string, number>, key: string): RequestBody {
  switch (action.kind) {
    case 'create-stream':
      return { operation: 'create-stream', stream: action.stream, dataClass: '' };
    case 'delete-stream':
      return { operation: 'delete-stream', stream: action.stream };
    case 'read': {
      const { stream, limit, linearizable } = action;
      const from = Math.max(0, (nextOffset.get(stream) ?? 0) - (limit >> 1));
      return { operation: 'read', stream, from, limit, linearizable };
    }
    case 'append': {
      const { stream, value, count, bytes, expected } = action;
      const events: AppendEvent[] = [];
      for (let part = 0; part < count; part++)
        events.push({ data: eventData(value, part, bytes), type: '', contentType: '' });
      const expectedOffset = expected ? nextOffset.get(stream) : undefined;
      return { operation: 'append', stream, expectedOffset, idempotencyKey: key, events };
    }
  }
}

/** One operation as its client saw it. */
export function entryOf(
  client: number,
  { operation, callUs, body }: Called,
  ended: Ended,
  returnUs: number | undefined,
): HistoryEntry {
  const stream = 'stream' in body ? body.stream : '';
  if (body.operation === 'append') {
    const { value, count, expectedOffset } = appendFields(body);
    const outcome = appendOutcome(ended);
    return { operation, client, callUs, returnUs, stream, kind: 'append', value, count, expectedOffset, outcome };
  }
  if (body.operation === 'read') {
    const { consistency, from, limit } = readFields(body);
    const outcome = readOutcome(ended);
    return { operation, client, callUs, returnUs, stream, kind: 'read', consistency, from, limit, outcome };
  }
  assert(
    body.operation === 'create-stream' || body.operation === 'delete-stream',
    'a client of ours asks nothing else',
  );
  const outcome =
    ended.kind === 'applied'
      ? { kind: 'applied' as const, commitId: (ended.answer as { readonly commitId: number }).commitId }
      : ended.kind === 'refused'
        ? { kind: 'refused' as const, rule: ended.failure.code }
        : { kind: 'unknown' as const };
  return { operation, client, callUs, returnUs, stream, kind: body.operation, outcome };
}

function appendFields({ events, expectedOffset }: AppendRequest) {
  const first = partsOf((events[0] as { readonly data: Uint8Array }).data);
  return { value: first.value, count: events.length, expectedOffset };
}

function appendOutcome(ended: Ended) {
  if (ended.kind === 'unknown') return { kind: 'unknown' as const };
  if (ended.kind === 'refused') return { kind: 'refused' as const, rule: ended.failure.code };
  const { firstOffset, commitId } = ended.answer as Appended;
  return { kind: 'applied' as const, firstOffset, commitId };
}

function readFields({ from, limit, linearizable }: ReadRequest) {
  return {
    consistency: linearizable ? ('linearizable' as const) : ('committed' as const),
    from,
    limit,
  };
}

function readOutcome(ended: Ended) {
  if (ended.kind === 'unknown') return { kind: 'unknown' as const };
  if (ended.kind === 'refused')
    return ended.failure.code === 'STREAM_NOT_FOUND' ? { kind: 'no-stream' as const } : { kind: 'unknown' as const };
  const { events, nextOffset, commitId } = ended.answer as ReadAnswer;
  return {
    kind: 'applied' as const,
    events: events.map(({ offset, data }) => {
      const { value, part } = partsOf(data);
      return { offset, value, part };
    }),
    nextOffset,
    commitId,
  };
}
