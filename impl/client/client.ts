/**
 * The TypeScript client: one connection to one replica (the primary when it can be found), many requests on it at once, and
 * another replica when that one is gone. What is sent again when in doubt changes nothing the second time: reads, and appends,
 * which all carry an idempotency key. Creating and deleting are sent again only when known not applied.
 * Mirrors no spec module. Does not do: TLS, sessions (the server forgets the oldest keys: see docs/server.md).
 */
import { hashText } from '../crypto/hash.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import { RealClock } from '../ports/real-clock.ts';
import { RealRandom } from '../ports/real-random.ts';
import type { AnswerOf, Failure, ReadEvent } from '../wire/answer.ts';
import type { AppendEvent, Operation, RequestBody } from '../wire/request.ts';
import { clientError, refusalOf } from './client-error.ts';
import { type Address, type LinkOutcome, ServerLink } from './server-link.ts';

/** Requests on the connection at once; the server's own bound is the same. More wait here. */
const IN_FLIGHT_MAX = 1_024;
/** Requests that wait for a place or for a connection; at it the next one fails at once. */
const WAITING_MAX = 65_536;
const REQUEST_MS_DEFAULT = 10_000;
/** Wait before the next replica is tried, and before a refused request is sent again; doubles up to the second. */
const RETRY_MS_MIN = 10;
const RETRY_MS_MAX = 500;
const TICK_MS = 50;
const PING_MS = 2_000;
const SILENT_MS_MAX = 5_000;
/** How often a client that is not connected to the primary looks for it. */
const PRIMARY_LOOK_MS = 1_000;
const TAIL_PAGE_EVENTS = 500;
const TAIL_WAIT_MS = 100;

/** Known not applied, and another try may do. */
const TRY_AGAIN: ReadonlySet<string> = new Set(['BUSY', 'NO_QUORUM', 'REPLACED', 'DRAINING', 'HALTED']);
/** This replica is of no use now. */
const GO_ELSEWHERE: ReadonlySet<string> = new Set(['DRAINING', 'HALTED', 'NO_QUORUM']);

export interface ClientOptions {
  /** Replicas by index; one is enough, all survive its end. */
  readonly addresses: readonly Address[];
  /** 0n: any. */
  readonly cluster?: bigint;
  readonly requestMsMax?: number;
  readonly clock?: Clock;
  readonly random?: Random;
}

export interface AppendOptions {
  readonly expectedOffset?: number;
  readonly idempotencyKey?: string;
}

interface Waiting {
  readonly body: RequestBody;
  readonly deadlineMs: number;
  /** May be sent again when nobody knows whether it was applied. */
  readonly repeatable: boolean;
  readonly done: (outcome: Exclude<LinkOutcome, 'lost'>) => void;
  readonly fail: (error: Error) => void;
  /** Not before; 0 at first. */
  notBeforeMs: number;
  tries: number;
  /** An earlier try may be applied: a refusal of a later one does not say that it is not. */
  inDoubt: boolean;
  lastFailure: Failure | undefined;
}

export class LockstepClient {
  readonly #options: ClientOptions;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #keyPrefix: string;
  #nextKey = 1;
  #link: ServerLink | undefined;
  #isOpen = false;
  #addressAt = 0;
  #dials = 0;
  #dialNotBeforeMs = 0;
  #waiting: Waiting[] = [];
  #sent = new Set<Waiting>();
  #primaryLookMs = 0;
  #closed = false;
  readonly #stopTicks: () => void;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#clock = options.clock ?? new RealClock();
    this.#random = options.random ?? new RealRandom();
    this.#keyPrefix = hashText(this.#random.bytes(12));
    this.#stopTicks = this.#clock.startTicks(TICK_MS, () => this.#tick());
    this.#dial();
  }

  /** Index of the replica that it is connected to; undefined while it is not. */
  get connectedTo(): number | undefined {
    return this.#isOpen ? this.#link?.replica : undefined;
  }

  append(
    stream: string,
    events: readonly (Uint8Array | string | AppendEvent)[],
    options: AppendOptions = {},
  ): Promise<AnswerOf['append']> {
    const idempotencyKey = options.idempotencyKey ?? `${this.#keyPrefix}.${this.#nextKey++}`;
    const { expectedOffset } = options;
    return this.#ask(
      { operation: 'append', stream, expectedOffset, idempotencyKey, events: events.map(eventOf) },
      true,
    );
  }

  read(stream: string, from = 0, limit = 100, linearizable = true): Promise<AnswerOf['read']> {
    return this.#ask({ operation: 'read', stream, from, limit, linearizable }, true);
  }

  createStream(stream: string, dataClass = ''): Promise<AnswerOf['create-stream']> {
    return this.#ask({ operation: 'create-stream', stream, dataClass }, false);
  }

  deleteStream(stream: string): Promise<AnswerOf['delete-stream']> {
    return this.#ask({ operation: 'delete-stream', stream }, false);
  }

  listStreams(linearizable = true): Promise<AnswerOf['list-streams']> {
    return this.#ask({ operation: 'list-streams', linearizable }, true);
  }

  status(): Promise<AnswerOf['status']> {
    return this.#ask({ operation: 'status' }, true);
  }

  /** Every event from an offset on, in order and without end, as they are committed. */
  async *tail(stream: string, from = 0): AsyncGenerator<ReadEvent, never, undefined> {
    let offset = from;
    for (;;) {
      const page = await this.read(stream, offset, TAIL_PAGE_EVENTS, false);
      yield* page.events;
      offset += page.events.length;
      if (page.events.length > 0) continue;
      await new Promise<void>((resolve) => void this.#clock.after(TAIL_WAIT_MS, resolve));
    }
  }

  /** Ends the connection; requests without an answer fail. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopTicks();
    this.#link?.close('CLOSED');
    const left = this.#waiting;
    this.#waiting = [];
    for (const { fail, tries } of left) {
      fail(clientError('CLIENT_CLOSED', 'the client was closed', tries === 0 ? 'refused' : 'unknown'));
    }
  }

  #ask<Op extends Operation>(body: RequestBody & { operation: Op }, repeatable: boolean): Promise<AnswerOf[Op]> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(clientError('CLIENT_CLOSED', 'the client was closed', 'refused'));
        return;
      }
      if (this.#waiting.length >= WAITING_MAX) {
        const message = `${WAITING_MAX} requests wait in this client: slow down`;
        reject(clientError('CLIENT_QUEUE_FULL', message, 'refused', { waiting: WAITING_MAX }));
        return;
      }
      const deadlineMs = this.#clock.monotonicMs() + (this.#options.requestMsMax ?? REQUEST_MS_DEFAULT);
      const request: Waiting = {
        body,
        deadlineMs,
        repeatable,
        done: (outcome) => {
          if ('applied' in outcome) resolve(outcome.applied as AnswerOf[Op]);
          else reject(refusalOf(outcome.failure, request.inDoubt));
        },
        fail: reject,
        notBeforeMs: 0,
        tries: 0,
        inDoubt: false,
        lastFailure: undefined,
      };
      if (this.#waiting.length > 0 || !this.#send(request)) this.#waiting.push(request);
    });
  }

  /** False when it has to wait. */
  #send(request: Waiting): boolean {
    const link = this.#link;
    if (link === undefined || !this.#isOpen || link.inFlight >= IN_FLIGHT_MAX) return false;
    const leftMs = Math.max(1, Math.ceil(request.deadlineMs - this.#clock.monotonicMs()));
    if (!link.send(request.body, leftMs, (outcome) => this.#ended(request, outcome))) return false;
    request.tries++;
    this.#sent.add(request);
    return true;
  }

  #ended(request: Waiting, outcome: LinkOutcome): void {
    if (!this.#sent.delete(request)) return; // its deadline was over
    if (outcome === 'lost') {
      request.inDoubt = true;
      if (request.repeatable && !this.#closed) this.#again(request, RETRY_MS_MIN);
      else request.fail(this.#noAnswer(request));
    } else if ('failure' in outcome && this.#mayRepeat(request, outcome.failure)) {
      const { code, evidence } = outcome.failure;
      request.lastFailure = outcome.failure;
      if (outcome.failure.outcome === 'unknown') request.inDoubt = true;
      const asked = typeof evidence.retryAfterMs === 'number' ? evidence.retryAfterMs : 0;
      this.#again(request, Math.max(asked, Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(request.tries, 10))));
      if (GO_ELSEWHERE.has(code)) this.#link?.close(code);
    } else request.done(outcome);
    if (this.#waiting.length > 0) this.#sendWaiting();
  }

  #mayRepeat({ repeatable }: Waiting, failure: Failure): boolean {
    if (TRY_AGAIN.has(failure.code)) return true;
    return repeatable && failure.outcome === 'unknown' && failure.code === 'OUTCOME_UNKNOWN';
  }

  #again(request: Waiting, waitMs: number): void {
    request.notBeforeMs = this.#clock.monotonicMs() + waitMs + this.#random.below(Math.ceil(waitMs) + 1);
    this.#waiting.push(request);
  }

  #sendWaiting(): void {
    if (!this.#isOpen) return;
    const nowMs = this.#clock.monotonicMs();
    const waiting = this.#waiting;
    this.#waiting = [];
    let at = 0;
    for (; at < waiting.length; at++) {
      const request = waiting[at] as Waiting;
      if (request.notBeforeMs > nowMs) this.#waiting.push(request);
      else if (!this.#send(request)) break;
    }
    if (at < waiting.length) this.#waiting.push(...waiting.slice(at));
  }

  #tick(): void {
    const nowMs = this.#clock.monotonicMs();
    this.#link?.tick(PING_MS, SILENT_MS_MAX);
    const expired = this.#waiting.filter(({ deadlineMs }) => deadlineMs <= nowMs);
    if (expired.length > 0) this.#waiting = this.#waiting.filter(({ deadlineMs }) => deadlineMs > nowMs);
    for (const request of expired) request.fail(this.#tooLate(request));
    for (const request of this.#sent) {
      if (request.deadlineMs > nowMs) continue;
      this.#sent.delete(request);
      request.fail(this.#noAnswer(request));
    }
    if (this.#link === undefined && nowMs >= this.#dialNotBeforeMs) this.#dial();
    if (this.#waiting.length > 0) this.#sendWaiting();
    if (this.#isOpen && nowMs >= this.#primaryLookMs) this.#lookForPrimary(nowMs);
  }

  #dial(): void {
    const { addresses, cluster = 0n } = this.#options;
    const address = addresses[this.#addressAt % addresses.length] as Address;
    const link = new ServerLink({
      address,
      cluster,
      clock: this.#clock,
      onOpen: () => {
        this.#isOpen = true;
        this.#dials = 0;
        this.#lookForPrimary(this.#clock.monotonicMs());
        this.#sendWaiting();
      },
      onClosed: () => {
        if (this.#link === link) this.#lost();
      },
    });
    this.#link = link;
  }

  #lost(): void {
    this.#link = undefined;
    this.#isOpen = false;
    this.#addressAt++;
    const waitMs = Math.min(
      RETRY_MS_MAX,
      RETRY_MS_MIN * 2 ** Math.min(Math.floor(this.#dials / this.#options.addresses.length), 10),
    );
    this.#dials++;
    this.#dialNotBeforeMs = this.#clock.monotonicMs() + waitMs;
  }

  /** Requests reach the primary through any replica; straight to it they save a hop. */
  #lookForPrimary(nowMs: number): void {
    this.#primaryLookMs = nowMs + PRIMARY_LOOK_MS;
    const link = this.#link;
    link?.send({ operation: 'status' }, REQUEST_MS_DEFAULT, (outcome) => {
      if (outcome === 'lost' || !('applied' in outcome) || this.#link !== link) return;
      const { primary, replica, status } = outcome.applied as AnswerOf['status'];
      if (status !== 'normal' || primary === replica) return;
      this.#moveTo(primary);
    });
  }

  /** Opens a second connection; only when it stands do new requests go there, and the old one ends with its last answer. */
  #moveTo(primary: number): void {
    const { addresses, cluster = 0n } = this.#options;
    const address = addresses[primary];
    if (address === undefined) return;
    const older = this.#link;
    const link = new ServerLink({
      address,
      cluster,
      clock: this.#clock,
      onOpen: (replica) => {
        if (replica !== primary || this.#link !== older || this.#closed) {
          link.close('CLOSED');
          return;
        }
        this.#link = link;
        this.#addressAt = primary;
        this.#retire(older);
        this.#sendWaiting();
      },
      onClosed: () => {
        if (this.#link === link) this.#lost();
      },
    });
  }

  #retire(link: ServerLink | undefined): void {
    if (link === undefined) return;
    if (link.inFlight === 0 || this.#closed) link.close('CLOSED');
    else this.#clock.after(TICK_MS, () => this.#retire(link));
  }

  #tooLate({ tries, inDoubt, lastFailure, body }: Waiting): Error {
    if (lastFailure !== undefined) return refusalOf(lastFailure, inDoubt);
    if (inDoubt) return clientError('CLIENT_NO_ANSWER', noAnswerText(body), 'unknown', { tries });
    const addresses = this.#options.addresses.map(({ host, port }) => `${host}:${port}`).join(', ');
    const message = `none of ${addresses} took the request before its deadline: it is not applied; check that the replicas run`;
    return clientError('CLIENT_UNREACHABLE', message, 'refused', { addresses });
  }

  #noAnswer({ body, tries }: Waiting): Error {
    return clientError('CLIENT_NO_ANSWER', noAnswerText(body), 'unknown', { tries });
  }
}

function noAnswerText({ operation }: RequestBody): string {
  return `no answer to ${operation} came before its deadline: it may be applied or not; read to see`;
}

function eventOf(event: Uint8Array | string | AppendEvent): AppendEvent {
  if (typeof event === 'string') return { data: Buffer.from(event, 'utf8'), type: '', contentType: '' };
  return event instanceof Uint8Array ? { data: event, type: '', contentType: '' } : event;
}
