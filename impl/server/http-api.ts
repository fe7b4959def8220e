/**
 * The HTTP API on fastify: one server with its limits, what validates and what refuses. Its routes are in http-routes.ts and
 * http-proof.ts, its schemas in http-schemas.ts and http-answers.ts, its errors in http-errors.ts. Mirrors no spec module.
 */
import cors from '@fastify/cors';
import type { TSchema } from '@sinclair/typebox';
import { type FastifyInstance, type FastifyRequest, fastify, LogController } from 'fastify';
import type { Clock } from '../ports/clock.ts';
import type { TlsServerMaterial } from '../ports/network.ts';
import { listenError } from '../ports/network-error.ts';
import { failure } from './failure.ts';
import type { HttpApiOptions } from './http-api-options.ts';
import { clientError, failureOf, notFound, RouteTable, refuse } from './http-errors.ts';
import { Followers } from './http-follow.ts';
import { jsonOf, validatorOf } from './http-input.ts';
import { gatherOpenApi, openApiRoute } from './http-open-api.ts';
import { proofRoute } from './http-proof.ts';
import { keyRoute, operationRoutes, streamRoutes } from './http-routes.ts';
import type { HostPort } from './server-config.ts';

/** Everything has its answer by then, or its deadline has passed: what is left is the sending of it. */
const CLOSE_GRACE_MS = 1_000;
/** Bytes of address and headers together. */
const HEADER_BYTES_MAX = 16 * 1024;
/** Node leaves out what is above its own bound and says nothing: a key among them would be lost. */
const HEADERS_MAX = 100;
/** A whole request must have come by then, its headers earlier: an idle connection is cheap, one that sends slowly is not. */
const REQUEST_MS_MAX = 60_000;
const HEADERS_MS_MAX = 15_000;
/** Between two requests of one connection. */
const KEEP_ALIVE_MS_MAX = 60_000;
/** Characters of one part of a path, decoded: more than any name or key that is valid. */
const PARAM_CHARACTERS_MAX = 1_024;
/** How long a browser may keep what it was told about other origins. */
const CORS_AGE_S_MAX = 600;

export class HttpApi {
  readonly server: FastifyInstance;
  readonly table = new RouteTable();
  readonly #options: HttpApiOptions;
  readonly #followers: Followers;

  constructor(options: HttpApiOptions) {
    this.#options = options;
    const { limits, requests, clock, metrics, allowedOrigins = [], https, guard } = options;
    this.#followers = new Followers({ requests, limits, clock, registry: metrics.registry });
    this.server = fastify({
      loggerInstance: options.logger,
      logController: new LogController({ disableRequestLogging: true }),
      bodyLimit: limits.HTTP_BODY_BYTES_MAX,
      forceCloseConnections: 'idle',
      return503OnClosing: false, // requests.ts says DRAINING by itself
      requestTimeout: REQUEST_MS_MAX,
      keepAliveTimeout: KEEP_ALIVE_MS_MAX,
      routerOptions: { maxParamLength: PARAM_CHARACTERS_MAX },
      ...(https === undefined
        ? { http: { maxHeaderSize: HEADER_BYTES_MAX, headersTimeout: HEADERS_MS_MAX } }
        : { https: { ...https.options, maxHeaderSize: HEADER_BYTES_MAX, headersTimeout: HEADERS_MS_MAX } }),
      clientErrorHandler: clientError,
      frameworkErrors: (error, request, reply) => {
        refuse(reply, failureOf(error, request as FastifyRequest, limits));
      },
    });
    const { server } = this;
    this.table.watch(server);
    server.server.maxConnections = limits.HTTP_CONNECTIONS_MAX;
    server.setValidatorCompiler(({ schema, httpPart }) => validatorOf(schema as TSchema, httpPart));
    server.setSerializerCompiler(() => JSON.stringify);
    server.removeAllContentTypeParsers();
    server.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (_: FastifyRequest, body: Buffer) =>
      jsonOf(body),
    );
    server.setErrorHandler((error, request, reply) =>
      // What is wrong with a request to nowhere does not matter.
      request.is404 ? notFound(request, reply, this.table) : refuse(reply, failureOf(error, request, limits)),
    );
    server.setNotFoundHandler((request, reply) => notFound(request, reply, this.table));
    server.addHook('onRequest', async ({ raw }, reply) => {
      const headers = raw.rawHeaders.length / 2;
      if (headers <= HEADERS_MAX) return undefined;
      const message = `the request has ${headers} headers or more, at most ${HEADERS_MAX} are read: send fewer`;
      return refuse(reply, failure('HEADERS_TOO_LARGE', message, { headers, maximum: HEADERS_MAX }));
    });
    // Before all else: a browser asks about other origins without a key.
    if (allowedOrigins.length > 0) {
      void server.register(cors, {
        origin: [...allowedOrigins],
        methods: ['GET', 'HEAD', 'POST', 'DELETE'],
        exposedHeaders: ['retry-after', 'allow'],
        maxAge: CORS_AGE_S_MAX,
      });
    }
    https?.watch(server.server);
    guard.protect(server);
    gatherOpenApi(server);
    void server.register(async (app) => this.#routes(app));
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

  /** For every connection from now on. */
  replaceTls(tls: TlsServerMaterial): void {
    this.#options.https?.replace(tls);
  }

  /** Those who follow a stream hear of it. */
  applied(): void {
    this.#followers.applied();
  }

  /** Those who follow a stream are sent away; everything else is answered by requests.ts. */
  drain(): void {
    this.#followers.end();
  }

  /** Answers under way are sent; a connection on which no request ever came is not idle for Node, and is cut after the grace. */
  async close(clock: Clock): Promise<void> {
    this.drain();
    const cancel = clock.after(CLOSE_GRACE_MS, () => this.server.server.closeAllConnections());
    await this.server.close();
    cancel();
  }

  #routes(app: FastifyInstance): void {
    streamRoutes(app, this.#options, this.#followers);
    keyRoute(app, this.#options);
    proofRoute(app, this.#options);
    operationRoutes(app, this.#options);
    openApiRoute(app);
  }
}
