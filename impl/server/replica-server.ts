/**
 * One replica as a server: the synchronous core (replica-core.ts) with a data directory, peers and clients over TCP, HTTP;
 * and its clean end. What arrives in one turn of the event loop shares one fsync and one write a connection (turn-end.ts).
 * Mirrors no spec module.
 */
import { type Logger, pino } from 'pino';
import { quorumOf } from '../../machines/quorum.ts';
import type { Clock } from '../ports/clock.ts';
import { RealClock } from '../ports/real-clock.ts';
import { RealDisk } from '../ports/real-disk.ts';
import { RealNetwork } from '../ports/real-network.ts';
import { RealRandom } from '../ports/real-random.ts';
import { RealTurn } from '../ports/turn.ts';
import { type DataDirectory, openDataDirectory } from '../storage/data-directory.ts';
import type { Replica } from '../vsr/replica.ts';
import type { Failure } from '../wire/answer.ts';
import { WireError } from '../wire/wire-error.ts';
import { ClientPort } from './client-port.ts';
import type { DxSource } from './dx-source.ts';
import { failure } from './failure.ts';
import { History } from './history.ts';
import { HttpApi } from './http-api.ts';
import { KernelRefusals } from './kernel-refusals.ts';
import { MeasuredDisk } from './measured-disk.ts';
import { Metrics } from './metrics.ts';
import type { Proposals } from './proposals.ts';
import type { Reads } from './reads.ts';
import { Recorder } from './recorder.ts';
import { ReplicaCore } from './replica-core.ts';
import type { Requests } from './requests.ts';
import { Security } from './security.ts';
import type { HostPort, RunningServer, ServerConfig, ServerParts, StartReplicaServer } from './server-config.ts';
import { dxSourceOf, historyRecordOf } from './server-facts.ts';
import { type ServerLimits, serverLimitsWith } from './server-limits.ts';
import { Telemetry } from './telemetry.ts';
import { Https } from './tls-options.ts';
import type { TurnEnd } from './turn-end.ts';

/** Bytes of a client's frame beside its data: names, keys and lengths of EVENTS_PER_APPEND_MAX events. */
const CLIENT_FRAME_SPARE_BYTES = 512 * 1024;
const VERSION = '0.1.0';
/** Between two looks whether everything in flight has its answer, while draining. */
const DRAIN_LOOK_MS = 5;

export const startReplicaServer: StartReplicaServer = (config, parts = {}) => ReplicaServer.start(config, parts);

interface ServerBasis {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly directory: DataDirectory;
  readonly security: Security;
  readonly telemetry: Telemetry;
}

interface Settle {
  readonly resolve: () => void;
  readonly reject: (cause: unknown) => void;
}

class ReplicaServer implements RunningServer {
  readonly peerAddress: HostPort;
  httpAddress: HostPort;
  readonly source: DxSource;
  readonly stopped: Promise<void>;
  readonly #limits: ServerLimits;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #directory: DataDirectory;
  readonly #core: ReplicaCore;
  readonly #replica: Replica;
  readonly #network: RealNetwork;
  readonly #proposals: Proposals;
  readonly #reads: Reads;
  readonly #requests: Requests;
  readonly #clients: ClientPort;
  readonly #http: HttpApi;
  readonly #turn: TurnEnd;
  readonly #history: History;
  readonly #refusals: KernelRefusals;
  readonly #security: Security;
  readonly #telemetry: Telemetry;
  /** Why each peer could not be dialled when it was tried last. */
  readonly #dialFailures = new Map<number, string>();
  #recorder: Recorder | undefined;
  #stopTicks: () => void = () => {};
  #statusSeen = '';
  #stopping: Promise<void> | undefined;
  readonly #settleStopped: Settle;

  static async start(config: ServerConfig, parts: ServerParts): Promise<RunningServer> {
    const clock = new RealClock();
    const metrics = new Metrics();
    const security = await Security.load(config);
    const disk = new MeasuredDisk(new RealDisk(), clock, (seconds) => metrics.fsync(seconds));
    const directory = openDataDirectory(disk, config.directory, {
      ...config.expected,
      replicaCount: config.addresses.length,
    });
    let server: ReplicaServer;
    try {
      const telemetry = await openTelemetry(config, directory);
      server = new ReplicaServer(config, parts, { clock, metrics, directory, security, telemetry });
    } catch (cause) {
      directory.close();
      throw cause;
    }
    try {
      await server.#begin(config, parts);
      return server;
    } catch (cause) {
      await server.#close();
      throw cause;
    }
  }

  private constructor(
    config: ServerConfig,
    parts: ServerParts,
    { clock, metrics, directory, security, telemetry }: ServerBasis,
  ) {
    const limits = serverLimitsWith(config.limits);
    this.#clock = clock;
    const nowMs = (): number => clock.monotonicMs();
    const random = new RealRandom();
    const wake = (): void => this.#turn.wake();
    this.#limits = limits;
    this.#history = new History(limits.HISTORY_RECORDS_MAX);
    this.#refusals = new KernelRefusals(limits.HISTORY_RECORDS_MAX);
    this.#directory = directory;
    const { superblock } = directory;
    const { cluster, replica } = superblock.state;
    this.#logger = (parts.logger ?? pino(pino.destination(2))).child({ replica });
    this.peerAddress = config.addresses[replica] as HostPort;
    this.httpAddress = config.http;
    this.#security = security;
    this.#telemetry = telemetry;
    const { material: tls, secrets, clientCertificateRequired } = security;
    const onRefused = (protocol: 'http' | 'binary', code: string): void => metrics.callerRefused(protocol, code);
    const guard = security.guard({ cluster, wallMs: () => clock.wallMs(), nowMs, onRefused });
    this.#network = new RealNetwork({
      tls,
      secrets,
      clientCertificateRequired,
      admitClient: (client, hello) => guard.admit(client, hello),
      onDialFailed: (peer, reason) => this.#dialFailed(peer, reason),
      cluster,
      replica,
      addresses: config.addresses,
      clientConnectionsMax: limits.CLIENT_CONNECTIONS_MAX,
      clientFrameBytesMax: limits.APPEND_BYTES_MAX + CLIENT_FRAME_SPARE_BYTES,
      clock,
      random,
      onPeerFrame: (from, kind, payload) => this.#guarded(() => this.#core.receivePeer(from, kind, payload)),
      onClientFrame: (client, kind, payload) => this.#guarded(() => this.#clients.receive(client, kind, payload)),
      onClientClosed: (client) => this.#clients.closed(client),
      onPeerChange: (peer, connected, reason) => this.#peerChanged(peer, connected, reason),
      onPending: wake,
    });
    this.#core = new ReplicaCore({
      directory,
      network: this.#network,
      clock,
      random,
      turn: new RealTurn(),
      limits,
      failed: (cause) => this.#fail(cause),
      onBatch: (commands) => metrics.batch(commands),
      currentTrace: () => telemetry.current,
      onApplied: ({ op }, results) => {
        this.#refusals.note(op, results);
        this.#http.applied();
        this.#clients.applied();
      },
    });
    const { requests, proposals, reads, state, turn, prepareLogReport } = this.#core;
    this.#replica = this.#core.replica;
    this.#requests = requests;
    this.#proposals = proposals;
    this.#reads = reads;
    this.#turn = turn;
    const endOf = (stream: string): number | undefined => state.endOf(stream);
    this.#clients = new ClientPort({ requests, limits, metrics, guard, telemetry, nowMs, clock, endOf });
    this.#http = new HttpApi({
      requests,
      state,
      prepareAt: (op) => this.#replica.prepareAt(op),
      limits,
      metrics,
      nowMs,
      clock,
      logger: this.#logger,
      ...(config.allowedOrigins === undefined ? {} : { allowedOrigins: config.allowedOrigins }),
      https: tls && new Https(tls, clientCertificateRequired, (code) => onRefused('http', code)),
      guard,
      telemetry,
      notReady: () => this.#notReady(),
    });
    const httpText = (): string => `${this.httpAddress.host}:${this.httpAddress.port}`;
    this.source = dxSourceOf({
      identity: {
        cluster,
        replica,
        replicaCount: config.addresses.length,
        addresses: config.addresses.map(({ host, port }) => `${host}:${port}`),
        get http() {
          return httpText(); // the system may choose the port, once it listens
        },
        httpAddresses: (config.httpAddresses ?? []).map(({ host, port }) => `${host}:${port}`),
        version: VERSION,
      },
      replica: this.#replica,
      directory: this.#directory,
      prepareLogReport,
      network: this.#network,
      state,
      history: this.#history,
      refusals: this.#refusals,
      addresses: config.addresses,
    });
    metrics.watch({
      replica: this.#replica,
      traffic: () => this.#network.traffic(),
      framesRefused: () => this.#network.framesRefused,
      clients: () => this.#network.clientCount,
      answersLost: () => this.#clients.answersLost,
      waiting: () => proposals.waiting + reads.waiting,
      preparesInFlight: () => proposals.preparesInFlight,
      streams: () => state.streamCount,
      certificateEndMs: () => security.certificateEndMs,
    });
    let settle: Settle = { resolve: () => {}, reject: () => {} };
    this.stopped = new Promise((resolve, reject) => {
      settle = { resolve, reject };
    });
    this.stopped.catch(() => {}); // whoever awaits it sees it
    this.#settleStopped = settle;
  }

  get routes(): RunningServer['routes'] {
    return this.#http.table.routes;
  }

  get cluster(): bigint {
    return this.#replica.cluster;
  }

  get replica(): number {
    return this.#replica.replica;
  }

  get replicaCount(): number {
    return this.#replica.replicaCount;
  }

  reload(): Promise<void> {
    return this.#security.reload(({ material, secrets }) => {
      if (material !== undefined) {
        this.#network.replaceTls(material);
        this.#http.replaceTls(material);
      }
      if (secrets !== undefined) this.#network.replaceSecrets(secrets);
    });
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#drain();
    return this.#stopping;
  }

  async #begin(config: ServerConfig, parts: ServerParts): Promise<void> {
    const replica = this.#replica;
    this.#core.begin();
    if (config.recordTo !== undefined) this.#recorder = Recorder.open(new RealDisk(), config.recordTo, replica);
    replica.onEvent = (record) => {
      this.#history.record(historyRecordOf(record, this.#clock));
      this.#recorder?.note(record);
    };
    if (config.dx && parts.dx !== undefined) await this.#http.server.register(parts.dx, { source: this.source });
    await this.#http.listen(config.http);
    this.httpAddress = { host: config.http.host, port: this.#http.address?.port ?? config.http.port };
    await this.#network.listen();
    this.#stopTicks = this.#clock.startTicks(this.#limits.TICK_MS, () => this.#guarded(() => this.#tick()));
    const { status, view, op, commit } = replica;
    this.#statusSeen = status;
    this.#logger.info({ status, view, op, commit, ...this.source.openReport }, 'replica started');
    const { summary } = this.#security;
    if (!summary.tls) this.#logger.warn(summary, 'TLS is off: who is between reads and changes what is said');
    if (!summary.tls && !summary.clusterSecret)
      this.#logger.warn(summary, 'replicas prove nothing to each other: whoever reaches their port can speak as one');
    if (!summary.auth) this.#logger.warn(summary, 'authentication is off: whoever reaches the ports may do everything');
    this.#turn.wake();
  }

  #tick(): void {
    this.#core.tick();
    this.#noticeStatus();
  }

  #peerChanged(peer: number, connected: boolean, reason: string): void {
    this.#logger.info({ peer, connected, reason }, connected ? 'peer connected' : 'peer lost');
    this.#dialFailures.delete(peer);
    if (!connected) this.#guarded(() => this.#core.peerLost(peer));
    else this.#turn.wake();
  }

  /** A peer that is away is dialled many times a second: only a new reason is worth a line. */
  #dialFailed(peer: number, reason: string): void {
    if (this.#dialFailures.get(peer) === reason) return;
    this.#dialFailures.set(peer, reason);
    this.#logger.warn({ peer, reason }, 'peer cannot be dialled');
  }

  #noticeStatus(): void {
    const { status, view, primary, statusReason, op, commit } = this.#replica;
    const seen = `${status} ${view}`;
    if (seen === this.#statusSeen) return;
    this.#statusSeen = seen;
    if (status === 'halted') this.#logger.error({ reason: statusReason, view, op, commit }, 'replica halted');
    else this.#logger.info({ status, view, primary, op, commit }, 'status or view changed');
  }

  /** Whether a request that comes now can be served here. */
  #notReady(): Failure | undefined {
    const { status, primary, replica, replicaCount, view } = this.#replica;
    const evidence = { status, view, primary };
    if (this.#requests.isDraining) return failure('DRAINING', 'this replica is stopping', evidence);
    if (status !== 'normal') return failure('NOT_READY', `the replica is in status ${status}, not normal`, evidence);
    if (primary !== replica) {
      if (this.#network.isConnected(primary)) return undefined;
      return failure('NOT_READY', `the primary, replica ${primary}, is not connected`, evidence);
    }
    const connected = this.#network.traffic().filter((peer) => peer.connected).length;
    if (connected + 1 >= quorumOf(replicaCount)) return undefined;
    const message = `the primary has ${connected} of ${replicaCount - 1} peers connected: no quorum`;
    return failure('NOT_READY', message, { ...evidence, connected });
  }

  /** Our own bugs end the server; a WireError is the other side's and ends its connection. */
  #guarded(act: () => void): void {
    try {
      act();
    } catch (cause) {
      if (cause instanceof WireError) throw cause;
      this.#fail(cause);
    }
  }

  #fail(cause: unknown): void {
    this.#logger.fatal({ err: cause }, 'a fault of ours: the server stops');
    this.#settleStopped.reject(cause);
    this.#stopping ??= this.#close();
  }

  async #drain(): Promise<void> {
    this.#logger.info({ waiting: this.#proposals.waiting }, 'draining');
    this.#requests.drain();
    this.#http.drain();
    this.#clients.drain();
    this.#network.stopAccepting();
    const deadlineMs = this.#clock.monotonicMs() + this.#limits.DRAIN_MS_MAX;
    const left = (): number => this.#proposals.waiting + this.#reads.waiting + this.#requests.waiters.count;
    while (left() > 0 && this.#clock.monotonicMs() < deadlineMs) {
      await new Promise<void>((resolve) => void this.#clock.after(DRAIN_LOOK_MS, resolve));
    }
    this.#proposals.close();
    this.#reads.close();
    this.#requests.waiters.close();
    this.#turn.run();
    await this.#close();
    this.#logger.info('stopped');
    this.#settleStopped.resolve();
  }

  /** Lets go of everything, whatever state it is in. */
  async #close(): Promise<void> {
    this.#stopTicks();
    this.#turn.stop();
    await this.#http.close(this.#clock);
    await this.#network.close();
    await this.#telemetry.close(this.#clock);
    this.#recorder?.close();
    this.#directory.close();
  }
}

/** The SDK is loaded by those who want traces only: it is larger than the server. */
async function openTelemetry({ traces }: ServerConfig, { superblock }: DataDirectory): Promise<Telemetry> {
  if (traces === undefined) return new Telemetry();
  const { openTraceSink } = await import('./trace-export.ts');
  const { cluster, replica } = superblock.state;
  return new Telemetry(openTraceSink(traces, { cluster, replica, version: VERSION }));
}
