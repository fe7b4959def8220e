/**
 * How answers and errors of the DX API leave: as exact bytes, and as problems in the form of the HTTP API. What its routes
 * validate and describe themselves with is set here too, so that the plugin is whole on any fastify. Mirrors no spec module.
 */
import type { TSchema } from '@sinclair/typebox';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AssertionError } from '../ports/assert.ts';
import { LockstepError } from '../ports/lockstep-error.ts';
import type { DxSource, LiveMachine } from '../server/dx-source.ts';
import { failure } from '../server/failure.ts';
import { NAMED_ANSWERS } from '../server/http-answers.ts';
import { problemOf, refuse, sendProblem } from '../server/http-errors.ts';
import { HttpInputError, validatorOf } from '../server/http-input.ts';
import { plain } from './canonical.ts';
import { DxError } from './dx-error.ts';
import { NAMED_DX_ANSWERS } from './dx-schemas.ts';

/** For every DX route of this fastify. */
export function prepareDxRoutes(app: FastifyInstance): void {
  app.setErrorHandler(answerError);
  app.setValidatorCompiler(({ schema, httpPart }) => validatorOf(schema as TSchema, httpPart));
  app.setSerializerCompiler(() => JSON.stringify);
  const known = app.getSchemas();
  for (const schema of [...NAMED_ANSWERS, ...NAMED_DX_ANSWERS]) {
    if (known[schema.$id as string] === undefined) app.addSchema(schema);
  }
}

export function send(reply: FastifyReply, answer: unknown): FastifyReply {
  return reply.type('application/json; charset=utf-8').send(JSON.stringify(plain(answer)));
}

/** @throws DxError when no such machine runs here */
export function machineOf(source: DxSource, name: string): LiveMachine {
  const found = source.machines().find((machine) => machine.name === name);
  if (found !== undefined) return found;
  const names = source.machines().map((machine) => machine.name);
  throw new DxError('NOT_FOUND', `no machine ${name} runs here: ask for one of ${names.join(', ')}`, { name });
}

/** The form of every error of the HTTP API (RFC 9457). */
function answerError(error: FastifyError | LockstepError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (error instanceof HttpInputError) return refuse(reply, error.failure);
  if (error instanceof LockstepError && !(error instanceof AssertionError))
    return sendProblem(reply, problemOf(error.code, error.message, plain(error.evidence) as Record<string, unknown>));
  if ('statusCode' in error && typeof error.statusCode === 'number' && error.statusCode < 500) throw error;
  request.log.error(error);
  return refuse(reply, failure('INTERNAL', 'the DX API failed; the log and the replica are untouched'));
}
