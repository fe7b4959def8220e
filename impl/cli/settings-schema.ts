/**
 * Every setting of every command, its type, its bounds and its default: the only place that knows them.
 * Key in the file: `[section] name`; flag `--name`; environment LOCKSTEP_NAME; of limits `--limit name=N` and
 * LOCKSTEP_LIMITS_NAME. A setting with `secret` is never shown, has no flag, and no error repeats it. Mirrors no spec module.
 */
import { type Static, type TInteger, Type } from '@sinclair/typebox';
import { SERVER_LIMITS, type ServerLimits } from '../server/server-limits.ts';

const PORT_MAX = 65_535;
/** As many as Vsr's models and the address list of one machine make sense of; odd, so that none is idle weight. */
export const REPLICAS_MAX = 7;

const address = (description: string) =>
  Type.String({ pattern: '^(\\[[0-9a-fA-F:.]+\\]|[^\\s:,\\[\\]]+):[0-9]{1,5}$', description });

const file = (description: string) => Type.Optional(Type.String({ minLength: 1, description }));
const secret = (description: string) => Type.Optional(Type.String({ minLength: 1, description, secret: true }));
/** Without a name and a password in it: those would come out in logs. */
const URL_PATTERN = '^https?://[^\\s,@]+$';

/** Of every command that asks a server. */
const access = {
  token: secret('an API key or a JSON Web Token'),
  authority: file('a file of the certificates, in PEM, whose signatures are believed'),
  certificate: file("a file of the client's certificate, in PEM"),
  key: file('a file of the key of this certificate, in PEM'),
};

const limitSchemas = Object.fromEntries(
  Object.entries(SERVER_LIMITS).map(([name, value]) => [
    kebabOf(name),
    Type.Integer({ minimum: 1, default: value, description: 'a whole number from 1' }),
  ]),
) as Record<string, TInteger>;

export const settingsSchema = {
  server: Type.Object({
    directory: Type.String({ minLength: 1, description: 'a directory that `lockstep format` made' }),
    addresses: Type.Array(address('host:port'), {
      minItems: 1,
      maxItems: REPLICAS_MAX,
      description: 'host:port of every replica, in the order of their numbers',
    }),
    http: Type.Optional(address('host:port of the HTTP API; port 0 asks the system for a free one')),
    'http-addresses': Type.Optional(
      Type.Array(address('host:port'), {
        minItems: 1,
        maxItems: REPLICAS_MAX,
        description: 'host:port of the HTTP API of every replica, in the order of their numbers: for the page',
      }),
    ),
    'allowed-origins': Type.Optional(
      Type.Array(Type.String({ pattern: '^https?://[^\\s,/@]+$', description: 'https://host' }), {
        description: 'origins whose pages may use the HTTP API in a browser, such as https://host:port',
      }),
    ),
    dx: Type.Boolean({ default: true, description: 'true or false' }),
    'log-level': Type.Union(
      ['silent', 'error', 'warn', 'info', 'debug'].map((level) => Type.Literal(level)),
      { default: 'info' },
    ),
    tls: Type.Object({
      authority: file('a file of the certificates, in PEM, whose signatures are believed'),
      certificate: file("a file of this replica's certificate, in PEM"),
      key: file('a file of the key of this certificate, in PEM'),
      'client-certificates': Type.Union([Type.Literal('optional'), Type.Literal('required')], { default: 'optional' }),
    }),
    auth: Type.Object({
      keys: file('a file of API keys, as `lockstep auth add-key` writes it'),
      'cluster-secret': file('a file of the secret that replicas share, as `lockstep auth make-secret` writes it'),
      'jwt-keys': file('a file of a JSON Web Key Set: the keys that tokens are signed with'),
      'jwt-issuer': Type.Optional(Type.String({ minLength: 1, description: 'the claim iss of a token' })),
      'jwt-audience': Type.Optional(Type.String({ minLength: 1, description: 'the claim aud of a token' })),
      'jwt-skew-seconds': Type.Integer({ minimum: 0, maximum: 300, default: 30 }),
      'client-certificates': Type.Boolean({ default: false, description: 'true or false' }),
    }),
    rate: Type.Object({
      'requests-per-second': Type.Integer({ minimum: 0, maximum: 1_000_000, default: 0 }),
      burst: Type.Integer({ minimum: 0, maximum: 1_000_000, default: 0 }),
    }),
    traces: Type.Object({
      url: Type.Optional(
        Type.String({ pattern: URL_PATTERN, description: 'http://host:port/v1/traces, of an OTLP collector' }),
      ),
      headers: secret('headers for the collector: name=value, commas between'),
      'sample-percent': Type.Integer({ minimum: 0, maximum: 100, default: 100 }),
    }),
    limits: Type.Object(limitSchemas),
  }),
  client: Type.Object({
    url: Type.Array(Type.String({ pattern: URL_PATTERN, description: 'http://host:port' }), {
      minItems: 1,
      maxItems: REPLICAS_MAX,
      /** What `lockstep cluster` starts. */
      default: ['http://127.0.0.1:7100', 'http://127.0.0.1:7101', 'http://127.0.0.1:7102'],
      description: 'http://host:port of one or more replicas, asked in this order',
    }),
    'timeout-ms': Type.Integer({ minimum: 1, maximum: 3_600_000, default: 30_000 }),
    ...access,
  }),
  bench: Type.Object({
    addresses: Type.Array(address('host:port'), {
      minItems: 1,
      maxItems: REPLICAS_MAX,
      /** What `lockstep cluster` starts. */
      default: ['127.0.0.1:7200', '127.0.0.1:7201', '127.0.0.1:7202'],
      description: 'host:port of every replica, in the order of their numbers',
    }),
    ...access,
  }),
  cluster: Type.Object({
    replicas: Type.Integer({ minimum: 1, maximum: REPLICAS_MAX, default: 3 }),
    data: Type.String({ minLength: 1, default: 'lockstep-data', description: 'a folder' }),
    port: Type.Integer({ minimum: 0, maximum: PORT_MAX, default: 7100 }),
    restart: Type.Boolean({ default: false, description: 'true or false' }),
    tls: Type.Boolean({ default: false, description: 'true or false' }),
  }),
} as const;

export type Section = keyof typeof settingsSchema;
export type SettingsOf<S extends Section> = Static<(typeof settingsSchema)[S]>;

/** `TICK_MS` is `tick-ms` in the file, and back. */
export function kebabOf(limit: string): string {
  return limit.toLowerCase().replaceAll('_', '-');
}

/** As flags and file name them. */
export function limitNames(): readonly string[] {
  return Object.keys(limitSchemas);
}

export function limitsOf(settings: SettingsOf<'server'>): ServerLimits {
  const names = Object.keys(SERVER_LIMITS) as (keyof ServerLimits)[];
  return Object.fromEntries(names.map((name) => [name, settings.limits[kebabOf(name)]])) as unknown as ServerLimits;
}
