/** The route of the DX API that explains a session's request (explain-session.ts). */
import { Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import type { DxSource } from '../server/dx-source.ts';
import { ref } from '../server/http-answers.ts';
import { machineOf, send } from './dx-answers.ts';
import { dxSchema, ExplanationAnswer } from './dx-schemas.ts';
import { explainSession } from './explain-session.ts';
import { explained } from './explained-replica.ts';
import { connectionNotes, envelope, explainedReplica, REPLICA_MACHINE } from './observed.ts';

const whole = (description: string) => Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description });
const SessionQuery = Type.Object(
  {
    client_id: whole('Of the answer to the registration.'),
    request_number: Type.Optional(whole('The next one without it.')),
  },
  { additionalProperties: false },
);

export function sessionRoutes(app: FastifyInstance, source: DxSource): void {
  app.get<{ Querystring: { client_id: number; request_number?: number } }>(
    '/v1/dx/explain/session',
    {
      config: { role: 'dx' },
      schema: dxSchema(
        'explainSession',
        'What a request of a session would be answered, and why',
        ref(ExplanationAnswer),
        {
          querystring: SessionQuery,
        },
      ),
    },
    async ({ query: { client_id: clientId, request_number: number } }, reply) => {
      const answer = explainSession(source.session(clientId, number));
      const replica = explainedReplica(source, machineOf(source, REPLICA_MACHINE));
      const part = ['session', clientId, number];
      return send(reply, envelope(source, explained('session', replica, answer), connectionNotes(source), part));
    },
  );
}
