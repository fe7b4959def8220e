/** Routes of the DX API about the replica's state: status, log, replication, and what of it has no component yet. */
import type { FastifyInstance } from 'fastify';
import type { DxSource } from '../server/dx-source.ts';
import { checkpointsData, indexesData, mvccData, type Partial, snapshotsData } from './absent-data.ts';
import { send } from './dx-answers.ts';
import {
  CheckpointsData,
  dxSchema,
  IndexesData,
  LOG_LIMIT_DEFAULT,
  LogBodiesData,
  LogData,
  LogQuery,
  MvccData,
  ReplicationData,
  SnapshotsData,
  StatusData,
} from './dx-schemas.ts';
import { bodiesData, logData, replicationData } from './log-data.ts';
import { connectionNotes, envelope } from './observed.ts';
import { statusData } from './status.ts';

const config = { role: 'dx' } as const;

export function stateRoutes(app: FastifyInstance, source: DxSource): void {
  app.get(
    '/v1/dx/status',
    { config, schema: dxSchema('dxStatus', 'Role, status, view, op and commit of this replica', StatusData) },
    async (_request, reply) => send(reply, envelope(source, statusData(source), connectionNotes(source))),
  );

  app.get<{ Querystring: { from?: number; limit?: number } }>(
    '/v1/dx/log',
    {
      config,
      schema: dxSchema('dxLog', 'Entries of the log with their hashes, the newest without `from`', LogData, {
        querystring: LogQuery,
      }),
    },
    async (request, reply) => {
      const { limit = LOG_LIMIT_DEFAULT } = request.query;
      const { from = Math.max(1, source.replica.op - limit + 1) } = request.query;
      return send(reply, envelope(source, logData(source, from, limit)));
    },
  );

  // The data of streams stands in these bodies: who may read streams may read them, and nobody else.
  app.get<{ Querystring: { from?: number; limit?: number } }>(
    '/v1/dx/log/bodies',
    {
      config: { role: 'read' },
      schema: dxSchema('dxLogBodies', 'What the hashes of entries cover beside their headers', LogBodiesData, {
        querystring: LogQuery,
      }),
    },
    async (request, reply) => {
      const { limit = LOG_LIMIT_DEFAULT } = request.query;
      const { from = Math.max(1, source.replica.op - limit + 1) } = request.query;
      return send(reply, envelope(source, bodiesData(source, from, limit)));
    },
  );

  app.get(
    '/v1/dx/replication',
    { config, schema: dxSchema('dxReplication', 'How far each replica is known to be', ReplicationData) },
    async (_request, reply) => send(reply, envelope(source, replicationData(source), connectionNotes(source))),
  );

  const partial = (read: (of: DxSource) => Partial) => {
    const { data, notes } = read(source);
    return envelope(source, data, notes);
  };
  app.get(
    '/v1/dx/mvcc',
    { config, schema: dxSchema('dxMvcc', 'Versions of the state that can be read', MvccData) },
    async (_request, reply) => send(reply, partial(mvccData)),
  );
  app.get(
    '/v1/dx/snapshots',
    { config, schema: dxSchema('dxSnapshots', 'Snapshots that a replica could catch up from', SnapshotsData) },
    async (_request, reply) => send(reply, partial(snapshotsData)),
  );
  app.get(
    '/v1/dx/checkpoints',
    { config, schema: dxSchema('dxCheckpoints', 'Signed consistent cuts of the log', CheckpointsData) },
    async (_request, reply) => send(reply, partial(checkpointsData)),
  );
  app.get(
    '/v1/dx/indexes',
    { config, schema: dxSchema('dxIndexes', 'What finds entries and events, and how large it is', IndexesData) },
    async (_request, reply) => send(reply, partial(indexesData)),
  );
}
