/**
 * Goal: under kill -9 and SIGSTOP of random replicas and of the primary, the binary client's appends stand exactly once, and
 * a linearizable read never misses what was acknowledged before it began. Method: three clients, appends and reads without
 * pause, as many victims at once as the cluster must survive. SECONDS=120 REPLICAS=5 make it longer and larger.
 */
import { afterAll, expect, it } from 'vitest';
import { ClientError, LockstepClient } from '../../impl/client/index.ts';
import { pause, TestCluster } from './cluster-harness.ts';

const SECONDS = Number(process.env.SECONDS ?? 15);
const REPLICAS = Number(process.env.REPLICAS ?? 3);
const VICTIMS = Math.floor((REPLICAS - 1) / 2);
const CLIENTS = 3;
const APPENDERS = 24;
/** A request survives a few view changes in a row. */
const REQUEST_MS_MAX = 30_000;
const STREAM = 'soak';

const clients: LockstepClient[] = [];
let cluster: TestCluster | undefined;
afterAll(async () => {
  for (const client of clients) client.close();
  await cluster?.close();
});

/** What the clients were told. */
class Ledger {
  readonly acknowledged: string[] = [];
  readonly unknown: string[] = [];
  readonly missed: number[] = [];
  reads = 0;
  /** Offset after the last one that is acknowledged. */
  end = 0;
  stopped = false;

  async append(client: LockstepClient, appender: number): Promise<void> {
    for (let index = 0; !this.stopped; index++) {
      const text = `${appender}/${index}`;
      try {
        const { lastOffset } = await client.append(STREAM, [text]);
        this.acknowledged.push(text);
        this.end = Math.max(this.end, lastOffset + 1);
      } catch (cause) {
        if (!(cause instanceof ClientError)) throw cause;
        if (cause.outcome === 'unknown') this.unknown.push(text);
      }
    }
  }

  async read(client: LockstepClient): Promise<void> {
    while (!this.stopped) {
      const { end } = this;
      if (end === 0) await pause(20);
      else {
        const { events } = await client.read(STREAM, { from: end - 1, limit: 1 });
        this.reads++;
        if (events.length === 0) this.missed.push(end - 1);
      }
    }
  }
}

async function hurt(victims: ReadonlySet<number>, of: TestCluster, mayKill: boolean): Promise<void> {
  for (const victim of victims) {
    if (mayKill) await of.kill(victim);
    else of.freeze(victim);
  }
  await pause(Math.random() * 2_000);
  for (const victim of victims) {
    if (mayKill) await of.start(victim);
    else of.thaw(victim);
  }
}

async function everything(client: LockstepClient): Promise<string[]> {
  const texts: string[] = [];
  for (;;) {
    const { events } = await client.read(STREAM, { from: texts.length, limit: 1_000 });
    for (const { data } of events) texts.push(Buffer.from(data).toString('utf8'));
    if (events.length === 0) return texts;
  }
}

it(
  `${SECONDS} s of kill -9 and SIGSTOP: every append once, no linearizable read behind (R=${REPLICAS})`,
  async () => {
    const running = await TestCluster.start({ replicas: REPLICAS });
    cluster = running;
    const addresses = running.addresses.map((address) => {
      const [host, port] = address.split(':') as [string, string];
      return { host, port: Number(port) };
    });
    for (let at = 0; at < CLIENTS; at++) {
      const turned = [...addresses.slice(at), ...addresses.slice(0, at)];
      clients.push(new LockstepClient({ addresses: turned, timeoutMs: REQUEST_MS_MAX }));
    }
    const clientOf = (index: number): LockstepClient => clients[index % CLIENTS] as LockstepClient;
    await clientOf(0).createStream(STREAM);
    const ledger = new Ledger();
    const working = Promise.all([
      ...Array.from({ length: APPENDERS }, (_, appender) => ledger.append(clientOf(appender), appender)),
      ...clients.map((client) => ledger.read(client)),
    ]);
    const endMs = performance.now() + SECONDS * 1_000;
    for (let round = 0; performance.now() < endMs; round++) {
      await pause(300 + Math.random() * 700);
      const victims = new Set(round % 3 === 2 ? [] : [await running.primary()]);
      while (victims.size < VICTIMS) victims.add(Math.floor(Math.random() * REPLICAS));
      await hurt(victims, running, round % 2 === 0);
    }
    ledger.stopped = true;
    await working;
    await running.level();
    const texts = await everything(clientOf(0));
    const present = new Set(texts);
    expect(texts.length).toBe(present.size);
    expect(ledger.acknowledged.filter((text) => !present.has(text))).toEqual([]);
    const sent = new Set([...ledger.acknowledged, ...ledger.unknown]);
    expect(texts.filter((text) => !sent.has(text))).toEqual([]);
    expect(ledger.missed).toEqual([]);
    expect(ledger.reads).toBeGreaterThan(SECONDS);
    expect(running.deaths).toEqual([]);
    console.log(
      `${ledger.acknowledged.length} appends acknowledged, ${ledger.unknown.length} unknown, ${ledger.reads} reads`,
    );
  },
  SECONDS * 1_000 + 180_000,
);
