/**
 * A cluster on this machine: its folder (cluster.json, replica-N/ and replica-N.log), its ports, its processes.
 * Formats on first use; what was formatted stays. Mirrors no spec module.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import { SERVER_LIMITS } from '../server/server-limits.ts';
import { SUPERBLOCK_FILE } from '../storage/data-directory.ts';
import { CliError } from './cli-error.ts';
import { freePorts, requirePortFree } from './free-ports.ts';
import { hostPortText } from './host-port.ts';
import { type ReadyLine, type ReplicaExit, ReplicaProcess } from './replica-process.ts';
import { makeTlsFiles, replicaFiles } from './tls-files.ts';

const HOST = '127.0.0.1';
/** What clients and replicas on one machine dial. */
const TLS_HOSTS = ['localhost', '127.0.0.1', '::1'];
const CLUSTER_FILE = 'cluster.json';
/** Replica i serves HTTP at port + i, and peers and clients at port + REPLICA_PORT_OFFSET + i. */
const REPLICA_PORT_OFFSET = 100;
/** A replica that does not listen after so long has a large log to read, or hangs. */
const READY_MS_MAX = 120_000;
/** After SIGTERM: the server's own drain, and some. */
const STOP_MS_MAX = SERVER_LIMITS.DRAIN_MS_MAX + 5_000;

export interface ReplicaIdentity {
  readonly cluster: bigint;
  readonly replica: number;
  readonly replicaCount: number;
}

export interface LocalClusterParts {
  readonly clock: Clock;
  readonly random: Random;
  /** Formats one data directory, or throws. */
  readonly format: (directory: string, identity: ReplicaIdentity) => void;
  /** Program and words that run the command line. */
  readonly command: readonly [string, ...string[]];
  readonly onDeath: (replica: number, error: CliError) => void;
}

export interface LocalClusterOptions {
  readonly folder: string;
  readonly replicas: number;
  /** First HTTP port; 0 finds free ones. */
  readonly port: number;
  readonly serverArgs: readonly string[];
  /** TLS everywhere, with certificates of its own in the folder, made on first use. */
  readonly tls?: boolean;
}

export class LocalCluster {
  readonly cluster: bigint;
  /** Whether this start formatted at least one replica. */
  readonly formatted: boolean;
  readonly http: readonly string[];
  readonly addresses: readonly string[];
  readonly #options: LocalClusterOptions;
  readonly #parts: LocalClusterParts;
  readonly #processes: (ReplicaProcess | undefined)[] = [];
  #stopping = false;

  private constructor(
    options: LocalClusterOptions,
    parts: LocalClusterParts,
    layout: { cluster: bigint; formatted: boolean; http: readonly string[]; addresses: readonly string[] },
  ) {
    this.#options = options;
    this.#parts = parts;
    this.cluster = layout.cluster;
    this.formatted = layout.formatted;
    this.http = layout.http;
    this.addresses = layout.addresses;
  }

  /** Looks at ports, then formats what a first use or a cut-off one left unformatted; starts nothing yet: see start(). */
  static async open(options: LocalClusterOptions, parts: LocalClusterParts): Promise<LocalCluster> {
    const { http, addresses } = await chosenPorts(options, parts.random);
    const { cluster, formatted } = clusterOf(options, parts.random);
    for (let replica = 0; replica < options.replicas && !formatted; replica++) {
      const directory = directoryOf(options.folder, replica);
      if (!existsSync(join(directory, SUPERBLOCK_FILE)))
        parts.format(directory, { cluster, replica, replicaCount: options.replicas });
    }
    if (!formatted) writeCluster(options, cluster, true);
    const local = new LocalCluster(options, parts, { cluster, formatted: !formatted, http, addresses });
    const { tlsFolder } = local;
    if (tlsFolder !== undefined && !existsSync(tlsFolder)) {
      const identity = {
        cluster,
        replicas: options.replicas,
        hosts: TLS_HOSTS,
        clientName: 'local',
        clientRole: 'admin',
      };
      await makeTlsFiles(tlsFolder, identity, parts.clock.wallMs());
    }
    return local;
  }

  get replicas(): number {
    return this.#options.replicas;
  }

  /** Of each replica's HTTP API. */
  get urls(): readonly string[] {
    return this.http.map((address) => `${this.#options.tls === true ? 'https' : 'http'}://${address}`);
  }

  /** Where its certificates are; undefined without TLS. */
  get tlsFolder(): string | undefined {
    return this.#options.tls === true ? join(this.#options.folder, 'tls') : undefined;
  }

  get alive(): number {
    return this.#processes.filter((process) => process?.isAlive === true).length;
  }

  directoryOf(replica: number): string {
    return directoryOf(this.#options.folder, replica);
  }

  logFileOf(replica: number): string {
    return `${directoryOf(this.#options.folder, replica)}.log`;
  }

  pidOf(replica: number): number | undefined {
    return this.#processes[replica]?.pid;
  }

  /** Starts one replica; settles when it listens. Its end without stop() goes to onDeath. */
  async start(replica: number): Promise<ReadyLine> {
    const logFile = this.logFileOf(replica);
    const process = new ReplicaProcess(replica, this.#parts.command, this.argsOf(replica), (line) =>
      appendFileSync(logFile, `${line}\n`),
    );
    this.#processes[replica] = process;
    let isReady = false;
    const late = new Promise<never>((_, reject) => {
      const cancel = this.#parts.clock.after(READY_MS_MAX, () =>
        reject(
          new CliError(
            'CLI_REPLICA_DIED',
            `replica ${replica} does not listen after ${READY_MS_MAX} ms: see ${logFile}`,
          ),
        ),
      );
      void process.ended.then(cancel);
      void process.ready.then(cancel, cancel);
    });
    void process.ended.then((exit) => {
      if (isReady && !this.#stopping) this.#parts.onDeath(replica, process.deathOf(exit));
    });
    const line = await Promise.race([process.ready, late]);
    isReady = true;
    return line;
  }

  /** What `lockstep server` needs to be this replica: for a person who starts it again by hand, too. */
  argsOf(replica: number): readonly string[] {
    const http = this.http[replica] as string;
    const { tlsFolder } = this;
    const tls = tlsFolder === undefined ? undefined : replicaFiles(tlsFolder, replica);
    return [
      '--addresses',
      this.addresses.join(','),
      '--http',
      http,
      '--http-addresses',
      this.http.join(','),
      '--cluster',
      String(this.cluster),
      '--replica',
      String(replica),
      ...(tls === undefined
        ? []
        : ['--tls-authority', tls.authority, '--tls-certificate', tls.certificate, '--tls-key', tls.key]),
      ...this.#options.serverArgs,
      this.directoryOf(replica),
    ];
  }

  /** Settles when that process has ended; undefined when it never started. */
  endOf(replica: number): Promise<ReplicaExit> | undefined {
    return this.#processes[replica]?.ended;
  }

  isAlive(replica: number): boolean {
    return this.#processes[replica]?.isAlive === true;
  }

  signal(replica: number, name: NodeJS.Signals): void {
    this.#processes[replica]?.signal(name);
  }

  /** SIGTERM to all at once; each drains. @returns false when one had to be killed or ended badly */
  async stop(): Promise<boolean> {
    this.#stopping = true;
    const living = this.#processes.filter((process) => process?.isAlive === true);
    const exits = await Promise.all(living.map((process) => process?.stop(this.#parts.clock, STOP_MS_MAX)));
    return exits.every((exit) => exit?.code === 0);
  }

  killAll(): void {
    this.#stopping = true;
    for (const process of this.#processes) process?.signal('SIGKILL');
  }
}

function directoryOf(folder: string, replica: number): string {
  return join(folder, `replica-${replica}`);
}

async function chosenPorts(
  options: LocalClusterOptions,
  random: Random,
): Promise<{ http: readonly string[]; addresses: readonly string[] }> {
  const indices = Array.from({ length: options.replicas }, (_, index) => index);
  let ports: readonly number[];
  if (options.port === 0) ports = await freePorts(HOST, options.replicas * 2, (bound) => random.below(bound));
  else {
    const last = options.port + REPLICA_PORT_OFFSET + options.replicas - 1;
    if (last > 65_535) {
      const message = `--port ${options.port} leaves no room: the last replica would listen on ${last}; choose at most ${65_535 - REPLICA_PORT_OFFSET - options.replicas + 1}`;
      throw new CliError('CLI_USAGE', message, { port: options.port });
    }
    const replicaPort = (index: number): number => options.port + REPLICA_PORT_OFFSET + index;
    ports = [...indices.map((index) => options.port + index), ...indices.map(replicaPort)];
    for (const index of indices) {
      await requirePortFree({ host: HOST, port: options.port + index }, `HTTP of replica ${index}`);
      await requirePortFree({ host: HOST, port: replicaPort(index) }, `replica ${index}`);
    }
  }
  const text = (port: number | undefined): string => hostPortText({ host: HOST, port: port as number });
  return {
    http: indices.map((index) => text(ports[index])),
    addresses: indices.map((index) => text(ports[options.replicas + index])),
  };
}

/**
 * Reads cluster.json, or makes it: the identity is on disk before any replica is formatted with it. Once all of them are,
 * none is ever formatted again: an empty replica in the place of one that has acknowledged entries would lose them.
 */
function clusterOf(options: LocalClusterOptions, random: Random): { cluster: bigint; formatted: boolean } {
  const file = join(options.folder, CLUSTER_FILE);
  const directories = Array.from({ length: options.replicas }, (_, replica) => directoryOf(options.folder, replica));
  const refuse = (what: string): never => {
    throw new CliError('CLI_CLUSTER_MISMATCH', what, { file });
  };
  if (existsSync(file)) {
    const known = parsedCluster(file);
    if (known === undefined) return refuse(`${file} is damaged: restore it, or name another folder with --data`);
    if (known.replicas !== options.replicas)
      return refuse(
        `${options.folder} holds a cluster of ${known.replicas} replicas, not ${options.replicas}: use --replicas ${known.replicas}, or another folder with --data`,
      );
    const gone = directories.find((directory) => !existsSync(directory));
    if (known.formatted && gone !== undefined)
      return refuse(`${gone} is gone, with what that replica promised: restore it, or name another folder with --data`);
    return known;
  }
  const stranger = directories.find((directory) => existsSync(directory));
  if (stranger !== undefined)
    return refuse(`${stranger} exists, but ${file} does not: name another folder with --data, or restore that file`);
  const cluster = randomCluster(random);
  writeCluster(options, cluster, false);
  return { cluster, formatted: false };
}

function writeCluster({ folder, replicas }: LocalClusterOptions, cluster: bigint, formatted: boolean): void {
  const file = join(folder, CLUSTER_FILE);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const text = JSON.stringify({ schema: 1, cluster: String(cluster), replicas, formatted });
    writeFileSync(`${file}.new`, `${text}\n`, { flush: true });
    renameSync(`${file}.new`, file);
  } catch (cause) {
    const system = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    const message = `cannot write in ${folder} (${system}): name a folder of yours with --data`;
    throw new CliError('CLI_FILE_UNWRITABLE', message, { folder, system }, cause);
  }
}

function parsedCluster(file: string): { cluster: bigint; replicas: number; formatted: boolean } | undefined {
  try {
    const parsed = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    const { schema, replicas, formatted } = parsed;
    if (schema !== 1 || typeof replicas !== 'number' || typeof formatted !== 'boolean') return undefined;
    const cluster = BigInt(String(parsed.cluster));
    return cluster > 0n ? { cluster, replicas, formatted } : undefined;
  } catch {
    return undefined;
  }
}

function randomCluster(random: Random): bigint {
  for (;;) {
    const drawn = Buffer.from(random.bytes(8)).readBigUInt64LE();
    if (drawn !== 0n) return drawn; // 0 is no cluster
  }
}
