/**
 * One replica as a server: data directory, replica, kernel, peers and clients over TCP, HTTP; and its clean end. All protocol
 * work is synchronous; what arrives in one turn of the event loop shares one fsync and one write a connection (turn-end.ts).
 * Mirrors no spec module: it calls receive, tick, flush and submit of impl/vsr/replica.ts, which does.
 */
import { type Logger, pino } from 'pino';
import { quorumOf } from '../../machines/quorum.ts';
import { encodeBatch, encodeCommand } from '../kernel/command-codec.ts';
import { BATCH_BYTES_MAX } from '../kernel/limits.ts';
import type { Clock } from '../ports/clock.ts';
import { RealClock } from '../ports/real-clock.ts';
import { RealDisk } from '../ports/real-disk.ts';
import { RealNetwork } from '../ports/real-network.ts';
import { RealRandom } from '../ports/real-random.ts';
import { RealTurn } from '../ports/turn.ts';
import { type DataDirectory, openDataDirectory } from '../storage/data-directory.ts';
import type { Prepare } from '../vsr/prepare.ts';
import { PrepareLog } from '../vsr/prepare-log.ts';
import { Replica } from '../vsr/replica.ts';
import { FRAME_KINDS, type FrameKind } from '../wire/frame.ts';
import type { Failure } from '../wire/request.ts';
import { WireError } from '../wire/wire-error.ts';
import { ClientPort } from './client-port.ts';
import type { DxSource } from './dx-source.ts';
import { failure } from './failure.ts';
import { decodeForwardRequest, decodeForwardResult, encodeForwardResult, type ForwardRequest } from './forward.ts';
import { History } from './history.ts';
import { HttpApi } from './http-api.ts';
import { MeasuredDisk } from './measured-disk.ts';
import { Metrics } from './metrics.ts';
import { type CommandOutcome, Proposals } from './proposals.ts';
import { Recorder } from './recorder.ts';
import { Requests } from './requests.ts';
import type { HostPort, RunningServer, ServerConfig, ServerParts, StartReplicaServer } from './server-config.ts';
import { dxSourceOf, historyRecordOf } from './server-facts.ts';
import { type ServerLimits, serverLimitsWith } from './server-limits.ts';
import { StreamState } from './stream-state.ts';
import { TurnEnd } from './turn-end.ts';

/** Ticks between two looks at deadlines. */
const REVIEW_TICKS = 5;
/** Bytes of a client's frame beside its data: names, keys and lengths of EVENTS_PER_APPEND_MAX events. */
const CLIENT_FRAME_SPARE_BYTES = 512 * 1024;
/** A command of a peer: it fits a batch alone. Our own clients' are smaller by APPEND_BYTES_MAX. */
const FORWARDED_BYTES_MAX = BATCH_BYTES_MAX - 64;
/** Between two looks whether everything in flight has its answer, while draining. */
const DRAIN_LOOK_MS = 5;

export const startReplicaServer: StartReplicaServer = (config, parts = {}) => ReplicaServer.start(config, parts);

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
  readonly #replica: Replica;
  readonly #network: RealNetwork;
  readonly #proposals: Proposals;
  readonly #requests: Requests;
  readonly #clients: ClientPort;
  readonly #state: StreamState;
  readonly #http: HttpApi;
  readonly #turn: TurnEnd;
  readonly #history: History;
  #recorder: Recorder | undefined;
  #stopTicks: () => void = () => {};
  #ticks = 0;
  #announceDue = false;
  #statusSeen = '';
  #stopping: Promise<void> | undefined;
  readonly #settleStopped: Settle;

  static async start(config: ServerConfig, parts: ServerParts): Promise<RunningServer> {
    const clock = new RealClock();
    const metrics = new Metrics();
    const disk = new MeasuredDisk(new RealDisk(), clock, (seconds) => metrics.fsync(seconds));
    const directory = openDataDirectory(disk, config.directory, {
      ...config.expected,
      replicaCount: config.addresses.length,
    });
    let server: ReplicaServer;
    try {
      server = new ReplicaServer(config, parts, { clock, metrics, directory });
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
    { clock, metrics, directory }: { clock: Clock; metrics: Metrics; directory: DataDirectory },
  ) {
    const limits = serverLimitsWith(config.limits);
    this.#clock = clock;
    const nowMs = (): number => clock.monotonicMs();
    const random = new RealRandom();
    const wake = (): void => this.#turn.wake();
    this.#limits = limits;
    this.#history = new History(limits.HISTORY_RECORDS_MAX);
    this.#directory = directory;
    const { superblock, log, report } = this.#directory;
    const { cluster, replica } = superblock.state;
    this.#logger = (parts.logger ?? pino(pino.destination(2))).child({ replica });
    this.peerAddress = config.addresses[replica] as HostPort;
    this.httpAddress = config.http;
    this.#network = new RealNetwork({
      cluster,
      replica,
      addresses: config.addresses,
      clientConnectionsMax: limits.CLIENT_CONNECTIONS_MAX,
      clientFrameBytesMax: limits.APPEND_BYTES_MAX + CLIENT_FRAME_SPARE_BYTES,
      clock,
      random,
      onPeerFrame: (from, kind, payload) => this.#guarded(() => this.#receivePeer(from, kind, payload)),
      onClientFrame: (client, kind, payload) => this.#guarded(() => this.#clients.receive(client, kind, payload)),
      onClientClosed: (client) => this.#clients.closed(client),
      onPeerChange: (peer, connected, reason) => this.#peerChanged(peer, connected, reason),
      onPending: wake,
    });
    const { prepareLog, report: prepareLogReport } = PrepareLog.open(log, cluster);
    this.#replica = Replica.open({
      superblock,
      log: prepareLog,
      network: this.#network,
      clock,
      random,
      firstStart: report.firstStart,
    });
    this.#state = new StreamState((op) => this.#replica.prepareAt(op));
    this.#proposals = new Proposals({
      replica: this.#replica,
      limits,
      encodeBatch,
      barrierCommand: encodeCommand({ kind: 'ReadBarrier' }),
      forward: (to, payload) => this.#network.sendToPeer(to, FRAME_KINDS.forwardRequest, payload),
      nowMs,
      wake,
      onBatch: (commands) => metrics.batch(commands),
    });
    this.#requests = new Requests({
      replica: this.#replica,
      proposals: this.#proposals,
      state: this.#state,
      limits,
      nowMs,
    });
    this.#clients = new ClientPort({ requests: this.#requests, limits, metrics, nowMs });
    this.#turn = new TurnEnd(new RealTurn(), {
      propose: () => this.#propose(),
      send: () => this.#network.flush(),
      sync: () => this.#replica.flush(false),
      failed: (cause) => this.#fail(cause),
    });
    this.#http = new HttpApi({
      requests: this.#requests,
      limits,
      metrics,
      nowMs,
      logger: this.#logger,
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
        version: '0.1.0',
      },
      replica: this.#replica,
      directory: this.#directory,
      prepareLogReport,
      network: this.#network,
      state: this.#state,
      history: this.#history,
      addresses: config.addresses,
    });
    metrics.watch({
      replica: this.#replica,
      traffic: () => this.#network.traffic(),
      framesRefused: () => this.#network.framesRefused,
      clients: () => this.#network.clientCount,
      answersLost: () => this.#clients.answersLost,
      waiting: () => this.#proposals.waiting,
      preparesInFlight: () => this.#proposals.preparesInFlight,
      streams: () => this.#state.streamCount,
    });
    let settle: Settle = { resolve: () => {}, reject: () => {} };
    this.stopped = new Promise((resolve, reject) => {
      settle = { resolve, reject };
    });
    this.stopped.catch(() => {}); // whoever awaits it sees it
    this.#settleStopped = settle;
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

  stop(): Promise<void> {
    this.#stopping ??= this.#drain();
    return this.#stopping;
  }

  async #begin(config: ServerConfig, parts: ServerParts): Promise<void> {
    const replica = this.#replica;
    replica.onCommitted = (prepare) => this.#committed(prepare);
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
    this.#turn.wake();
  }

  /** A Commit leaves with the next prepare in one write; else at the next tick, or when a peer's client waits for it. */
  #propose(): void {
    const opBefore = this.#replica.op;
    this.#proposals.propose();
    if (this.#replica.op === opBefore && !this.#announceDue) return;
    this.#announceDue = false;
    this.#replica.announce();
  }

  #tick(): void {
    this.#replica.tick();
    this.#announceDue = true;
    this.#ticks++;
    if (this.#ticks % REVIEW_TICKS === 0) {
      this.#proposals.review();
      this.#requests.waiters.review(this.#clock.monotonicMs());
    }
    this.#noticeStatus();
    this.#turn.wake();
  }

  #receivePeer(from: number, kind: FrameKind, payload: Buffer): void {
    if (kind === FRAME_KINDS.replica) this.#replica.receive(from, payload);
    else if (kind === FRAME_KINDS.forwardRequest) this.#takeForwarded(from, decodeForwardRequest(payload));
    else if (kind === FRAME_KINDS.forwardResult) this.#proposals.forwardResult(from, decodeForwardResult(payload));
    else if (kind !== FRAME_KINDS.goodbye) {
      throw new WireError('WIRE_UNKNOWN_KIND', `a peer sends no frames of kind ${kind}`, { kind });
    }
    this.#turn.wake();
  }

  #takeForwarded(from: number, { id, deadlineMs, command }: ForwardRequest): void {
    if (command !== undefined && command.byteLength > FORWARDED_BYTES_MAX) {
      const refusal = failure('TOO_LARGE', 'the command fits no prepare', { maximum: FORWARDED_BYTES_MAX });
      this.#answerForwarded(from, id, refusal);
      return;
    }
    this.#proposals.offer({
      bytes: command,
      deadlineMs: this.#clock.monotonicMs() + Math.min(deadlineMs, this.#limits.REQUEST_DEADLINE_MS_MAX),
      retrySafe: false, // whether it may be sent again is the peer's to say
      fromPeer: true,
      done: (outcome) => this.#answerForwarded(from, id, outcome),
    });
  }

  #answerForwarded(to: number, id: number, outcome: CommandOutcome): void {
    const forwarded =
      outcome === 'not-primary'
        ? ({ id, kind: 'not-primary' } as const)
        : 'op' in outcome
          ? ({ id, kind: 'applied', ...outcome } as const)
          : ({ id, kind: 'failed', failure: outcome } as const);
    this.#announceDue = true;
    this.#turn.wake();
    // A peer that is gone learns of it as a client would: by reading, or by its deadline.
    this.#network.sendToPeer(to, FRAME_KINDS.forwardResult, encodeForwardResult(forwarded));
  }

  #committed(prepare: Prepare): void {
    const results = this.#state.apply(prepare);
    this.#proposals.committed(prepare, results);
    this.#requests.waiters.applied(prepare.op);
  }

  #peerChanged(peer: number, connected: boolean, reason: string): void {
    this.#logger.info({ peer, connected, reason }, connected ? 'peer connected' : 'peer lost');
    if (!connected) this.#guarded(() => this.#proposals.peerLost(peer));
    this.#turn.wake();
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
    this.#network.stopAccepting();
    const deadlineMs = this.#clock.monotonicMs() + this.#limits.DRAIN_MS_MAX;
    while (this.#proposals.waiting + this.#requests.waiters.count > 0 && this.#clock.monotonicMs() < deadlineMs) {
      await new Promise<void>((resolve) => void this.#clock.after(DRAIN_LOOK_MS, resolve));
    }
    this.#proposals.close();
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
    this.#recorder?.close();
    this.#directory.close();
  }
}
