/**
 * The DX API of server.md as a fastify plugin over DxSource: read-only, deterministic, removable. Nothing outside impl/dx
 * imports it; a server without this folder, or with --no-dx, writes the same log. Mirrors no spec module.
 */
import { Type } from '@sinclair/typebox';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { definitionOf } from '../../machines/definition.ts';
import { AssertionError } from '../ports/assert.ts';
import { LockstepError } from '../ports/lockstep-error.ts';
import type { DxSource, HistoryRecord, LiveMachine } from '../server/dx-source.ts';
import { httpStatusOf } from '../server/failure.ts';
import { HttpInputError } from '../server/http-input.ts';
import { appliedRule } from './applied-rules.ts';
import { plain } from './canonical.ts';
import { DxError } from './dx-error.ts';
import { eventFields } from './event-fields.ts';
import { explain, TOPICS, type Topic } from './explain.ts';
import type { PastRefusal } from './explain-refusal.ts';
import { bodiesData, logData, replicationData } from './log-data.ts';
import { dryRun, historyData, machineDefinition, machineList, recordData } from './machine-data.ts';
import { mermaidOf, scxmlOf } from './machine-formats.ts';
import { connectionNotes, envelope, explainedReplica, REPLICA_MACHINE } from './observed.ts';
import { allowClusterPages, pagePlugin } from './page/plugin.ts';
import { statusData } from './status.ts';

/** Transitions in one answer of history. */
const HISTORY_LIMIT_DEFAULT = 20;
const HISTORY_LIMIT_MAX = 1_000;

/** Entries in one answer of log: the newest ones unless told where to begin. */
const LOG_LIMIT_DEFAULT = 20;
const LOG_LIMIT_MAX = 1_000;

const nameOf = Type.String({ minLength: 1, maxLength: 64, pattern: '^[A-Za-z][A-Za-z0-9]*$' });
const machineParams = Type.Object({ name: nameOf });
const recordParams = Type.Object({
  name: nameOf,
  sequence: Type.String({ pattern: '^[1-9][0-9]{0,14}$' }),
});
const closed = { additionalProperties: false } as const;
const historyQuery = Type.Object(
  { limit: Type.Optional(Type.Integer({ minimum: 1, maximum: HISTORY_LIMIT_MAX })) },
  closed,
);
const logQuery = Type.Object(
  {
    from: Type.Optional(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: LOG_LIMIT_MAX })),
  },
  closed,
);
const formatQuery = Type.Object(
  { format: Type.Optional(Type.Union([Type.Literal('json'), Type.Literal('mermaid'), Type.Literal('scxml')])) },
  closed,
);
const canQuery = Type.Object({ event: nameOf }, { additionalProperties: Type.String({ maxLength: 256 }) });
const explainQuery = Type.Object(
  {
    commit_id: Type.Optional(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })),
    event: Type.Optional(nameOf),
    sequence: Type.Optional(Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })),
  },
  closed,
);

interface MachineRequest {
  readonly Params: { readonly name: string };
}

export async function dxPlugin(app: FastifyInstance, { source }: { readonly source: DxSource }): Promise<void> {
  app.setErrorHandler(answerError);
  allowClusterPages(app, source);
  await app.register(pagePlugin, { source });

  const machineOf = (name: string): LiveMachine => {
    const found = source.machines().find((machine) => machine.name === name);
    if (found !== undefined) return found;
    const names = source.machines().map((machine) => machine.name);
    throw new DxError('NOT_FOUND', `no machine ${name} runs here: ask for one of ${names.join(', ')}`, { name });
  };

  app.get('/v1/dx/status', async (_request, reply) =>
    send(reply, envelope(source, statusData(source), connectionNotes(source))),
  );

  app.get<{ Querystring: { from?: number; limit?: number } }>(
    '/v1/dx/log',
    { schema: { querystring: logQuery } },
    async (request, reply) => {
      const { limit = LOG_LIMIT_DEFAULT } = request.query;
      const { from = Math.max(1, source.replica.op - limit + 1) } = request.query;
      return send(reply, envelope(source, logData(source, from, limit)));
    },
  );

  // The data of streams stands in these bodies: who may read streams may read them, and nobody else.
  app.get<{ Querystring: { from?: number; limit?: number } }>(
    '/v1/dx/log/bodies',
    { schema: { querystring: logQuery }, config: { role: 'read' } },
    async (request, reply) => {
      const { limit = LOG_LIMIT_DEFAULT } = request.query;
      const { from = Math.max(1, source.replica.op - limit + 1) } = request.query;
      return send(reply, envelope(source, bodiesData(source, from, limit)));
    },
  );

  app.get('/v1/dx/replication', async (_request, reply) =>
    send(reply, envelope(source, replicationData(source), connectionNotes(source))),
  );

  app.get('/v1/dx/machines', async (_request, reply) => send(reply, envelope(source, machineList(source))));

  app.get<MachineRequest & { Querystring: { format?: 'json' | 'mermaid' | 'scxml' } }>(
    '/v1/dx/machines/:name',
    { schema: { params: machineParams, querystring: formatQuery } },
    async (request, reply) => {
      const live = machineOf(request.params.name);
      const { format = 'json' } = request.query;
      if (format === 'mermaid')
        return reply.type('text/plain; charset=utf-8').send(mermaidOf(definitionOf(live.machine)));
      if (format === 'scxml') return reply.type('application/scxml+xml').send(scxmlOf(definitionOf(live.machine)));
      return send(reply, envelope(source, machineDefinition(live)));
    },
  );

  app.get<MachineRequest & { Querystring: { limit?: number } }>(
    '/v1/dx/machines/:name/history',
    { schema: { params: machineParams, querystring: historyQuery } },
    async (request, reply) => {
      const { name } = machineOf(request.params.name);
      const records = source.history(name, request.query.limit ?? HISTORY_LIMIT_DEFAULT);
      return send(reply, envelope(source, historyData(records), [], records.at(-1)?.sequence ?? 0));
    },
  );

  app.get<{ Params: { name: string; sequence: string } }>(
    '/v1/dx/machines/:name/history/:sequence',
    { schema: { params: recordParams } },
    async (request, reply) => {
      const sequence = Number(request.params.sequence);
      const { name } = machineOf(request.params.name);
      const record = source.history(name, Number.MAX_SAFE_INTEGER).find((one) => one.sequence === sequence);
      if (record === undefined)
        throw new DxError('NOT_FOUND', `no event ${sequence} is in the history of ${name} any more`, { sequence });
      return send(reply, envelope(source, recordData(record), [], sequence));
    },
  );

  app.get<MachineRequest & { Querystring: { event: string } & Record<string, string> }>(
    '/v1/dx/machines/:name/can',
    { schema: { params: machineParams, querystring: canQuery } },
    async (request, reply) => {
      const live = machineOf(request.params.name);
      const { event, ...fields } = request.query;
      const { events } = definitionOf(live.machine);
      if (!events.includes(event))
        throw new DxError('REQUEST_INVALID', `${live.name} has no event ${event}: it has ${events.join(', ')}`, {
          event,
        });
      const data = dryRun(source, live, event, eventFields(fields));
      const missing = [...new Set(data.rules_applied.flatMap((rule) => rule.missing ?? []))];
      const give = missing.filter((path) => path.startsWith('event.')).map((path) => `${path.slice(6)}=...`);
      return send(
        reply,
        envelope(source, data, give.length > 0 ? [`this event carries more: add ${give.join('&')}`] : []),
      );
    },
  );

  app.get<{ Params: { topic: string }; Querystring: { commit_id?: number; event?: string; sequence?: number } }>(
    '/v1/dx/explain/:topic',
    { schema: { querystring: explainQuery } },
    async (request, reply) => send(reply, explanationOf(request, source, machineOf(REPLICA_MACHINE))),
  );
}

type ExplainRequest = FastifyRequest<{
  Params: { topic: string };
  Querystring: { commit_id?: number; event?: string; sequence?: number };
}>;

function explanationOf(request: ExplainRequest, source: DxSource, live: LiveMachine): unknown {
  const { topic } = request.params;
  const { commit_id: commitId, event, sequence } = request.query;
  if (!TOPICS.includes(topic as Topic))
    throw new DxError('NOT_FOUND', `no explanation of ${topic}: ask for one of ${TOPICS.join(', ')}`, { topic });
  const { events } = definitionOf(live.machine);
  if (event !== undefined && !events.includes(event))
    throw new DxError('REQUEST_INVALID', `Vsr has no event ${event}: it has ${events.join(', ')}`, { event });
  const past = topic === 'refusal' ? pastRefusal(source, event, sequence) : undefined;
  const notes = connectionNotes(source);
  if (topic === 'refusal' && past === undefined)
    notes.push(
      `no refusal of ${event ?? 'ClientRequest'} is in the history: the event was put to the machine as it is now, as a question`,
    );
  const explanation = explain(topic as Topic, explainedReplica(source, live), {
    commitId,
    event: event as never,
    past,
  });
  return envelope(source, explanation, notes, past?.sequence);
}

/** The refusal of this number, or the latest one of this event, a client's request unless another is named. */
function pastRefusal(source: DxSource, event = 'ClientRequest', sequence?: number): PastRefusal | undefined {
  const found =
    sequence === undefined
      ? source.lastRefusal(REPLICA_MACHINE, event)
      : source
          .history(REPLICA_MACHINE, Number.MAX_SAFE_INTEGER)
          .find((record) => !record.taken && record.sequence === sequence);
  if (sequence !== undefined && found === undefined)
    throw new DxError('NOT_FOUND', `no refusal ${sequence} is in the history: lockstep machines Vsr --history 50`, {
      sequence,
    });
  return found && refusalOf(found);
}

function refusalOf(record: HistoryRecord): PastRefusal {
  const { sequence, event, peer, from } = record;
  const rules = record.guards().map((answer) => appliedRule(REPLICA_MACHINE, event, answer));
  return { sequence, event, from: peer, status: from, rules };
}

/** The form of every error of the HTTP API (RFC 9457 media type). */
async function answerError(
  error: FastifyError | LockstepError,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  if (error instanceof HttpInputError)
    return answerProblem(reply, error.failure.code, error.message, error.failure.evidence);
  const known = error instanceof LockstepError && !(error instanceof AssertionError);
  const invalid = !known && 'validation' in error && error.validation !== undefined;
  if (!known && !invalid) request.log.error(error);
  const code = known ? error.code : invalid ? 'REQUEST_INVALID' : 'INTERNAL';
  const message = known || invalid ? error.message : 'the DX API failed; the log and the replica are untouched';
  return answerProblem(reply, code, message, known ? error.evidence : {});
}

function answerProblem(reply: FastifyReply, code: string, message: string, evidence: unknown): FastifyReply {
  return reply
    .code(httpStatusOf(code))
    .type('application/problem+json; charset=utf-8')
    .send(JSON.stringify({ error: { code, message, evidence: plain(evidence) } }));
}

async function send(reply: FastifyReply, answer: unknown): Promise<FastifyReply> {
  return reply.type('application/json; charset=utf-8').send(JSON.stringify(plain(answer)));
}
