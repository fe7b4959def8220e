/**
 * What a caller waits for, until it has ended: with its answer, or with an error that says whether it may be applied. It ends
 * once; what comes later is ignored. What travels is a ClientRequest, which carries one call or several. Mirrors no spec module.
 */
import type { AnswerOf, Failure } from '../wire/answer.ts';
import type { AppendRequest, Operation, RequestBody } from '../wire/request.ts';
import { abortedError, noAnswerError, type Remedy, refusalOf, unreachableError } from './client-error.ts';

export type Answer = AnswerOf[Operation];

/** What is left to do when a call ends in doubt. */
export type RemedyOf = (call: Call) => Remedy<Answer>;

/** For the message of a call that reached nobody. */
export interface Whereabouts {
  readonly addresses: string;
  /** Why the last connection ended. */
  readonly lastReason: string;
}

/** What carries a call (client-request.ts), as far as the call has to know. */
export interface Carrier {
  readonly isCommand: boolean;
  readonly isRepeatable: boolean;
  readonly body: RequestBody;
  readonly tries: number;
  readonly onItsWay: boolean;
  readonly inDoubt: boolean;
  readonly lastFailure: Failure | undefined;
  readonly seenBefore: number;
}

export class Call {
  readonly body: RequestBody;
  readonly deadlineMs: number;
  /** Goes alone: together with others it was refused, and only one of them is to blame. */
  alone = false;
  /** What carries it; undefined while it waits for its first try. */
  request: Carrier | undefined;
  /** Events of its request that are of calls before it. */
  eventsBefore = 0;
  #resolve: ((answer: Answer) => void) | undefined;
  #reject: ((error: Error) => void) | undefined;
  readonly #remedyOf: RemedyOf | undefined;
  #unlisten: (() => void) | undefined;

  constructor(
    body: RequestBody,
    deadlineMs: number,
    resolve: (answer: Answer) => void,
    reject: (error: Error) => void,
    remedyOf?: RemedyOf,
  ) {
    this.body = body;
    this.deadlineMs = deadlineMs;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#remedyOf = remedyOf;
  }

  /** Nobody waits for it any more. */
  get isOver(): boolean {
    return this.#resolve === undefined;
  }

  /** What is known of it when it ends without an answer. */
  get outcomeNow(): 'refused' | 'unknown' {
    const { request } = this;
    return request?.isCommand === true && (request.inDoubt || request.onItsWay) ? 'unknown' : 'refused';
  }

  get remedy(): Remedy<Answer> | undefined {
    return this.#remedyOf?.(this);
  }

  /** The caller's signal ends it. */
  listen(signal: AbortSignal): void {
    const onAbort = (): void => this.fail(abortedError(this.outcomeNow, this.remedy));
    if (signal.aborted) {
      onAbort();
      return;
    }
    signal.addEventListener('abort', onAbort, { once: true });
    this.#unlisten = () => signal.removeEventListener('abort', onAbort);
  }

  succeed(answer: Answer): void {
    const resolve = this.#resolve;
    this.#close();
    resolve?.(answer);
  }

  /** Its part of an append that carried others, too. */
  succeedInPart({ firstOffset, commitId, hash }: AnswerOf['append']): void {
    const { length: count } = (this.body as AppendRequest).events;
    const first = firstOffset + this.eventsBefore;
    this.succeed({ firstOffset: first, lastOffset: first + count - 1, count, commitId, hash });
  }

  refuse(failure: Failure): void {
    this.fail(refusalOf(failure, this.outcomeNow === 'unknown', this.remedy));
  }

  fail(error: Error): void {
    const reject = this.#reject;
    this.#close();
    reject?.(error);
  }

  /** Ends it when its time is over. @returns whether it is over */
  expire(nowMs: number, where: Whereabouts): boolean {
    if (this.isOver) return true;
    if (this.deadlineMs > nowMs) return false;
    const { request } = this;
    if (request === undefined || request.tries === 0) {
      this.fail(unreachableError(where.addresses, where.lastReason));
    } else if (request.lastFailure !== undefined && !request.onItsWay) this.refuse(request.lastFailure);
    else this.fail(noAnswerError(this.body.operation, request.tries, this.outcomeNow, this.remedy));
    return true;
  }

  #close(): void {
    this.#resolve = undefined;
    this.#reject = undefined;
    this.#unlisten?.();
    this.#unlisten = undefined;
  }
}
