/**
 * The TypeScript client. Every command has the number of a session, so that it is applied once, however often it had to be
 * sent; a replica that is gone is replaced by another; small appends that wait go together. docs/client.md is the page of it,
 * docs/protocol.md that of what it speaks. Mirrors no spec module. Needs nothing of the server's code.
 */
import { assert } from '../ports/assert.ts';
import type { Clock } from '../ports/clock.ts';
import { RealClock } from '../ports/real-clock.ts';
import { RealRandom } from '../ports/real-random.ts';
import { type DialTls, secureContextOf } from '../ports/tls.ts';
import type { AnswerOf, KeyFacts, ReadEvent } from '../wire/answer.ts';
import type { AppendEvent, Operation, RequestBody } from '../wire/request.ts';
import { type Answer, Call, type RemedyOf } from './call.ts';
import type { Remedy } from './client-error.ts';
import type {
  AppendOptions,
  CallOptions,
  ClientOptions,
  ClientTls,
  ListOptions,
  NewEvent,
  ReadOptions,
  TailOptions,
} from './client-options.ts';
import { isCommand } from './client-request.ts';
import { Lane } from './lane.ts';
import { TAIL_HOLD_MS, tailOf } from './tail.ts';

const TIMEOUT_MS = 10_000;
/** More than a read that the server holds takes, and the answer's way. */
const TAIL_READ_MS_MAX = TAIL_HOLD_MS + TIMEOUT_MS;
const COMMANDS_IN_FLIGHT = 64;
const CONNECTIONS_MAX = 64;
const READ_EVENTS = 100;
const NO_OPTIONS: CallOptions = {};

export class LockstepClient {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #lanes: readonly Lane[];
  #commitId = 0;

  constructor(options: ClientOptions) {
    const { addresses, cluster = 0n, connections = 1, token = '', timeoutMs = TIMEOUT_MS } = options;
    const { commandsInFlightMax = COMMANDS_IN_FLIGHT, batching = true } = options;
    assert(addresses.length > 0, 'a client has an address to go to');
    assert(connections >= 1 && connections <= CONNECTIONS_MAX, 'connections are from 1 to 64');
    assert(commandsInFlightMax >= 1, 'a command may be on its way');
    const clock = options.clock ?? new RealClock();
    const random = options.random ?? new RealRandom();
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    const lane = {
      addresses,
      cluster,
      token: typeof token === 'string' ? () => token : token,
      tls: options.tls === undefined ? undefined : dialTlsOf(options.tls),
      clock,
      random,
      commandsInFlightMax,
      batching,
      seenCommitId: () => this.#commitId,
      onCommitId: (commitId: number) => {
        if (commitId > this.#commitId) this.#commitId = commitId;
      },
    };
    this.#lanes = Array.from({ length: connections }, () => new Lane(lane));
  }

  /** Index of the replica that it is connected to; undefined while it is not. */
  get connectedTo(): number | undefined {
    return this.#lanes[0]?.connectedTo;
  }

  /** The newest op that an answer named: committed reads of this client never show less. 0 at first. */
  get commitId(): number {
    return this.#commitId;
  }

  append(
    stream: string,
    events: readonly NewEvent[],
    options: AppendOptions = NO_OPTIONS,
  ): Promise<AnswerOf['append']> {
    const { expectedOffset, idempotencyKey = '' } = options;
    const body = { operation: 'append', stream, expectedOffset, idempotencyKey, events: events.map(eventOf) } as const;
    return this.#ask(body, options);
  }

  read(stream: string, options: ReadOptions = NO_OPTIONS): Promise<AnswerOf['read']> {
    const { from = 0, limit = READ_EVENTS } = options;
    return this.#ask({ operation: 'read', stream, from, limit, ...this.#consistency(options) }, options);
  }

  createStream(stream: string, dataClass = '', options: CallOptions = NO_OPTIONS): Promise<AnswerOf['create-stream']> {
    return this.#ask({ operation: 'create-stream', stream, dataClass }, options);
  }

  deleteStream(stream: string, options: CallOptions = NO_OPTIONS): Promise<AnswerOf['delete-stream']> {
    return this.#ask({ operation: 'delete-stream', stream }, options);
  }

  listStreams(options: ListOptions = NO_OPTIONS): Promise<AnswerOf['list-streams']> {
    return this.#ask({ operation: 'list-streams', ...this.#consistency(options) }, options);
  }

  /** Whether the append with this key is committed, of whichever client it was. */
  lookupKey(idempotencyKey: string, options: CallOptions = NO_OPTIONS): Promise<KeyFacts> {
    return this.#ask({ operation: 'lookup-key', idempotencyKey }, options);
  }

  status(options: CallOptions = NO_OPTIONS): Promise<AnswerOf['status']> {
    return this.#ask({ operation: 'status' }, options);
  }

  /** Every event from an offset on, in order and without end, as they are committed. Leave the loop, or abort, to end it. */
  tail(stream: string, options: TailOptions = NO_OPTIONS): AsyncGenerator<ReadEvent, never, undefined> {
    const readPage = (from: number, limit: number, signal: AbortSignal): Promise<AnswerOf['read']> => {
      const how = { linearizable: false, minCommitId: this.#commitId, waitMs: TAIL_HOLD_MS };
      return this.#ask({ operation: 'read', stream, from, limit, ...how }, { signal, timeoutMs: TAIL_READ_MS_MAX });
    };
    return tailOf(readPage, this.#clock, options);
  }

  /** Ends the connections; calls without an answer fail. */
  close(): void {
    for (const lane of this.#lanes) lane.close();
  }

  #consistency({ consistency = 'linearizable', minCommitId }: ReadOptions): {
    readonly linearizable: boolean;
    readonly minCommitId: number;
  } {
    if (consistency === 'linearizable') return { linearizable: true, minCommitId: 0 };
    return { linearizable: false, minCommitId: minCommitId ?? this.#commitId };
  }

  #ask<Op extends Operation>(
    body: RequestBody & { operation: Op },
    { timeoutMs = this.#timeoutMs, signal }: CallOptions,
  ): Promise<AnswerOf[Op]> {
    return new Promise((resolve, reject) => {
      const lane = this.#freest();
      const deadlineMs = this.#clock.monotonicMs() + timeoutMs;
      const done = resolve as (answer: Answer) => void;
      const call = new Call(body, deadlineMs, done, reject, isCommand(body) ? this.#remedyOn(lane) : undefined);
      if (signal !== undefined) call.listen(signal);
      if (!call.isOver) lane.ask(call);
    });
  }

  #freest(): Lane {
    let freest = this.#lanes[0] as Lane;
    for (const lane of this.#lanes) if (lane.load < freest.load) freest = lane;
    return freest;
  }

  #remedyOn(lane: Lane): RemedyOf {
    return (call) => this.#remedyOf(lane, call);
  }

  #remedyOf(lane: Lane, { body, request, eventsBefore }: Call): Remedy<Answer> {
    const key = body.operation === 'append' ? body.idempotencyKey : '';
    const ask = key === '' ? undefined : (options?: CallOptions) => this.lookupKey(key, options);
    if (request === undefined || !request.isRepeatable) return { ask, again: undefined };
    const again = (options: CallOptions = NO_OPTIONS): Promise<Answer> =>
      new Promise((resolve, reject) => {
        const deadlineMs = this.#clock.monotonicMs() + (options.timeoutMs ?? this.#timeoutMs);
        const call = new Call(body, deadlineMs, resolve, reject, this.#remedyOn(lane));
        call.eventsBefore = eventsBefore;
        if (options.signal !== undefined) call.listen(options.signal);
        if (!call.isOver) lane.askAgain(call, request);
      });
    return { ask, again };
  }
}

function eventOf(event: NewEvent): AppendEvent {
  if (typeof event === 'string') return { data: Buffer.from(event, 'utf8'), type: '', contentType: '' };
  if (event instanceof Uint8Array) return { data: event, type: '', contentType: '' };
  return { data: event.data, type: event.type ?? '', contentType: event.contentType ?? '' };
}

function dialTlsOf({ serverName, ...material }: ClientTls): DialTls {
  const context = secureContextOf(material);
  return serverName === undefined ? { context } : { context, serverName };
}
