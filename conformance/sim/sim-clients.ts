/**
 * The clients of a simulated cluster: each does one operation after the other, tries other replicas when one does not serve,
 * says "unknown" when it cannot know, and may die and come back. Requests and answers go through the real codec
 * (impl/wire/request.ts); what the clients saw is the history that is judged (linearizability.ts). Mirrors the rules of
 * impl/client/client.ts: what is known not to be applied is tried again, what is in doubt only when doing it twice changes
 * nothing.
 */
import { assert } from '../../impl/ports/assert.ts';
import { SimulatedRandom } from '../../impl/ports/simulated-random.ts';
import type { ReplicaCore } from '../../impl/server/replica-core.ts';
import type { Outcome } from '../../impl/server/requests.ts';
import {
  type Appended,
  decodeResponse,
  encodeAnswer,
  encodeFailure,
  type Failure,
  type ReadAnswer,
} from '../../impl/wire/answer.ts';
import {
  type AppendRequest,
  decodeRequest,
  encodeRequest,
  type ReadRequest,
  type RequestBody,
  type Operation as WireOperation,
} from '../../impl/wire/request.ts';
import type { ClientFault } from './broken-parts.ts';
import type { HistoryEntry } from './client-history.ts';
import type { ClientAction, OperationEvent } from './plan.ts';
import { eventData, partsOf } from './sim-values.ts';

/** A server gives up on a request after this, and says so. */
const REQUEST_DEADLINE_MS = 1_500;
/** A client that hears nothing takes its connection for lost. */
const ATTEMPT_US_MAX = 2_500_000;
const BACK_OFF_US_MIN = 10_000;
const BACK_OFF_US_MAX = 120_000;

const TRY_AGAIN: ReadonlySet<string> = new Set(['BUSY', 'NO_QUORUM', 'NOT_READY', 'DRAINING', 'HALTED', 'REPLACED']);

export interface ClientWorld {
  readonly nowUs: () => number;
  readonly replicaCount: number;
  /** Hands a request to a replica; false: nobody listens there. */
  readonly ask: (
    client: number,
    replica: number,
    attempt: number,
    ask: (core: ReplicaCore, answer: (deliver: () => void) => void) => void,
  ) => void;
  readonly later: (atUs: number, client: number, what: () => void) => void;
  /** An answer on its way to the client. */
  readonly answered: (client: number, deliver: () => void) => void;
  readonly called: (client: number, operation: number, replica: number, action: ClientAction) => void;
  readonly returned: (client: number, operation: number, outcome: string) => void;
}

interface Running {
  readonly operation: number;
  readonly action: ClientAction;
  readonly callUs: number;
  readonly body: RequestBody;
  replica: number;
  /** An earlier attempt may be applied. */
  inDoubt: boolean;
}

interface Client {
  readonly index: number;
  readonly random: SimulatedRandom;
  queue: { readonly event: OperationEvent; readonly operation: number }[];
  running: Running | undefined;
  /** Number of the attempt whose answer is waited for; an answer of another one is late. */
  attempt: number;
  /** Replica of that attempt; undefined while it waits before the next one. */
  askedReplica: number | undefined;
  /** By stream: where it goes on, as far as this client has seen. */
  readonly nextOffset: Map<string, number>;
  /** Where it went when the one it was sent to did not serve: it stays there. */
  movedTo: number | undefined;
  /** The the highest view that it has heard of (only the broken one looks). */
  /** Highest view that it has heard of: only the broken one looks. */
  viewSeen: number;
}

export class SimClients {
  readonly history: HistoryEntry[] = [];
  readonly #world: ClientWorld;
  readonly #clients = new Map<number, Client>();
  readonly #seed: number;
  readonly #faults: ReadonlySet<ClientFault>;
  #operations = 0;
  #unfinished = 0;
  #attempts = 0;

  constructor(seed: number, world: ClientWorld, faults: ReadonlySet<ClientFault> = new Set()) {
    this.#seed = seed;
    this.#world = world;
    this.#faults = faults;
  }

  /** Operations without an end. */
  get unfinished(): number {
    return this.#unfinished;
  }

  /** The first few of them, for a person. */
  get waitingText(): string {
    const texts: string[] = [];
    for (const { index, running, askedReplica } of this.#clients.values())
      if (running !== undefined && texts.length < 3)
        texts.push(
          `client ${index}: ${running.action.kind} ${running.operation} at r${askedReplica ?? running.replica}`,
        );
    return texts.join('; ');
  }

  submit(event: OperationEvent): void {
    const client = this.#clientOf(event.client);
    client.queue.push({ event, operation: this.#operations++ });
    this.#unfinished++;
    if (client.running === undefined) this.#next(client);
  }

  /** The process of a client dies. What it waited for goes on under the same key in its next life, or is never heard of. */
  crash(index: number, retries: boolean): void {
    const client = this.#clientOf(index);
    const { running } = client;
    client.nextOffset.clear();
    if (running === undefined) return;
    client.attempt = ++this.#attempts;
    client.askedReplica = undefined;
    running.inDoubt = true;
    if (retries && isRepeatable(running.action)) this.#tryAgain(client);
    else this.#end(client, { kind: 'unknown' }, undefined);
  }

  /** The connections of all clients to this replica are gone. */
  replicaLost(replica: number): void {
    for (const client of this.#clients.values())
      if (client.askedReplica === replica && client.running !== undefined) {
        const { attempt } = client;
        this.#world.answered(client.index, () => this.#lost(client, attempt));
      }
  }

  #clientOf(index: number): Client {
    let client = this.#clients.get(index);
    if (client === undefined) {
      client = {
        index,
        random: new SimulatedRandom(Math.imul(this.#seed, 0xc2b2_ae35) + index),
        queue: [],
        running: undefined,
        attempt: 0,
        askedReplica: undefined,
        nextOffset: new Map(),
        movedTo: undefined,
        viewSeen: 0,
      };
      this.#clients.set(index, client);
    }
    return client;
  }

  #next(client: Client): void {
    const next = client.queue.shift();
    if (next === undefined) return;
    const { event, operation } = next;
    const callUs = this.#world.nowUs();
    const body = this.#bodyOf(client, event.action, operation);
    client.running = {
      operation,
      action: event.action,
      callUs,
      body,
      replica: client.movedTo ?? event.replica,
      inDoubt: false,
    };
    this.#attempt(client);
  }

  #attempt(client: Client): void {
    const { running, index } = client;
    assert(running !== undefined, 'an attempt is of an operation');
    const attempt = ++this.#attempts;
    client.attempt = attempt;
    if (this.#faults.has('follows-highest-view')) running.replica = client.viewSeen % this.#world.replicaCount;
    client.askedReplica = running.replica;
    this.#world.called(index, running.operation, running.replica, running.action);
    const request = encodeRequest({ id: attempt >>> 0, deadlineMs: REQUEST_DEADLINE_MS, body: running.body });
    this.#world.ask(index, running.replica, attempt, (core, answer) => {
      const view = core.replica.view;
      const answered =
        <Op extends WireOperation>(operation: Op) =>
        (outcome: Outcome<import('../../impl/wire/answer.ts').AnswerOf[Op]>): void => {
          const bytes =
            'failure' in outcome
              ? encodeFailure(attempt >>> 0, outcome.failure)
              : encodeAnswer(attempt >>> 0, operation, outcome.applied);
          answer(() => this.#answer(client, attempt, view, bytes));
        };
      const { body, deadlineMs } = decodeRequest(request);
      if (body.operation === 'append') core.requests.append(body, deadlineMs, answered('append'));
      else if (body.operation === 'read') core.requests.read(body, deadlineMs, answered('read'));
      else if (body.operation === 'create-stream')
        core.requests.createStream(body.stream, body.dataClass, deadlineMs, answered('create-stream'));
      else if (body.operation === 'delete-stream')
        core.requests.deleteStream(body.stream, deadlineMs, answered('delete-stream'));
    });
    this.#world.later(this.#world.nowUs() + ATTEMPT_US_MAX, index, () => this.#lost(client, attempt));
  }

  /** Nobody listens there, the connection broke, or nothing came for too long. */
  refused(index: number, attempt: number): void {
    const client = this.#clients.get(index);
    if (client === undefined || client.attempt !== attempt) return;
    this.#world.answered(index, () => {
      if (client.attempt === attempt && client.running !== undefined) this.#tryAgain(client);
    });
  }

  #lost(client: Client, attempt: number): void {
    const { running } = client;
    if (client.attempt !== attempt || running === undefined) return;
    running.inDoubt = true;
    if (this.#faults.has('forgets-lost-request')) {
      client.attempt = ++this.#attempts;
      return;
    }
    if (isRepeatable(running.action)) this.#tryAgain(client);
    else this.#end(client, { kind: 'unknown' }, undefined);
  }

  #tryAgain(client: Client): void {
    const { running, random } = client;
    assert(running !== undefined, 'what is tried again was not ended');
    const attempt = ++this.#attempts;
    client.attempt = attempt;
    client.askedReplica = undefined;
    running.replica = (running.replica + 1) % this.#world.replicaCount;
    client.movedTo = running.replica;
    const waitUs = BACK_OFF_US_MIN + random.below(BACK_OFF_US_MAX - BACK_OFF_US_MIN);
    this.#world.later(this.#world.nowUs() + waitUs, client.index, () => {
      if (client.attempt === attempt && client.running !== undefined) this.#attempt(client);
    });
  }

  #answer(client: Client, attempt: number, view: number, bytes: Buffer): void {
    const { running } = client;
    client.viewSeen = Math.max(client.viewSeen, view);
    if (client.attempt !== attempt || running === undefined) return;
    const outcome = decodeResponse(bytes, running.body.operation) as Outcome<unknown>;
    if ('applied' in outcome) {
      this.#end(client, { kind: 'applied', answer: outcome.applied }, this.#world.nowUs());
      return;
    }
    const { failure } = outcome;
    if (failure.outcome === 'unknown') {
      running.inDoubt = true;
      if (isRepeatable(running.action)) this.#tryAgain(client);
      else this.#end(client, { kind: 'unknown' }, undefined);
    } else if (TRY_AGAIN.has(failure.code)) this.#tryAgain(client);
    // It was tried before, and that try may be applied: no refusal of a later one says that it is not.
    else if (running.inDoubt && running.action.kind !== 'read') this.#end(client, { kind: 'unknown' }, undefined);
    else this.#end(client, { kind: 'refused', failure }, this.#world.nowUs());
  }

  #end(client: Client, outcome: Ended, returnUs: number | undefined): void {
    const { running } = client;
    assert(running !== undefined, 'an operation ends once');
    const entry = entryOf(client.index, running, outcome, returnUs);
    this.history.push(entry);
    this.#unfinished--;
    this.#note(client, running.body, outcome);
    client.running = undefined;
    client.askedReplica = undefined;
    client.attempt = ++this.#attempts;
    this.#world.returned(
      client.index,
      running.operation,
      outcome.kind === 'refused' ? outcome.failure.code : outcome.kind,
    );
    this.#next(client);
  }

  #note(client: Client, body: RequestBody, outcome: Ended): void {
    if (outcome.kind === 'refused') {
      const { nextOffset } = outcome.failure.evidence;
      if (body.operation === 'append' && typeof nextOffset === 'number') client.nextOffset.set(body.stream, nextOffset);
      return;
    }
    if (outcome.kind !== 'applied') return;
    if (body.operation === 'append') client.nextOffset.set(body.stream, (outcome.answer as Appended).lastOffset + 1);
    if (body.operation === 'read') client.nextOffset.set(body.stream, (outcome.answer as ReadAnswer).nextOffset);
  }

  #bodyOf(client: Client, action: ClientAction, operation: number): RequestBody {
    switch (action.kind) {
      case 'create-stream':
        return { operation: 'create-stream', stream: action.stream, dataClass: '' };
      case 'delete-stream':
        return { operation: 'delete-stream', stream: action.stream };
      case 'read': {
        const seen = client.nextOffset.get(action.stream) ?? 0;
        const from = Math.max(0, seen - (action.limit >> 1));
        return {
          operation: 'read',
          stream: action.stream,
          from,
          limit: action.limit,
          linearizable: action.linearizable,
        };
      }
      case 'append': {
        const { stream, value, count, bytes, keyed, expected } = action;
        const known = client.nextOffset.get(stream);
        return {
          operation: 'append',
          stream,
          expectedOffset: expected ? known : undefined,
          idempotencyKey: keyed ? `k${operation}` : '',
          events: Array.from({ length: count }, (_, part) => ({
            data: eventData(value, part, bytes),
            type: '',
            contentType: '',
          })),
        };
      }
    }
  }
}

type Ended =
  | { readonly kind: 'applied'; readonly answer: unknown }
  | { readonly kind: 'refused'; readonly failure: Failure }
  | { readonly kind: 'unknown' };

/** Doing it twice changes nothing. */
function isRepeatable(action: ClientAction): boolean {
  return action.kind === 'read' || (action.kind === 'append' && action.keyed);
}

function entryOf(
  client: number,
  { operation, callUs, body }: Running,
  ended: Ended,
  returnUs: number | undefined,
): HistoryEntry {
  const stream = 'stream' in body ? body.stream : '';
  // Field by field: there are many entries, and a spread is slow.
  if (body.operation === 'append') {
    const { kind, value, count, expectedOffset } = appendFields(body);
    const outcome = appendOutcome(ended);
    return { operation, client, callUs, returnUs, stream, kind, value, count, expectedOffset, outcome };
  }
  if (body.operation === 'read') {
    const { kind, consistency, from, limit } = readFields(body);
    const outcome = readOutcome(ended);
    return { operation, client, callUs, returnUs, stream, kind, consistency, from, limit, outcome };
  }
  assert(
    body.operation === 'create-stream' || body.operation === 'delete-stream',
    'a client of ours asks nothing else',
  );
  const outcome =
    ended.kind === 'applied'
      ? { kind: 'applied' as const, commitId: (ended.answer as { readonly commitId: number }).commitId }
      : ended.kind === 'refused'
        ? { kind: 'refused' as const, rule: ended.failure.code }
        : { kind: 'unknown' as const };
  return { operation, client, callUs, returnUs, stream, kind: body.operation, outcome };
}

function appendFields({ events, expectedOffset }: AppendRequest) {
  const first = partsOf((events[0] as { readonly data: Uint8Array }).data);
  return { kind: 'append' as const, value: first.value, count: events.length, expectedOffset };
}

function appendOutcome(ended: Ended) {
  if (ended.kind === 'unknown') return { kind: 'unknown' as const };
  if (ended.kind === 'refused') return { kind: 'refused' as const, rule: ended.failure.code };
  const { firstOffset, commitId } = ended.answer as Appended;
  return { kind: 'applied' as const, firstOffset, commitId };
}

function readFields({ from, limit, linearizable }: ReadRequest) {
  return {
    kind: 'read' as const,
    consistency: linearizable ? ('linearizable' as const) : ('committed' as const),
    from,
    limit,
  };
}

function readOutcome(ended: Ended) {
  if (ended.kind === 'unknown') return { kind: 'unknown' as const };
  if (ended.kind === 'refused')
    return ended.failure.code === 'STREAM_NOT_FOUND' ? { kind: 'no-stream' as const } : { kind: 'unknown' as const };
  const { events, nextOffset, commitId } = ended.answer as ReadAnswer;
  return {
    kind: 'applied' as const,
    events: events.map(({ offset, data }) => ({ offset, ...partsOf(data) })),
    nextOffset,
    commitId,
  };
}
