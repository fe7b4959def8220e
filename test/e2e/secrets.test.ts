/**
 * Goal: nothing secret comes out of a replica: not in its log, not in an error, not in --print-config, metrics or explanations.
 * Method: secrets that occur nowhere else are planted in every place where one can be given, right and wrong: files, settings,
 * headers, queries, bodies, tokens of both protocols; then everything that the program says is searched for each of them,
 * and for their encodings. The log is at its most talkative.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { HttpsRequests } from '../../impl/cli/https-request.ts';
import { LockstepClient } from '../../impl/client/index.ts';
import { lockstep, TestCluster } from './cluster-harness.ts';

const folder = mkdtempSync(join(tmpdir(), 'lockstep-secrets-'));
const keysFile = join(folder, 'keys.jsonl');
const jwksFile = join(folder, 'jwks.json');
/** By what they are. Each is looked for as it is, and in base64. */
const planted = new Map<string, string>();
/** By where it was said. */
const said = new Map<string, string>();
let cluster: TestCluster;
const clusterFile = join(folder, 'cluster.secret');
let adminKey = '';

function plant(what: string): string {
  const secret = `planted${randomBytes(18).toString('hex')}`;
  planted.set(what, secret);
  return secret;
}

function hear(where: string, text: string): void {
  said.set(where, `${said.get(where) ?? ''}${text}\n`);
}

async function addKey(role: string): Promise<string> {
  const { stdout, exitCode } = await lockstep([
    'auth',
    'add-key',
    '--role',
    role,
    '--file',
    keysFile,
    '--name',
    `for ${role}`,
  ]);
  expect(exitCode).toBe(0);
  planted.set(`the API key of ${role}`, stdout.trim().slice(-43));
  return stdout.trim();
}

beforeAll(async () => {
  adminKey = await addKey('admin');
  const secret = randomBytes(32);
  planted.set('the secret of tokens', secret.toString('base64url'));
  const jwks = { keys: [{ kty: 'oct', alg: 'HS256', kid: 'one', k: secret.toString('base64url') }] };
  writeFileSync(jwksFile, JSON.stringify(jwks));
  expect((await lockstep(['auth', 'make-secret', '--file', clusterFile])).exitCode).toBe(0);
  planted.set('the cluster secret', readFileSync(clusterFile, 'utf8').trim());
  cluster = await TestCluster.start({
    tls: true,
    token: adminKey,
    serverArgs: [
      '--auth-keys',
      keysFile,
      '--auth-jwt-keys',
      jwksFile,
      '--auth-cluster-secret',
      clusterFile,
      '--log-level',
      'debug',
    ],
  });
  for (const replica of cluster.replicas) {
    const key = readFileSync(join(cluster.tlsFolder as string, `replica-${replica}.key`), 'utf8');
    planted.set(`the TLS key of replica ${replica}`, key.split('\n')[1] as string);
  }
  const token = await new SignJWT({ roles: ['write'], sub: 'ann', exp: 4_000_000_000 })
    .setProtectedHeader({ alg: 'HS256', kid: 'one' })
    .sign(secret);
  planted.set('the signature of a good token', token.split('.')[2] as string);

  const tls = { authority: readFileSync(join(cluster.tlsFolder as string, 'authority.pem'), 'utf8') };
  const https = new HttpsRequests(tls);
  const visit = async (
    where: string,
    path: string,
    headers: Record<string, string> = {},
    body?: string,
  ): Promise<void> => {
    for (const url of cluster.urls) {
      const method = body === undefined ? 'GET' : 'POST';
      const answer = await https.send(new URL(url + path), { method, headers, body, timeoutMs: 5_000 });
      hear(where, `${answer.status} ${answer.text}`);
    }
  };
  const bearer = (text: string): Record<string, string> => ({ authorization: `Bearer ${text}` });
  const json = { 'content-type': 'application/json', ...bearer(adminKey) };
  await visit('wrong key', '/v1/streams', bearer(`lsk_000000000000_${plant('a wrong key').slice(0, 43)}`));
  await visit('wrong token', '/v1/streams', bearer(plant('a wrong token')));
  await visit('wrong scheme', '/v1/streams', { authorization: `Basic ${plant('a password in Basic')}` });
  await visit('cookie', '/v1/streams', { ...bearer(adminKey), cookie: `session=${plant('a cookie')}` });
  await visit('good token', '/v1/streams', bearer(token));
  await visit('good token, no role', '/v1/dx/status', bearer(token));
  await visit('token in the query', `/health?access_token=${plant('a token in a query')}`, {});
  await visit(
    'token in the query of a refusal',
    `/v1/streams?token=${plant('a token in a refused query')}`,
    bearer(adminKey),
  );
  await visit('body that is no JSON', '/v1/streams', json, `{"name": ${plant('a body that is no JSON')}`);
  await visit(
    'body with another field',
    '/v1/streams',
    json,
    JSON.stringify({ name: 's', password: plant('a field of a body') }),
  );
  await visit('good body', '/v1/streams', json, JSON.stringify({ name: 's' }));
  await visit(
    'events',
    '/v1/streams/s/events',
    json,
    JSON.stringify({ events: [{ data: plant('what was written') }] }),
  );

  const addresses = cluster.addresses.map((address) => {
    const [host = '', port = ''] = address.split(':');
    return { host, port: Number(port) };
  });
  for (const one of [plant('a wrong token over the binary protocol'), token, adminKey]) {
    const client = new LockstepClient({ addresses, tls, token: one, timeoutMs: 3_000 });
    await client.append('s', ['x']).then(
      () => hear('binary', 'applied'),
      (cause: unknown) => hear('binary', String(cause)),
    );
    client.close();
  }

  await visit('metrics', '/metrics', bearer(adminKey));
  const dx = [
    'status',
    'log',
    'machines',
    'machines/Vsr/history',
    'explain/replica',
    'explain/refusal',
    'explain/commit?op=2',
  ];
  for (const path of dx) await visit(`dx ${path}`, `/v1/dx/${path}`, bearer(adminKey));
  // Files that are spoilt while it runs.
  const keys = readFileSync(keysFile, 'utf8');
  writeFileSync(keysFile, `${keys}${plant('a line of the file of keys')}\n`);
  cluster.hangUp(0);
  await cluster.eventually('it is said that the file is wrong', 10_000, async () =>
    cluster.logOf(0).some((line) => line.includes('AUTH_KEYS_INVALID')) ? true : undefined,
  );
  writeFileSync(keysFile, keys);
  // Another secret that a replica takes up: the next that is dialled by it, or dials it, is refused.
  writeFileSync(clusterFile, `${plant('another cluster secret')}\n`);
  cluster.hangUp(1);
  await cluster.eventually('it is read', 10_000, async () =>
    cluster.logOf(1).some((line) => line.includes('secrets are read again')) ? true : undefined,
  );
  await cluster.kill(2);
  await cluster.start(2);
  await cluster.eventually('a replica is refused for its secret', 10_000, async () =>
    cluster
      .logOf(1)
      .concat(cluster.logOf(2))
      .some((line) => line.includes('PEER_PROOF_WRONG'))
      ? true
      : undefined,
  );
  writeFileSync(clusterFile, `${plant('a cluster secret with a space')} ${plant('its other half')}\n`);
  cluster.hangUp(0);
  await cluster.eventually('it is said that the secret is wrong', 10_000, async () =>
    cluster.logOf(0).some((line) => line.includes('PEER_SECRET_INVALID')) ? true : undefined,
  );
  for (const replica of cluster.replicas) await visit(`metrics of ${replica}, again`, '/metrics', bearer(adminKey));
  for (const replica of cluster.replicas) hear(`log of replica ${replica}`, cluster.logOf(replica).join('\n'));
}, 120_000);

afterAll(async () => {
  await cluster?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What was written is not secret to those who may read it: it is in answers and in the log of a replica's entries only. */
const MAY_SAY: Readonly<Record<string, RegExp>> = { 'what was written': /^dx log/ };

it('Secrets: none is in a log, an answer, an error, a metric or an explanation', () => {
  expect(said.size).toBeGreaterThan(20);
  expect([...said.values()].join('').length).toBeGreaterThan(20_000);
  const found: string[] = [];
  for (const [what, secret] of planted)
    for (const [where, text] of said) {
      const forms = [secret, Buffer.from(secret).toString('base64').replaceAll('=', '')];
      if (forms.some((form) => text.includes(form)) && !MAY_SAY[what]?.test(where)) found.push(`${what}: ${where}`);
    }
  expect(found).toEqual([]);
});

it('Secrets: --print-config shows where each comes from and not what it is', async () => {
  const env = {
    LOCKSTEP_TRACES_HEADERS: `x-key=${plant('a header of the collector')}`,
    LOCKSTEP_TOKEN: plant("the client's token"),
  };
  for (const args of [['--print-config'], ['--print-config', '--json']]) {
    const { stdout, stderr, exitCode } = await lockstep(
      ['server', '--auth-keys', keysFile, '--auth-jwt-keys', jwksFile, '--auth-cluster-secret', clusterFile, ...args],
      { env },
    );
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toContain('environment LOCKSTEP_TRACES_HEADERS');
    expect(stdout).toContain('(not shown)');
    for (const [what, secret] of planted) expect(stdout.includes(secret), what).toBe(false);
  }
});

it('Secrets: a command that fails does not repeat them', async () => {
  const url = cluster.urls[0] as string;
  const token = plant('a token of a command that fails');
  const password = plant('a password in an address');
  const headers = plant('a header that is none');
  const key = join(folder, 'spoilt.key');
  writeFileSync(key, `-----BEGIN PRIVATE KEY-----\n${plant('a spoilt TLS key')}\n-----END PRIVATE KEY-----\n`);
  const tls = cluster.tlsFolder as string;
  const authority = join(tls, 'authority.pem');
  const server = ['server', '--addresses', '127.0.0.1:1', '--http', '127.0.0.1:0', cluster.directoryOf(0)];
  const secret = join(folder, 'spoilt.secret');
  writeFileSync(secret, `${plant('a spoilt cluster secret')} ${plant('what follows it')}\n`);
  const tries: readonly (readonly [string[], Record<string, string>])[] = [
    [['read', 's', '--url', url, '--authority', authority, '--timeout-ms', '2000'], { LOCKSTEP_TOKEN: token }],
    [['read', 's', '--url', `https://ann:${password}@127.0.0.1:1`], {}],
    [[...server], { LOCKSTEP_TRACES_URL: 'http://127.0.0.1:1', LOCKSTEP_TRACES_HEADERS: headers }],
    [[...server, '--auth-cluster-secret', secret], {}],
    [[...server, '--tls-authority', authority, '--tls-certificate', join(tls, 'replica-0.pem'), '--tls-key', key], {}],
  ];
  for (const [args, env] of tries)
    for (const json of [[], ['--json']]) {
      const { stdout, stderr, exitCode } = await lockstep([...args, ...json], { env });
      expect(exitCode, args.join(' ')).not.toBe(0);
      for (const [what, secret] of planted)
        expect((stdout + stderr).includes(secret), `${what}: ${args[0]}`).toBe(false);
    }
});
