/**
 * Clients that append without pause while the cluster is hurt, and a ledger of what each was told. Afterwards the ledger is
 * held against what every replica has: an acknowledged entry stands at its offset with its hash, nothing stands twice,
 * nothing stands there that nobody sent, and all replicas have the same entries.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { fieldOf } from '../../impl/cli/http-client.ts';
import { pause, type TestCluster } from './cluster-harness.ts';

const PAGE_EVENTS_MAX = 1_000;
const RETRY_PAUSE_MS = 50;

export interface Acknowledged {
  readonly offset: number;
  readonly data: string;
  readonly commitId: string;
}

/** What an entry looks like when it is read. */
export interface StoredEvent {
  readonly offset: number;
  readonly data: string;
  readonly timestamp: unknown;
  readonly commitId: string | number;
  readonly hash: string;
}

export interface LoadOptions {
  readonly stream: string;
  readonly clients: number;
  readonly eventsPerAppend: number;
  /** Bytes of one entry, about; random, so that the log cannot make them smaller by much. */
  readonly eventBytes?: number;
}

export class Load {
  readonly stream: string;
  readonly acknowledged: Acknowledged[] = [];
  readonly attempted = new Set<string>();
  /** Requests that ended in an error although they were repeated with the same key until the client's deadline. */
  readonly failures: string[] = [];
  /** The longest that one append took, in milliseconds. */
  slowestMs = 0;
  readonly #cluster: TestCluster;
  readonly #options: LoadOptions;
  readonly #clients: Promise<void>[];
  #stopping = false;

  private constructor(cluster: TestCluster, options: LoadOptions) {
    this.stream = options.stream;
    this.#cluster = cluster;
    this.#options = options;
    this.#clients = Array.from({ length: options.clients }, (_, client) => this.#run(client));
  }

  /** Creates the stream and starts the clients, each at another replica. */
  static async start(cluster: TestCluster, options: LoadOptions): Promise<Load> {
    await createStream(cluster, options.stream);
    return new Load(cluster, options);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#clients);
  }

  /** Settles when `count` more appends are acknowledged than now. */
  async progress(count: number, deadlineMs: number): Promise<void> {
    const goal = this.acknowledged.length + count;
    await this.#cluster.eventually(`${count} more entries are acknowledged`, deadlineMs, () =>
      Promise.resolve(this.acknowledged.length >= goal ? true : undefined),
    );
  }

  async #run(client: number): Promise<void> {
    const http = this.#cluster.client(client % this.#cluster.replicas.length);
    const paddingBytes = Math.ceil(((this.#options.eventBytes ?? 64) * 3) / 4);
    for (let request = 0; !this.#stopping; request++) {
      const data = Array.from(
        { length: this.#options.eventsPerAppend },
        (_, index) =>
          `client ${client} request ${request} event ${index} ${randomBytes(paddingBytes).toString('base64')}`,
      );
      for (const one of data) this.attempted.add(one);
      const started = performance.now();
      try {
        const answer = await http.ask({
          method: 'POST',
          path: `/v1/streams/${this.stream}/events`,
          body: { events: data.map((one) => ({ data: one })) },
          idempotencyKey: randomUUID(),
          patient: true,
        });
        const first = fieldOf(answer, 'firstOffset') as number;
        const commitId = String(fieldOf(answer, 'commitId'));
        for (const [index, one] of data.entries())
          this.acknowledged.push({ offset: first + index, data: one, commitId });
      } catch (cause) {
        this.failures.push(`client ${client} request ${request}: ${String(cause)}`);
        await pause(RETRY_PAUSE_MS);
      }
      this.slowestMs = Math.max(this.slowestMs, performance.now() - started);
    }
  }
}

export async function createStream(cluster: TestCluster, name: string): Promise<void> {
  await cluster.client().ask({ method: 'POST', path: '/v1/streams', body: { name }, patient: true });
}

/** Everything that one replica has of a stream, read from that replica alone. */
export async function storedEvents(cluster: TestCluster, replica: number, stream: string): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for (;;) {
    const answer = await cluster.client().askOne(cluster.urls[replica] as string, {
      method: 'GET',
      path: `/v1/streams/${stream}/events`,
      query: { from: events.length, limit: PAGE_EVENTS_MAX, consistency: 'committed' },
      patient: false,
    });
    if ('error' in answer) throw answer.error;
    const page = fieldOf(answer.value, 'events') as StoredEvent[];
    if (page.length === 0) return events;
    events.push(...page);
  }
}

/** What is wrong with what the replicas have of a stream, given what clients were told; empty when nothing is. */
export function ledgerFaults(
  acknowledged: readonly Acknowledged[],
  attempted: ReadonlySet<string>,
  replicas: readonly (readonly StoredEvent[])[],
): string[] {
  const faults: string[] = [];
  const [first = [], ...others] = replicas;
  for (const [index, { offset }] of first.entries())
    if (offset !== index) faults.push(`offset ${offset} stands in place ${index}`);
  for (const { offset, data, commitId } of acknowledged) {
    const stored = first[offset];
    if (stored?.data !== data || String(stored.commitId) !== commitId)
      faults.push(
        `offset ${offset}, acknowledged as commit ${commitId} "${data}", is ${stored === undefined ? 'lost' : `commit ${stored.commitId} "${stored.data}"`}`,
      );
  }
  const seen = new Set<string>();
  for (const { data, offset } of first) {
    if (seen.has(data)) faults.push(`offset ${offset} "${data}" stands twice`);
    if (!attempted.has(data)) faults.push(`offset ${offset} "${data}" was never sent`);
    seen.add(data);
  }
  for (const [index, other] of others.entries())
    for (let offset = 0; offset < Math.max(first.length, other.length); offset++)
      if (JSON.stringify(first[offset]) !== JSON.stringify(other[offset]))
        faults.push(`offset ${offset} differs between replica 0 and replica ${index + 1}`);
  return faults;
}

/**
 * Waits until the replicas are level, then holds ledger and replicas against each other.
 * @returns the number of entries in the stream
 */
export async function nothingLost(cluster: TestCluster, load: Load): Promise<number> {
  await cluster.level();
  const replicas = await Promise.all(cluster.replicas.map((replica) => storedEvents(cluster, replica, load.stream)));
  expect(replicas[0]?.length).toBeGreaterThan(0);
  expect(ledgerFaults(load.acknowledged, load.attempted, replicas)).toEqual([]);
  return replicas[0]?.length ?? 0;
}

/** Stops every replica cleanly and runs `lockstep verify` on each directory. */
export async function verifiedClean(cluster: TestCluster): Promise<void> {
  for (const replica of cluster.replicas) expect(await cluster.stop(replica), await cluster.report()).toBe(0);
  for (const replica of cluster.replicas) {
    const result = await cluster.verify(replica);
    expect(result.exitCode, `lockstep verify of replica ${replica}:\n${result.stdout}${result.stderr}`).toBe(0);
  }
}
