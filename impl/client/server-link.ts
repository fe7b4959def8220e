/**
 * One connection to one replica: Hello, then many requests at once, answers in any order. Whatever happens to the connection,
 * every request on it ends once: with its answer, or with `lost`. Mirrors no spec module.
 */
import { assert } from '../ports/assert.ts';
import type { Clock } from '../ports/clock.ts';
import { Connection } from '../ports/connection.ts';
import type { DialTls } from '../ports/tls.ts';
import { type AnswerOf, decodeResponse, type Failure, responseId } from '../wire/answer.ts';
import { FRAME_BYTES_MAX, FRAME_KINDS, type FrameKind } from '../wire/frame.ts';
import { ANY_REPLICA, decodeGoodbye, decodeHello, encodeHello } from '../wire/hello.ts';
import { encodeRequest, type RequestBody } from '../wire/request.ts';
import { WireError } from '../wire/wire-error.ts';
import type { Address } from './client-options.ts';

/** Bytes that wait to be sent; at it a request is not taken. */
const SEND_QUEUE_BYTES_MAX = 16 * 1024 * 1024;
/** From the start of a connection to the server's Hello. */
const HELLO_MS_MAX = 3_000;
const IDS = 2 ** 32;

/** What became of a request; `lost`: the connection ended first, and nobody can say. */
export type LinkOutcome = { readonly applied: AnswerOf[keyof AnswerOf] } | { readonly failure: Failure } | 'lost';

/** What is sent, and told what became of it. */
export interface LinkRequest {
  readonly body: RequestBody;
  ended(outcome: LinkOutcome): void;
}

export interface LinkOptions {
  readonly address: Address;
  /** 0n: any. */
  readonly cluster: bigint;
  /** Empty: none. */
  readonly token: string;
  readonly tls: DialTls | undefined;
  readonly clock: Clock;
  /** The server's Hello is here: requests may be sent. */
  readonly onOpen: (replica: number) => void;
  /** Once, after onOpen or instead of it; message: what the server said when it refused us, else empty. */
  readonly onClosed: (reason: string, message: string) => void;
}

export class ServerLink {
  readonly address: Address;
  readonly #options: LinkOptions;
  readonly #connection: Connection;
  readonly #pending = new Map<number, LinkRequest>();
  #nextId = 1;
  #replica = ANY_REPLICA;
  #closed = false;
  #flushing = false;
  readonly #cancelHello: () => void;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.address = options.address;
    const { clock, cluster, token } = options;
    this.#cancelHello = clock.after(HELLO_MS_MAX, () => this.close('HELLO_MISSING'));
    const connection = {
      sendQueueBytesMax: SEND_QUEUE_BYTES_MAX,
      frameBytesFirst: FRAME_BYTES_MAX,
      nowMs: () => clock.monotonicMs(),
      onFrame: (_: Connection, kind: FrameKind, payload: Buffer) => this.#receive(kind, payload),
      onClosed: (_: Connection, reason: string) => this.close(reason),
      onPending: () => this.#flushSoon(),
    };
    this.#connection = Connection.dial(options.address, connection, options.tls);
    const hello = { role: 'client', replica: ANY_REPLICA, replicaCount: 0, to: ANY_REPLICA, cluster, token } as const;
    this.#connection.send(FRAME_KINDS.hello, encodeHello(hello));
  }

  /** Index of the replica at the other end; ANY_REPLICA before its Hello. */
  get replica(): number {
    return this.#replica;
  }

  get inFlight(): number {
    return this.#pending.size;
  }

  /** False when it could not be taken: nothing was sent, and ended() is not called. */
  send(request: LinkRequest, deadlineMs: number): boolean {
    if (this.#replica === ANY_REPLICA) return false;
    const id = this.#freeId();
    const payload = encodeRequest({ id, deadlineMs, body: request.body });
    if (!this.#connection.send(FRAME_KINDS.clientRequest, payload)) return false;
    this.#pending.set(id, request);
    return true;
  }

  /** For a silent server: pings it, and closes when it stays silent. */
  tick(pingAfterMs: number, closeAfterMs: number): void {
    this.#connection.tick(pingAfterMs, closeAfterMs);
  }

  close(reason: string, message = ''): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelHello();
    if (this.#replica === ANY_REPLICA) this.#connection.destroy();
    else this.#connection.end(reason);
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    this.#options.onClosed(reason, message);
    for (const request of pending) request.ended('lost');
  }

  /** After everything that runs now: requests that are made together leave in one write. */
  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => {
      this.#flushing = false;
      this.#connection.flush();
    });
  }

  #receive(kind: FrameKind, payload: Buffer): void {
    if (kind === FRAME_KINDS.goodbye) {
      const { code, message } = decodeGoodbye(payload);
      this.close(code, message);
      return;
    }
    if (this.#replica === ANY_REPLICA) {
      if (kind !== FRAME_KINDS.hello)
        throw new WireError('WIRE_NOT_LOCKSTEP', 'the first frame must be a Hello', { kind });
      this.#cancelHello();
      this.#replica = decodeHello(payload).replica;
      this.#options.onOpen(this.#replica);
      return;
    }
    if (kind !== FRAME_KINDS.clientResponse) {
      throw new WireError('WIRE_UNKNOWN_KIND', `a server sends answers, not frames of kind ${kind}`, { kind });
    }
    const id = responseId(payload);
    const pending = this.#pending.get(id);
    if (pending === undefined) throw new WireError('WIRE_MALFORMED', `an answer to request ${id}, which was not asked`);
    const outcome = decodeResponse(payload, pending.body.operation);
    this.#pending.delete(id);
    pending.ended(outcome);
  }

  #freeId(): number {
    assert(this.#pending.size < IDS - 1, 'requests in flight are bounded');
    while (this.#pending.has(this.#nextId) || this.#nextId === 0) this.#nextId = (this.#nextId + 1) % IDS;
    const id = this.#nextId;
    this.#nextId = (id + 1) % IDS;
    return id;
  }
}
