/**
 * etcd beside us: three nodes of it on this machine, driven by the load client of the folder of peers (BENCH_PEERS, else
 * ../shared/peers), built with Go into build/peers. Without that folder or Go the column says why it is empty.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import getPort from 'get-port';
import { outputOf, stop } from '../child.ts';
import type { LoadResult } from '../load-result.ts';
import type { LoadOptions, System } from '../system.ts';

const NODES = 3;
const READY_MS_MAX = 30_000;

/** The system, or why it cannot be measured here. */
export function etcdOr(root: string): System | string {
  const peers = resolve(root, process.env.BENCH_PEERS ?? '../shared/peers');
  if (!existsSync(join(peers, 'go', 'etcdnode')))
    return 'no folder of peers (set BENCH_PEERS to the one that holds go/etcdnode and go/peerload)';
  if (spawnSync('go', ['version']).status !== 0) return 'Go is missing';
  const bin = join(root, 'build', 'peers');
  mkdirSync(bin, { recursive: true });
  for (const name of ['etcdnode', 'peerload']) {
    if (existsSync(join(bin, name))) continue;
    process.stderr.write(`building ${name}\n`);
    const built = spawnSync('go', ['build', '-o', join(bin, name), '.'], {
      cwd: join(peers, 'go', name),
      encoding: 'utf8',
    });
    if (built.status !== 0) return `go build of ${name} failed: ${built.stderr.trim().split('\n').at(-1)}`;
  }
  return { name: 'etcd', start: (folder) => startEtcd(bin, folder) };
}

async function startEtcd(bin: string, folder: string): ReturnType<System['start']> {
  const data = mkdtempSync(join(folder, 'etcd-'));
  const ports = await Promise.all(Array.from({ length: NODES * 2 }, () => getPort({ host: '127.0.0.1' })));
  const url = (index: number): string => `http://127.0.0.1:${ports[index]}`;
  const cluster = Array.from({ length: NODES }, (_, node) => `e${node}=${url(NODES + node)}`).join(',');
  const children = Array.from({ length: NODES }, (_, node) =>
    spawn(
      join(bin, 'etcdnode'),
      [
        ...['--name', `e${node}`, '--data-dir', join(data, `e${node}`), '--log-level', 'error'],
        ...['--listen-client-urls', url(node), '--advertise-client-urls', url(node)],
        ...['--listen-peer-urls', url(NODES + node), '--initial-advertise-peer-urls', url(NODES + node)],
        ...['--initial-cluster', cluster, '--initial-cluster-token', 'bench', '--initial-cluster-state', 'new'],
        ...['--quota-backend-bytes', '8589934592'],
      ],
      { stdio: 'ignore' },
    ),
  );
  await Promise.all(children.map((_, node) => untilHealthy(url(node))));
  const addresses = children.map((_, node) => url(node)).join(',');
  return {
    load: (options) => peerload(bin, addresses, options),
    stop: async () => {
      await Promise.all(children.map(stop));
      rmSync(data, { recursive: true, force: true });
    },
  };
}

async function untilHealthy(url: string): Promise<void> {
  const deadline = performance.now() + READY_MS_MAX;
  while (performance.now() < deadline) {
    const healthy = await fetch(`${url}/health`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (healthy) return;
    await new Promise((wake) => setTimeout(wake, 100));
  }
  throw new Error(`etcd at ${url} was not healthy within ${READY_MS_MAX} ms`);
}

interface PeerloadLine {
  readonly concurrency: number;
  readonly ops_per_s: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly errors: number;
}

async function peerload(bin: string, addresses: string, options: LoadOptions): Promise<LoadResult> {
  const { inFlight, bytes, warmSeconds, seconds } = options;
  const text = await outputOf(join(bin, 'peerload'), [
    ...['-peer', 'etcd', '-addrs', addresses, '-levels', String(inFlight), '-size', String(bytes)],
    ...['-warm', `${warmSeconds}s`, '-dur', `${seconds}s`, 'etcd'],
  ]);
  const line = text.split('\n').find((candidate) => candidate.startsWith('{'));
  if (line === undefined) throw new Error(`peerload printed no result: ${text.slice(-400)}`);
  const row = JSON.parse(line) as PeerloadLine;
  return {
    system: 'etcd',
    inFlight: row.concurrency,
    opsPerSecond: row.ops_per_s,
    p50Ms: row.p50_ms,
    p99Ms: row.p99_ms,
    errors: row.errors,
  };
}
