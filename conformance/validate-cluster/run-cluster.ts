/**
 * A short run of three real processes on a real disk, each recording itself, killed with -9 again and again while clients
 * append: what `make check` and the tests hand to validate-cluster.ts. Slow on purpose: TLC follows some thousand steps in
 * seconds, and a cluster makes more than that in one.
 */
import { randomInt, randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { formatDirectory } from '../../impl/cli/data-directories.ts';
import { HttpClient } from '../../impl/cli/http-client.ts';
import { LocalCluster } from '../../impl/cli/local-cluster.ts';
import { RealClock } from '../../impl/ports/real-clock.ts';
import { RealRandom } from '../../impl/ports/real-random.ts';
import { recordingFile } from '../../impl/server/recorder.ts';
import { type Recording, readRecording } from './recording.ts';

export interface ClusterRunOptions {
  readonly kills: number;
  /** Requests acknowledged between two kills; some more are under way at each. */
  readonly requestsPerKill: number;
}

const REPLICAS = 3;
const CLIENTS = 3;
/** Between two requests of one client. */
const PAUSE_MS = 20;
/** A client waits for a view change, and for a machine that has other things to do. */
const REQUEST_MS_MAX = 30_000;
const DOWN_MS_MAX = 600;
const STREAM = 'recorded';

const clock = new RealClock();
const pause = (ms: number): Promise<void> => new Promise((settle) => clock.after(ms, settle));

/** @param root of the repository. Ends every process and removes its folder. */
export async function recordClusterRun(root: string, options: ClusterRunOptions): Promise<readonly Recording[]> {
  const folder = mkdtempSync(join(tmpdir(), 'lockstep-recorded-'));
  const recordings = join(folder, 'recordings');
  mkdirSync(recordings);
  const loader = pathToFileURL(resolve(root, 'node_modules', 'tsx', 'dist', 'loader.mjs')).href;
  const command = [process.execPath, '--import', loader, resolve(root, 'impl', 'cli', 'run.ts')] as const;
  const deaths: string[] = [];
  let killed: number | undefined;
  const cluster = await LocalCluster.open(
    { folder, replicas: REPLICAS, port: 0, serverArgs: ['--record', recordings, '--log-level', 'warn'] },
    {
      clock,
      random: new RealRandom(),
      format: formatDirectory,
      command,
      onDeath: (replica, { message }) => {
        if (replica !== killed) deaths.push(message);
      },
    },
  );
  const sweep = (): void => cluster.killAll();
  process.on('exit', sweep);
  try {
    const all = Array.from({ length: REPLICAS }, (_, replica) => replica);
    await Promise.all(all.map((replica) => cluster.start(replica)));
    const load = new PacedLoad(cluster.http.map((address) => `http://${address}`));
    await load.begin();
    for (let kill = 0; kill < options.kills; kill++) {
      await load.acknowledge(options.requestsPerKill);
      load.allow(CLIENTS); // under way when the replica is killed
      killed = kill % 2 === 0 ? await primaryOf(load) : randomInt(REPLICAS);
      cluster.signal(killed, 'SIGKILL');
      await cluster.endOf(killed);
      await pause(randomInt(DOWN_MS_MAX));
      await cluster.start(killed);
      killed = undefined;
    }
    await load.acknowledge(options.requestsPerKill);
    await load.end();
    if (deaths.length > 0) throw new Error(`a replica ended by itself:\n${deaths.join('\n')}`);
    cluster.killAll();
    await Promise.all(all.map((replica) => cluster.endOf(replica)));
    return all.map((replica) => {
      const path = recordingFile(recordings, replica);
      return readRecording(readFileSync(path, 'utf8'), path.slice(path.lastIndexOf('/') + 1));
    });
  } finally {
    process.off('exit', sweep);
    cluster.killAll();
    if (process.env.KEEP === undefined) rmSync(folder, { recursive: true, force: true });
    else process.stderr.write(`kept: ${recordings}\n`);
  }
}

async function primaryOf(load: PacedLoad): Promise<number> {
  const answer = await load.client.ask({ method: 'GET', path: '/v1/dx/status', patient: true });
  return Number((answer as { data: { primary?: number; view: number } }).data.view % REPLICAS);
}

/** Clients that append small entries, as many as they are allowed: a cluster that is let loose makes a run too long for TLC. */
class PacedLoad {
  readonly client: HttpClient;
  readonly #urls: readonly string[];
  #allowed = 0;
  #acknowledged = 0;
  #stopping = false;
  #clients: readonly Promise<void>[] = [];

  constructor(urls: readonly string[]) {
    this.#urls = urls;
    this.client = new HttpClient(urls, REQUEST_MS_MAX, REQUEST_MS_MAX / 10);
  }

  async begin(): Promise<void> {
    await this.client.ask({ method: 'POST', path: '/v1/streams', body: { name: STREAM }, patient: true });
    this.#clients = Array.from({ length: CLIENTS }, (_, client) => this.#run(client));
  }

  allow(count: number): void {
    this.#allowed += count;
  }

  /** Lets so many more go, and settles when all that were ever allowed are acknowledged. */
  async acknowledge(count: number): Promise<void> {
    this.allow(count);
    const goal = this.#acknowledged + this.#allowed;
    const deadlineMs = clock.monotonicMs() + REQUEST_MS_MAX * 2;
    while (this.#acknowledged < goal) {
      if (clock.monotonicMs() > deadlineMs) throw new Error(`${count} requests were not acknowledged in time`);
      await pause(PAUSE_MS);
    }
  }

  async end(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#clients);
  }

  async #run(client: number): Promise<void> {
    const urls = [...this.#urls.slice(client), ...this.#urls.slice(0, client)];
    const http = new HttpClient(urls, REQUEST_MS_MAX, REQUEST_MS_MAX / 10);
    for (let request = 0; !this.#stopping; request++) {
      await pause(PAUSE_MS);
      if (this.#allowed === 0) continue;
      this.#allowed--;
      const body = { events: [{ data: `client ${client} request ${request}` }] };
      const path = `/v1/streams/${STREAM}/events`;
      await http.ask({ method: 'POST', path, body, idempotencyKey: randomUUID(), patient: true });
      this.#acknowledged++;
    }
  }
}
