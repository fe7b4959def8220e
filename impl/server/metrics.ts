/**
 * What the server tells Prometheus: names with unit and `_total` by its conventions, all with the prefix lockstep_.
 * Gauges are read when asked for; counters and histograms cost a few additions on the hot path. Mirrors no spec module.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { PeerTraffic } from '../ports/peer-link.ts';
import type { ReplicaPort } from '../vsr/replica-port.ts';

const FSYNC_SECONDS = [0.000_1, 0.000_2, 0.000_4, 0.000_8, 0.001_6, 0.003_2, 0.006_4, 0.012_8, 0.05, 0.2, 1];
const REQUEST_SECONDS = [0.000_5, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.25, 1, 5];
const BATCH_COMMANDS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024];
const STATUSES = ['normal', 'view-change', 'recovering', 'halted'] as const;

/** What gauges ask when they are read. */
export interface MetricsFacts {
  readonly replica: ReplicaPort;
  readonly traffic: () => readonly PeerTraffic[];
  readonly framesRefused: () => ReadonlyMap<string, number>;
  readonly clients: () => number;
  readonly answersLost: () => number;
  readonly waiting: () => number;
  readonly preparesInFlight: () => number;
  readonly streams: () => number;
  readonly certificateEndMs: () => number | undefined;
}

interface RequestChild {
  readonly count: { inc(): void };
  readonly seconds: { observe(value: number): void };
}

export class Metrics {
  readonly registry = new Registry();
  readonly #fsync = new Histogram({
    name: 'lockstep_fsync_duration_seconds',
    help: 'Duration of one fsync of log or superblock.',
    buckets: FSYNC_SECONDS,
    registers: [this.registry],
  });
  readonly #batch = new Histogram({
    name: 'lockstep_prepare_commands',
    help: 'Commands in one prepare that this replica submitted as primary.',
    buckets: BATCH_COMMANDS,
    registers: [this.registry],
  });
  readonly #requests = new Counter({
    name: 'lockstep_requests_total',
    help: 'Requests answered, by protocol, operation and code (ok, or the code of the failure).',
    labelNames: ['protocol', 'operation', 'code'] as const,
    registers: [this.registry],
  });
  readonly #requestSeconds = new Histogram({
    name: 'lockstep_request_duration_seconds',
    help: 'From the arrival of a request to its answer.',
    labelNames: ['operation'] as const,
    buckets: REQUEST_SECONDS,
    registers: [this.registry],
  });
  readonly #refused = new Counter({
    name: 'lockstep_callers_refused_total',
    help: 'Requests and connections refused at the door, by protocol and code: authentication, roles, rates, TLS.',
    labelNames: ['protocol', 'code'] as const,
    registers: [this.registry],
  });
  /** Looking a labelled child up costs more than counting. */
  readonly #requestChildren = { http: new Map<string, RequestChild>(), binary: new Map<string, RequestChild>() };

  constructor() {
    collectDefaultMetrics({ register: this.registry, prefix: 'lockstep_' });
  }

  fsync(seconds: number): void {
    this.#fsync.observe(seconds);
  }

  batch(commands: number): void {
    this.#batch.observe(commands);
  }

  request(protocol: 'http' | 'binary', operation: string, code: string, seconds: number): void {
    const children = this.#requestChildren[protocol];
    const key = code === 'ok' ? operation : `${operation} ${code}`;
    let child = children.get(key);
    if (child === undefined) {
      child = {
        count: this.#requests.labels({ protocol, operation, code }),
        seconds: this.#requestSeconds.labels({ operation }),
      };
      children.set(key, child);
    }
    child.count.inc();
    child.seconds.observe(seconds);
  }

  callerRefused(protocol: 'http' | 'binary', code: string): void {
    this.#refused.inc({ protocol, code });
  }

  /** Gauges over the parts of a running server. */
  watch(facts: MetricsFacts): void {
    const { replica } = facts;
    this.#gauge('lockstep_view', 'View number of this replica.', () => replica.view);
    this.#gauge('lockstep_log_view', 'View in which the log was last normal.', () => replica.logView);
    this.#gauge('lockstep_op', 'Highest op of the log.', () => replica.op);
    this.#gauge('lockstep_op_durable', 'Highest op that a crash leaves.', () => replica.opDurable);
    this.#gauge('lockstep_commit', 'Highest op known committed.', () => replica.commit);
    this.#gauge('lockstep_primary', '1 when this replica is the primary of a normal view.', () =>
      Number(replica.status === 'normal' && replica.primary === replica.replica),
    );
    this.#gauge('lockstep_client_connections', 'Clients connected to the binary port.', facts.clients);
    this.#gauge('lockstep_requests_waiting', 'Commands and read barriers without an outcome yet.', facts.waiting);
    this.#gauge(
      'lockstep_prepares_in_flight',
      'Prepares submitted here and not committed yet.',
      facts.preparesInFlight,
    );
    this.#gauge(
      'lockstep_certificate_expiry_seconds',
      'When the TLS certificate ends, by Unix time; 0 without TLS.',
      () => Math.floor((facts.certificateEndMs() ?? 0) / 1_000),
    );
    this.#gauge('lockstep_streams', 'Streams in the kernel.', facts.streams);
    this.#labelled('lockstep_status', 'gauge', '1 for the status that the replica has.', 'status', () =>
      STATUSES.map((status) => [status, Number(replica.status === status)]),
    );
    this.#labelled(
      'lockstep_frames_refused_total',
      'counter',
      'Frames refused by the listener, by reason.',
      'reason',
      () => [...facts.framesRefused()],
    );
    this.#labelled(
      'lockstep_messages_dropped_total',
      'counter',
      'Messages the replica dropped, by reason.',
      'reason',
      () => [...replica.framesDropped],
    );
    this.#labelled(
      'lockstep_answers_lost_total',
      'counter',
      'Answers that a binary client did not get, by reason: it does not read, or is gone.',
      'reason',
      () => [['CLIENT_TOO_SLOW', facts.answersLost()]],
    );
    const peers = (fact: (traffic: PeerTraffic) => number) => () =>
      facts.traffic().map((traffic): [string, number] => [String(traffic.peer), fact(traffic)]);
    this.#labelled(
      'lockstep_peer_connected',
      'gauge',
      '1 when the peer is connected.',
      'peer',
      peers((peer) => Number(peer.connected)),
    );
    this.#labelled(
      'lockstep_peer_queue_bytes',
      'gauge',
      'Bytes that wait for the peer.',
      'peer',
      peers((peer) => peer.queuedBytes),
    );
    this.#labelled(
      'lockstep_peer_frames_sent_total',
      'counter',
      'Frames sent to the peer.',
      'peer',
      peers((peer) => peer.framesSent),
    );
    this.#labelled(
      'lockstep_peer_frames_received_total',
      'counter',
      'Frames of the peer.',
      'peer',
      peers((peer) => peer.framesReceived),
    );
    this.#labelled(
      'lockstep_peer_frames_dropped_total',
      'counter',
      'Frames that could not leave.',
      'peer',
      peers((peer) => peer.framesDropped),
    );
  }

  #gauge(name: string, help: string, value: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(value());
      },
    });
  }

  #labelled(
    name: string,
    kind: 'gauge' | 'counter',
    help: string,
    label: string,
    values: () => readonly (readonly [string, number])[],
  ): void {
    const options = { name, help, labelNames: [label], registers: [this.registry] };
    if (kind === 'gauge') {
      new Gauge({
        ...options,
        collect() {
          for (const [key, value] of values()) this.set({ [label]: key }, value);
        },
      });
      return;
    }
    new Counter({
      ...options,
      collect() {
        this.reset();
        for (const [key, value] of values()) this.inc({ [label]: key }, value);
      },
    });
  }
}
