/**
 * The routes of streams, keys and operation, each with its schemas, its role, and the request of requests.ts that answers
 * it. Mirrors no spec module. Proofs are in http-proof.ts, the DX API in impl/dx.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { KeyFacts, ReadAnswer } from '../wire/answer.ts';
import type { AppendRequest } from '../wire/request.ts';
import { failure } from './failure.ts';
import {
  AppendedAnswer,
  appendedJson,
  CommittedAnswer,
  committedJson,
  EventsAnswer,
  eventsJson,
  FollowedEvent,
  HealthAnswer,
  KeyAnswer,
  keyJson,
  ReadyAnswer,
  ref,
  responses,
  StreamsAnswer,
  streamsJson,
  textResponses,
} from './http-answers.ts';
import type { HttpApiOptions } from './http-api-options.ts';
import { refuse } from './http-errors.ts';
import { EVENT_STREAM, type Followers } from './http-follow.ts';
import { eventOf, invalid } from './http-input.ts';
import {
  AppendHeaders,
  type EventsQuery,
  eventsQuerySchema,
  FollowHeaders,
  KeyParams,
  type NewEvents,
  NewStream,
  NoQuery,
  newEventsSchema,
  StreamName,
  StreamsQuery,
} from './http-schemas.ts';
import type { Done, Outcome } from './requests.ts';
import type { Telemetry } from './telemetry.ts';

export type AnswerRequest = <Answer>(
  reply: FastifyReply,
  operation: string,
  status: number,
  json: (answer: Answer) => unknown,
  ask: (done: Done<Answer>) => void,
) => Promise<FastifyReply>;

/** Asks, counts, and sends the answer or the problem. */
export function answering({ metrics, nowMs, telemetry }: HttpApiOptions): AnswerRequest {
  return (reply, operation, status, json, ask) => {
    const arrivedMs = nowMs();
    return new Promise((resolve) => {
      const asked: Parameters<Telemetry['receive']>[3] = (trace) =>
        ask((outcome) => {
          const code = 'failure' in outcome ? outcome.failure.code : 'ok';
          metrics.request('http', operation, code, (nowMs() - arrivedMs) / 1_000);
          if ('failure' in outcome) resolve(refuse(reply, outcome.failure));
          else resolve(reply.code(status).send(json(outcome.applied)));
          trace?.answered(code);
        });
      telemetry.receive('http', operation, reply.request.headers, asked);
    });
  };
}

export function streamRoutes(server: FastifyInstance, options: HttpApiOptions, followers: Followers): void {
  const { requests, limits } = options;
  const answer = answering(options);

  server.post<{ Body: NewStream }>(
    '/v1/streams',
    {
      config: { role: 'admin' },
      schema: {
        operationId: 'createStream',
        summary: 'Create a stream',
        tags: ['streams'],
        querystring: NoQuery,
        body: NewStream,
        response: responses(201, 'It is there.', ref(CommittedAnswer), [409, 504]),
      },
    },
    (request, reply) => {
      const { name, dataClass = '' } = request.body;
      return answer(reply, 'create-stream', 201, committedJson, (done) =>
        requests.createStream(name, dataClass, 0, done),
      );
    },
  );

  server.get<{ Querystring: StreamsQuery }>(
    '/v1/streams',
    {
      config: { role: 'read' },
      schema: {
        operationId: 'listStreams',
        summary: 'All streams, by name',
        tags: ['streams'],
        querystring: StreamsQuery,
        response: responses(200, 'At most STREAMS_LISTED_MAX of them.', ref(StreamsAnswer), [504]),
      },
    },
    (request, reply) =>
      answer(reply, 'list-streams', 200, streamsJson, (done) =>
        requests.listStreams(consistencyOf(request.query), 0, done),
      ),
  );

  server.delete<{ Params: StreamName }>(
    '/v1/streams/:name',
    {
      config: { role: 'admin' },
      schema: {
        operationId: 'deleteStream',
        summary: 'Delete a stream',
        description: 'Its entries stay in the log; the name is free again, and a stream of that name is another one.',
        tags: ['streams'],
        params: StreamName,
        querystring: NoQuery,
        response: responses(200, 'It is gone.', ref(CommittedAnswer), [404, 504]),
      },
    },
    (request, reply) =>
      answer(reply, 'delete-stream', 200, committedJson, (done) => requests.deleteStream(request.params.name, 0, done)),
  );

  server.post<{ Params: StreamName; Body: NewEvents }>(
    '/v1/streams/:name/events',
    {
      config: { role: 'write' },
      schema: {
        operationId: 'appendEvents',
        summary: 'Append events to a stream',
        description: 'All of them or none, next to each other. 200 means that a quorum has them on disk.',
        tags: ['streams'],
        params: StreamName,
        querystring: NoQuery,
        headers: AppendHeaders,
        body: newEventsSchema(limits),
        response: responses(200, 'They are durable on a quorum.', ref(AppendedAnswer), [404, 409, 504]),
      },
    },
    (request, reply) => {
      const append = appendOf(request.params.name, request.body, keyOf(request));
      return answer(reply, 'append', 200, appendedJson, (done) => requests.append(append, 0, done));
    },
  );

  server.get<{ Params: StreamName; Querystring: EventsQuery }>(
    '/v1/streams/:name/events',
    {
      config: { role: 'read' },
      schema: {
        operationId: 'readEvents',
        summary: 'Read the events of a stream, or follow it',
        description:
          'follow=true answers with server-sent events: the id of each is its offset and its data is an Event. ' +
          'A last `event: end` says why it ended; `retry` says when to come back, with Last-Event-ID.',
        tags: ['streams'],
        params: StreamName,
        querystring: eventsQuerySchema(limits),
        headers: FollowHeaders,
        response: {
          ...responses(200, 'From that offset on.', undefined, [404, 504]),
          200: {
            description: 'From that offset on.',
            content: {
              'application/json': { schema: ref(EventsAnswer) },
              [EVENT_STREAM]: { schema: ref(FollowedEvent) },
            },
          },
        },
      },
    },
    (request, reply) => {
      const { limit, follow } = request.query;
      const from = follow ? resumeAt(request) : request.query.from;
      const stream = request.params.name;
      const read = { operation: 'read', stream, from, limit, ...consistencyOf(request.query) } as const;
      if (!follow) return answer(reply, 'read', 200, eventsJson, (done) => requests.read(read, 0, done));
      const refusal = followers.refusal();
      if (refusal !== undefined) return refuse(reply, refusal);
      void reply
        .type(`${EVENT_STREAM}; charset=utf-8`)
        .header('cache-control', 'no-store')
        .header('x-accel-buffering', 'no');
      const open = (first: ReadAnswer): unknown =>
        request.method === 'HEAD' ? '' : followers.open({ stream, limit }, first);
      return answer(reply, 'follow', 200, open, (done) => requests.read(read, 0, done));
    },
  );
}

export function keyRoute(server: FastifyInstance, options: HttpApiOptions): void {
  const { requests } = options;
  const answer = answering(options);
  server.get<{ Params: KeyParams }>(
    '/v1/idempotency/:key',
    {
      config: { role: 'read' },
      schema: {
        operationId: 'lookUpKey',
        summary: 'What became of the append with this key',
        description: 'As linearizable as a read: asked after an append ended, with whatever outcome, it says how.',
        tags: ['streams'],
        params: KeyParams,
        querystring: NoQuery,
        response: responses(200, 'Whether such an append is committed, and its answer.', ref(KeyAnswer), [504]),
      },
    },
    (request, reply) => {
      const { key } = request.params;
      return answer(
        reply,
        'lookup-key',
        200,
        (facts: KeyFacts) => keyJson(key, facts),
        (done) => requests.lookupKey(key, 0, done),
      );
    },
  );
}

export function operationRoutes(server: FastifyInstance, options: HttpApiOptions): void {
  const { requests, metrics } = options;

  server.get(
    '/health',
    {
      config: { role: 'open' },
      schema: {
        operationId: 'health',
        summary: 'Whether this replica runs',
        tags: ['operation'],
        querystring: NoQuery,
        response: responses(200, 'It is not halted.', ref(HealthAnswer)),
      },
    },
    async (_, reply) => {
      const { status, ...facts } = requests.status();
      if (status !== 'halted') return { status, ...facts };
      return refuse(reply, failure('HALTED', 'this replica is halted: see /v1/dx/explain/replica', { ...facts }));
    },
  );

  server.get(
    '/ready',
    {
      config: { role: 'open' },
      schema: {
        operationId: 'ready',
        summary: 'Whether requests can be served here now',
        tags: ['operation'],
        querystring: NoQuery,
        response: responses(200, 'A primary with a quorum is in reach.', ref(ReadyAnswer)),
      },
    },
    async (_, reply) => {
      const refusal = options.notReady();
      return refusal === undefined ? { ready: true, ...requests.status() } : refuse(reply, refusal);
    },
  );

  server.get(
    '/metrics',
    {
      config: { role: 'dx' },
      schema: {
        operationId: 'metrics',
        summary: 'Metrics for Prometheus',
        tags: ['operation'],
        querystring: NoQuery,
        response: textResponses(200, 'Text format of Prometheus.', 'text/plain'),
      },
    },
    async (_, reply) => {
      const text = await metrics.registry.metrics();
      return reply.type(metrics.registry.contentType).send(text);
    },
  );
}

function consistencyOf({ consistency, minCommitId }: Pick<EventsQuery, 'consistency' | 'minCommitId'>): {
  readonly linearizable: boolean;
  readonly minCommitId: number;
} {
  return { linearizable: consistency === 'linearizable', minCommitId };
}

/** Two headers of one name would be one text with a comma for Node. */
function keyOf(request: FastifyRequest): string {
  const keys = request.raw.headersDistinct['idempotency-key'] ?? [];
  if (keys.length > 1) throw invalid('Idempotency-Key', 'is given twice');
  return keys[0] ?? '';
}

/** The reader's own place wins over `from`: a browser comes again with the same address. */
function resumeAt(request: FastifyRequest<{ Querystring: EventsQuery }>): number {
  const last = request.headers['last-event-id'];
  if (last === undefined) return request.query.from;
  const offset = Number(last);
  if (!Number.isSafeInteger(offset + 1)) throw invalid('Last-Event-ID', 'is no offset', { lastEventId: last });
  return offset + 1;
}

function appendOf(stream: string, body: NewEvents, idempotencyKey: string): AppendRequest {
  return {
    operation: 'append',
    stream,
    expectedOffset: body.expectedOffset,
    idempotencyKey,
    events: body.events.map(eventOf),
  };
}

export type { Outcome };
