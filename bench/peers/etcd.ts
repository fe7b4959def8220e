/** etcd beside us: three nodes of it on this machine; writes by the load client of the folder of peers, reads by etcd-reads.go. */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stop } from '../child.ts';
import type { LoadOptions, System } from '../system.ts';
import { freePorts, goBuilt, NODES, type PeerTools, peerload, startServer, until } from './peer-tools.ts';

const HERE = dirname(fileURLToPath(import.meta.url));

/** The system, or why it cannot be measured here. */
export function etcdOr(tools: PeerTools): System | string {
  const node = goBuilt(tools.built, 'etcdnode', join(tools.peers, 'go', 'etcdnode'));
  if ('why' in node) return node.why;
  const reads = readsBuilt(tools);
  return 'why' in reads ? reads.why : { name: 'etcd', start: (folder) => startEtcd(tools, reads.path, folder) };
}

/** Ours, with the modules that the load client of the peers names. */
function readsBuilt({ peers, built }: PeerTools): ReturnType<typeof goBuilt> {
  const source = join(built, 'etcd-reads-source');
  if (!existsSync(source)) {
    mkdirSync(source, { recursive: true });
    for (const file of ['go.mod', 'go.sum']) copyFileSync(join(peers, 'go', 'peerload', file), join(source, file));
    copyFileSync(join(HERE, 'etcd-reads.go'), join(source, 'main.go'));
  }
  return goBuilt(built, 'etcd-reads', source);
}

async function startEtcd(tools: PeerTools, reads: string, folder: string): ReturnType<System['start']> {
  const data = mkdtempSync(join(folder, 'etcd-'));
  const ports = await freePorts(NODES * 2);
  const url = (index: number): string => `http://127.0.0.1:${ports[index]}`;
  const cluster = Array.from({ length: NODES }, (_, node) => `e${node}=${url(NODES + node)}`).join(',');
  const children = Array.from({ length: NODES }, (_, node) =>
    startServer(join(data, `e${node}.log`), join(tools.built, 'etcdnode'), [
      ...['--name', `e${node}`, '--data-dir', join(data, `e${node}`), '--log-level', 'error'],
      ...['--listen-client-urls', url(node), '--advertise-client-urls', url(node)],
      ...['--listen-peer-urls', url(NODES + node), '--initial-advertise-peer-urls', url(NODES + node)],
      ...['--initial-cluster', cluster, '--initial-cluster-token', 'bench', '--initial-cluster-state', 'new'],
      ...['--quota-backend-bytes', '8589934592'],
    ]),
  );
  await Promise.all(children.map((_, node) => until(`etcd at ${url(node)}`, () => isHealthy(url(node)))));
  const addresses = children.map((_, node) => url(node)).join(',');
  const readsAs = (consistency: string) => (options: LoadOptions) =>
    peerload(reads, 'etcd', consistency, addresses, options);
  return {
    load: (options) => peerload(tools.peerload, 'etcd', 'etcd', addresses, options),
    reads: { linearizable: readsAs('linearizable'), committed: readsAs('serializable') },
    stop: async () => {
      await Promise.all(children.map(stop));
      rmSync(data, { recursive: true, force: true });
    },
  };
}

function isHealthy(url: string): Promise<boolean> {
  return fetch(`${url}/health`).then(
    (answer) => answer.ok,
    () => false,
  );
}
