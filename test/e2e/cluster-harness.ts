/**
 * A cluster of real processes on a real disk for tests: start, kill -9, stop and continue, restart, and wait for a condition
 * within a deadline. Runs the built command line, as a user would. Every process is ended by its id; folders are removed.
 * Set KEEP=1 to keep the folder of a failed run.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatDirectory } from '../../impl/cli/data-directories.ts';
import { fieldOf, HttpClient } from '../../impl/cli/http-client.ts';
import { LocalCluster } from '../../impl/cli/local-cluster.ts';
import { RealClock } from '../../impl/ports/real-clock.ts';
import { RealRandom } from '../../impl/ports/real-random.ts';

export const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));
const LAUNCHER = join(REPOSITORY, 'bin', 'lockstep');
/** The command line without the launcher: what `lockstep cluster` starts its replicas with. */
export const RUN = join(REPOSITORY, 'dist', 'impl', 'cli', 'run.js');
/** Whether these sources have impl/dx: they work without it, and then there is nobody to ask. */
export const HAS_DX = existsSync(join(REPOSITORY, 'impl', 'dx'));

const POLL_MS = 25;
/** One try of a test's client at one replica: less than a view change and a stop take together. */
const TRY_MS = 2_000;
const CLIENT_TIMEOUT_MS = 60_000;
const LOG_LINES_SHOWN = 15;
const clock = new RealClock();

export interface TestClusterOptions {
  readonly replicas?: number;
  readonly serverArgs?: readonly string[];
  /** TLS everywhere; clients trust the authority that is made for it. */
  readonly tls?: boolean;
  /** An API key or token that clients send. */
  readonly token?: string;
  /** Called before a replica's directory is formatted, to put it on a disk of its own. */
  readonly beforeFormat?: (directory: string, replica: number) => void;
}

/** What /health says, halted or not. */
export interface ReplicaStatus {
  readonly replica: number;
  readonly status: string;
  readonly isPrimary: boolean;
  readonly view: number;
  readonly op: number;
  readonly commit: number;
}

export interface CommandResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

let built = false;
/** Builds dist/ when it is older than its sources, once per test process. */
export function buildOnce(): void {
  if (built) return;
  const { status, stderr } = spawnSync(process.execPath, [LAUNCHER, '--version'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the command line does not build:\n${stderr}`);
  built = true;
}

/** Runs `lockstep ...args` to its end; input goes to its standard input. */
export async function lockstep(
  args: readonly string[],
  options: { input?: string | Uint8Array; env?: Readonly<Record<string, string>>; cwd?: string } = {},
): Promise<CommandResult> {
  buildOnce();
  const child = spawn(process.execPath, [RUN, ...args], {
    env: { ...process.env, NO_COLOR: '1', ...options.env },
    cwd: options.cwd ?? REPOSITORY,
  });
  const parts = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    parts.stdout += part;
  });
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    parts.stderr += part;
  });
  child.stdin.on('error', () => {}); // it may end before it has read everything
  child.stdin.end(options.input ?? '');
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  return { exitCode, ...parts };
}

export class TestCluster {
  readonly folder: string;
  readonly #cluster: LocalCluster;
  /** Replicas that we ended ourselves: their end is no finding. */
  readonly #expected = new Set<number>();
  readonly #unexpected: string[] = [];
  readonly #sweep: () => void;
  readonly #token: string | undefined;

  private constructor(
    folder: string,
    cluster: LocalCluster,
    deaths: { handler: (replica: number, why: string) => void },
    token: string | undefined,
  ) {
    this.#token = token;
    this.folder = folder;
    this.#cluster = cluster;
    deaths.handler = (replica, why) => {
      if (!this.#expected.has(replica)) this.#unexpected.push(why);
    };
    this.#sweep = () => cluster.killAll();
    process.on('exit', this.#sweep);
  }

  /** Formats and starts a cluster in a fresh folder; settles when it serves. */
  static async start(options: TestClusterOptions = {}): Promise<TestCluster> {
    buildOnce();
    const folder = mkdtempSync(join(tmpdir(), 'lockstep-e2e-'));
    const deaths = { handler: (_replica: number, _why: string): void => {} };
    const cluster = await LocalCluster.open(
      {
        folder,
        replicas: options.replicas ?? 3,
        port: 0,
        serverArgs: options.serverArgs ?? [],
        tls: options.tls ?? false,
      },
      {
        clock,
        random: new RealRandom(),
        format: (directory, identity) => {
          options.beforeFormat?.(directory, identity.replica);
          formatDirectory(directory, identity);
        },
        command: [process.execPath, RUN],
        onDeath: (replica, error) => deaths.handler(replica, error.message),
      },
    );
    const test = new TestCluster(folder, cluster, deaths, options.token);
    try {
      await test.startAll();
      await test.serving();
    } catch (cause) {
      await test.close();
      throw cause;
    }
    return test;
  }

  get replicas(): readonly number[] {
    return Array.from({ length: this.#cluster.replicas }, (_, replica) => replica);
  }

  get urls(): readonly string[] {
    return this.#cluster.urls;
  }

  /** host:port of each replica, for peers and binary clients. */
  get addresses(): readonly string[] {
    return this.#cluster.addresses;
  }

  /** Folder of the certificates; undefined without TLS. */
  get tlsFolder(): string | undefined {
    return this.#cluster.tlsFolder;
  }

  get cluster(): bigint {
    return this.#cluster.cluster;
  }

  directoryOf(replica: number): string {
    return this.#cluster.directoryOf(replica);
  }

  pidOf(replica: number): number | undefined {
    return this.#cluster.pidOf(replica);
  }

  isAlive(replica: number): boolean {
    return this.#cluster.isAlive(replica);
  }

  async start(replica: number): Promise<void> {
    this.#expected.delete(replica);
    await this.#cluster.start(replica);
  }

  async startAll(): Promise<void> {
    await Promise.all(this.replicas.filter((replica) => !this.isAlive(replica)).map((replica) => this.start(replica)));
  }

  /** kill -9; settles when the process is gone. */
  async kill(replica: number): Promise<void> {
    this.#expected.add(replica);
    this.#cluster.signal(replica, 'SIGKILL');
    await this.#cluster.endOf(replica);
  }

  /** kill -9 of every replica at the same moment. */
  async killAll(): Promise<void> {
    await Promise.all(this.replicas.map((replica) => this.kill(replica)));
  }

  /** SIGTERM. @returns its exit code */
  async stop(replica: number): Promise<number | null> {
    this.#expected.add(replica);
    this.#cluster.signal(replica, 'SIGTERM');
    return (await this.#cluster.endOf(replica))?.code ?? null;
  }

  /** SIGSTOP: it is silent, but its connections stay. */
  freeze(replica: number): void {
    this.#cluster.signal(replica, 'SIGSTOP');
  }

  /** SIGHUP: certificates and keys are read again. */
  hangUp(replica: number): void {
    this.#cluster.signal(replica, 'SIGHUP');
  }

  thaw(replica: number): void {
    this.#cluster.signal(replica, 'SIGCONT');
  }

  /** A client that starts with the replica of that number and goes on to the others. */
  client(first = 0, tryMs = TRY_MS): HttpClient {
    const urls = this.urls;
    const { tlsFolder } = this;
    const tls =
      tlsFolder === undefined ? undefined : { authority: readFileSync(join(tlsFolder, 'authority.pem'), 'utf8') };
    const access = { tls, token: this.#token };
    return new HttpClient([...urls.slice(first), ...urls.slice(0, first)], CLIENT_TIMEOUT_MS, tryMs, access);
  }

  /** What one replica says of itself; undefined when it does not answer. */
  async statusOf(replica: number): Promise<ReplicaStatus | undefined> {
    const url = this.urls[replica] as string;
    const answer = await this.client().askOne(url, { method: 'GET', path: '/health', patient: false }, TRY_MS);
    const isHalted = 'error' in answer && answer.error.code === 'HALTED';
    if ('error' in answer && !isHalted) return undefined;
    const facts = 'error' in answer ? answer.error.evidence : answer.value;
    const number = (name: string): number => Number(fieldOf(facts, name));
    const status = isHalted ? 'halted' : String(fieldOf(facts, 'status'));
    const isPrimary = status === 'normal' && number('primary') === replica;
    return { replica, status, isPrimary, view: number('view'), op: number('op'), commit: number('commit') };
  }

  /** Waits until a replica is primary in normal status and says so in the highest view of those that answer. */
  primary(deadlineMs = 15_000): Promise<number> {
    return this.eventually('one replica is primary', deadlineMs, async () => {
      const known = (await Promise.all(this.replicas.map((replica) => this.statusOf(replica)))).filter(
        (status) => status !== undefined,
      );
      const view = Math.max(...known.map((status) => status.view));
      const found = known.find(({ isPrimary }) => isPrimary);
      return found !== undefined && found.view === view ? found.replica : undefined;
    });
  }

  /** Waits until requests are served. */
  async serving(deadlineMs = 20_000): Promise<void> {
    await this.eventually('requests are served', deadlineMs, async () => {
      const answer = await this.client().askOne(this.urls[0] as string, {
        method: 'GET',
        path: '/ready',
        patient: false,
      });
      return 'value' in answer ? true : undefined;
    });
  }

  /** Waits until all replicas are normal in one view with one commit that is their op. @returns that commit */
  level(deadlineMs = 30_000): Promise<number> {
    return this.eventually('all replicas are level', deadlineMs, async () => {
      const all = await Promise.all(this.replicas.map((replica) => this.statusOf(replica)));
      const [first] = all;
      if (first === undefined) return undefined;
      const same = all.every(
        (one) =>
          one?.status === 'normal' && one.view === first.view && one.commit === first.commit && one.op === first.commit,
      );
      return same ? first.commit : undefined;
    });
  }

  /** Asks every POLL_MS until there is an answer; an error after deadlineMs names what was waited for. */
  async eventually<T>(what: string, deadlineMs: number, probe: () => Promise<T | undefined>): Promise<T> {
    const deadline = clock.monotonicMs() + deadlineMs;
    for (;;) {
      const found = await probe();
      if (found !== undefined) return found;
      if (clock.monotonicMs() > deadline)
        throw new Error(`after ${deadlineMs} ms it is not so that ${what}:\n${await this.report()}`);
      await pause(POLL_MS);
    }
  }

  /** The statuses and the ends of the logs, for a failure. */
  async report(): Promise<string> {
    const parts: string[] = [...this.#unexpected];
    for (const replica of this.replicas) {
      const status = await this.statusOf(replica);
      const alive = this.isAlive(replica) ? `pid ${this.pidOf(replica)}` : 'not running';
      parts.push(`replica ${replica} (${alive}): ${status === undefined ? 'no answer' : JSON.stringify(status)}`);
      parts.push(
        ...this.logOf(replica)
          .slice(-LOG_LINES_SHOWN)
          .map((line) => `  ${line}`),
      );
    }
    return parts.join('\n');
  }

  logOf(replica: number): readonly string[] {
    try {
      return readFileSync(this.#cluster.logFileOf(replica), 'utf8').trimEnd().split('\n');
    } catch {
      return [];
    }
  }

  /** Replicas that ended without being asked to, with their last lines. Empty in a good run. */
  get deaths(): readonly string[] {
    return this.#unexpected;
  }

  /** `lockstep verify` on one replica that is not running. */
  verify(replica: number): Promise<CommandResult> {
    return lockstep(['verify', this.directoryOf(replica), '--json']);
  }

  /** Ends every process and removes the folder. */
  async close(): Promise<void> {
    await this.killAll();
    process.off('exit', this.#sweep);
    if (process.env.KEEP === undefined) rmSync(this.folder, { recursive: true, force: true });
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => clock.after(ms, resolve));
}
