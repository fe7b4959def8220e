/**
 * JSON Web Tokens by the library jose: HS256, RS256, ES256 or EdDSA, each by a key of the configured set and by no other;
 * `none` is no algorithm here. Issuer, audience, exp and nbf are checked within a bound of clock skew. Roles are the claim
 * `roles`. Mirrors no spec module.
 */
import { decodeProtectedHeader, errors, importJWK, type JWK, jwtVerify } from 'jose';
import type { Failure } from '../wire/answer.ts';
import { AuthError } from './auth-error.ts';
import { failure } from './failure.ts';
import { isRole, type Role } from './roles.ts';

const ALGORITHMS = ['HS256', 'RS256', 'ES256', 'EdDSA'] as const;
const KEYS_MAX = 32;
/** Bytes of an HS256 secret: as many as its hash has, as RFC 7518 wants. */
const SECRET_BYTES_MIN = 32;
/** A token without an end would be good for ever. */
const REQUIRED_CLAIMS = ['exp'];
/** Characters of a subject as it appears in logs: a longer one is cut. */
const SUBJECT_CHARS_MAX = 64;

export interface TokenRules {
  readonly issuer: string | undefined;
  readonly audience: string | undefined;
  readonly skewSeconds: number;
}

export interface TokenHolder {
  readonly subject: string;
  readonly roles: readonly Role[];
  readonly expiresMs: number;
}

interface VerifyKey {
  readonly id: string | undefined;
  readonly algorithm: string;
  readonly key: Awaited<ReturnType<typeof importJWK>>;
}

export class JsonWebTokens {
  readonly #keys: readonly VerifyKey[];
  readonly #rules: TokenRules;

  private constructor(keys: readonly VerifyKey[], rules: TokenRules) {
    this.#keys = keys;
    this.#rules = rules;
  }

  /**
   * @param text a JSON Web Key Set in which every key names its `alg`
   * @throws AuthError AUTH_JWT_KEYS_INVALID; says which key, never what is in it
   */
  static async load(text: string, file: string, rules: TokenRules): Promise<JsonWebTokens> {
    const keys: VerifyKey[] = [];
    for (const [index, jwk] of keySetOf(text, file).entries()) keys.push(await verifyKeyOf(jwk, index, file));
    return new JsonWebTokens(keys, rules);
  }

  /** Its holder, or why it is not believed. Never throws. */
  async verify(token: string, wallMs: number): Promise<TokenHolder | Failure> {
    let header: { readonly alg?: string; readonly kid?: string };
    try {
      header = decodeProtectedHeader(token);
    } catch {
      return failure('CREDENTIALS_INVALID', 'the token is neither an API key nor a JSON Web Token');
    }
    const { alg = 'none', kid } = header;
    // The key decides the algorithm, not the token: a public key is never taken for a secret.
    const candidates = this.#keys.filter((key) => key.algorithm === alg && (kid === undefined || key.id === kid));
    if (candidates.length === 0) {
      const known = ALGORITHMS.some((one) => one === alg);
      const text = known ? 'no key of that id and algorithm is known here' : 'its algorithm is not taken here';
      return failure('CREDENTIALS_INVALID', `the token is not believed: ${text}`, { algorithm: known ? alg : 'other' });
    }
    let last: Failure = failure('CREDENTIALS_INVALID', 'the token is not believed: its signature is wrong');
    for (const { key, algorithm } of candidates) {
      const outcome = await this.#verifyWith(token, key, algorithm, wallMs);
      if (!('outcome' in outcome)) return outcome;
      last = outcome;
      if (outcome.code !== 'CREDENTIALS_INVALID') return outcome;
    }
    return last;
  }

  async #verifyWith(
    token: string,
    key: VerifyKey['key'],
    algorithm: string,
    wallMs: number,
  ): Promise<TokenHolder | Failure> {
    const { issuer, audience, skewSeconds } = this.#rules;
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: [algorithm],
        clockTolerance: skewSeconds,
        currentDate: new Date(wallMs),
        requiredClaims: REQUIRED_CLAIMS,
        ...(issuer === undefined ? {} : { issuer }),
        ...(audience === undefined ? {} : { audience }),
      });
      const claimed: unknown = payload.roles;
      const roles = Array.isArray(claimed) ? claimed.filter(isRole) : [];
      const subject = String(payload.sub ?? 'nobody')
        .replaceAll(/[^\x21-\x7e]/g, '?')
        .slice(0, SUBJECT_CHARS_MAX);
      return { subject, roles, expiresMs: ((payload.exp ?? 0) + skewSeconds) * 1_000 };
    } catch (cause) {
      return refusalOf(cause);
    }
  }
}

function refusalOf(cause: unknown): Failure {
  if (cause instanceof errors.JWTExpired) return failure('TOKEN_EXPIRED', 'the token has expired: get a new one');
  if (cause instanceof errors.JWTClaimValidationFailed) {
    const { claim } = cause;
    if (claim === 'nbf') {
      return failure('TOKEN_NOT_YET_VALID', 'the token is not valid yet: compare the clocks', { claim });
    }
    const text = `the claim ${claim} of the token is missing, or is not for this server`;
    return failure('TOKEN_NOT_FOR_HERE', text, { claim });
  }
  return failure('CREDENTIALS_INVALID', 'the token is not believed: its signature or its form is wrong');
}

function keySetOf(text: string, file: string): readonly JWK[] {
  let set: unknown;
  try {
    set = JSON.parse(text);
  } catch {
    set = undefined;
  }
  const keys = (set as { readonly keys?: unknown } | undefined)?.keys;
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > KEYS_MAX) {
    const message = `${file} is no JSON Web Key Set with 1 to ${KEYS_MAX} keys: { "keys": [{ "kty", "alg", … }] }`;
    throw new AuthError('AUTH_JWT_KEYS_INVALID', message, { file });
  }
  return keys as readonly JWK[];
}

async function verifyKeyOf(jwk: JWK, index: number, file: string): Promise<VerifyKey> {
  const bad = (what: string): AuthError => {
    const message = `${file}: key ${index} ${what}`;
    return new AuthError('AUTH_JWT_KEYS_INVALID', message, { file, key: index });
  };
  const { alg, kid, kty, k } = jwk ?? {};
  if (typeof alg !== 'string' || !ALGORITHMS.some((one) => one === alg)) {
    throw bad(`must name its alg, one of ${ALGORITHMS.join(', ')}`);
  }
  if ((kty === 'oct') !== (alg === 'HS256')) throw bad(`has an alg that does not fit its kty`);
  if (kty === 'oct' && Buffer.from(String(k), 'base64url').byteLength < SECRET_BYTES_MIN) {
    throw bad(`is a secret of fewer than ${SECRET_BYTES_MIN} bytes: it could be guessed`);
  }
  if ('d' in jwk) throw bad('is a private key: a server needs the public one only');
  try {
    return { id: kid, algorithm: alg, key: await importJWK(jwk, alg) };
  } catch {
    // The cause is left out on purpose: nothing of a key may reach a log.
    throw bad('is no key of its kty');
  }
}
