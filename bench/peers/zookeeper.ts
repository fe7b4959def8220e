/** ZooKeeper beside us: an ensemble of three that syncs every write (forceSync), from the jars that Maven fetches. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stop } from '../child.ts';
import type { System } from '../system.ts';
import { freePorts, listens, NODES, type PeerTools, peerload, startServer, until } from './peer-tools.ts';

const FETCH_MS_MAX = 300_000;
/** Once, before the first level: the JVM compiles. */
const PREWARM_SECONDS = 10;

export function zookeeperOr(tools: PeerTools): System | string {
  if (spawnSync('java', ['-version']).status !== 0) return 'Java is missing';
  const jars = join(tools.built, 'zookeeper');
  if (!existsSync(jars)) {
    process.stderr.write('fetching zookeeper\n');
    const pom = join(tools.built, 'zookeeper-pom.xml');
    copyFileSync(join(tools.peers, 'zk', 'pom.xml'), pom);
    const words = ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${jars}.part`];
    const { status, error } = spawnSync('mvn', words, { encoding: 'utf8', timeout: FETCH_MS_MAX });
    if (error !== undefined || status !== 0) return 'Maven could not fetch its jars';
    renameSync(`${jars}.part`, jars);
  }
  return { name: 'ZooKeeper', start: (folder) => startZookeeper(tools, jars, folder) };
}

async function startZookeeper(tools: PeerTools, jars: string, folder: string): ReturnType<System['start']> {
  const data = mkdtempSync(join(folder, 'zookeeper-'));
  const ports = await freePorts(NODES * 3);
  const ensemble = Array.from(
    { length: NODES },
    (_, node) => `server.${node + 1}=127.0.0.1:${ports[NODES + node]}:${ports[2 * NODES + node]}`,
  ).join('\n');
  const children = Array.from({ length: NODES }, (_, node) => {
    const own = join(data, `z${node + 1}`);
    mkdirSync(own);
    writeFileSync(join(own, 'myid'), String(node + 1));
    writeFileSync(
      `${own}.cfg`,
      `tickTime=2000
initLimit=10
syncLimit=5
dataDir=${own}
clientPort=${ports[node]}
clientPortAddress=127.0.0.1
maxClientCnxns=0
forceSync=yes
admin.enableServer=false
${ensemble}
`,
    );
    const words = ['-Xms512m', '-Xmx1g', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-cp', join(jars, '*')];
    return startServer(`${own}.log`, 'java', [
      ...words,
      'org.apache.zookeeper.server.quorum.QuorumPeerMain',
      `${own}.cfg`,
    ]);
  });
  await Promise.all(
    children.map((_, node) => until(`zookeeper at ${ports[node]}`, () => listens(ports[node] as number))),
  );
  const addresses = children.map((_, node) => `127.0.0.1:${ports[node]}`).join(',');
  let isWarm = false;
  return {
    load: (options) => {
      const more = isWarm ? [] : ['-prewarm', `${PREWARM_SECONDS}s`];
      isWarm = true;
      return peerload(tools.peerload, 'ZooKeeper', 'zk', addresses, options, more);
    },
    stop: async () => {
      await Promise.all(children.map(stop));
      rmSync(data, { recursive: true, force: true });
    },
  };
}
