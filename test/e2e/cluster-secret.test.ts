/**
 * Goal: a cluster of real processes with a cluster secret and no TLS serves; a replica with a wrong secret or none never joins,
 * and the cluster goes on; a process that reaches the port of a replica cannot speak as one; the secret changes by SIGHUP.
 * Method: three replicas that take one file from the environment, whose text changes before one of them starts again; one that
 * starts without it; a socket that speaks as a replica.
 */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { encodeFrame, FRAME_KINDS, FrameReader } from '../../impl/wire/frame.ts';
import { decodeGoodbye, encodeHello } from '../../impl/wire/hello.ts';
import { lockstep, TestCluster } from './cluster-harness.ts';

const WAIT_MS = 20_000;
const folder = mkdtempSync(join(tmpdir(), 'lockstep-secret-'));
const file = join(folder, 'cluster.secret');
const SETTING = 'LOCKSTEP_AUTH_CLUSTER_SECRET';
const STRANGE = 'a-secret-of-another-cluster-0123456789';
let cluster: TestCluster;
let right = '';

beforeAll(async () => {
  const made = await lockstep(['auth', 'make-secret', '--file', file]);
  right = readFileSync(file, 'utf8');
  expect([made.exitCode, made.stdout]).toEqual([0, `${file}\n`]);
  expect(made.stdout + made.stderr).not.toContain(right.trim());
  process.env[SETTING] = file; // every server that starts from here on inherits it
  cluster = await TestCluster.start();
}, 120_000);
afterAll(async () => {
  await cluster?.close();
  delete process.env[SETTING];
  rmSync(folder, { recursive: true, force: true });
});

/** Appends one event to the stream of that name, over the replicas that are there. */
async function append(data: string): Promise<void> {
  const { exitCode, stderr } = await lockstep(
    ['append', 's', '--create', '--url', cluster.urls.join(','), '--timeout-ms', String(WAIT_MS)],
    { input: `${data}\n` },
  );
  expect([exitCode, stderr]).toEqual([0, expect.anything()]);
}

/** How often each reason stands in the metrics of a replica. */
async function refused(replica: number, reason: string): Promise<number> {
  const text = await (await fetch(`${cluster.urls[replica]}/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith('lockstep_frames_refused_total') && one.includes(reason));
  return Number(line?.split(' ').at(-1) ?? 0);
}

const said = (replica: number, what: string): boolean => cluster.logOf(replica).some((line) => line.includes(what));

it('Cluster secret: make-secret writes one that is long, for its owner alone, and overwrites none', async () => {
  expect(right).toMatch(/^[A-Za-z0-9_-]{43}\n$/);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const again = await lockstep(['auth', 'make-secret', '--file', file, '--json']);
  expect([again.exitCode, JSON.parse(again.stderr)]).toMatchObject([1, { error: { code: 'CLI_FILE_UNWRITABLE' } }]);
  expect(readFileSync(file, 'utf8')).toBe(right);
});

it('Cluster secret: replicas that know it serve, and their log says what is on and what is not', async () => {
  await append('first');
  await cluster.level();
  expect(said(0, 'TLS is off')).toBe(true);
  expect(said(0, 'replicas prove nothing to each other')).toBe(false);
});

it.each([
  ['another secret', STRANGE, 'PEER_PROOF_WRONG'],
  ['none', undefined, 'PEER_PROOF_MISSING'],
])(
  'Cluster secret: a replica with %s never joins, says why, and the others go on',
  async (_, text, code) => {
    expect(await cluster.stop(2)).toBe(0);
    const before = await Promise.all([0, 1].map((replica) => refused(replica, code)));
    const lines = cluster.logOf(2).length;
    if (text === undefined) delete process.env[SETTING];
    else writeFileSync(file, `${text}\n`);
    await cluster.start(2);
    process.env[SETTING] = file;
    writeFileSync(file, right);
    await append(`while replica 2 has ${_}`);
    await cluster.eventually('it says why', WAIT_MS, async () =>
      cluster
        .logOf(2)
        .slice(lines)
        .some((line) => line.includes(code))
        ? true
        : undefined,
    );
    const status = await cluster.eventually('it answers', WAIT_MS, () => cluster.statusOf(2));
    const commit = await cluster.eventually('the others have committed more', WAIT_MS, async () => {
      const others = await Promise.all([0, 1].map((replica) => cluster.statusOf(replica)));
      const least = Math.min(...others.map((one) => one?.commit ?? 0));
      return least > status.commit ? least : undefined;
    });
    expect((await cluster.statusOf(2))?.commit).toBeLessThan(commit);
    expect(
      cluster
        .logOf(2)
        .slice(lines)
        .some((line) => line.includes('peer connected')),
    ).toBe(false);
    for (const replica of [0, 1])
      await cluster.eventually(`replica ${replica} counts it`, WAIT_MS, async () =>
        (await refused(replica, code)) > (before[replica] as number) ? true : undefined,
      );
    expect(await cluster.stop(2)).toBe(0);
    await cluster.start(2);
    await cluster.level();
  },
  120_000,
);

it('Cluster secret: a process that reaches the port is not taken for a replica; what it reflects is refused', async () => {
  const [host = '', port = ''] = (cluster.addresses[0] as string).split(':');
  const before = await refused(0, 'PEER_PROOF_WRONG');
  const codes: string[] = [];
  for (let visit = 0; visit < 5; visit++) {
    codes.push(
      await new Promise<string>((resolve) => {
        const socket = connect(Number(port), host);
        const reader = new FrameReader();
        const token = Buffer.alloc(32, visit).toString('base64url');
        const hello = encodeHello({
          role: 'peer',
          replica: 2,
          replicaCount: 3,
          to: 0,
          cluster: cluster.cluster,
          token,
        });
        socket.on('connect', () => socket.write(encodeFrame(FRAME_KINDS.hello, hello)));
        socket.on('data', (chunk: Buffer) =>
          reader.push(chunk, (kind, payload) => {
            // Its Hello ends with a challenge: that comes back as if it were a proof.
            const echoed = Buffer.from(payload.subarray(-43).toString('latin1'), 'base64url');
            if (kind === FRAME_KINDS.hello) socket.write(encodeFrame(FRAME_KINDS.peerProof, echoed));
            else resolve(kind === FRAME_KINDS.goodbye ? decodeGoodbye(payload).code : `kind ${kind}`);
          }),
        );
        socket.on('close', () => resolve('closed'));
        socket.on('error', () => {});
      }),
    );
  }
  expect(codes).toEqual(Array.from({ length: 5 }, () => 'PEER_PROOF_WRONG'));
  expect(await refused(0, 'PEER_PROOF_WRONG')).toBe(before + 5);
  await append('meanwhile');
  await cluster.level();
});

it('Cluster secret: changes by SIGHUP in three steps while requests are served; a wrong file changes nothing', async () => {
  const old = right;
  const next = `${STRANGE}\n`;
  for (const [step, text] of ['too short\n', old + next, next + old, next].entries()) {
    const what = step === 0 ? 'PEER_SECRET_INVALID' : 'certificates, keys and secrets are read again';
    const counts = cluster.replicas.map(
      (replica) => cluster.logOf(replica).filter((line) => line.includes(what)).length,
    );
    writeFileSync(file, text);
    for (const replica of cluster.replicas) {
      cluster.hangUp(replica);
      await cluster.eventually(`replica ${replica} says so`, WAIT_MS, async () =>
        cluster.logOf(replica).filter((line) => line.includes(what)).length > (counts[replica] as number)
          ? true
          : undefined,
      );
    }
    await append(`step ${step}`);
  }
  right = next;
  await cluster.kill(1);
  await cluster.start(1);
  await cluster.level();
  const { stdout } = await lockstep(['read', 's', '--url', cluster.urls[1] as string]);
  expect(stdout.split('\n').filter((line) => line.includes('step')).length).toBe(4);
  expect(cluster.deaths).toEqual([]);
}, 120_000);

it('Cluster secret: a file that holds none keeps a server from starting, and the log of one without is loud', async () => {
  const empty = join(folder, 'empty');
  writeFileSync(empty, '\n');
  const some = ['server', '--addresses', '127.0.0.1:1', '--http', '127.0.0.1:0', cluster.directoryOf(0), '--json'];
  const without = await lockstep([...some, '--auth-cluster-secret', empty]);
  expect([without.exitCode, JSON.parse(without.stderr.trim().split('\n').at(-1) as string)]).toMatchObject([
    1,
    { error: { code: 'PEER_SECRET_INVALID' } },
  ]);
  delete process.env[SETTING];
  const plain = await TestCluster.start({ replicas: 1 });
  try {
    const line = plain.logOf(0).find((one) => one.includes('replicas prove nothing to each other'));
    expect(JSON.parse(line ?? '{}')).toMatchObject({ level: 40, clusterSecret: false, tls: false });
  } finally {
    await plain.close();
  }
});
