/**
 * The HTTP API: JSON over the same requests as the binary protocol, on fastify. Errors are
 * `{ "error": { code, message, rule?, evidence? } }` in the media type of RFC 9457. Mirrors no spec module.
 * Does not do: TLS, authentication, OpenAPI, server-sent events, proofs (later issues).
 */
import type { TSchema } from '@sinclair/typebox';
import {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
  LogController,
} from 'fastify';
import type { Clock } from '../ports/clock.ts';
import { listenError } from '../ports/network-error.ts';
import type { Failure, ReadEvent } from '../wire/answer.ts';
import type { AppendRequest } from '../wire/request.ts';
import { failure, httpStatusOf } from './failure.ts';
import { dataFields, eventOf, HttpInputError, invalid, jsonOf, validatorOf } from './http-input.ts';
import { EventsQuery, NewEvents, NewStream, StreamName, StreamsQuery } from './http-schemas.ts';
import type { Metrics } from './metrics.ts';
import type { Done, Outcome, Requests } from './requests.ts';
import type { HostPort } from './server-config.ts';
import type { ServerLimits } from './server-limits.ts';

/** Everything has its answer by then, or its deadline has passed: what is left is the sending of it. */
const CLOSE_GRACE_MS = 1_000;
const PROBLEM = 'application/problem+json; charset=utf-8';
const PATHS: readonly (readonly [RegExp, string])[] = [
  [/^\/(health|ready|metrics)$/, 'GET'],
  [/^\/v1\/streams$/, 'GET, POST'],
  [/^\/v1\/streams\/[^/]+$/, 'DELETE'],
  [/^\/v1\/streams\/[^/]+\/events$/, 'GET, POST'],
];

export interface HttpApiOptions {
  readonly requests: Requests;
  readonly limits: ServerLimits;
  readonly metrics: Metrics;
  readonly nowMs: () => number;
  readonly logger: FastifyBaseLogger;
  /** undefined: requests can be served here now. */
  readonly notReady: () => Failure | undefined;
}

export class HttpApi {
  readonly server: FastifyInstance;
  readonly #options: HttpApiOptions;

  constructor(options: HttpApiOptions) {
    this.#options = options;
    const { limits } = options;
    this.server = fastify({
      loggerInstance: options.logger,
      logController: new LogController({ disableRequestLogging: true }),
      bodyLimit: limits.HTTP_BODY_BYTES_MAX,
      forceCloseConnections: 'idle',
      // An idle connection is cheap, one that sends slowly is not: the whole request within this.
      requestTimeout: 60_000,
      keepAliveTimeout: 60_000,
      routerOptions: { maxParamLength: 1_024 },
      http: { maxHeaderSize: 16 * 1024 },
    });
    this.server.server.maxConnections = limits.HTTP_CONNECTIONS_MAX;
    this.server.setValidatorCompiler(({ schema, httpPart }) => validatorOf(schema as TSchema, httpPart));
    this.server.removeAllContentTypeParsers();
    this.server.addContentTypeParser(
      'application/json',
      { parseAs: 'buffer' },
      async (_: FastifyRequest, body: Buffer) => jsonOf(body),
    );
    this.server.setErrorHandler((error, request, reply) => this.#failed(error, request, reply));
    this.server.setNotFoundHandler((request, reply) => this.#notFound(request, reply));
    this.#routes();
  }

  /** @throws NetworkError */
  async listen({ host, port }: HostPort): Promise<void> {
    try {
      await this.server.listen({ host, port, backlog: 512 });
    } catch (cause) {
      throw cause instanceof Error && 'syscall' in cause
        ? listenError(cause as NodeJS.ErrnoException, host, port)
        : cause;
    }
  }

  /** Where it listens, with the port that the system gave. */
  get address(): HostPort | undefined {
    const address = this.server.server.address();
    return typeof address === 'object' && address !== null ? { host: address.address, port: address.port } : undefined;
  }

  /** Answers under way are sent; a connection on which no request ever came is not idle for Node, and is cut after the grace. */
  async close(clock: Clock): Promise<void> {
    const cancel = clock.after(CLOSE_GRACE_MS, () => this.server.server.closeAllConnections());
    await this.server.close();
    cancel();
  }

  #routes(): void {
    const { server } = this;
    const { requests, limits, metrics } = this.#options;
    server.post<{ Body: NewStream }>('/v1/streams', { schema: { body: NewStream } }, (request, reply) => {
      const { name, dataClass = '' } = request.body;
      return this.#answer(reply, 'create-stream', 201, committed, (done) =>
        requests.createStream(name, dataClass, 0, done),
      );
    });
    server.get<{ Querystring: StreamsQuery }>(
      '/v1/streams',
      { schema: { querystring: StreamsQuery } },
      (request, reply) =>
        this.#answer(
          reply,
          'list-streams',
          200,
          (answer) => answer,
          (done: Done<unknown>) => requests.listStreams(request.query.consistency === 'linearizable', 0, done),
        ),
    );
    server.delete<{ Params: StreamName }>('/v1/streams/:name', { schema: { params: StreamName } }, (request, reply) =>
      this.#answer(reply, 'delete-stream', 200, committed, (done) =>
        requests.deleteStream(request.params.name, 0, done),
      ),
    );
    server.post<{ Params: StreamName; Body: NewEvents }>(
      '/v1/streams/:name/events',
      { schema: { params: StreamName, body: NewEvents } },
      (request, reply) => {
        const append = appendOf(request.params.name, request.body, request.headers['idempotency-key']);
        const answerOf = (answer: { readonly hash: Uint8Array }): unknown => ({ ...answer, hash: hex(answer.hash) });
        return this.#answer(reply, 'append', 200, answerOf, (done) => requests.append(append, 0, done));
      },
    );
    server.get<{ Params: StreamName; Querystring: EventsQuery }>(
      '/v1/streams/:name/events',
      { schema: { params: StreamName, querystring: EventsQuery } },
      (request, reply) => {
        const { from, limit, consistency } = request.query;
        const linearizable = consistency === 'linearizable';
        const read = { operation: 'read', stream: request.params.name, from, limit, linearizable } as const;
        return this.#answer(
          reply,
          'read',
          200,
          (answer) => ({ ...answer, events: answer.events.map(eventJson) }),
          (done: Done<{ readonly events: readonly ReadEvent[] }>) => requests.read(read, 0, done),
        );
      },
    );
    server.get('/health', async (_, reply) => {
      const { status, ...facts } = requests.status();
      if (status !== 'halted') return { status, ...facts };
      return this.#refuse(reply, failure('HALTED', 'this replica is halted: see /v1/dx/explain/replica', { ...facts }));
    });
    server.get('/ready', async (_, reply) => {
      const refusal = this.#options.notReady();
      return refusal === undefined ? { ready: true, ...requests.status() } : this.#refuse(reply, refusal);
    });
    server.get('/metrics', async (_, reply) => {
      const text = await metrics.registry.metrics();
      return reply.type(metrics.registry.contentType).send(text);
    });
    server.log.debug({ bodyBytesMax: limits.HTTP_BODY_BYTES_MAX }, 'routes are set');
  }

  #answer<Answer>(
    reply: FastifyReply,
    operation: string,
    status: number,
    json: (answer: Answer) => unknown,
    ask: (done: Done<Answer>) => void,
  ): Promise<FastifyReply> {
    const { metrics, nowMs } = this.#options;
    const arrivedMs = nowMs();
    return new Promise((resolve) => {
      ask((outcome: Outcome<Answer>) => {
        const code = 'failure' in outcome ? outcome.failure.code : 'ok';
        metrics.request('http', operation, code, (nowMs() - arrivedMs) / 1_000);
        if ('failure' in outcome) resolve(this.#refuse(reply, outcome.failure));
        else resolve(reply.code(status).send(json(outcome.applied)));
      });
    });
  }

  #refuse(reply: FastifyReply, { code, message, evidence }: Failure): FastifyReply {
    const { rule, retryAfterMs, ...rest } = evidence;
    if (typeof retryAfterMs === 'number')
      void reply.header('retry-after', Math.max(1, Math.ceil(retryAfterMs / 1_000)));
    const error = { code, message, ...(typeof rule === 'string' ? { rule } : {}), evidence: rest };
    return reply.code(httpStatusOf(code)).type(PROBLEM).send({ error });
  }

  /** What fastify refuses before a route sees it, and our own faults. */
  #failed(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    if (error instanceof HttpInputError) return this.#refuse(reply, error.failure);
    const {
      code = '',
      statusCode = 500,
      message = 'unknown',
    } = error as { code?: string; statusCode?: number; message?: string };
    if (statusCode === 413) {
      const maximum = this.#options.limits.HTTP_BODY_BYTES_MAX;
      const text = `the body is larger than ${maximum} bytes: send fewer events at once`;
      return this.#refuse(reply, failure('TOO_LARGE', text, { field: 'body', maximum }));
    }
    if (statusCode === 415) {
      const given = request.headers['content-type'] ?? 'none';
      const text = `a body must be application/json, not ${given}: set the header Content-Type`;
      return this.#refuse(reply, failure('MEDIA_TYPE_NOT_SUPPORTED', text, { contentType: given }));
    }
    if (statusCode >= 400 && statusCode < 500)
      return this.#refuse(reply, failure('REQUEST_INVALID', message, { cause: code }));
    request.log.error({ err: error, method: request.method, url: request.url }, 'a request failed by a fault of ours');
    return this.#refuse(reply, failure('INTERNAL', 'a fault of the server: see its log'));
  }

  #notFound(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const path = request.url.split('?', 1)[0] as string;
    const allowed = PATHS.find(([pattern]) => pattern.test(path))?.[1];
    if (allowed === undefined) {
      return this.#refuse(reply, failure('NOT_FOUND', `there is nothing at ${path}: see docs/server.md`, { path }));
    }
    void reply.header('allow', allowed);
    const text = `${path} takes ${allowed}, not ${request.method}`;
    return this.#refuse(reply, failure('METHOD_NOT_ALLOWED', text, { path, allowed }));
  }
}

function appendOf(stream: string, body: NewEvents, key: string | string[] | undefined): AppendRequest {
  if (Array.isArray(key) || key === '') throw invalid('Idempotency-Key', 'must be one text that is not empty');
  return {
    operation: 'append',
    stream,
    expectedOffset: body.expectedOffset,
    idempotencyKey: key ?? '',
    events: body.events.map(eventOf),
  };
}

function committed({ commitId, hash }: { readonly commitId: number; readonly hash: Uint8Array }): unknown {
  return { commitId, hash: hex(hash) };
}

function eventJson({ offset, data, type, contentType, timestamp, commitId, hash }: ReadEvent): unknown {
  return {
    offset,
    ...dataFields(data),
    ...(type === '' ? {} : { type }),
    ...(contentType === '' ? {} : { contentType }),
    timestamp,
    commitId,
    hash: hex(hash),
  };
}

function hex(hash: Uint8Array): string {
  return Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString('hex');
}
