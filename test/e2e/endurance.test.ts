/**
 * Goal: with a kill -9 every five seconds (from when the one before is back: two of three at once are no majority) and
 * rolling restarts in between, a mixed load (sessions over the binary protocol, keys over HTTP, linearizable and committed
 * reads, a tail) loses nothing that was acknowledged, has nothing twice, and keeps each client's order; memory grows by no
 * more than the index of the log. Method: real processes; `make endure` runs it for ten minutes and prints what the
 * clients felt. SECONDS=… sets another time.
 */
import { afterAll, expect, test } from 'vitest';
import { fieldOf } from '../../impl/cli/http-client.ts';
import { ClientError, LockstepClient } from '../../impl/client/index.ts';
import { pause, TestCluster } from './cluster-harness.ts';
import { EnduranceLedger, percentile, SHADOW_MS } from './endurance-ledger.ts';
import { ENTRY_BYTES_MAX, growthOf, type MemorySample, NOISE_BYTES_MAX, residentBytes } from './endurance-memory.ts';

const SECONDS = Number(process.env.SECONDS ?? 20);
const KILL_MS = 5_000;
/** So many kills, then a rolling restart. */
const KILLS_A_ROUND = 5;
const DOWN_MS = 700;
const BINARY_APPENDERS = 12;
const HTTP_APPENDERS = 4;
const READERS = 2;
const REQUEST_MS_MAX = 30_000;
const STREAM = 'endurance';
/** A shorter run's quarters have too few looks at the memory. */
const MEMORY_SECONDS_MIN = 300;
const MIB = 1024 ** 2;

const clients: LockstepClient[] = [];
let cluster: TestCluster | undefined;
afterAll(async () => {
  for (const client of clients) client.close();
  await cluster?.close();
});

test(
  `${SECONDS} s of mixed load, a kill -9 ${KILL_MS / 1_000} s after the last one is back, rolling restarts`,
  async () => {
    const running = await TestCluster.start();
    cluster = running;
    const addresses = running.addresses.map((address) => {
      const [host, port] = address.split(':') as [string, string];
      return { host, port: Number(port) };
    });
    for (let at = 0; at < BINARY_APPENDERS + READERS + 1; at++)
      clients.push(new LockstepClient({ addresses, timeoutMs: REQUEST_MS_MAX }));
    const [first] = clients as [LockstepClient];
    await first.createStream(STREAM);
    const ledger = new EnduranceLedger();
    const ending = new AbortController();
    const work = Promise.all([
      ...Array.from({ length: BINARY_APPENDERS }, (_, at) =>
        binaryAppender(clients[at] as LockstepClient, at, ledger, ending.signal),
      ),
      ...Array.from({ length: HTTP_APPENDERS }, (_, at) =>
        httpAppender(running, BINARY_APPENDERS + at, ledger, ending.signal),
      ),
      ...Array.from({ length: READERS }, (_, at) =>
        reader(clients[BINARY_APPENDERS + at] as LockstepClient, ledger, ending.signal),
      ),
      tailer(clients.at(-1) as LockstepClient, ledger, ending.signal),
    ]);
    const memory = await hurt(running, ledger, performance.now() + SECONDS * 1_000);
    ending.abort();
    await work;
    await running.level();
    const texts = await everything(first);
    expect(ledger.faultsOf(texts)).toEqual([]);
    expect(ledger.staleReads).toEqual([]);
    expect(ledger.refused).toEqual([]);
    expect(running.deaths).toEqual([]);
    expect(ledger.acknowledged.length).toBeGreaterThan(SECONDS * 20);
    console.log(report(ledger, memory));
    if (SECONDS < MEMORY_SECONDS_MIN || process.platform !== 'linux')
      console.log(`memory is not judged: that takes ${MEMORY_SECONDS_MIN} s and Linux's /proc`);
    else expect(growthOf(memory)).toMatchObject({ isWithinBounds: true });
  },
  SECONDS * 1_000 + 240_000,
);

async function binaryAppender(
  client: LockstepClient,
  appender: number,
  ledger: EnduranceLedger,
  ending: AbortSignal,
): Promise<void> {
  for (let index = 0; !ending.aborted; index++) {
    const startedMs = performance.now();
    try {
      const { firstOffset: offset } = await client.append(STREAM, [`${appender}/${index}`]);
      ledger.applied({ appender, index, offset }, startedMs);
    } catch (cause) {
      if (!(cause instanceof ClientError)) throw cause;
      if (cause.outcome === 'unknown') ledger.unknown.add(`${appender}/${index}`);
      else ledger.refused.push(`${appender}/${index}: ${cause.code}`);
    }
  }
}

async function httpAppender(
  cluster: TestCluster,
  appender: number,
  ledger: EnduranceLedger,
  ending: AbortSignal,
): Promise<void> {
  const http = cluster.client(appender % cluster.replicas.length);
  for (let index = 0; !ending.aborted; index++) {
    const startedMs = performance.now();
    const answer = await http.ask({
      method: 'POST',
      path: `/v1/streams/${STREAM}/events`,
      body: { events: [{ data: `${appender}/${index}` }] },
      idempotencyKey: `${appender}/${index}`,
      patient: true,
    });
    ledger.applied({ appender, index, offset: fieldOf(answer, 'firstOffset') as number }, startedMs);
  }
}

/** One linearizable read of the end, one committed read that hands in the commit id of the last answer. */
async function reader(client: LockstepClient, ledger: EnduranceLedger, ending: AbortSignal): Promise<void> {
  let commitId = 0;
  while (!ending.aborted) {
    const { end } = ledger;
    if (end === 0) {
      await pause(20);
      continue;
    }
    const startedMs = performance.now();
    const { events } = await client.read(STREAM, { from: end - 1, limit: 1 });
    ledger.took(startedMs);
    if (events.length === 0)
      ledger.staleReads.push(`offset ${end - 1} was acknowledged, and a later read does not have it`);
    const committed = await client.read(STREAM, { from: 0, limit: 1, consistency: 'committed', minCommitId: commitId });
    if (committed.commitId < commitId)
      ledger.staleReads.push(`a read at ${commitId} was followed by one at ${committed.commitId}`);
    commitId = committed.commitId;
    ledger.reads += 2;
  }
}

/** Every offset once and in order, however often the replica that is asked dies. */
async function tailer(client: LockstepClient, ledger: EnduranceLedger, ending: AbortSignal): Promise<void> {
  let next = 0;
  try {
    for await (const { offset } of client.tail(STREAM, { from: 0, signal: ending })) {
      if (offset !== next) ledger.staleReads.push(`the tail went from ${next - 1} to ${offset}`);
      next = offset + 1;
    }
  } catch (cause) {
    if (!ending.aborted) throw cause;
  }
  if (next === 0) ledger.staleReads.push('the tail saw nothing');
}

/** @returns the memory of the replicas, at the beginning of each round and before somebody dies */
async function hurt(cluster: TestCluster, ledger: EnduranceLedger, untilMs: number): Promise<readonly MemorySample[]> {
  const memory: MemorySample[] = [];
  const look = (): void => {
    const residents = cluster.replicas.map((replica) => residentBytes(cluster.pidOf(replica)));
    memory.push({ entries: ledger.end, residentBytes: residents });
  };
  for (let round = 0; performance.now() < untilMs; round++) {
    look();
    await pause(KILL_MS - DOWN_MS);
    look();
    if (round % (KILLS_A_ROUND + 1) === KILLS_A_ROUND) {
      await rollingRestart(cluster);
      continue;
    }
    // Every second time the primary: it is the death that is felt.
    const victim = round % 2 === 0 ? await cluster.primary() : round % cluster.replicas.length;
    ledger.deathsMs.push(performance.now());
    await cluster.kill(victim);
    await pause(DOWN_MS);
    await cluster.start(victim);
  }
  return memory;
}

async function rollingRestart(cluster: TestCluster): Promise<void> {
  for (const replica of cluster.replicas) {
    expect(await cluster.stop(replica)).toBe(0);
    await cluster.start(replica);
    await cluster.level();
  }
}

async function everything(client: LockstepClient): Promise<readonly string[]> {
  const texts: string[] = [];
  for (;;) {
    const { events } = await client.read(STREAM, { from: texts.length, limit: 1_000 });
    for (const { data } of events) texts.push(Buffer.from(data).toString('utf8'));
    if (events.length === 0) return texts;
  }
}

function report(ledger: EnduranceLedger, memory: readonly MemorySample[]): string {
  const { inShadow, otherwise } = ledger.latencies;
  const growth = growthOf(memory);
  const ms = (value: number): string => `${value.toFixed(1)} ms`;
  return [
    `${ledger.acknowledged.length} appends acknowledged, ${ledger.unknown.size} unknown, ${ledger.reads} reads, ${ledger.deathsMs.length} deaths`,
    `longest time without an answer to anybody ${ms(ledger.longestGapMs)}`,
    `within ${SHADOW_MS / 1_000} s of a death p50 ${ms(percentile(inShadow, 0.5))}, p99 ${ms(percentile(inShadow, 0.99))}; otherwise p50 ${ms(percentile(otherwise, 0.5))}, p99 ${ms(percentile(otherwise, 0.99))}`,
    `resident memory of all replicas: ${memory
      .filter((_, at) => at % Math.ceil(memory.length / 8) === 0)
      .map(({ residentBytes: each }) => Math.round(each.reduce<number>((sum, bytes) => sum + (bytes ?? 0), 0) / MIB))
      .join(', ')} MiB`,
    `a replica's least memory, from the second quarter to the last: ${(growth.bytes / MIB).toFixed(1)} MiB for ${Math.round(growth.entries)} entries, ${(growth.bytes / Math.max(1, growth.entries)).toFixed(0)} bytes an entry (bound ${ENTRY_BYTES_MAX} and ${NOISE_BYTES_MAX / MIB} MiB of noise)`,
  ].join('\n');
}
