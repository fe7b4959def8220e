/**
 * Goal: the commands that make certificates and keys, and a cluster that is run with what they made: each file is the owner's,
 * nothing is overwritten, openssl believes the chain, and the container's health check finds its way in.
 * Method: the command line as a user runs it, in a fresh folder; one replica with TLS, keys and required certificates.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lockstep, REPOSITORY, TestCluster } from './cluster-harness.ts';

const folder = mkdtempSync(join(tmpdir(), 'lockstep-tls-'));
const tls = join(folder, 'tls');
const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const init = (...more: string[]) => lockstep(['tls', 'init', '--cluster', '42', '--replica-count', '2', tls, ...more]);

beforeAll(async () => {
  expect((await init()).exitCode).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('lockstep tls init', () => {
  const names = ['authority', 'client', 'replica-0', 'replica-1'].flatMap((name) => [`${name}.key`, `${name}.pem`]);

  it('makes a pair for each, readable by the owner alone', () => {
    expect(readdirSync(tls).sort()).toEqual(names);
    for (const name of names) expect(statSync(join(tls, name)).mode & 0o777, name).toBe(0o600);
    expect(statSync(tls).mode & 0o777).toBe(0o700);
  });

  it('overwrites nothing: not all of it, and not the one file that is left', async () => {
    const before = names.map((name) => readFileSync(join(tls, name), 'utf8'));
    const again = await init('--json');
    expect([again.exitCode, JSON.parse(again.stderr)]).toMatchObject([1, { error: { code: 'CLI_FILE_UNWRITABLE' } }]);
    const other = join(folder, 'other');
    expect((await lockstep(['tls', 'init', '--cluster', '1', other])).exitCode).toBe(0);
    for (const name of readdirSync(other)) if (name !== 'client.key') rmSync(join(other, name));
    const left = readFileSync(join(other, 'client.key'), 'utf8');
    expect((await lockstep(['tls', 'init', '--cluster', '1', other])).exitCode).toBe(1);
    expect([readdirSync(other), readFileSync(join(other, 'client.key'), 'utf8')]).toEqual([['client.key'], left]);
    expect(names.map((name) => readFileSync(join(tls, name), 'utf8'))).toEqual(before);
  });

  it.skipIf(!hasOpenssl)('openssl believes the chain, for the purposes that each is made for', () => {
    const verify = (purpose: string, name: string) =>
      spawnSync('openssl', [
        'verify',
        '-purpose',
        purpose,
        '-CAfile',
        join(tls, 'authority.pem'),
        join(tls, `${name}.pem`),
      ]).status;
    expect([verify('sslserver', 'replica-0'), verify('sslclient', 'replica-1'), verify('sslclient', 'client')]).toEqual(
      [0, 0, 0],
    );
    expect(verify('sslserver', 'client')).not.toBe(0);
    const text = spawnSync('openssl', ['x509', '-noout', '-text', '-in', join(tls, 'replica-1.pem')], {
      encoding: 'utf8',
    }).stdout;
    expect(text).toContain('URI:lockstep://42/replica/1, DNS:localhost, IP Address:127.0.0.1');
  });

  it.each([
    ['a role that is none', ['--client-role', 'root']],
    ['a name that is none', ['--client-name', 'a/b']],
  ])('refuses %s', async (_, args) => {
    expect((await lockstep(['tls', 'init', '--cluster', '1', join(folder, 'none'), ...args])).exitCode).toBe(2);
  });
});

describe('lockstep auth', () => {
  it('prints a key once, keeps its hash, and lists whose it is', async () => {
    const file = join(folder, 'keys.jsonl');
    const made = await lockstep(['auth', 'add-key', '--role', 'read,dx', '--name', 'Ann', '--file', file, '--json']);
    const { key, id } = JSON.parse(made.stdout) as { key: string; id: string };
    expect(key).toMatch(/^lsk_[0-9a-f]{12}_[A-Za-z0-9_-]{43}$/);
    expect(readFileSync(file, 'utf8')).not.toContain(key.slice(-43));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const listed = await lockstep(['auth', 'list-keys', '--file', file]);
    expect(listed.stdout).toBe(`${id}  read,dx  Ann\n`);
    expect((await lockstep(['auth', 'add-key', '--role', 'root', '--file', file])).exitCode).toBe(2);
  });
});

describe('a cluster with what they made', () => {
  let cluster: TestCluster;
  const keys = join(folder, 'cluster-keys.jsonl');
  let key = '';
  beforeAll(async () => {
    key = (await lockstep(['auth', 'add-key', '--role', 'admin', '--file', keys])).stdout.trim();
    cluster = await TestCluster.start({ replicas: 1, tls: true, token: key, serverArgs: ['--auth-keys', keys] });
  }, 60_000);
  afterAll(() => cluster?.close());

  it('the command line comes in with authority and token, and is told what is missing without', async () => {
    const authority = join(cluster.tlsFolder as string, 'authority.pem');
    const url = cluster.urls[0] as string;
    const append = (env: Record<string, string>) =>
      lockstep(['append', 's', '--create', '--url', url, '--timeout-ms', '5000', '--json'], { input: 'hello\n', env });
    expect((await append({ LOCKSTEP_AUTHORITY: authority, LOCKSTEP_TOKEN: key })).exitCode).toBe(0);
    expect((await append({ LOCKSTEP_AUTHORITY: authority })).stderr).toContain('CREDENTIALS_MISSING');
    expect((await append({ LOCKSTEP_AUTHORITY: authority, LOCKSTEP_TOKEN: 'lsk_x' })).stderr).toContain(
      'CREDENTIALS_INVALID',
    );
    expect((await append({ LOCKSTEP_TOKEN: key })).stderr).toContain('TLS_UNKNOWN_AUTHORITY');
    expect((await append({ LOCKSTEP_AUTHORITY: join(tls, 'authority.pem'), LOCKSTEP_TOKEN: key })).stderr).toContain(
      'TLS_UNKNOWN_AUTHORITY',
    );
    const load = [
      'bench',
      '--addresses',
      cluster.addresses[0] as string,
      '--clients',
      '2',
      '--warm',
      '0',
      '--seconds',
      '1',
      '--json',
    ];
    const { stdout, exitCode } = await lockstep(load, { env: { LOCKSTEP_AUTHORITY: authority, LOCKSTEP_TOKEN: key } });
    expect([exitCode, JSON.parse(stdout).errors]).toEqual([0, 0]);
  });

  it("the container's health check says what /ready says, over HTTPS", () => {
    const files = join(cluster.tlsFolder as string, 'replica-0');
    const check = (http: string): number | null =>
      spawnSync(process.execPath, [join(REPOSITORY, 'ops', 'container', 'healthcheck.mjs')], {
        env: {
          LOCKSTEP_HTTP: http,
          LOCKSTEP_TLS_AUTHORITY: join(cluster.tlsFolder as string, 'authority.pem'),
          LOCKSTEP_TLS_CERTIFICATE: `${files}.pem`,
          LOCKSTEP_TLS_KEY: `${files}.key`,
        },
      }).status;
    expect(check((cluster.urls[0] as string).replace('https://', ''))).toBe(0);
    expect(check('0.0.0.0:1')).toBe(1);
  });

  it('a part of what belongs together, and a file that is none, are errors that name the setting', async () => {
    const some = ['server', '--addresses', '127.0.0.1:1', '--http', '127.0.0.1:0', cluster.directoryOf(0)];
    const half = await lockstep([...some, '--tls-key', join(tls, 'replica-0.key')]);
    expect([half.exitCode, half.stderr]).toEqual([
      2,
      expect.stringContaining('tls.authority, tls.certificate and tls.key'),
    ]);
    const gone = await lockstep([...some, '--auth-keys', join(folder, 'nothing')]);
    expect(gone.stderr).toContain('CLI_FILE_UNREADABLE');
    writeFileSync(join(folder, 'spoilt'), 'x\n');
    expect((await lockstep([...some, '--auth-keys', join(folder, 'spoilt')])).stderr).toContain('spoilt:1');
    const wrongPair = [
      '--tls-authority',
      join(tls, 'authority.pem'),
      '--tls-certificate',
      join(tls, 'replica-0.pem'),
      '--tls-key',
      join(tls, 'replica-1.key'),
    ];
    expect((await lockstep([...some, ...wrongPair])).stderr).toContain('TLS_MATERIAL_INVALID');
  });
});
