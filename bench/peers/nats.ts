/** NATS JetStream beside us: a stream with three replicas, and a sync of the file for every message (sync_interval: always). */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stop } from '../child.ts';
import type { System } from '../system.ts';
import { freePorts, goBuilt, listens, NODES, type PeerTools, peerload, startServer, until } from './peer-tools.ts';

/** As in the folder of peers. */
const MODULE = 'github.com/nats-io/nats-server/v2@v2.15.2';

export function natsOr(tools: PeerTools): System | string {
  const server = goBuilt(tools.built, 'nats-server', tools.built, ['install', MODULE]);
  return 'why' in server ? server.why : { name: 'NATS', start: (folder) => startNats(tools, server.path, folder) };
}

async function startNats(tools: PeerTools, server: string, folder: string): ReturnType<System['start']> {
  const data = mkdtempSync(join(folder, 'nats-'));
  const ports = await freePorts(NODES * 2);
  const routes = Array.from({ length: NODES }, (_, node) => `nats://127.0.0.1:${ports[NODES + node]}`).join(', ');
  const children = Array.from({ length: NODES }, (_, node) => {
    const store = join(data, `n${node}`);
    mkdirSync(store);
    writeFileSync(
      `${store}.conf`,
      `server_name: n${node}
listen: 127.0.0.1:${ports[node]}
jetstream { store_dir: "${store}", sync_interval: always, max_memory_store: 1GB, max_file_store: 40GB }
cluster { name: bench, listen: 127.0.0.1:${ports[NODES + node]}, routes: [ ${routes} ] }
`,
    );
    return startServer(`${store}.log`, server, ['-c', `${store}.conf`]);
  });
  await Promise.all(
    children.map((_, node) => until(`nats-server at ${ports[node]}`, () => listens(ports[node] as number))),
  );
  const addresses = children.map((_, node) => `nats://127.0.0.1:${ports[node]}`).join(',');
  return {
    load: (options) => peerload(tools.peerload, 'NATS', 'nats', addresses, options),
    stop: async () => {
      await Promise.all(children.map(stop));
      rmSync(data, { recursive: true, force: true });
    },
  };
}
