/**
 * Errors of the HTTP API in the form of RFC 9457 (type, title, status, detail), with Lockstep's own part beside it:
 * `error: { code, message, rule?, evidence }`. What fastify and Node refuse before a route sees it has a code too.
 * Mirrors no spec module.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifyServerOptions } from 'fastify';
import type { Failure } from '../wire/answer.ts';
import { type FailureCode, failure, httpStatusOf } from './failure.ts';
import { HttpInputError } from './http-input.ts';
import type { HttpRole } from './http-role.ts';
import type { ServerLimits } from './server-limits.ts';

export const PROBLEM_TYPE = 'application/problem+json';
const PROBLEM = `${PROBLEM_TYPE}; charset=utf-8`;

export interface Problem {
  /** Names the code for ever: it is not an address. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly rule?: string;
    readonly evidence: Readonly<Record<string, unknown>>;
  };
}

export function problemOf(code: string, message: string, evidence: Failure['evidence'] = {}): Problem {
  const { rule, ...rest } = evidence;
  return {
    type: `urn:lockstep:error:${code}`,
    title: titleOf(code),
    status: httpStatusOf(code),
    detail: message,
    error: { code, message, ...(typeof rule === 'string' ? { rule } : {}), evidence: rest },
  };
}

/** `OFFSET_MISMATCH` is `Offset mismatch`: one title for one type, whatever happened. */
function titleOf(code: string): string {
  return `${code.charAt(0)}${code.slice(1).toLowerCase().replaceAll('_', ' ')}`;
}

export function refuse(reply: FastifyReply, { code, message, evidence }: Failure): FastifyReply {
  const { retryAfterMs, ...rest } = evidence;
  if (typeof retryAfterMs === 'number') void reply.header('retry-after', Math.max(1, Math.ceil(retryAfterMs / 1_000)));
  return sendProblem(reply, problemOf(code, message, rest));
}

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply.code(problem.status).type(PROBLEM).send(textOf(problem));
}

/** As bytes: a route's own serializer is for its answers. */
function textOf(problem: Problem): string {
  return JSON.stringify(problem, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
}

/** What fastify refuses before a route sees it, and our own faults. */
export function failureOf(error: unknown, request: FastifyRequest, limits: ServerLimits): Failure {
  if (error instanceof HttpInputError) return error.failure;
  const known = error as { readonly code?: string; readonly statusCode?: number; readonly message?: string };
  const { code = '', statusCode = 500, message = 'unknown' } = known;
  if (statusCode === 413) {
    const maximum = limits.HTTP_BODY_BYTES_MAX;
    const text = `the body is larger than ${maximum} bytes: send fewer events at once`;
    return failure('TOO_LARGE', text, { field: 'body', maximum });
  }
  if (statusCode === 415) {
    const given = request.headers['content-type'] ?? 'none';
    const text = `a body must be application/json, not ${given}: set the header Content-Type`;
    return failure('MEDIA_TYPE_NOT_SUPPORTED', text, { contentType: given });
  }
  if (statusCode >= 400 && statusCode < 500) return failure('REQUEST_INVALID', message, { cause: code });
  // Without its query, in which people put what nobody else should read.
  const path = request.url.split('?', 1)[0];
  request.log.error({ err: error, method: request.method, path }, 'a request failed by a fault of ours');
  return failure('INTERNAL', 'a fault of the server: see its log');
}

/** A route as it was added. */
export interface Route {
  readonly url: string;
  readonly method: string;
  readonly role: HttpRole | undefined;
}

/** The routes as they were added: for 405 with the header Allow, and for whoever lists them. */
export class RouteTable {
  readonly routes: Route[] = [];

  /** Every route that is added from now on. */
  watch(server: FastifyInstance): void {
    server.addHook('onRoute', ({ url, method, config }) => {
      for (const one of Array.isArray(method) ? method : [method]) {
        this.routes.push({ url, method: one, role: config?.role });
      }
    });
  }

  /** undefined: there is nothing at this path. */
  allowedAt(path: string): string | undefined {
    const here = this.routes.filter(({ url }) => !url.endsWith('*') && patternOf(url).test(path));
    if (here.length === 0) return undefined;
    return [...new Set(here.map(({ method }) => method))].sort().join(', ');
  }
}

function patternOf(url: string): RegExp {
  const parts = url.split('/').map((part) => {
    if (part.startsWith(':')) return '[^/]+';
    return part === '*' ? '.*' : part.replaceAll(/[.+?^$(){}|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('/')}$`);
}

export function notFound(request: FastifyRequest, reply: FastifyReply, table: RouteTable): FastifyReply {
  const path = request.url.split('?', 1)[0] as string;
  const allowed = table.allowedAt(path);
  if (allowed === undefined) {
    return refuse(reply, failure('NOT_FOUND', `there is nothing at ${path}: see /openapi.json`, { path }));
  }
  void reply.header('allow', allowed);
  const text = `${path} takes ${allowed}, not ${request.method}`;
  return refuse(reply, failure('METHOD_NOT_ALLOWED', text, { path, allowed }));
}

const CLIENT_ERRORS: Readonly<Record<string, readonly [FailureCode, string]>> = {
  HPE_HEADER_OVERFLOW: ['HEADERS_TOO_LARGE', 'the address and the headers are together larger than this server reads'],
  ERR_HTTP_REQUEST_TIMEOUT: ['REQUEST_TIMEOUT', 'the request did not arrive in time: send it at once'],
};

/** Bytes that are no request of HTTP/1.1: there is no request yet, so the answer is written by hand and the line is cut. */
export const clientError: NonNullable<FastifyServerOptions['clientErrorHandler']> = (error, socket) => {
  if (error.code === 'ECONNRESET' || !socket.writable || socket.destroyed) {
    socket.destroy();
    return;
  }
  const [code, message] = CLIENT_ERRORS[error.code ?? ''] ?? [
    'REQUEST_INVALID',
    'the bytes are no request of HTTP/1.1: this port speaks no TLS, HTTP/2 or binary protocol',
  ];
  const problem = problemOf(code, message, { cause: error.code ?? 'unknown' });
  const body = textOf(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${problem.title}`,
    `content-type: ${PROBLEM}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
};
