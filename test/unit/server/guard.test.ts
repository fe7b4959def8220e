/**
 * Goal: with authentication on, every route and every operation asks for its role: 401 without a key, 403 with the role that
 * is needed, 429 for who is too fast; over HTTPS and the binary protocol with TLS alike; and certificates change while it runs.
 * Method: one real replica in this process; the routes are those of its own OpenAPI document, so a new one is met by itself.
 */
import { randomBytes } from 'node:crypto';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HttpsRequests } from '../../../impl/cli/https-request.ts';
import { LockstepClient } from '../../../impl/client/index.ts';
import { dxPlugin } from '../../../impl/dx/plugin.ts';
import {
  type Authority,
  clientCertificate,
  makeAuthority,
  replicaCertificate,
} from '../../../impl/ports/certificates.ts';
import type { TlsServerMaterial } from '../../../impl/ports/network.ts';
import { RealClock } from '../../../impl/ports/real-clock.ts';
import { RealRandom } from '../../../impl/ports/real-random.ts';
import { makeApiKey } from '../../../impl/server/api-keys.ts';
import type { AuthConfig } from '../../../impl/server/auth.ts';
import { ROLES, type Role } from '../../../impl/server/roles.ts';
import { type OneReplica, startOneReplica } from './one-replica.ts';

const clock = new RealClock();
const random = new RealRandom();
const fresh = { fromMs: clock.wallMs(), days: 1 };
const keys = new Map(ROLES.map((role) => [role, makeApiKey(role, [role], random, fresh.fromMs)]));
const secret = randomBytes(32);
const jwks = JSON.stringify({ keys: [{ kty: 'oct', alg: 'HS256', k: secret.toString('base64url') }] });
const auth: AuthConfig = {
  apiKeys: () => ({ file: 'keys', text: [...keys.values()].map(({ kept }) => JSON.stringify(kept)).join('\n') }),
  jwtKeys: () => ({ file: 'jwks', text: jwks }),
  issuer: undefined,
  audience: undefined,
  skewSeconds: 0,
  certificates: true,
};

function keyOf(role: Role): string {
  return keys.get(role)?.text as string;
}

interface Route {
  readonly method: string;
  readonly path: string;
}

async function routesOf(url: string): Promise<readonly Route[]> {
  const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, unknown>>;
  };
  const dx = ['/v1/dx/status', '/v1/dx/log', '/v1/dx/machines', '/v1/dx/machines/Vsr', '/v1/dx/explain/replica'];
  const found = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path: path.replaceAll(/\{\w+\}/g, 'x') })),
  );
  const more = dx.map((path) => ({ method: 'GET', path }));
  return [...found, ...more.filter(({ path }) => !found.some((route) => route.path === path))];
}

/** What a route has to ask for, by the contract and not by the code. */
function neededFor({ method, path }: Route): Role | 'open' {
  if (path === '/v1/dx/log/bodies') return 'read'; // what was written, which an observer need not see
  if (path.startsWith('/v1/dx') || path === '/metrics') return 'dx';
  if (!path.startsWith('/v1/')) return 'open';
  if (path.endsWith('/events') && method === 'POST') return 'write';
  if (method === 'POST' || method === 'DELETE') return 'admin';
  return 'read';
}

const MAY: Readonly<Record<Role, readonly string[]>> = {
  read: ['read'],
  write: ['read', 'write'],
  admin: ['read', 'write', 'admin', 'dx'],
  dx: ['dx'],
};

describe('the door of HTTP', () => {
  let one: OneReplica;
  beforeAll(async () => {
    one = await startOneReplica({ auth }, dxPlugin);
  });
  afterAll(() => one.close());

  const ask = async ({ method, path }: Route, authorization?: string) => {
    const headers = authorization === undefined ? {} : { authorization };
    const signal = AbortSignal.timeout(10_000);
    const answer = await fetch(one.url + path, { method, headers, signal });
    const text = await answer.text();
    const code = /"code":"(\w+)"/.exec(text)?.[1];
    return { status: answer.status, code, challenge: answer.headers.get('www-authenticate'), text };
  };

  it('Guard: every route is closed without a key, but for those that are open', async () => {
    const routes = await routesOf(one.url);
    expect(routes.length).toBeGreaterThan(10);
    for (const route of routes) {
      const { status, code, challenge } = await ask(route);
      const name = `${route.method} ${route.path}`;
      if (neededFor(route) === 'open') {
        expect([401, 403], name).not.toContain(status);
      } else {
        expect([status, code, challenge], name).toEqual([401, 'CREDENTIALS_MISSING', 'Bearer realm="lockstep"']);
      }
    }
  });

  it.each(ROLES)('Guard: the role %s may do what it may and nothing else, on every route', async (role) => {
    for (const route of await routesOf(one.url)) {
      const needed = neededFor(route);
      const { status, code, challenge, text } = await ask(route, `Bearer ${keyOf(role)}`);
      const name = `${role}: ${route.method} ${route.path} needs ${needed}`;
      if (needed === 'open' || MAY[role].includes(needed)) expect([401, 403], name).not.toContain(status);
      else {
        expect([status, code], name).toEqual([403, 'ROLE_MISSING']);
        expect(challenge).toBe(`Bearer realm="lockstep", error="insufficient_scope", scope="${needed}"`);
        expect(text).toContain(`"role":"${needed}"`);
      }
    }
  });

  it.each([
    ['an unknown key', 'Bearer lsk_000000000000_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'],
    ['another scheme', 'Basic YWRtaW46YWRtaW4='],
    ['a scheme without a token', 'Bearer-of-news'],
    ['two tokens', 'Bearer a b'],
    ['a token with alg none', `Bearer ${Buffer.from('{"alg":"none"}').toString('base64url')}.e30.`],
    ['a long one', `Bearer ${'x'.repeat(9_000)}`],
  ])('Guard: %s is 401 with the reason, and is not repeated', async (_, authorization) => {
    const { status, code, challenge, text } = await ask({ method: 'GET', path: '/v1/streams' }, authorization);
    expect([status, code]).toEqual([401, 'CREDENTIALS_INVALID']);
    expect(challenge).toBe('Bearer realm="lockstep", error="invalid_token"');
    expect(text).not.toContain(authorization.slice(7));
  });

  it('Guard: an address that is none needs no key to be told so', async () => {
    expect(await ask({ method: 'GET', path: '/v1/nothing' })).toMatchObject({ status: 404, code: 'NOT_FOUND' });
  });

  it('Guard: what was refused is counted by protocol and code', async () => {
    const { text } = await ask({ method: 'GET', path: '/metrics' }, `Bearer ${keyOf('dx')}`);
    expect(text).toMatch(/lockstep_callers_refused_total\{protocol="http",code="ROLE_MISSING"\} [1-9]/);
    expect(text).toMatch(/lockstep_callers_refused_total\{protocol="http",code="CREDENTIALS_MISSING"\} [1-9]/);
  });
});

describe('rates', () => {
  it('Guard: who is too fast gets 429 with Retry-After, others and the open routes go on', async () => {
    const one = await startOneReplica({ auth, rates: { requestsPerSecond: 1, burst: 5 } });
    const ask = (path: string, role: Role) =>
      fetch(one.url + path, { headers: { authorization: `Bearer ${keyOf(role)}` } });
    try {
      const statuses: number[] = [];
      for (let count = 0; count < 8; count++) statuses.push((await ask('/v1/streams', 'read')).status);
      expect(statuses.slice(0, 5)).toEqual([200, 200, 200, 200, 200]);
      expect(statuses).toContain(429);
      const refused = await ask('/v1/streams', 'read');
      expect(refused.headers.get('retry-after')).toBe('1');
      expect(await refused.text()).toContain('RATE_LIMITED');
      expect((await ask('/v1/streams', 'admin')).status).toBe(200);
      expect((await ask('/health', 'read')).status).toBe(200);
    } finally {
      await one.close();
    }
  });

  it('Guard: who guesses keys is slowed by address, however many keys there are', async () => {
    const one = await startOneReplica({ auth, rates: { requestsPerSecond: 1, burst: 3 } });
    try {
      const codes: number[] = [];
      for (let count = 0; count < 6; count++) {
        const headers = { authorization: `Bearer ${makeApiKey('guess', ['admin'], random, 0).text}` };
        codes.push((await fetch(`${one.url}/v1/streams`, { headers })).status);
      }
      expect(codes.slice(0, 3)).toEqual([401, 401, 401]);
      expect(codes).toContain(429);
    } finally {
      await one.close();
    }
  });
});

describe('the door of the binary protocol', () => {
  const withClient = async <T>(
    one: OneReplica,
    options: Partial<ConstructorParameters<typeof LockstepClient>[0]>,
    act: (client: LockstepClient) => Promise<T>,
  ): Promise<T | string> => {
    const client = new LockstepClient({ addresses: [one.server.peerAddress], timeoutMs: 2_000, ...options });
    try {
      return await act(client);
    } catch (cause) {
      return String((cause as { code?: string }).code);
    } finally {
      client.close();
    }
  };

  it('Guard: a client is let in by key or token, and does what its role allows', async () => {
    const one = await startOneReplica({ auth });
    const list = (client: LockstepClient): Promise<unknown> => client.listStreams();
    const create = (client: LockstepClient): Promise<unknown> => client.createStream('greetings');
    const append = (client: LockstepClient): Promise<unknown> => client.append('greetings', ['hello']);
    const exp = Math.floor(fresh.fromMs / 1_000) + 60;
    const token = (roles: readonly string[]): Promise<string> =>
      new SignJWT({ roles, exp, sub: 'ann' }).setProtectedHeader({ alg: 'HS256' }).sign(secret);
    try {
      expect(await withClient(one, { token: keyOf('admin') }, create)).toMatchObject({ commitId: expect.anything() });
      expect(await withClient(one, { token: keyOf('write') }, append)).toMatchObject({ firstOffset: 0 });
      expect(await withClient(one, { token: await token(['write']) }, append)).toMatchObject({ firstOffset: 1 });
      expect(await withClient(one, { token: keyOf('read') }, list)).toMatchObject({ streams: [{ name: 'greetings' }] });
      expect(await withClient(one, { token: keyOf('write') }, create)).toBe('ROLE_MISSING');
      expect(await withClient(one, { token: keyOf('read') }, append)).toBe('ROLE_MISSING');
      expect(await withClient(one, { token: await token(['read']) }, append)).toBe('ROLE_MISSING');
      expect(await withClient(one, { token: await token([]) }, list)).toBe('ROLE_MISSING');
      const metrics = await fetch(`${one.url}/metrics`, { headers: { authorization: `Bearer ${keyOf('dx')}` } });
      expect(await metrics.text()).toMatch(/callers_refused_total\{protocol="binary",code="ROLE_MISSING"\} [1-9]/);
    } finally {
      await one.close();
    }
  });

  it('Guard: a key that is taken away is refused on the connections that it opened, too', async () => {
    let text = [...keys.values()].map(({ kept }) => JSON.stringify(kept)).join('\n');
    const one = await startOneReplica({ auth: { ...auth, apiKeys: () => ({ file: 'keys', text }) } });
    const client = new LockstepClient({ addresses: [one.server.peerAddress], token: keyOf('read'), timeoutMs: 5_000 });
    try {
      expect(await client.listStreams()).toMatchObject({ streams: [] });
      text = JSON.stringify(keys.get('admin')?.kept);
      await one.server.reload();
      await expect(client.listStreams()).rejects.toMatchObject({ code: 'CREDENTIALS_INVALID' });
    } finally {
      client.close();
      await one.close();
    }
  });

  it.each([
    ['no token', ''],
    ['an unknown key', 'lsk_000000000000_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'],
    ['a token with alg none', `${Buffer.from('{"alg":"none"}').toString('base64url')}.e30.`],
  ])('Guard: a client with %s does not come in', async (_, token) => {
    const one = await startOneReplica({ auth });
    try {
      const outcome = await withClient(one, { token }, (client) => client.listStreams());
      expect(typeof outcome).toBe('string');
      const metrics = await fetch(`${one.url}/metrics`, { headers: { authorization: `Bearer ${keyOf('dx')}` } });
      expect(await metrics.text()).toMatch(/callers_refused_total\{protocol="binary",code="CREDENTIALS_\w+"\} [1-9]/);
    } finally {
      await one.close();
    }
  });
});

describe('TLS of both protocols', () => {
  let authority: Authority;
  let material: TlsServerMaterial;
  const identity = { cluster: 7n, replica: 0, hosts: ['localhost', '127.0.0.1'] };
  beforeAll(async () => {
    authority = await makeAuthority('of the test', fresh);
    material = { ...(await replicaCertificate(authority, identity, fresh)), authority: authority.certificate };
  });

  const ask = async (
    one: OneReplica,
    tls: { authority: string; certificate?: string; key?: string },
    path = '/v1/streams',
  ) => {
    const url = new URL(one.url.replace('http:', 'https:') + path);
    return new HttpsRequests(tls).send(url, { method: 'GET', headers: {}, body: undefined, timeoutMs: 5_000 }).then(
      ({ status }) => String(status),
      (cause: { code: string }) => cause.code,
    );
  };

  it("Tls: a client certificate's role counts, over both protocols; another cluster's does not", async () => {
    const one = await startOneReplica({ auth, tls: { load: () => material, clientCertificateRequired: false } });
    const trusted = { authority: authority.certificate };
    const reader = await clientCertificate(authority, { cluster: 7n, name: 'ann', role: 'read' }, fresh);
    const stranger = await clientCertificate(authority, { cluster: 8n, name: 'ann', role: 'admin' }, fresh);
    try {
      expect(await ask(one, trusted)).toBe('401');
      expect(await ask(one, { ...trusted, ...reader })).toBe('200');
      expect(await ask(one, { ...trusted, ...reader }, '/metrics')).toBe('403');
      expect(await ask(one, { ...trusted, ...stranger })).toBe('401');
      const open = new LockstepClient({
        addresses: [one.server.peerAddress],
        tls: { ...trusted, ...reader },
        timeoutMs: 5_000,
      });
      expect(await open.listStreams()).toMatchObject({ streams: [] });
      await expect(open.createStream('x')).rejects.toMatchObject({ code: 'ROLE_MISSING' });
      open.close();
      const plain = await fetch(`${one.url}/health`);
      expect([plain.status, await plain.text()]).toEqual([400, expect.stringContaining('TLS_SPOKEN_HERE')]);
    } finally {
      await one.close();
    }
  });

  it('Tls: where a certificate is required, nobody comes in without, not even to /health', async () => {
    const one = await startOneReplica({ tls: { load: () => material, clientCertificateRequired: true } });
    const trusted = { authority: authority.certificate };
    const ann = await clientCertificate(authority, { cluster: 7n, name: 'ann', role: 'read' }, fresh);
    try {
      expect(await ask(one, trusted, '/health')).toBe('TLS_CERTIFICATE_MISSING');
      expect(await ask(one, { ...trusted, ...ann }, '/health')).toBe('200');
    } finally {
      await one.close();
    }
  });

  it('Tls: new certificates are taken while it runs, open connections stay, a wrong file changes nothing', async () => {
    let current: TlsServerMaterial = material;
    const one = await startOneReplica({ tls: { load: () => current, clientCertificateRequired: false } });
    const other = await makeAuthority('another', fresh);
    const client = new LockstepClient({
      addresses: [one.server.peerAddress],
      tls: { authority: authority.certificate },
      timeoutMs: 5_000,
    });
    try {
      expect(await client.listStreams()).toMatchObject({ streams: [] });
      current = { ...material, key: authority.key };
      await expect(one.server.reload()).rejects.toMatchObject({ code: 'TLS_MATERIAL_INVALID' });
      expect(await ask(one, { authority: authority.certificate })).toBe('200');
      current = { ...(await replicaCertificate(other, identity, fresh)), authority: other.certificate };
      await one.server.reload();
      expect(await ask(one, { authority: authority.certificate })).toBe('TLS_UNKNOWN_AUTHORITY');
      expect(await ask(one, { authority: other.certificate })).toBe('200');
      expect(await client.listStreams()).toMatchObject({ streams: [] });
    } finally {
      client.close();
      await one.close();
    }
  });
});
