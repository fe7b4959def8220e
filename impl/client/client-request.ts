/**
 * What travels to a server, over as many tries as it takes: one call, or several small appends as one. Every try has the same
 * bytes and the same number, so that the cluster applies it once. Mirrors no spec module.
 */
import type { AnswerOf, Failure } from '../wire/answer.ts';
import type { AppendRequest, RequestBody, RequestSession } from '../wire/request.ts';
import type { Call, Carrier, Whereabouts } from './call.ts';
import type { LinkOutcome, LinkRequest } from './server-link.ts';

export class ClientRequest implements LinkRequest, Carrier {
  readonly calls: readonly Call[];
  /** Whether it changes the log. */
  readonly isCommand: boolean;
  tries = 0;
  /** Sent, and not answered yet. */
  onItsWay = false;
  /** An earlier try may be applied: a refusal of a later one does not say that it is not. */
  inDoubt = false;
  lastFailure: Failure | undefined;
  /** The newest op that the client had seen before the first try: the request is in none up to there. */
  seenBefore = 0;
  readonly #ended: (request: ClientRequest, outcome: LinkOutcome) => void;
  #body: RequestBody;

  constructor(
    body: RequestBody,
    calls: readonly Call[],
    ended: (request: ClientRequest, outcome: LinkOutcome) => void,
  ) {
    this.#body = body;
    this.calls = calls;
    this.isCommand = isCommand(body);
    this.#ended = ended;
    for (const call of calls) call.request = this;
  }

  get body(): RequestBody {
    return this.#body;
  }

  /** Its number; undefined before it has one, or when it needs none. */
  get session(): RequestSession | undefined {
    return (this.#body as AppendRequest).session;
  }

  /** A command gets its number before its first try, and another one only when it is known not applied under the first. */
  set session(session: RequestSession | undefined) {
    this.#body = { ...(this.#body as AppendRequest), session };
  }

  get idempotencyKey(): string {
    return this.#body.operation === 'append' ? this.#body.idempotencyKey : '';
  }

  /** It was known not applied under the number that it had. */
  get needsNumber(): boolean {
    return this.isCommand && this.session === undefined;
  }

  /** May be sent again when nobody knows whether it was applied. */
  get isRepeatable(): boolean {
    return !this.isCommand || this.session !== undefined || this.idempotencyKey !== '';
  }

  /** Nobody waits for it any more. */
  get isOver(): boolean {
    for (const call of this.calls) if (!call.isOver) return false;
    return true;
  }

  get deadlineMs(): number {
    let latest = 0;
    for (const { deadlineMs } of this.calls) if (deadlineMs > latest) latest = deadlineMs;
    return latest;
  }

  ended(outcome: LinkOutcome): void {
    this.#ended(this, outcome);
  }

  succeed(answer: AnswerOf[keyof AnswerOf]): void {
    for (const call of this.calls) {
      if (call.body.operation === 'append' && this.#isShared(call)) call.succeedInPart(answer as AnswerOf['append']);
      else call.succeed(answer);
    }
  }

  refuse(failure: Failure): void {
    this.lastFailure = failure;
    for (const call of this.calls) call.refuse(failure);
  }

  fail(errorOf: (call: Call) => Error): void {
    for (const call of this.calls) call.fail(errorOf(call));
  }

  /** @returns whether nobody waits for it any more */
  expire(nowMs: number, where: Whereabouts): boolean {
    let over = true;
    for (const call of this.calls) if (!call.expire(nowMs, where)) over = false;
    return over;
  }

  /** The request holds the events of other calls, too. */
  #isShared(call: Call): boolean {
    return (this.#body as AppendRequest).events.length !== (call.body as AppendRequest).events.length;
  }
}

export function isCommand({ operation }: RequestBody): boolean {
  return operation === 'append' || operation === 'create-stream' || operation === 'delete-stream';
}
