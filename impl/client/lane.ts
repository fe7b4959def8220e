/**
 * One connection and one session: what is asked leaves as soon as there is room, within the bounds of both, and is sent again
 * until it is answered or its time is over. Sent again, a command keeps its bytes and its number. Mirrors no spec module; the
 * client's rules of specs/ClientSessions.tla are those of impl/wire/session-numbers.ts.
 */
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { AnswerOf, Failure } from '../wire/answer.ts';
import type { AppendRequest, RequestBody, RequestSession } from '../wire/request.ts';
import { SessionNumbers } from '../wire/session-numbers.ts';
import { batchBody, takeBatch } from './append-batch.ts';
import { backOffMs } from './back-off.ts';
import type { Call, Carrier } from './call.ts';
import { CallQueue } from './call-queue.ts';
import { ClientError, closedError, noAnswerError, queueFullError } from './client-error.ts';
import { ClientRequest, isCommand } from './client-request.ts';
import { Route, type RouteOptions } from './route.ts';
import type { LinkOutcome, LinkRequest } from './server-link.ts';

/** Requests on the connection at once; the server's own bound is the same. More wait here. */
const IN_FLIGHT_MAX = 1_024;
/** Calls that wait for a place or for a connection; at it the next one fails at once. */
const WAITING_MAX = 65_536;
const TICK_MS = 50;
const REGISTER_MS_MAX = 10_000;

/** Known not applied, and another try may do. */
const TRY_AGAIN: ReadonlySet<string> = new Set([
  'BUSY',
  'NO_QUORUM',
  'REPLACED',
  'DRAINING',
  'HALTED',
  'READ_TOO_NEW',
  'RATE_LIMITED',
]);
/** This replica is of no use now. */
const GO_ELSEWHERE: ReadonlySet<string> = new Set(['DRAINING', 'HALTED', 'NO_QUORUM']);
/** Of several appends that went together, one is to blame: each goes alone then. */
const ONE_TO_BLAME: ReadonlySet<string> = new Set(['TOO_LARGE', 'REQUEST_INVALID', 'LIMIT_REACHED']);

export interface LaneOptions extends Omit<RouteOptions, 'onOpen' | 'onRefused'> {
  readonly commandsInFlightMax: number;
  readonly batching: boolean;
  readonly clock: Clock;
  readonly random: Random;
  /** The newest op that the client has seen. */
  readonly seenCommitId: () => number;
  readonly onCommitId: (commitId: number) => void;
}

export class Lane {
  readonly #options: LaneOptions;
  readonly #route: Route;
  /** Calls that were never sent; commands may wait for the session while reads go on. */
  readonly #commands = new CallQueue();
  readonly #reads = new CallQueue();
  /** Requests whose last try came to nothing, in the order of their numbers. */
  #again: ClientRequest[] = [];
  /** Requests that wait until a refusal is older. */
  readonly #resting = new Set<ClientRequest>();
  readonly #sent = new Set<ClientRequest>();
  #commandsInFlight = 0;
  #numbers = new SessionNumbers();
  #registering = false;
  #closed = false;
  readonly #stopTicks: () => void;

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#route = new Route({
      ...options,
      onOpen: () => this.#pump(),
      onRefused: (code, message) => this.#failWaiting(code, message),
    });
    this.#stopTicks = options.clock.startTicks(TICK_MS, () => this.#tick());
    this.#route.dial();
  }

  /** Index of the replica that it is connected to; undefined while it is not. */
  get connectedTo(): number | undefined {
    return this.#route.link?.replica;
  }

  /** What waits, here and for answers. */
  get load(): number {
    return this.#commands.length + this.#reads.length + this.#sent.size + this.#again.length + this.#resting.size;
  }

  ask(call: Call): void {
    const queue = isCommand(call.body) ? this.#commands : this.#reads;
    if (this.#closed) call.fail(closedError('refused'));
    else if (queue.length >= WAITING_MAX) call.fail(queueFullError(queue.length));
    else {
      queue.push(call);
      if (queue.length === 1) this.#pump();
    }
  }

  /** Once more under the number or key that it had. */
  askAgain(call: Call, { body, seenBefore }: Carrier): void {
    if (this.#closed) {
      call.fail(closedError('unknown'));
      return;
    }
    const request = this.#requestOf(body, [call]);
    request.inDoubt = true;
    request.seenBefore = seenBefore;
    this.#again.push(request);
    this.#pump();
  }

  /** Ends the connection; calls without an answer fail. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopTicks();
    this.#route.close();
    for (const call of [...this.#commands.drain(), ...this.#reads.drain()]) call.fail(closedError('refused'));
    const requests = [...this.#again, ...this.#resting, ...this.#sent];
    for (const request of requests) request.fail((call) => closedError(call.outcomeNow, call.remedy));
  }

  #requestOf(body: RequestBody, calls: readonly Call[]): ClientRequest {
    return new ClientRequest(body, calls, (request, outcome) => this.#ended(request, outcome));
  }

  /** Sends what there is room for: first what was sent before, then in the order in which it was asked. */
  #pump(): void {
    if (this.#route.link === undefined) return;
    if (this.#again.length > 0) this.#sendAgain();
    for (let call = this.#commands.peek(); call !== undefined; call = this.#commands.peek()) {
      if (this.#commandsInFlight >= this.#options.commandsInFlightMax) break;
      if (!this.#canSend()) return;
      const session = this.#numbered();
      if (session === undefined) break;
      const calls = takeBatch(this.#commands, this.#options.batching);
      const body = calls.length === 1 ? call.body : batchBody(calls);
      this.#sendFresh(this.#requestOf({ ...(body as AppendRequest), session }, calls));
    }
    for (let call = this.#reads.peek(); call !== undefined; call = this.#reads.peek()) {
      if (!this.#canSend()) return;
      this.#reads.shift();
      this.#sendFresh(this.#requestOf(call.body, [call]));
    }
  }

  #sendAgain(): void {
    const requests = this.#again;
    this.#again = [];
    for (const request of requests) {
      if (request.isOver) this.#release(request.session);
      else if (request.needsNumber && !this.#numberAnew(request)) this.#again.push(request);
      else if (!this.#send(request)) this.#again.push(request);
    }
  }

  #numberAnew(request: ClientRequest): boolean {
    const session = this.#numbered();
    if (session !== undefined) request.session = session;
    return session !== undefined;
  }

  /** The next number, if the session has room for one; makes a session when there is none. */
  #numbered(): RequestSession | undefined {
    if (!this.#numbers.registered) {
      this.#register();
      return undefined;
    }
    const requestNumber = this.#numbers.next();
    return requestNumber === undefined ? undefined : { clientId: this.#numbers.clientId, requestNumber };
  }

  #canSend(): boolean {
    const { link } = this.#route;
    return link !== undefined && link.inFlight < IN_FLIGHT_MAX;
  }

  /** A number that was given is never left without its request. */
  #sendFresh(request: ClientRequest): void {
    request.seenBefore = this.#options.seenCommitId();
    if (!this.#send(request)) this.#again.push(request);
  }

  /** False when it has to wait. */
  #send(request: ClientRequest): boolean {
    if (!this.#canSend()) return false;
    const leftMs = Math.max(1, Math.ceil(request.deadlineMs - this.#options.clock.monotonicMs()));
    if (this.#route.link?.send(request, leftMs) !== true) return false;
    request.tries++;
    request.onItsWay = true;
    this.#sent.add(request);
    if (request.isCommand) this.#commandsInFlight++;
    return true;
  }

  #ended(request: ClientRequest, outcome: LinkOutcome): void {
    request.onItsWay = false;
    this.#sent.delete(request);
    if (request.isCommand) this.#commandsInFlight--;
    if (outcome === 'lost') this.#lost(request);
    else if ('applied' in outcome) {
      this.#release(request.session);
      if ('commitId' in outcome.applied) this.#options.onCommitId(outcome.applied.commitId);
      request.succeed(outcome.applied);
    } else this.#refused(request, outcome.failure);
    this.#pump();
  }

  /** The connection ended before the answer came. */
  #lost(request: ClientRequest): void {
    request.inDoubt = true;
    if (request.isOver || this.#closed || !request.isRepeatable) this.#giveUp(request);
    else this.#again.push(request);
  }

  #refused(request: ClientRequest, failure: Failure): void {
    const { code, evidence } = failure;
    request.lastFailure = failure;
    if (failure.outcome === 'unknown') request.inDoubt = true;
    // The reply that the session keeps for this number, or one decided at its commit: no earlier try was applied.
    else if (request.session !== undefined && 'decidedAtCommitId' in evidence) request.inDoubt = false;
    if (GO_ELSEWHERE.has(code)) this.#route.leave(code);
    if (request.isOver) this.#release(request.session);
    else if (code === 'SESSION_EVICTED' && request.session !== undefined) this.#evicted(request, request.session);
    else if (TRY_AGAIN.has(code) || (code === 'OUTCOME_UNKNOWN' && request.isRepeatable)) this.#rest(request, evidence);
    else if (request.calls.length > 1 && ONE_TO_BLAME.has(code) && !request.inDoubt) this.#eachAlone(request);
    else {
      this.#release(request.session);
      request.refuse(failure);
    }
  }

  #rest(request: ClientRequest, { retryAfterMs }: Failure['evidence']): void {
    const { clock, random } = this.#options;
    const askedMs = typeof retryAfterMs === 'number' ? retryAfterMs : 0;
    this.#resting.add(request);
    clock.after(backOffMs(request.tries, random, askedMs), () => {
      if (!this.#resting.delete(request) || this.#closed) return;
      if (request.isOver) this.#release(request.session);
      else this.#again.push(request);
      this.#pump();
    });
  }

  #eachAlone(request: ClientRequest): void {
    this.#release(request.session);
    for (const call of request.calls) {
      call.alone = true;
      call.request = undefined;
    }
    this.#commands.unshift(request.calls);
  }

  /** The cluster has forgotten the session: a new one, and for what was in doubt, what its key says. */
  #evicted(request: ClientRequest, { clientId }: RequestSession): void {
    this.#numbers.evicted(clientId);
    if (!request.inDoubt) {
      request.session = undefined;
      this.#again.push(request);
    } else if (request.idempotencyKey === '') request.refuse(request.lastFailure as Failure);
    else this.#lookUp(request);
  }

  /** No copy under the old session can be applied any more: what the key says now stays so until this client sends again. */
  #lookUp(request: ClientRequest): void {
    const body = { operation: 'lookup-key', idempotencyKey: request.idempotencyKey } as const;
    const ended = (outcome: LinkOutcome): void => {
      if (outcome === 'lost' || !('applied' in outcome)) this.#rest(request, {});
      else this.#lookedUp(request, outcome.applied as AnswerOf['lookup-key']);
      this.#pump();
    };
    if (!this.#sendOwn({ body, ended })) this.#rest(request, {});
  }

  #lookedUp(request: ClientRequest, { found, keptSinceCommitId }: AnswerOf['lookup-key']): void {
    const { stream, events } = request.body as AppendRequest;
    if (found !== undefined && found.stream === stream && found.count === events.length) {
      const { firstOffset, lastOffset, count, commitId, hash } = found;
      request.succeed({ firstOffset, lastOffset, count, commitId, hash });
    } else if (found !== undefined || keptSinceCommitId <= request.seenBefore + 1) {
      request.inDoubt = false;
      request.session = undefined;
      this.#again.push(request);
    } else request.refuse(request.lastFailure as Failure);
  }

  #giveUp(request: ClientRequest): void {
    this.#release(request.session);
    request.fail((call) => {
      const { outcomeNow, remedy } = call;
      if (this.#closed) return closedError(outcomeNow, remedy);
      return noAnswerError(call.body.operation, request.tries, outcomeNow, remedy);
    });
  }

  #release(session: RequestSession | undefined): void {
    if (session !== undefined) this.#numbers.answered(session.clientId, session.requestNumber);
  }

  #register(): void {
    if (this.#registering) return;
    const { clock, random, onCommitId } = this.#options;
    const ended = (outcome: LinkOutcome): void => {
      this.#registering = false;
      if (outcome === 'lost' || this.#closed) return;
      if ('applied' in outcome) {
        const facts = outcome.applied as AnswerOf['register-session'];
        onCommitId(facts.commitId);
        if (facts.window !== this.#numbers.window) this.#numbers = new SessionNumbers(facts.window);
        this.#numbers.adopt(facts.clientId);
        this.#pump();
      } else if (TRY_AGAIN.has(outcome.failure.code) || outcome.failure.outcome === 'unknown') {
        if (GO_ELSEWHERE.has(outcome.failure.code)) this.#route.leave(outcome.failure.code);
        this.#registering = true;
        clock.after(backOffMs(0, random), () => {
          this.#registering = false;
          if (!this.#closed) this.#pump();
        });
      } else {
        const { code, message } = outcome.failure;
        this.#failCommands(code, message);
      }
    };
    this.#registering = this.#sendOwn({ body: { operation: 'register-session' }, ended });
  }

  #sendOwn(request: LinkRequest): boolean {
    return this.#route.link?.send(request, REGISTER_MS_MAX) === true;
  }

  #failWaiting(code: string, message: string): void {
    const error = new ClientError(code, message, 'refused');
    for (const call of this.#reads.drain()) call.fail(error);
    this.#failCommands(code, message);
  }

  #failCommands(code: string, message: string): void {
    for (const call of this.#commands.drain()) call.fail(new ClientError(code, message, 'refused'));
  }

  #tick(): void {
    const nowMs = this.#options.clock.monotonicMs();
    const where = this.#route;
    const isOver = (call: Call): boolean => call.expire(nowMs, where);
    this.#commands.sweep(isOver);
    this.#reads.sweep(isOver);
    for (const requests of [this.#again, this.#resting, this.#sent]) {
      for (const request of requests) request.expire(nowMs, where);
    }
    this.#route.tick(nowMs);
    this.#pump();
  }
}
