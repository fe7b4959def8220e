/** A stream that grows by itself, so that whoever looks at a cluster for the first time sees it work. Mirrors no spec module. */
import type { Clock } from '../ports/clock.ts';
import type { HttpClient } from './http-client.ts';

export const SAMPLE_STREAM = 'sample';
/** Between two entries. */
const PERIOD_MS = 1_000;
const READINGS = ['temperature', 'humidity', 'pressure'] as const;

export interface SampleProgress {
  /** Entries acknowledged by this process. */
  readonly appended: number;
  /** Why the last one was not; it goes on with the next. */
  readonly refusal: string | undefined;
}

/** Appends until the signal, one entry a second; says after each how far it is. */
export async function growSample(
  client: HttpClient,
  clock: Clock,
  ending: AbortSignal,
  onProgress: (progress: SampleProgress) => void,
): Promise<void> {
  // 409: it is there from an earlier start.
  await client
    .ask({ method: 'POST', path: '/v1/streams', body: { name: SAMPLE_STREAM }, patient: true })
    .catch(() => {});
  for (let count = 0, appended = 0; !ending.aborted; count++) {
    const refusal = await appendOne(client, clock.wallMs(), count);
    if (refusal === undefined) appended++;
    if (ending.aborted) return;
    onProgress({ appended, refusal });
    await client.pause(PERIOD_MS);
  }
}

async function appendOne(client: HttpClient, nowMs: number, count: number): Promise<string | undefined> {
  const kind = READINGS[count % READINGS.length] as string;
  const data = JSON.stringify({ sensor: kind, value: 20 + (count % 7), atMs: nowMs });
  const body = { events: [{ data, type: 'reading', contentType: 'application/json' }] };
  // One key a second of the wall clock: the same reading again, after a lost answer, is not appended twice.
  const idempotencyKey = `sample.${nowMs}.${count}`;
  try {
    const path = `/v1/streams/${SAMPLE_STREAM}/events`;
    await client.ask({ method: 'POST', path, body, idempotencyKey, patient: true });
    return undefined;
  } catch (cause) {
    return cause instanceof Error ? cause.message : String(cause);
  }
}
