/**
 * A cluster of one real replica in this process, on a real disk in a temporary folder, for tests of what it answers over
 * HTTP. Its one fsync is a quorum, so it serves at once.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import getPort from 'get-port';
import { pino } from 'pino';
import { formatDirectory } from '../../../impl/cli/data-directories.ts';
import { startReplicaServer } from '../../../impl/server/replica-server.ts';
import type { DxPlugin, RunningServer, ServerConfig } from '../../../impl/server/server-config.ts';

export interface OneReplica {
  readonly server: RunningServer;
  readonly url: string;
  close(): Promise<void>;
}

export async function startOneReplica(changed: Partial<ServerConfig> = {}, dx?: DxPlugin): Promise<OneReplica> {
  const folder = mkdtempSync(join(tmpdir(), 'lockstep-http-'));
  const directory = join(folder, 'data');
  formatDirectory(directory, { cluster: 7n, replica: 0, replicaCount: 1 });
  const config: ServerConfig = {
    directory,
    addresses: [{ host: '127.0.0.1', port: await getPort() }],
    http: { host: '127.0.0.1', port: 0 },
    dx: dx !== undefined,
    limits: {},
    ...changed,
  };
  const parts = { logger: pino({ level: 'silent' }), ...(dx === undefined ? {} : { dx }) };
  const server = await startReplicaServer(config, parts);
  const { host, port } = server.httpAddress;
  return {
    server,
    url: `http://${host}:${port}`,
    async close() {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
