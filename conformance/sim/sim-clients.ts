/**
 * The clients of a simulated cluster: each does one operation after the other, tries other replicas when one does not serve,
 * says "unknown" when it cannot know, and may die and come back. Requests and answers go through the real codec
 * (impl/wire/request.ts); what the clients saw is the history that is judged (linearizability.ts). Mirrors the rules of
 * impl/client/client.ts: what is known not to be applied is tried again, what is in doubt only when doing it twice changes
 * nothing.
 */
import { assert } from '../../impl/ports/assert.ts';
import { SimulatedRandom } from '../../impl/ports/simulated-random.ts';
import type { Outcome } from '../../impl/server/requests.ts';
import { type Appended, decodeResponse, type ReadAnswer, type SessionFacts } from '../../impl/wire/answer.ts';
import { encodeRequest, type RequestBody, type RequestSession } from '../../impl/wire/request.ts';
import { SessionNumbers } from '../../impl/wire/session-numbers.ts';
import type { ClientFault } from './broken-parts.ts';
import { bodyOf, type Ended, entryOf } from './client-entries.ts';
import type { HistoryEntry } from './client-history.ts';
import { inSession, isWrite, LOST, type SentRequest, serve, sessionAnswerIn, sessionOf } from './client-serve.ts';
import type { ClientWorld } from './client-world.ts';
import type { ClientAction, OperationEvent } from './plan.ts';

/** A server gives up on a request after this, and says so. */
const REQUEST_DEADLINE_MS = 1_500;
/** A client that hears nothing takes its connection for lost. */
const ATTEMPT_US_MAX = 2_500_000;
const BACK_OFF_US_MIN = 10_000;
const BACK_OFF_US_MAX = 120_000;

const TRY_AGAIN: ReadonlySet<string> = new Set(['BUSY', 'NO_QUORUM', 'NOT_READY', 'DRAINING', 'HALTED', 'REPLACED']);

interface Running {
  readonly operation: number;
  readonly action: ClientAction;
  readonly callUs: number;
  readonly body: RequestBody;
  readonly keyed: boolean;
  replica: number;
  /** What the last attempt asked: the body, numbered in its session, or for a session first. */
  asked: RequestBody;
  /** Its name in the session; undefined without one. */
  session: RequestSession | undefined;
  /** An earlier attempt may be applied. */
  inDoubt: boolean;
  /** That attempt was of a session that is gone. */
  doubtOfOldSession: boolean;
}

interface Client {
  readonly index: number;
  readonly random: SimulatedRandom;
  queue: { readonly event: OperationEvent; readonly operation: number }[];
  running: Running | undefined;
  /** Number of the attempt whose answer is waited for; an answer of another one is late. */
  attempt: number;
  /** Registers, and numbers what it writes. */
  readonly usesSession: boolean;
  /** Of this life. */
  numbers: SessionNumbers;
  /** Its last requests for and in sessions, for a network that keeps one back. */
  readonly sent: SentRequest[];
  /** Replica of that attempt; undefined while it waits before the next one. */
  askedReplica: number | undefined;
  /** By stream: where it goes on, as far as this client has seen. */
  readonly nextOffset: Map<string, number>;
  /** Where it went when the one it was sent to did not serve: it stays there. */
  movedTo: number | undefined;
  /** Highest view that it has heard of: only the broken one looks. */
  viewSeen: number;
}

export class SimClients {
  readonly history: HistoryEntry[] = [];
  readonly #world: ClientWorld;
  readonly #clients = new Map<number, Client>();
  readonly #seed: number;
  readonly #faults: ReadonlySet<ClientFault>;
  readonly #window: number | undefined;
  #operations = 0;
  #unfinished = 0;
  #attempts = 0;

  /** @param window of the sessions that half of them have, by the seed; undefined: none has one */
  constructor(seed: number, world: ClientWorld, window?: number, faults: ReadonlySet<ClientFault> = new Set()) {
    this.#seed = seed;
    this.#window = window;
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
    const { numbers } = client;
    client.numbers = new SessionNumbers(this.#window);
    // E10: whoever forgets its numbers must forget its session too.
    if (this.#faults.has('session-survives-crash') && numbers.registered) client.numbers.adopt(numbers.clientId);
    if (running === undefined) return;
    client.attempt = ++this.#attempts;
    client.askedReplica = undefined;
    running.inDoubt = true;
    running.doubtOfOldSession = running.session !== undefined;
    running.session = undefined;
    if (retries && isRepeatable(running)) this.#tryAgain(client);
    else this.#end(client, { kind: 'unknown' }, undefined);
  }

  /** Strangers register so many sessions at this replica, and never use them. */
  flood(replica: number, count: number): void {
    for (let number = 0; number < count; number++) this.#strangerAsks(replica, { operation: 'register-session' });
  }

  /** What was kept back of a client arrives now: not what waits for its first answer, which has no second copy. */
  arriveLate(index: number, replica: number, back: number): boolean {
    const { sent = [], running } = this.#clients.get(index) ?? {};
    const late = sent[sent.length - 1 - (back % Math.max(1, sent.length))];
    if (late === undefined || (running?.inDoubt === false && isOf(running, late))) return false;
    this.#strangerAsks(replica, late);
    return true;
  }

  #strangerAsks(replica: number, body: SentRequest): void {
    const attempt = ++this.#attempts;
    const request = encodeRequest({ id: attempt >>> 0, deadlineMs: REQUEST_DEADLINE_MS, body });
    this.#world.ask(STRANGER, replica, attempt, (core, answer) =>
      serve(core, request, (bytes) => answer(() => this.#told(body, bytes, decodeResponse(bytes, body.operation)))),
    );
  }

  /** Every answer to one request of a session is the first one. */
  #told(body: RequestBody, bytes: Uint8Array, outcome: Outcome<unknown>): void {
    const session = sessionOf(body);
    if (session === undefined) return;
    const answer = sessionAnswerIn(body.operation, bytes, outcome);
    if (answer !== undefined) this.#world.told(session, answer);
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
        usesSession: this.#window !== undefined && ((index + this.#seed) & 1) === 0,
        numbers: new SessionNumbers(this.#window),
        sent: [],
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
    const callUs = this.#world.nowUs;
    const { action } = event;
    // Where a session does it alone a key would hide what is wrong with it: most have no key then.
    const keyed = action.kind === 'append' && action.keyed && !(client.usesSession && action.value % 4 > 0);
    const body = bodyOf(action, client.nextOffset, keyed ? `k${operation}` : '');
    const replica = client.movedTo ?? event.replica;
    client.running = {
      operation,
      action,
      callUs,
      body,
      keyed,
      replica,
      asked: body,
      session: undefined,
      inDoubt: false,
      doubtOfOldSession: false,
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
    running.asked = this.#nextRequest(client, running);
    const { asked } = running;
    if (asked.operation === 'register-session' || sessionOf(asked) !== undefined) {
      client.sent.push(asked as SentRequest);
      if (client.sent.length > SENT_KEPT_MAX) client.sent.shift();
    }
    const request = encodeRequest({ id: attempt >>> 0, deadlineMs: REQUEST_DEADLINE_MS, body: asked });
    this.#world.ask(index, running.replica, attempt, (core, answer) => {
      const view = core.replica.view;
      serve(core, request, (bytes) => answer(() => this.#answer(client, attempt, view, asked, bytes)));
    });
    this.#world.expire(this.#world.nowUs + ATTEMPT_US_MAX, index, () => this.#lost(client, attempt));
  }

  /** The body under its number in the session, or a session first. */
  #nextRequest(client: Client, running: Running): RequestBody {
    const { body } = running;
    if (!client.usesSession || !isWrite(body)) return body;
    const { numbers } = client;
    if (!numbers.registered) return { operation: 'register-session' };
    running.session ??= { clientId: numbers.clientId, requestNumber: nextOf(numbers) };
    return inSession(body, running.session);
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
    if (running.asked.operation !== 'register-session') running.inDoubt = true;
    if (this.#faults.has('forgets-lost-request')) {
      client.attempt = ++this.#attempts;
      return;
    }
    if (isRepeatable(running)) this.#tryAgain(client);
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
    this.#world.later(this.#world.nowUs + waitUs, client.index, () => {
      if (client.attempt === attempt && client.running !== undefined) this.#attempt(client);
    });
  }

  #answer(client: Client, attempt: number, view: number, asked: RequestBody, bytes: Uint8Array): void {
    const { running } = client;
    client.viewSeen = Math.max(client.viewSeen, view);
    const outcome = decodeResponse(bytes, asked.operation) as Outcome<unknown>;
    this.#told(asked, bytes, outcome);
    if (client.attempt !== attempt || running === undefined) return;
    if (asked.operation === 'register-session') {
      this.#registered(client, outcome as Outcome<SessionFacts>);
      return;
    }
    if ('applied' in outcome) {
      this.#end(client, { kind: 'applied', answer: outcome.applied }, this.#world.nowUs);
      return;
    }
    const { failure } = outcome;
    if (failure.outcome === 'unknown') {
      running.inDoubt = true;
      if (isRepeatable(running)) this.#tryAgain(client);
      else this.#end(client, { kind: 'unknown' }, undefined);
    } else if (TRY_AGAIN.has(failure.code)) this.#tryAgain(client);
    else if (LOST.has(failure.code)) this.#sessionLost(client, running);
    else if (isRefusalInDoubt(running)) this.#end(client, { kind: 'unknown' }, undefined);
    else this.#end(client, { kind: 'refused', failure }, this.#world.nowUs);
  }

  #registered(client: Client, outcome: Outcome<SessionFacts>): void {
    if ('failure' in outcome) {
      this.#tryAgain(client); // one session too many is none too many
      return;
    }
    if (client.numbers.adopt(outcome.applied.clientId)) this.#attempt(client);
    else this.#tryAgain(client);
  }

  /** What was in doubt in it stays so, unless a key says more; what was not is asked in a new one. */
  #sessionLost(client: Client, running: Running): void {
    client.numbers.evicted(running.session?.clientId ?? 0);
    running.session = undefined;
    if (running.inDoubt && !running.keyed) {
      this.#end(client, { kind: 'unknown' }, undefined);
      return;
    }
    running.doubtOfOldSession = running.inDoubt;
    this.#tryAgain(client);
  }

  #end(client: Client, outcome: Ended, returnUs: number | undefined): void {
    const { running } = client;
    assert(running !== undefined, 'an operation ends once');
    const entry = entryOf(client.index, running, outcome, returnUs);
    this.history.push(entry);
    if (running.session !== undefined) client.numbers.answered(running.session.clientId, running.session.requestNumber);
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
}

/** Asked of nobody in particular. */
const STRANGER = -1;
/** Requests of a client that may arrive again. */
const SENT_KEPT_MAX = 8;
function nextOf(numbers: SessionNumbers): number {
  const next = numbers.next();
  assert(next !== undefined, 'a client that waits for each answer has room in its window');
  return next;
}

/** Doing it twice changes nothing. */
function isRepeatable({ action, asked, keyed, session }: Running): boolean {
  return action.kind === 'read' || keyed || session !== undefined || asked.operation === 'register-session';
}

/** An earlier try may be applied, and no refusal of a later one says that it is not: but a session executes it once. */
/** Whether it is a try of what is running: the same number of the same session. */
function isOf({ session }: Running, sent: SentRequest): boolean {
  const number = sessionOf(sent);
  return (
    number !== undefined && number.clientId === session?.clientId && number.requestNumber === session.requestNumber
  );
}

function isRefusalInDoubt({ action, inDoubt, session, doubtOfOldSession }: Running): boolean {
  return action.kind !== 'read' && inDoubt && (session === undefined || doubtOfOldSession);
}
