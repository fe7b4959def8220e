/**
 * What the state machine costs: commands applied a second of processor time with their state hashes, commands encoded and
 * decoded, and bytes kept for each. Run: node --expose-gc --import tsx bench/kernel.ts
 */
import { pathToFileURL } from 'node:url';
import { decodeCommand, encodeBatch, encodeCommand } from '../impl/kernel/command-codec.ts';
import { Kernel } from '../impl/kernel/kernel.ts';
import { type CommittedPrepare, placeOf } from '../impl/kernel/state.ts';

const STREAMS = 100;
const EVENT_BYTES = 256;
const WARM_SHARE = 0.2;

/** What makes a retry harmless: nothing, a key of its own, or a number in one of SESSIONS sessions. */
type Once = 'plain' | 'with keys' | 'in sessions';
const SESSIONS = 64;

export interface KernelCost {
  readonly batch: number;
  readonly once: Once;
  readonly appliedPerSecond: number;
  readonly encodedPerSecond: number;
  readonly decodedPerSecond: number;
  /** Bytes that stay in the state for each command; undefined without --expose-gc. */
  readonly bytesKept: number | undefined;
}

export function measureKernel(batch: number, commands: number, once: Once = 'plain'): KernelCost {
  const events = [{ data: Buffer.alloc(EVENT_BYTES, 7) }];
  const kernel = new Kernel();
  const bodies = Array.from({ length: Math.ceil(commands / batch) }, (_, op) =>
    encodeBatch(
      Array.from({ length: batch }, (__, index) => {
        const key = once === 'with keys' ? { idempotencyKey: `key-${op}-${index}` } : {};
        const name = once === 'in sessions' ? { session: requestOf(op * batch + index) } : {};
        return encodeCommand({ kind: 'Append', stream: `stream-${op % STREAMS}`, events, ...key, ...name });
      }),
    ),
  );
  let op = 0;
  const apply = (body: Uint8Array): void => {
    op++;
    const prepare: CommittedPrepare = { op, hash: HASH, timestamp: op, body };
    kernel.apply(prepare);
  };
  apply(
    encodeBatch(
      Array.from({ length: STREAMS }, (_, index) => encodeCommand({ kind: 'CreateStream', stream: `stream-${index}` })),
    ),
  );
  apply(encodeBatch(Array.from({ length: SESSIONS }, () => encodeCommand({ kind: 'RegisterSession' }))));
  const warm = Math.ceil(bodies.length * WARM_SHARE);
  for (const body of bodies.slice(0, warm)) apply(body);
  globalThis.gc?.();
  const before = process.memoryUsage();
  const measured = bodies.slice(warm);
  const count = measured.length * batch;
  const applied = timed(() => measured.forEach(apply));
  globalThis.gc?.();
  const after = process.memoryUsage();
  const command = { kind: 'Append', stream: 'stream-1', events } as const;
  const encoded = timed(() => repeat(count, () => encodeCommand(command)));
  const bytes = encodeCommand(command);
  const decoded = timed(() => repeat(count, () => decodeCommand(bytes)));
  const measures = globalThis.gc !== undefined;
  return {
    batch,
    once,
    appliedPerSecond: Math.round((count * 1000) / applied),
    encodedPerSecond: Math.round((count * 1000) / encoded),
    decodedPerSecond: Math.round((count * 1000) / decoded),
    bytesKept: measures ? Math.max(0, Math.round((used(after) - used(before)) / count)) : undefined,
  };
}

const HASH = new Uint8Array(32).fill(9);

/** Sessions take turns; op 2 registers them. */
function requestOf(number: number): { readonly clientId: number; readonly requestNumber: number } {
  return { clientId: placeOf(2, number % SESSIONS), requestNumber: Math.floor(number / SESSIONS) + 1 };
}

function used({ heapUsed, external }: NodeJS.MemoryUsage): number {
  return heapUsed + external;
}

/** Milliseconds of processor: what a busy machine does not change. */
function timed(act: () => void): number {
  const before = process.cpuUsage();
  act();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

function repeat(count: number, act: () => void): void {
  for (let time = 0; time < count; time++) act();
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const [batch, commands, once] of [
    [1, 100_000, 'plain'],
    [16, 400_000, 'plain'],
    [64, 400_000, 'plain'],
    [64, 100_000, 'with keys'],
    [64, 100_000, 'in sessions'],
  ] as const) {
    const cost = measureKernel(batch, commands, once);
    const memory = cost.bytesKept === undefined ? '' : `, ${cost.bytesKept} bytes kept a command`;
    console.log(
      `batch ${batch} ${once}: ${cost.appliedPerSecond} applied/s, ${cost.encodedPerSecond} encoded/s, ` +
        `${cost.decodedPerSecond} decoded/s${memory}`,
    );
  }
}
