/**
 * The load of `lockstep bench`: a closed loop. N appends, or reads of one entry, are in flight at all times; each answer starts the next one at
 * once. Latencies lie in one typed array, so that measuring costs no memory while it runs. Mirrors no spec module.
 */
import type { Clock } from '../ports/clock.ts';
import { LockstepError } from '../ports/lockstep-error.ts';
import { RealClock } from '../ports/real-clock.ts';
import { RealRandom } from '../ports/real-random.ts';
import { LockstepClient } from './client.ts';
import { ClientError } from './client-error.ts';
import type { Address, ClientOptions } from './client-options.ts';

export interface LoadOptions extends Pick<ClientOptions, 'tls' | 'token'> {
  readonly addresses: readonly Address[];
  readonly stream: string;
  /** Appends or reads in flight. */
  readonly inFlight: number;
  /** Bytes of one entry. */
  readonly bytes: number;
  /** Before anything is counted; longer until WARM_OPERATIONS_MIN are done, for at most WARM_SECONDS_MAX. */
  readonly warmSeconds: number;
  readonly seconds: number;
  /** Reads of the newest entry with this consistency, instead of appends. */
  readonly reads?: 'linearizable' | 'committed';
  /** Connections that share them; one is what one program has. */
  readonly connections?: number;
  /** Whether appends that wait for a place go together; default: as the client does, so from 65 in flight on a connection. */
  readonly batching?: boolean;
  readonly clock?: Clock;
}

export interface LoadFigures {
  readonly inFlight: number;
  readonly bytes: number;
  /** Acknowledged in the counted time. */
  readonly operations: number;
  readonly seconds: number;
  readonly opsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
  readonly errors: number;
  /** The first few codes that were seen. */
  readonly errorCodes: readonly string[];
  /** Latencies in ms at equal steps of the distribution. */
  readonly quantiles: readonly number[];
}

/** Samples kept; at it the counting ends early. */
const SAMPLES_MAX = 8_000_000;
const QUANTILE_STEPS = 400;
/**
 * A process that has just started still compiles: one append in flight costs it 250 us at first and 30 us after some thousand.
 * What is counted is how it runs, not how it starts.
 */
const WARM_OPERATIONS_MIN = 5_000;
const WARM_SECONDS_MAX = 10;
const ERROR_CODES_MAX = 8;
/** Between two errors of one loop, so that a server that refuses everything is not flooded. */
const ERROR_WAIT_MS = 10;

export async function runLoad(options: LoadOptions): Promise<LoadFigures> {
  const clock = options.clock ?? new RealClock();
  const clients = Array.from(
    { length: options.connections ?? 1 },
    () =>
      new LockstepClient({
        addresses: options.addresses,
        clock,
        ...(options.batching === undefined ? {} : { batching: options.batching }),
        ...(options.tls === undefined ? {} : { tls: options.tls }),
        ...(options.token === undefined ? {} : { token: options.token }),
      }),
  );
  try {
    await ensureStream(clients[0] as LockstepClient, options.stream);
    return await measure(clients, options, clock);
  } finally {
    for (const client of clients) client.close();
  }
}

async function ensureStream(client: LockstepClient, stream: string): Promise<void> {
  try {
    await client.createStream(stream);
  } catch (cause) {
    if (!(cause instanceof ClientError) || cause.code !== 'STREAM_EXISTS') throw cause;
  }
}

/** Bytes of random data that the entries are cut from: beyond the reach of lz4, so that no entry repeats another. */
const RANDOM_BYTES = 4 * 1024 * 1024;

/** Entries that the log cannot make smaller: what is measured is the writing of all their bytes. */
function incompressible(bytes: number): () => Uint8Array {
  const data = new RealRandom().bytes(Math.max(RANDOM_BYTES, bytes));
  let at = 0;
  return () => {
    if (at + bytes > data.byteLength) at = 0;
    at += bytes;
    return data.subarray(at - bytes, at);
  };
}

async function measure(clients: readonly LockstepClient[], options: LoadOptions, clock: Clock): Promise<LoadFigures> {
  const { inFlight, bytes, warmSeconds, seconds, stream } = options;
  const samples = new Float64Array(Math.min(SAMPLES_MAX, Math.ceil((seconds + 1) * 200_000)));
  const nextPayload = incompressible(bytes);
  const { reads } = options;
  const from = reads === undefined ? 0 : (await clients[0]?.append(stream, [nextPayload()]))?.firstOffset;
  const readOptions = { from: from ?? 0, limit: 1, ...(reads === undefined ? {} : { consistency: reads }) };
  const once = (client: LockstepClient): Promise<unknown> =>
    reads === undefined ? client.append(stream, [nextPayload()]) : client.read(stream, readOptions);
  const warmFromMs = clock.monotonicMs();
  let warmed = 0;
  let fromMs = warmSeconds === 0 ? warmFromMs : Number.POSITIVE_INFINITY;
  const isWarm = (nowMs: number): boolean => {
    if (fromMs <= nowMs) return true;
    const passed = (nowMs - warmFromMs) / 1_000;
    const enough = warmed >= WARM_OPERATIONS_MIN || passed >= Math.max(warmSeconds, WARM_SECONDS_MAX);
    if (enough && passed >= warmSeconds) fromMs = nowMs;
    return false;
  };
  let count = 0;
  let errors = 0;
  const errorCodes = new Set<string>();
  const loop = async (client: LockstepClient): Promise<void> => {
    for (;;) {
      const startedMs = clock.monotonicMs();
      const untilMs = fromMs + seconds * 1_000;
      if (startedMs >= untilMs || count >= samples.length) return;
      try {
        await once(client);
        const nowMs = clock.monotonicMs();
        if (!isWarm(nowMs)) warmed++;
        else if (nowMs <= fromMs + seconds * 1_000) samples[count++] = nowMs - startedMs;
      } catch (cause) {
        errors++;
        isWarm(clock.monotonicMs()); // a system that refuses everything comes to an end, too
        if (errorCodes.size < ERROR_CODES_MAX) errorCodes.add(cause instanceof LockstepError ? cause.code : 'UNKNOWN');
        await new Promise<void>((resolve) => void clock.after(ERROR_WAIT_MS, resolve));
      }
    }
  };
  await Promise.all(
    Array.from({ length: inFlight }, (_, index) => loop(clients[index % clients.length] as LockstepClient)),
  );
  const sorted = samples.subarray(0, count).sort();
  // The whole time, also when nothing was answered at its end: a stall must not look like speed.
  const counted = Math.max(Math.min(clock.monotonicMs() - fromMs, seconds * 1_000), 1) / 1_000;
  const at = (share: number): number => quantile(sorted, share);
  return {
    inFlight,
    bytes,
    operations: count,
    seconds: counted,
    opsPerSecond: count / counted,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    p999Ms: at(0.999),
    maxMs: at(1),
    errors,
    errorCodes: [...errorCodes],
    quantiles: Array.from({ length: QUANTILE_STEPS }, (_, step) => at((step + 1) / QUANTILE_STEPS)),
  };
}

/** Value below which the share (0..1) of the sorted samples lies; nearest rank. */
export function quantile(sorted: Float64Array, share: number): number {
  if (sorted.length === 0) return Number.NaN;
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] as number;
}
