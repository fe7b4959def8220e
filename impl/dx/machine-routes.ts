/** Routes of the DX API about machines: list, definition, history, dry run. */
import { Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { definitionOf } from '../../machines/definition.ts';
import type { DxSource } from '../server/dx-source.ts';
import { responses } from '../server/http-answers.ts';
import { machineOf, send } from './dx-answers.ts';
import { DxError } from './dx-error.ts';
import {
  CanData,
  CanQuery,
  dxSchema,
  envelopeOf,
  FormatQuery,
  HISTORY_LIMIT_DEFAULT,
  HistoryData,
  HistoryQuery,
  MachineData,
  MachineParams,
  MachinesData,
  RecordData,
  RecordParams,
} from './dx-schemas.ts';
import { eventFields } from './event-fields.ts';
import { dryRun, historyData, machineDefinition, machineList, recordData } from './machine-data.ts';
import { mermaidOf, scxmlOf } from './machine-formats.ts';
import { envelope } from './observed.ts';

const config = { role: 'dx' } as const;
const SCXML = 'application/scxml+xml';

interface MachineRequest {
  readonly Params: { readonly name: string };
}

export function machineRoutes(app: FastifyInstance, source: DxSource): void {
  app.get(
    '/v1/dx/machines',
    { config, schema: dxSchema('dxMachines', 'Every machine that runs, and its state', MachinesData) },
    async (_request, reply) => send(reply, envelope(source, machineList(source))),
  );

  app.get<MachineRequest & { Querystring: { format?: 'json' | 'mermaid' | 'scxml' } }>(
    '/v1/dx/machines/:name',
    {
      config,
      schema: dxSchema('dxMachine', 'A machine with its TLA+ actions and source lines', MachineData, {
        params: MachineParams,
        querystring: FormatQuery,
        response: {
          ...responses(200, '', undefined, [404]),
          200: {
            description: 'As JSON, as text of Mermaid, or as SCXML (W3C), by `format`.',
            content: {
              'application/json': { schema: envelopeOf(MachineData) },
              'text/plain': { schema: Type.String() },
              [SCXML]: { schema: Type.String() },
            },
          },
        },
      }),
    },
    async (request, reply) => {
      const live = machineOf(source, request.params.name);
      const { format = 'json' } = request.query;
      if (format === 'mermaid')
        return reply.type('text/plain; charset=utf-8').send(mermaidOf(definitionOf(live.machine)));
      if (format === 'scxml') return reply.type(SCXML).send(scxmlOf(definitionOf(live.machine)));
      return send(reply, envelope(source, machineDefinition(live)));
    },
  );

  app.get<MachineRequest & { Querystring: { limit?: number } }>(
    '/v1/dx/machines/:name/history',
    {
      config,
      schema: dxSchema('dxHistory', 'The last events of a machine, the newest last', HistoryData, {
        params: MachineParams,
        querystring: HistoryQuery,
      }),
    },
    async (request, reply) => {
      const { name } = machineOf(source, request.params.name);
      const records = source.history(name, request.query.limit ?? HISTORY_LIMIT_DEFAULT);
      return send(reply, envelope(source, historyData(records), [], records.at(-1)?.sequence ?? 0));
    },
  );

  app.get<{ Params: { name: string; sequence: number } }>(
    '/v1/dx/machines/:name/history/:sequence',
    {
      config,
      schema: dxSchema('dxHistoryRecord', 'One event, with what each guard answered and read', RecordData, {
        params: RecordParams,
      }),
    },
    async (request, reply) => {
      const { sequence } = request.params;
      const { name } = machineOf(source, request.params.name);
      const record = source.history(name, Number.MAX_SAFE_INTEGER).find((one) => one.sequence === sequence);
      if (record === undefined)
        throw new DxError('NOT_FOUND', `no event ${sequence} is in the history of ${name} any more`, { sequence });
      return send(reply, envelope(source, recordData(record), [], sequence));
    },
  );

  app.get<MachineRequest & { Querystring: { event: string } & Record<string, string> }>(
    '/v1/dx/machines/:name/can',
    {
      config,
      schema: dxSchema('dxCan', 'Whether an event would be taken, and by which guards; nothing is done', CanData, {
        params: MachineParams,
        querystring: CanQuery,
      }),
    },
    async (request, reply) => {
      const live = machineOf(source, request.params.name);
      const { event, ...fields } = request.query;
      const { events } = definitionOf(live.machine);
      if (!events.includes(event))
        throw new DxError('NOT_FOUND', `${live.name} has no event ${event}: it has ${events.join(', ')}`, {
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
}
