/**
 * What one replica server is started with, and what its starter holds afterwards. Types and defaults only; mirrors no
 * spec module. impl/cli fills a ServerConfig from flags, environment and file; impl/server/replica-server.ts takes it.
 */
import type { FastifyPluginAsync } from 'fastify';
import type { Logger } from 'pino';
import type { DxSource } from './dx-source.ts';
import type { Route } from './http-errors.ts';
import type { SecurityConfig } from './security.ts';
import type { ServerLimits } from './server-limits.ts';
import type { TracesConfig } from './telemetry.ts';

export interface HostPort {
  readonly host: string;
  /** 0 asks the system for a free port (HTTP only: a replica's own address is known to its peers beforehand). */
  readonly port: number;
}

export interface ServerConfig extends SecurityConfig {
  /** A directory that `lockstep format` made; it says which replica of which cluster this is. */
  readonly directory: string;
  /** Entry i is the address of replica i, for peers and clients alike; as many as the directory's replicaCount. */
  readonly addresses: readonly HostPort[];
  readonly http: HostPort;
  /** The HTTP address of each replica by index, for the page of impl/dx; none known without it. */
  readonly httpAddresses?: readonly HostPort[];
  /** Origins whose pages may use the HTTP API in a browser, as a browser names them; none without it. */
  readonly allowedOrigins?: readonly string[];
  /** false leaves the DX API out; the plugin itself comes in ServerParts, so that this code never imports impl/dx. */
  readonly dx: boolean;
  readonly limits: Partial<ServerLimits>;
  /** Traces by OpenTelemetry; none without it, and its SDK is not loaded. */
  readonly traces?: TracesConfig | undefined;
  /** What the directory has to say of itself; another one is refused before a byte is written. */
  readonly expected?: { readonly cluster?: bigint; readonly replica?: number };
  /** A directory for a recording of every step, for checks against the spec (recorder.ts); costs a write an event. */
  readonly recordTo?: string | undefined;
}

/** The plugin gets the source as its options: `async (http, { source }) => { http.get('/v1/dx/status', …) }`. */
export type DxPlugin = FastifyPluginAsync<{ source: DxSource }>;

/** What the starter may bring along; everything has a real default. */
export interface ServerParts {
  readonly dx?: DxPlugin;
  readonly logger?: Logger;
}

export interface RunningServer {
  readonly cluster: bigint;
  readonly replica: number;
  readonly replicaCount: number;
  /** Where it listens, with the port that the system gave. */
  readonly peerAddress: HostPort;
  readonly httpAddress: HostPort;
  readonly source: DxSource;
  /** Of its HTTP API. */
  readonly routes: readonly Route[];
  /** Reads certificates and keys again, all of them or none; connections stay. @throws TlsError, AuthError */
  reload(): Promise<void>;
  /** Graceful drain: stops accepting, finishes what is in flight within DRAIN_MS_MAX, flushes, closes. Idempotent. */
  stop(): Promise<void>;
  /** Settles when the server has stopped, whoever stopped it; rejects with the fault when it stopped by itself. */
  readonly stopped: Promise<void>;
}

/** impl/server/replica-server.ts exports it under this name. Throws ServerError, DirectoryError, SuperblockError, AppendLogError. */
export type StartReplicaServer = (config: ServerConfig, parts?: ServerParts) => Promise<RunningServer>;
