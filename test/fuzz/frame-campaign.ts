/**
 * Malformed bytes on every port of a real cluster, and what they did: first while nobody else asks anything, and then not one
 * op may be added; then beside a client that behaves, which must be served and find what it wrote and nothing else; then
 * connections that only stay. Counted by kind, by how they ended, and by what the replicas say they refused.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { LockstepClient } from '../../impl/client/index.ts';
import { encodeFrame, FRAME_KINDS } from '../../impl/wire/frame.ts';
import { ANY_REPLICA, encodeHello } from '../../impl/wire/hello.ts';
import type { TestCluster } from '../e2e/cluster-harness.ts';
import type { Attack, AttackTally } from './attacker.ts';
import type { Port } from './malformed-frames.ts';

const ATTACKER = fileURLToPath(new URL('attacker-main.ts', import.meta.url));
const STREAM = 'served';
const CONNECTIONS_EACH = 48;
/** What connections that only stay are given before we end them ourselves. */
const LINGER_MS_MAX = 60_000;
const SAMPLE_MS = 1_000;
const SAMPLES_SHOWN = 12;

export interface CampaignOptions {
  readonly frames: number;
  readonly seed: number;
  /** Connections that say nothing, to one replica at once. */
  readonly idle: number;
  /** Connections that send one byte at a time. */
  readonly slow: number;
  readonly say: (line: string) => void;
}

export interface ReplicaState {
  readonly op: number;
  readonly commit: number;
  readonly stateHash: string;
}

export interface Latencies {
  readonly operations: number;
  readonly failures: readonly string[];
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export interface CampaignReport {
  readonly attacks: readonly (AttackTally & { readonly port: Port; readonly seconds: number })[];
  readonly frames: number;
  /** Of each replica, before and after the attack on a cluster that nobody else used. */
  readonly quietBefore: readonly ReplicaState[];
  readonly quietAfter: readonly ReplicaState[];
  readonly undisturbed: Latencies;
  readonly served: Latencies;
  readonly lingering: readonly {
    readonly what: string;
    readonly opened: number;
    readonly closedByServer: number;
    readonly longestMs: number;
  }[];
  /** While connections stay: of a client that connects anew for each request. */
  readonly servedAmongLingering: Latencies;
  readonly refused: Readonly<Record<string, number>>;
  /** The largest replica's, at equal steps of the time, the first before and the last after; empty where the system does not tell. */
  readonly residentMiB: readonly number[];
  /** What is wrong with what the well-behaved client finds afterwards; empty when nothing is. */
  readonly faults: readonly string[];
}

export async function campaign(cluster: TestCluster, options: CampaignOptions): Promise<CampaignReport> {
  const { frames, seed, say } = options;
  const attacks: CampaignReport['attacks'][number][] = [];
  let nextSeed = seed;
  const strike = async (port: Port, share: number, replicas: readonly number[], posesAs: number): Promise<void> => {
    const each = Math.ceil((frames * share) / replicas.length);
    await Promise.all(
      replicas.map(async (replica) => {
        const address =
          port === 'http' ? (cluster.urls[replica] as string).slice('http://'.length) : cluster.addresses[replica];
        const [host, tcpPort] = (address as string).split(':') as [string, string];
        const started = performance.now();
        const order: { what: 'attack' } & Attack = {
          what: 'attack',
          port,
          host,
          tcpPort: Number(tcpPort),
          cluster: String(cluster.cluster),
          target: { replicaCount: cluster.replicas.length, replica, posesAs },
          frames: each,
          seed: nextSeed++,
          connections: CONNECTIONS_EACH,
        };
        const tally = (await attackerDoes(order)) as AttackTally;
        const seconds = (performance.now() - started) / 1_000;
        attacks.push({ ...tally, port, seconds });
        say(`${tally.frames} on the ${port} port of replica ${replica} in ${seconds.toFixed(0)} s`);
      }),
    );
  };

  const client = clientOf(cluster);
  try {
    await client.createStream(STREAM);
    const ledger = new Ledger(client);
    say('a client that behaves, alone');
    const undisturbed = await ledger.measuredWhile(pauseMs(2_000));
    await cluster.level();
    const refusedBefore = await refusals(cluster);
    const quietBefore = await states(cluster);
    const resident = new ResidentSamples(cluster);

    say('malformed bytes, and nobody else');
    await Promise.all([strike('client', 0.25, cluster.replicas, 0), strike('http', 0.2, cluster.replicas, 0)]);
    await cluster.level();
    const quietAfter = await states(cluster);

    say('malformed bytes, and a client that behaves');
    const primary = await cluster.primary();
    const stolen = cluster.replicas.findLast((replica) => replica !== primary) as number;
    const others = cluster.replicas.filter((replica) => replica !== stolen);
    const served = await ledger.measuredWhile(
      Promise.all([
        strike('client', 0.1, cluster.replicas, 0),
        strike('http', 0.1, cluster.replicas, 0),
        strike('peer', 0.35, others, stolen),
      ]),
    );

    say('connections that stay');
    const { lingering, servedAmongLingering } = await lingeringOf(cluster, options);
    await cluster.level();
    const refused = difference(refusedBefore, await refusals(cluster));
    const residentMiB = resident.stop();
    const found = await ledger.faults();
    await cluster.level();
    const faults = [...found, ...differing(await states(cluster))];
    const total = attacks.reduce((sum, attack) => sum + attack.frames, 0);
    return {
      ...{ attacks, frames: total, quietBefore, quietAfter, undisturbed, served, lingering, servedAmongLingering },
      ...{ refused, residentMiB, faults: [...faults, ...cluster.deaths] },
    };
  } finally {
    client.close();
  }
}

function clientOf(cluster: TestCluster): LockstepClient {
  const addresses = cluster.addresses.map((address) => {
    const [host, port] = address.split(':') as [string, string];
    return { host, port: Number(port) };
  });
  return new LockstepClient({ addresses, timeoutMs: 30_000 });
}

/** What the well-behaved client was told, and what it finds. */
class Ledger {
  readonly #client: LockstepClient;
  readonly #acknowledged = new Map<number, string>();
  #next = 0;

  constructor(client: LockstepClient) {
    this.#client = client;
  }

  /** Appends and reads by turns until the other work is done. */
  async measuredWhile(work: Promise<unknown>): Promise<Latencies> {
    let over = false;
    const ended = work.finally(() => {
      over = true;
    });
    const figures = measured(
      () => over,
      async () => {
        const text = `entry ${this.#next++}`;
        const { firstOffset } = await this.#client.append(STREAM, [text]);
        this.#acknowledged.set(firstOffset, text);
        await this.#client.read(STREAM, { from: firstOffset, limit: 1 });
      },
    );
    await ended;
    return figures;
  }

  async faults(): Promise<string[]> {
    const faults: string[] = [];
    const { streams } = await this.#client.listStreams();
    if (streams.length !== 1 || streams[0]?.name !== STREAM) faults.push(`streams: ${streams.map(({ name }) => name)}`);
    let offset = 0;
    for (;;) {
      const { events } = await this.#client.read(STREAM, { from: offset, limit: 1_000 });
      if (events.length === 0) break;
      for (const event of events) {
        const text = Buffer.from(event.data).toString();
        if (this.#acknowledged.get(event.offset) !== text) faults.push(`offset ${event.offset} is "${text}"`);
      }
      offset += events.length;
    }
    if (offset !== this.#acknowledged.size) faults.push(`${this.#acknowledged.size} acknowledged, ${offset} there`);
    return faults;
  }
}

async function measured(isOver: () => boolean, act: () => Promise<unknown>): Promise<Latencies> {
  const samples: number[] = [];
  const failures: string[] = [];
  do {
    const started = performance.now();
    try {
      await act();
      samples.push(performance.now() - started);
    } catch (cause) {
      failures.push(String(cause));
    }
  } while (!isOver());
  samples.sort((a, b) => a - b);
  const at = (share: number): number => samples[Math.max(0, Math.ceil(share * samples.length) - 1)] ?? Number.NaN;
  return { operations: samples.length, failures, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}

async function lingeringOf(
  cluster: TestCluster,
  { idle, slow }: CampaignOptions,
): Promise<Pick<CampaignReport, 'lingering' | 'servedAmongLingering'>> {
  const binary = cluster.addresses[0] as string;
  const http = (cluster.urls[0] as string).slice('http://'.length);
  const fields = { role: 'client', replica: ANY_REPLICA, replicaCount: 0, to: ANY_REPLICA, cluster: 0n } as const;
  const hello = encodeFrame(FRAME_KINDS.hello, encodeHello(fields));
  const half = Buffer.alloc(600);
  half.writeUInt32LE(500_000, 0);
  const nothing = Buffer.alloc(0);
  const headers = Buffer.from('GET /health HTTP/1.1\r\nhost: x\r\nx: y');
  const orders: readonly (readonly [what: string, address: string, count: number, first: Buffer, drip: Buffer])[] = [
    ['say nothing, client port', binary, idle, nothing, nothing],
    ['Hello one byte at a time, and never the last', binary, slow, nothing, hello.subarray(0, -1)],
    ['half a request one byte at a time, after Hello', binary, slow, hello, half],
    ['say nothing, HTTP port', http, idle, nothing, nothing],
    ['headers one byte at a time', http, slow, headers, Buffer.alloc(600, 'z')],
  ];
  let over = false;
  const all = Promise.all(
    orders.map(async ([what, address, count, first, drip]) => {
      const [host, tcpPort] = address.split(':') as [string, string];
      const order = { what: 'linger', host, tcpPort: Number(tcpPort), count, withinMs: LINGER_MS_MAX };
      const result = await attackerDoes({ ...order, first: first.toString('hex'), drip: drip.toString('hex') });
      return { what, ...(result as { opened: number; closedByServer: number; longestMs: number }) };
    }),
  ).finally(() => {
    over = true;
  });
  const servedAmongLingering = await measured(
    () => over,
    async () => {
      const client = clientOf(cluster);
      try {
        await client.read(STREAM, { from: 0, limit: 1 });
      } finally {
        client.close();
      }
    },
  );
  return { lingering: await all, servedAmongLingering };
}

/** In a process of its own; settles with what it printed. */
function attackerDoes(order: object): Promise<unknown> {
  const child = spawn(process.execPath, ['--import', 'tsx', ATTACKER, JSON.stringify(order)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(JSON.parse(text));
      else reject(new Error(`the attacker ended with ${code}`));
    });
  });
}

async function states(cluster: TestCluster): Promise<ReplicaState[]> {
  return Promise.all(
    cluster.urls.map(async (url) => {
      const { data } = (await (await fetch(`${url}/v1/dx/status`)).json()) as { data: Record<string, unknown> };
      return { op: Number(data.op), commit: Number(data.commit), stateHash: String(data.state_hash) };
    }),
  );
}

function differing(all: readonly ReplicaState[]): string[] {
  return new Set(all.map(({ stateHash }) => stateHash)).size === 1 ? [] : ['the replicas have different states'];
}

/** Every counter of the replicas that says what was refused, dropped or lost, added up. */
async function refusals(cluster: TestCluster): Promise<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (const url of cluster.urls) {
    const text = await (await fetch(`${url}/metrics`)).text();
    for (const line of text.split('\n')) {
      const [, name, value] = /^(lockstep_\w*(?:refused|dropped|lost)\w*(?:\{[^}]*\})?) (\d+)$/.exec(line) ?? [];
      if (name !== undefined) sums[name] = (sums[name] ?? 0) + Number(value);
    }
  }
  return sums;
}

function difference(before: Record<string, number>, after: Record<string, number>): Record<string, number> {
  const changed = Object.entries(after).map(([name, value]) => [name, value - (before[name] ?? 0)] as const);
  return Object.fromEntries(changed.filter(([, value]) => value > 0).sort());
}

/** The memory of the largest replica, again and again. */
class ResidentSamples {
  readonly #cluster: TestCluster;
  readonly #samples: number[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(cluster: TestCluster) {
    this.#cluster = cluster;
    this.#sample();
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS);
  }

  /** @returns SAMPLES_SHOWN of them at equal steps, or none */
  stop(): number[] {
    clearInterval(this.#timer);
    this.#sample();
    const { length } = this.#samples;
    return Array.from(
      { length: Math.min(SAMPLES_SHOWN, length) },
      (_, index, all = Math.min(SAMPLES_SHOWN, length)) => {
        const at = all === 1 ? 0 : Math.round((index * (length - 1)) / (all - 1));
        return this.#samples[at] as number;
      },
    );
  }

  #sample(): void {
    const sizes = this.#cluster.replicas.flatMap((replica) => {
      try {
        const status = readFileSync(`/proc/${this.#cluster.pidOf(replica)}/status`, 'utf8');
        return [Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024)];
      } catch {
        return [];
      }
    });
    if (sizes.length > 0) this.#samples.push(Math.max(...sizes));
  }
}

function pauseMs(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
