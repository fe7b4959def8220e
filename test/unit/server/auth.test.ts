/**
 * Goal: nobody comes in without a key or token that is good here, and every way to be wrong has its code.
 * Method: keys and tokens made for the run, and each of them spoilt in one way; jose signs, as an identity provider would.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { RealRandom } from '../../../impl/ports/real-random.ts';
import { findApiKey, makeApiKey, parseApiKeys } from '../../../impl/server/api-keys.ts';
import { Auth, type AuthConfig } from '../../../impl/server/auth.ts';
import { grants, type Role } from '../../../impl/server/roles.ts';

const NOW_MS = 1_700_000_000_000;
const NOW_S = NOW_MS / 1_000;
const random = new RealRandom();
const nobody = { certificate: undefined };

describe('API keys', () => {
  const made = makeApiKey('ci', ['write'], random, NOW_MS);
  const other = makeApiKey('reader', ['read'], random, NOW_MS);
  const text = [made, other].map(({ kept }) => JSON.stringify(kept)).join('\n');

  it('Auth: a key is found by its text, and what is kept does not hold it', () => {
    const keys = parseApiKeys(`# keys\n${text}\n\n`, 'keys');
    expect(findApiKey(keys, made.text)).toEqual(made.kept);
    expect(findApiKey(keys, other.text)?.roles).toEqual(['read']);
    expect(text).not.toContain(made.text.slice(-43));
  });

  it('Auth: no other text is a key, whatever of a real one it holds', () => {
    const keys = parseApiKeys(text, 'keys');
    const [, id, secret] = made.text.split('_') as [string, string, string];
    const wrong = [
      '',
      'lsk_',
      `lsk_${id}_`,
      `lsk_${id}_${secret.slice(0, -1)}`,
      `lsk_${id}_${other.text.split('_')[2]}`,
      `lsk_000000000000_${secret}`,
      `${made.text} `,
      made.text.toUpperCase(),
      makeApiKey('unknown', ['admin'], random, NOW_MS).text,
      // What a text would have to hash to for the comparison with nobody.
      '\0'.repeat(32),
    ];
    for (const one of wrong) expect(findApiKey(keys, one), one).toBeUndefined();
  });

  it.each([
    ['no JSON', 'hello'],
    ['another form', '{}'],
    ['null', 'null'],
    ['an unknown role', JSON.stringify({ ...made.kept, roles: ['root'] })],
    ['no role', JSON.stringify({ ...made.kept, roles: [] })],
    ['a cut hash', JSON.stringify({ ...made.kept, sha256: 'ab' })],
    ['the same twice', `${JSON.stringify(made.kept)}\n${JSON.stringify(made.kept)}`],
  ])('Auth: a file with %s is refused with its line, and nothing of it is said', (_, line) => {
    const refused = (): unknown => parseApiKeys(`# first\n${line}`, 'keys.jsonl');
    expect(refused).toThrow(expect.objectContaining({ code: 'AUTH_KEYS_INVALID' }));
    expect(refused).toThrow(/keys\.jsonl:[23] /);
    expect(refused).not.toThrow(new RegExp(made.kept.sha256));
  });
});

describe('roles', () => {
  it.each<[Role[], Role[]]>([
    [['read'], ['read']],
    [['write'], ['read', 'write']],
    [['admin'], ['read', 'write', 'admin', 'dx']],
    [['dx'], ['dx']],
    [
      ['read', 'dx'],
      ['read', 'dx'],
    ],
    [[], []],
  ])('Auth: %j may do what takes %j, and nothing else', (held, allowed) => {
    const all: readonly Role[] = ['read', 'write', 'admin', 'dx'];
    expect(all.filter((needed) => grants(held, needed))).toEqual(allowed);
  });
});

describe('JSON Web Tokens', () => {
  const secret = randomBytes(32);
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  const ed = generateKeyPairSync('ed25519');
  const set = {
    keys: [
      { kty: 'oct', alg: 'HS256', kid: 'shared', k: secret.toString('base64url') },
      { ...rsa.publicKey.export({ format: 'jwk' }), alg: 'RS256', kid: 'rsa' },
      { ...ed.publicKey.export({ format: 'jwk' }), alg: 'EdDSA', kid: 'ed' },
    ],
  };
  const config: AuthConfig = {
    apiKeys: undefined,
    jwtKeys: () => ({ file: 'jwks.json', text: JSON.stringify(set) }),
    issuer: 'https://issuer.example',
    audience: 'lockstep',
    skewSeconds: 30,
    certificates: true,
  };
  const claims = { roles: ['write'], iss: 'https://issuer.example', aud: 'lockstep', sub: 'ann', exp: NOW_S + 60 };
  const sign = (changed: Record<string, unknown> = {}, alg = 'HS256', kid = 'shared') => {
    const key = alg === 'HS256' ? secret : alg === 'RS256' ? rsa.privateKey : ed.privateKey;
    return new SignJWT({ ...claims, ...changed }).setProtectedHeader({ alg, ...(kid === '' ? {} : { kid }) }).sign(key);
  };
  const ask = async (token: string, changed: Partial<AuthConfig> = {}) => {
    const auth = await Auth.load({ ...config, ...changed });
    return auth.identify({ token, ...nobody }, NOW_MS);
  };
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

  it.each([
    ['HS256', 'shared'],
    ['RS256', 'rsa'],
    ['EdDSA', 'ed'],
    ['EdDSA', ''],
  ])('Auth: a token by %s with key %s is believed, with its roles and its end', async (alg, kid) => {
    expect(await ask(await sign({}, alg, kid))).toEqual({
      id: 'token ann',
      roles: ['write'],
      expiresMs: NOW_MS + 90_000,
    });
  });

  it.each<[string, () => Promise<string> | string, string]>([
    ['alg none', () => `${part({ alg: 'none' })}.${part(claims)}.`, 'CREDENTIALS_INVALID'],
    ['alg None, and a signature', () => `${part({ alg: 'None' })}.${part(claims)}.AAAA`, 'CREDENTIALS_INVALID'],
    ['no alg', () => `${part({ typ: 'JWT' })}.${part(claims)}.AAAA`, 'CREDENTIALS_INVALID'],
    [
      'the public key taken as a secret',
      () =>
        new SignJWT(claims)
          .setProtectedHeader({ alg: 'HS256', kid: 'rsa' })
          .sign(Buffer.from(rsa.publicKey.export({ format: 'pem', type: 'spki' }))),
      'CREDENTIALS_INVALID',
    ],
    [
      'another secret',
      () => new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(randomBytes(32)),
      'CREDENTIALS_INVALID',
    ],
    ['a key id of another algorithm', () => sign({}, 'HS256', 'ed'), 'CREDENTIALS_INVALID'],
    [
      'claims that were changed',
      async () => (await sign()).replace(/\.[^.]+\./, `.${part({ ...claims, roles: ['admin'] })}.`),
      'CREDENTIALS_INVALID',
    ],
    ['a cut signature', async () => (await sign()).slice(0, -3), 'CREDENTIALS_INVALID'],
    ['no token at all', () => 'hello', 'CREDENTIALS_INVALID'],
    ['dots only', () => '..', 'CREDENTIALS_INVALID'],
    ['an end that is over, skew and all', () => sign({ exp: NOW_S - 31 }), 'TOKEN_EXPIRED'],
    ['no end', () => sign({ exp: undefined }), 'TOKEN_NOT_FOR_HERE'],
    ['an end that is no number', () => sign({ exp: 'tomorrow' }), 'TOKEN_NOT_FOR_HERE'],
    ['a begin that has not come', () => sign({ nbf: NOW_S + 31 }), 'TOKEN_NOT_YET_VALID'],
    ['another issuer', () => sign({ iss: 'https://evil.example' }), 'TOKEN_NOT_FOR_HERE'],
    ['no issuer', () => sign({ iss: undefined }), 'TOKEN_NOT_FOR_HERE'],
    ['another audience', () => sign({ aud: 'other' }), 'TOKEN_NOT_FOR_HERE'],
  ])('Auth: a token with %s is refused', async (_, made, code) => {
    expect(await ask(await made())).toMatchObject({ outcome: 'refused', code });
  });

  it('Auth: skew within its bound is forgiven, on both ends', async () => {
    expect(await ask(await sign({ exp: NOW_S - 29 }))).toMatchObject({ id: 'token ann' });
    expect(await ask(await sign({ nbf: NOW_S + 29 }))).toMatchObject({ id: 'token ann' });
  });

  it('Auth: roles that do not exist give nothing, and a subject is a plain text', async () => {
    expect(await ask(await sign({ roles: ['root', 7, 'read'] }))).toMatchObject({ roles: ['read'] });
    expect(await ask(await sign({ roles: 'admin' }))).toMatchObject({ roles: [] });
    expect(await ask(await sign({ sub: `a\n${'b'.repeat(200)}` }))).toMatchObject({ id: `token a?${'b'.repeat(62)}` });
  });

  it.each([
    ['no JSON', 'x'],
    ['no keys', '{"keys":[]}'],
    ['a key without alg', JSON.stringify({ keys: [{ kty: 'oct', k: secret.toString('base64url') }] })],
    ['alg none', JSON.stringify({ keys: [{ kty: 'oct', alg: 'none', k: '' }] })],
    ['a short secret', JSON.stringify({ keys: [{ kty: 'oct', alg: 'HS256', k: 'c2hvcnQ' }] })],
    ['a private key', JSON.stringify({ keys: [{ ...ed.privateKey.export({ format: 'jwk' }), alg: 'EdDSA' }] })],
    ['an algorithm of another kind', JSON.stringify({ keys: [{ ...set.keys[1], alg: 'HS256' }] })],
    ['a broken key', JSON.stringify({ keys: [{ kty: 'RSA', alg: 'RS256', n: 'x' }] })],
  ])('Auth: a key set with %s is refused at the start', async (_, text) => {
    const load = Auth.load({ ...config, jwtKeys: () => ({ file: 'jwks.json', text }) });
    await expect(load).rejects.toMatchObject({ code: 'AUTH_JWT_KEYS_INVALID' });
  });

  it('Auth: files are read again, and a wrong one changes nothing', async () => {
    const key = makeApiKey('later', ['dx'], random, NOW_MS);
    let text = '';
    const auth = await Auth.load({ ...config, apiKeys: () => ({ file: 'keys', text }), jwtKeys: undefined });
    expect(auth.identify({ token: key.text, ...nobody }, NOW_MS)).toMatchObject({ code: 'CREDENTIALS_INVALID' });
    text = JSON.stringify(key.kept);
    await auth.reload();
    expect(auth.identify({ token: key.text, ...nobody }, NOW_MS)).toMatchObject({ roles: ['dx'] });
    text = 'spoilt';
    await expect(auth.reload()).rejects.toMatchObject({ code: 'AUTH_KEYS_INVALID' });
    expect(auth.identify({ token: key.text, ...nobody }, NOW_MS)).toMatchObject({ roles: ['dx'] });
    text = '';
    await auth.reload();
    expect(auth.identify({ token: key.text, ...nobody }, NOW_MS)).toMatchObject({ code: 'CREDENTIALS_INVALID' });
  });

  it('Auth: a token comes before a certificate; a wrong token is not made good by one', async () => {
    const auth = await Auth.load({ ...config, jwtKeys: undefined });
    const certificate = { name: 'ann', role: 'read,dx' };
    expect(auth.identify({ token: undefined, certificate }, NOW_MS)).toMatchObject({ roles: ['read', 'dx'] });
    expect(auth.identify({ token: 'lsk_x', certificate }, NOW_MS)).toMatchObject({ code: 'CREDENTIALS_INVALID' });
    expect(auth.identify({ token: undefined, ...nobody }, NOW_MS)).toMatchObject({ code: 'CREDENTIALS_MISSING' });
    const without = await Auth.load({ ...config, certificates: false });
    expect(without.identify({ token: undefined, certificate }, NOW_MS)).toMatchObject({ code: 'CREDENTIALS_MISSING' });
  });
});
