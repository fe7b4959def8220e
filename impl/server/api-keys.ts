/**
 * API keys: 256 random bits each, kept as their SHA-256 only, with the roles of the holder. A hash of so many random bits
 * cannot be guessed back, so no slow one is needed. Mirrors no spec module.
 *   key: lsk_ID_SECRET      file: one JSON object a line, { "id", "name", "roles", "sha256", "createdMs" }
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Random } from '../ports/random.ts';
import { AuthError } from './auth-error.ts';
import { isRole, type Role } from './roles.ts';

const ID_BYTES = 6;
const SECRET_BYTES = 32;
/** Keys of one file: more than a team has, few enough to read at once. */
const KEYS_MAX = 10_000;
const FORM = /^lsk_([0-9a-f]{12})_([A-Za-z0-9_-]{43})$/;
/** Compared with when there is no such key: an unknown one takes as long as a wrong one. */
const NOBODY = Buffer.alloc(32);

export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly roles: readonly Role[];
  readonly sha256: string;
  /** Milliseconds since the epoch. */
  readonly createdMs: number;
}

/** @returns the key's text, to be shown once, and what is kept of it */
export function makeApiKey(
  name: string,
  roles: readonly Role[],
  random: Random,
  wallMs: number,
): { readonly text: string; readonly kept: ApiKey } {
  const id = Buffer.from(random.bytes(ID_BYTES)).toString('hex');
  const text = `lsk_${id}_${Buffer.from(random.bytes(SECRET_BYTES)).toString('base64url')}`;
  return { text, kept: { id, name, roles, sha256: hashOf(text).toString('hex'), createdMs: wallMs } };
}

export function isApiKey(token: string): boolean {
  return token.startsWith('lsk_');
}

/** @throws AuthError AUTH_KEYS_INVALID, with the line, never with what stands in it */
export function parseApiKeys(text: string, file: string): ReadonlyMap<string, ApiKey> {
  const keys = new Map<string, ApiKey>();
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const key = keyOf(line);
    if (key === undefined || keys.has(key.id) || keys.size >= KEYS_MAX) {
      const message = `${file}:${index + 1} is no key that \`lockstep auth add-key\` writes, or stands there twice`;
      throw new AuthError('AUTH_KEYS_INVALID', message, { file, line: index + 1 });
    }
    keys.set(key.id, key);
  }
  return keys;
}

/** The key that the text is; constant time in what is secret. */
export function findApiKey(keys: ReadonlyMap<string, ApiKey>, text: string): ApiKey | undefined {
  const id = FORM.exec(text)?.[1];
  const key = id === undefined ? undefined : keys.get(id);
  const expected = key === undefined ? NOBODY : Buffer.from(key.sha256, 'hex');
  return timingSafeEqual(hashOf(text), expected) ? key : undefined;
}

function keyOf(line: string): ApiKey | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  const { id, name, roles, sha256, createdMs = 0 } = (value ?? {}) as Record<string, unknown>;
  if (typeof id !== 'string' || !/^[0-9a-f]{12}$/.test(id)) return undefined;
  if (typeof name !== 'string' || typeof createdMs !== 'number') return undefined;
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256)) return undefined;
  if (!Array.isArray(roles) || roles.length === 0 || !roles.every(isRole)) return undefined;
  return { id, name, roles, sha256, createdMs };
}

function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
