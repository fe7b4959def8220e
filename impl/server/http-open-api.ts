/**
 * The OpenAPI 3.1 document at /openapi.json, gathered by @fastify/swagger from the schemas that the routes validate with.
 * Register it before the routes. Mirrors no spec module.
 */
import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { NAMED_ANSWERS, responses } from './http-answers.ts';
import { NAMED_PROOF_ANSWERS } from './http-proof.ts';
import { NoQuery } from './http-schemas.ts';

export const OPEN_API_PATH = '/openapi.json';

export function gatherOpenApi(app: FastifyInstance): void {
  for (const schema of [...NAMED_ANSWERS, ...NAMED_PROOF_ANSWERS]) app.addSchema(schema);
  void app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Lockstep',
        version: '1',
        description:
          'A replicated, hash-chained log. Any replica takes any request. Every error is a problem of RFC 9457 with a code that stays.',
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: '/', description: 'the replica that serves this document' }],
      tags: [
        { name: 'streams', description: 'Append and read.' },
        { name: 'proofs', description: 'Verify without trusting the server.' },
        { name: 'operation', description: 'Is it up, and how is it doing.' },
        { name: 'dx', description: 'Why it is in the state it is in: read-only, deterministic, removable.' },
      ],
    },
    refResolver: { buildLocalReference: (json, _base, _fragment, index) => String(json.$id ?? `def-${index}`) },
  });
}

export function openApiRoute(app: FastifyInstance): void {
  app.get(
    OPEN_API_PATH,
    {
      config: { role: 'open' },
      schema: {
        operationId: 'openApi',
        summary: 'This document',
        tags: ['operation'],
        querystring: NoQuery,
        response: responses(200, 'OpenAPI 3.1.', { type: 'object' } as never),
      },
    },
    async () => app.swagger(),
  );
}
