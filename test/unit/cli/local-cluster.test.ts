/**
 * Goal: the folder of a cluster is made once and never overwritten; replicas are processes that stop when asked, are
 * reported when they die, and never outlive us. Method: a scripted program in the place of the server.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { CliError } from '../../../impl/cli/cli-error.ts';
import { LocalCluster, type LocalClusterOptions, type ReplicaIdentity } from '../../../impl/cli/local-cluster.ts';
import { RealClock } from '../../../impl/ports/real-clock.ts';
import { RealRandom } from '../../../impl/ports/real-random.ts';

/** Prints the ready line, stops on SIGTERM and when its standard input ends; `die` in its folder ends it at once. */
const FAKE_SERVER = `
  const { existsSync } = require('node:fs');
  const dir = process.argv.at(-3);
  process.stderr.write('opening ' + dir + '\\n');
  process.stderr.write('{"level":30,"msg":"all is well"}\\n{"level":60,"msg":"the end","err":{"message":"no luck"}}\\n');
  if (existsSync(dir + '/refuse')) { process.stderr.write('refused to start\\n'); process.exit(1); }
  process.stdin.on('end', () => process.exit(0)).resume();
  process.on('SIGTERM', () => process.exit(existsSync(dir + '/dirty') ? 1 : 0));
  console.log('noise');
  console.log(JSON.stringify({ event: 'ready', replica: 0, pid: process.pid, args: process.argv.slice(1) }));
`;

const folder = mkdtempSync(join(tmpdir(), 'lockstep-local-cluster-'));
const open: LocalCluster[] = [];
let clusters = 0;

afterEach(async () => {
  for (const cluster of open.splice(0)) {
    cluster.killAll();
    await Promise.all([0, 1, 2].map((replica) => cluster.endOf(replica)));
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Opened {
  readonly cluster: LocalCluster;
  readonly formatted: readonly ReplicaIdentity[];
  readonly deaths: readonly CliError[];
}

function freshFolder(): string {
  clusters += 1;
  return join(folder, `cluster-${clusters}`);
}

async function openCluster(options: Partial<LocalClusterOptions> & { folder: string }): Promise<Opened> {
  const formatted: ReplicaIdentity[] = [];
  const deaths: CliError[] = [];
  const cluster = await LocalCluster.open(
    { replicas: 3, port: 0, serverArgs: [], ...options },
    {
      clock: new RealClock(),
      random: new RealRandom(),
      format: (directory, identity) => {
        if (existsSync(`${directory}-fails`)) throw new Error('disk full');
        mkdirSync(directory, { recursive: true });
        writeFileSync(join(directory, 'superblock'), '');
        formatted.push(identity);
      },
      command: [process.execPath, '-e', FAKE_SERVER],
      onDeath: (_, error) => deaths.push(error),
    },
  );
  open.push(cluster);
  return { cluster, formatted, deaths };
}

const codeOf = (opening: Promise<unknown>): Promise<unknown> =>
  opening.then(
    () => 'nothing was refused',
    (cause: unknown) => cause,
  );

describe('the folder of a local cluster', () => {
  it('is formatted on first use with one random cluster id, and kept as it is afterwards', async () => {
    const at = freshFolder();
    const first = await openCluster({ folder: at });
    expect(first.formatted.map(({ replica, replicaCount }) => [replica, replicaCount])).toEqual([
      [0, 3],
      [1, 3],
      [2, 3],
    ]);
    expect(first.cluster.formatted).toBe(true);
    const again = await openCluster({ folder: at });
    expect(again.formatted).toEqual([]);
    expect(again.cluster.formatted).toBe(false);
    expect(again.cluster.cluster).toBe(first.cluster.cluster);
    expect((await openCluster({ folder: freshFolder() })).cluster.cluster).not.toBe(first.cluster.cluster);
  });

  it('a format that was cut off goes on with the same cluster id', async () => {
    const at = freshFolder();
    mkdirSync(join(at, 'replica-2-fails'), { recursive: true });
    expect(String(await codeOf(openCluster({ folder: at })))).toContain('disk full');
    rmSync(join(at, 'replica-2-fails'), { recursive: true });
    mkdirSync(join(at, 'replica-2')); // without a superblock: not formatted
    const again = await openCluster({ folder: at });
    expect(again.formatted).toEqual([{ cluster: again.cluster.cluster, replica: 2, replicaCount: 3 }]);
    expect(JSON.parse(readFileSync(join(at, 'cluster.json'), 'utf8'))).toMatchObject({
      cluster: String(again.cluster.cluster),
      formatted: true,
    });
  });

  it('a replica whose folder is gone is never formatted anew', async () => {
    const at = freshFolder();
    await openCluster({ folder: at });
    rmSync(join(at, 'replica-1'), { recursive: true });
    expect(await codeOf(openCluster({ folder: at }))).toMatchObject({
      code: 'CLI_CLUSTER_MISMATCH',
      message: expect.stringContaining('replica-1 is gone') as string,
    });
    expect(existsSync(join(at, 'replica-1'))).toBe(false);
  });

  it('another number of replicas, a damaged cluster.json and a missing one are refused, and nothing is written', async () => {
    const at = freshFolder();
    await openCluster({ folder: at });
    const file = join(at, 'cluster.json');
    const was = readFileSync(file, 'utf8');
    expect(await codeOf(openCluster({ folder: at, replicas: 5 }))).toMatchObject({
      code: 'CLI_CLUSTER_MISMATCH',
      message: expect.stringMatching(/cluster of 3 replicas, not 5: use --replicas 3/) as string,
    });
    expect(existsSync(join(at, 'replica-3'))).toBe(false);
    writeFileSync(file, was.slice(0, 9));
    expect(await codeOf(openCluster({ folder: at }))).toMatchObject({ code: 'CLI_CLUSTER_MISMATCH' });
    rmSync(file);
    expect(await codeOf(openCluster({ folder: at }))).toMatchObject({
      code: 'CLI_CLUSTER_MISMATCH',
      message: expect.stringMatching(/replica-0 exists, but .*cluster\.json does not/) as string,
    });
    expect(existsSync(file)).toBe(false);
  });

  it('a place where nothing can be written is refused with its name', async () => {
    const at = join(freshFolder(), 'file', 'below');
    mkdirSync(join(at, '..', '..'));
    writeFileSync(join(at, '..'), '');
    expect(await codeOf(openCluster({ folder: at }))).toMatchObject({ code: 'CLI_FILE_UNWRITABLE' });
  });

  it('a busy port is named with what was to listen there, before anything is made', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const at = freshFolder();
    const error = await codeOf(openCluster({ folder: at, port: port - 101 }));
    await new Promise((resolve) => server.close(resolve));
    expect(error).toMatchObject({ code: 'CLI_PORT_BUSY' });
    expect(String(error)).toContain(`127.0.0.1:${port} (replica 1) is in use`);
    expect(existsSync(at)).toBe(false);
  });
});

describe('the processes of a local cluster', () => {
  it('start with their own address and directory, and stop cleanly on SIGTERM', async () => {
    const { cluster, deaths } = await openCluster({ folder: freshFolder(), serverArgs: ['--no-dx'] });
    const lines = await Promise.all([0, 1, 2].map((replica) => cluster.start(replica)));
    expect(new Set(lines.map(({ pid }) => pid)).size).toBe(3);
    expect((lines[1] as unknown as { args: string[] }).args).toEqual([
      ...['server', '--addresses', cluster.addresses.join(','), '--http', cluster.http[1]],
      ...['--http-addresses', cluster.http.join(',')],
      ...['--cluster', String(cluster.cluster), '--replica', '1', '--no-dx'],
      ...[cluster.directoryOf(1), '--json', '--stop-with-stdin'],
    ]);
    expect(cluster.alive).toBe(3);
    expect(await cluster.stop()).toBe(true);
    expect([cluster.alive, deaths]).toEqual([0, []]);
    expect(readFileSync(cluster.logFileOf(0), 'utf8')).toContain(`opening ${cluster.directoryOf(0)}\n`);
  });

  it('a replica that ends badly on SIGTERM makes the stop unclean', async () => {
    const { cluster } = await openCluster({ folder: freshFolder() });
    await cluster.start(0);
    writeFileSync(join(cluster.directoryOf(0), 'dirty'), '');
    expect(await cluster.stop()).toBe(false);
  });

  it('a start that fails carries the last lines of the server', async () => {
    const { cluster } = await openCluster({ folder: freshFolder() });
    writeFileSync(join(cluster.directoryOf(0), 'refuse'), '');
    expect(await codeOf(cluster.start(0))).toMatchObject({
      code: 'CLI_REPLICA_DIED',
      message: expect.stringMatching(
        /replica 0 ended with exit code 1\. It said:\nopening .*\nthe end: no luck\nrefused to start$/,
      ) as string,
    });
  });

  it('a kill is reported with its signal, once', async () => {
    const { cluster, deaths } = await openCluster({ folder: freshFolder() });
    await cluster.start(0);
    cluster.signal(0, 'SIGKILL');
    expect(await cluster.endOf(0)).toEqual({ code: null, signal: 'SIGKILL' });
    await Promise.resolve();
    expect(deaths.map(({ message }) => message.split('.')[0])).toEqual(['replica 0 was killed by SIGKILL']);
  });
});
