/** What a client, and each call of it, can be told. Mirrors no spec module; docs/client.md is the page of it. */
import type { Clock } from '../ports/clock.ts';
import type { TlsMaterial } from '../ports/network.ts';
import type { Random } from '../ports/random.ts';
import type { AppendEvent } from '../wire/request.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Texts in PEM. */
export interface ClientTls extends TlsMaterial {
  /** The host that the replicas' certificates are of, where it is not the one that is dialled. */
  readonly serverName?: string;
}

export interface ClientOptions {
  /** Replicas by index; one is enough, all survive its end. */
  readonly addresses: readonly Address[];
  /** 0n: any. */
  readonly cluster?: bigint;
  /** An API key or a JWT; a function is asked at each connection, for tokens that expire. */
  readonly token?: string | (() => string);
  readonly tls?: ClientTls;
  /** Connections, each with a session of its own; from 1. More only for more than 64 commands on their way, or large reads. */
  readonly connections?: number;
  /** How long a call may take that says nothing itself, in ms. */
  readonly timeoutMs?: number;
  /**
   * Commands on their way at once on one connection, at most the session's window; more wait, and small appends among them
   * go together. 1 keeps the order in which append() was called, whatever happens to replicas and connections.
   */
  readonly commandsInFlightMax?: number;
  /** Appends to one stream that wait go as one request; default true. Each keeps its own answer. */
  readonly batching?: boolean;
  readonly clock?: Clock;
  readonly random?: Random;
}

export interface CallOptions {
  /** How long until the call fails, in ms. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Text is stored as UTF-8. */
export type NewEvent = Uint8Array | string | (Pick<AppendEvent, 'data'> & Partial<AppendEvent>);

export interface AppendOptions extends CallOptions {
  /** The offset that the first event must get; else the append is refused with OFFSET_MISMATCH. */
  readonly expectedOffset?: number;
  /** Makes the append one with every other append of this key, of whichever client, for as long as the cluster keeps keys. */
  readonly idempotencyKey?: string;
}

export interface ReadOptions extends CallOptions {
  /** Offset of the first event; default 0. */
  readonly from?: number;
  /** Events at most; default 100. */
  readonly limit?: number;
  /**
   * linearizable (default): everything acknowledged to anyone before the call. committed: what the replica has, but never less
   * than this client has seen already.
   */
  readonly consistency?: 'linearizable' | 'committed';
  /** For committed: at least the state after this op; default: the newest that this client has seen. */
  readonly minCommitId?: number;
}

export type ListOptions = Pick<ReadOptions, 'consistency' | 'minCommitId' | 'timeoutMs' | 'signal'>;

export interface TailOptions {
  /** Offset of the first event; default 0. */
  readonly from?: number;
  /** Ends the iteration with CLIENT_ABORTED. */
  readonly signal?: AbortSignal;
  /** Events that one read asks for; up to two reads' events are in memory. Default 500. */
  readonly pageEvents?: number;
}
