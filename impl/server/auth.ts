/**
 * Who asks, by API key, JSON Web Token or client certificate, and what they may do. The files are read again on SIGHUP; a
 * wrong one changes nothing. Mirrors no spec module. Does not do: users, passwords, revocation of a token before its end.
 */
import type { Failure } from '../wire/answer.ts';
import { type ApiKey, findApiKey, isApiKey, parseApiKeys } from './api-keys.ts';
import { failure } from './failure.ts';
import { JsonWebTokens, type TokenRules } from './json-web-tokens.ts';
import { isRole, type Role } from './roles.ts';

export interface AuthConfig extends TokenRules {
  /** Each reads its file anew; undefined: no such file is configured. */
  readonly apiKeys: (() => AuthFile) | undefined;
  readonly jwtKeys: (() => AuthFile) | undefined;
  /** Whether a certificate that names a client of this cluster says who it is. */
  readonly certificates: boolean;
}

export interface AuthFile {
  readonly file: string;
  readonly text: string;
}

/** Somebody who is known. */
export interface Principal {
  /** `key 1f3a…`, `token ann` or `certificate ann`: for logs and limits; nothing in it is secret. */
  readonly id: string;
  readonly roles: readonly Role[];
  /** Of the API key, which may be taken away. */
  readonly keyId?: string;
  /** By the wall clock; undefined: no end. */
  readonly expiresMs: number | undefined;
}

export interface Credentials {
  readonly token: string | undefined;
  /** Of a certificate that the authority has signed. */
  readonly certificate: { readonly name: string; readonly role: string } | undefined;
}

export class Auth {
  readonly #config: AuthConfig;
  #apiKeys: ReadonlyMap<string, ApiKey> = new Map();
  #tokens: JsonWebTokens | undefined;

  private constructor(config: AuthConfig) {
    this.#config = config;
  }

  /** @throws AuthError */
  static async load(config: AuthConfig): Promise<Auth> {
    const auth = new Auth(config);
    await auth.reload();
    return auth;
  }

  /** Reads the files again. @throws AuthError, and what was there stays */
  async reload(): Promise<void> {
    const { apiKeys, jwtKeys } = this.#config;
    const keysFile = apiKeys?.();
    const keys = keysFile === undefined ? this.#apiKeys : parseApiKeys(keysFile.text, keysFile.file);
    const tokensFile = jwtKeys?.();
    const tokens =
      tokensFile === undefined ? undefined : await JsonWebTokens.load(tokensFile.text, tokensFile.file, this.#config);
    this.#apiKeys = keys;
    this.#tokens = tokens;
  }

  /** Who it is. At once for API keys and certificates; a token's signature takes a moment. Never throws. */
  identify(credentials: Credentials, wallMs: number): Principal | Failure | Promise<Principal | Failure> {
    const { token, certificate } = credentials;
    if (token !== undefined && token !== '') {
      if (isApiKey(token)) return this.#byApiKey(token);
      if (this.#tokens === undefined) return failure('CREDENTIALS_INVALID', 'the key is not known here');
      return this.#byToken(this.#tokens, token, wallMs);
    }
    if (certificate === undefined || !this.#config.certificates)
      return failure('CREDENTIALS_MISSING', 'say who you are: with a key, token or certificate');
    const roles = certificate.role.split(',').filter(isRole);
    return { id: `certificate ${certificate.name}`, roles, expiresMs: undefined };
  }

  /** Whether somebody who came in is still let in: keys are taken away while connections are open. */
  knows({ keyId }: Principal): boolean {
    return keyId === undefined || this.#apiKeys.has(keyId);
  }

  #byApiKey(text: string): Principal | Failure {
    const key = findApiKey(this.#apiKeys, text);
    if (key === undefined) return failure('CREDENTIALS_INVALID', 'the key is not known here');
    return { id: `key ${key.id}`, keyId: key.id, roles: key.roles, expiresMs: undefined };
  }

  async #byToken(tokens: JsonWebTokens, token: string, wallMs: number): Promise<Principal | Failure> {
    const holder = await tokens.verify(token, wallMs);
    if ('outcome' in holder) return holder;
    return { id: `token ${holder.subject}`, roles: holder.roles, expiresMs: holder.expiresMs };
  }
}
