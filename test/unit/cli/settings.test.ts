/**
 * Goal: a setting comes from the place that the order names, with that place as its origin, and whatever is not a setting
 * is refused with key, place and what is allowed. Method: each source alone, each over the next, each kind of wrong value.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { CliError } from '../../../impl/cli/cli-error.ts';
import { parseHostPort } from '../../../impl/cli/host-port.ts';
import { securityOf, tracesOf } from '../../../impl/cli/server-flags.ts';
import { required, resolveSettings } from '../../../impl/cli/settings.ts';
import { limitsOf, type SettingsOf } from '../../../impl/cli/settings-schema.ts';
import { SERVER_LIMITS } from '../../../impl/server/server-limits.ts';

const folder = mkdtempSync(join(tmpdir(), 'lockstep-settings-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
function fileWith(text: string): string {
  files += 1;
  const file = join(folder, `settings-${files}.toml`);
  writeFileSync(file, text);
  return file;
}

function errorOf(act: () => unknown): CliError {
  try {
    act();
  } catch (cause) {
    if (cause instanceof CliError) return cause;
    throw cause;
  }
  throw new Error('nothing was refused');
}

const none = { flags: {}, environment: {}, file: undefined };
const originOf = (key: string, sources: Parameters<typeof resolveSettings>[1]): string | undefined =>
  resolveSettings('server', sources).settings.find((setting) => setting.key === key)?.origin;

describe('settings', () => {
  it('flags win over the environment, the environment over the file, the file over defaults', () => {
    const file = fileWith('[server]\nhttp = "h:1"\n');
    const environment = { LOCKSTEP_HTTP: 'h:2' };
    const http = (sources: Parameters<typeof resolveSettings>[1]) => resolveSettings('server', sources).values.http;
    expect(http({ flags: { http: 'h:3' }, environment, file })).toBe('h:3');
    expect(http({ flags: {}, environment, file })).toBe('h:2');
    expect(http({ flags: {}, environment: {}, file })).toBe('h:1');
    expect(http(none)).toBeUndefined();
    expect(originOf('server.http', { flags: { http: 'h:3' }, environment, file })).toBe('flag --http');
    expect(originOf('server.http', { flags: {}, environment, file })).toBe('environment LOCKSTEP_HTTP');
    expect(originOf('server.http', { flags: {}, environment: {}, file })).toBe(`file ${file}`);
    expect(originOf('server.http', none)).toBe('not set');
    expect(originOf('server.dx', none)).toBe('default');
  });

  it('TLS, keys, rates and traces come by flag, environment and file, and belong together', () => {
    const file = fileWith('[server.tls]\nauthority = "a.pem"\ncertificate = "c.pem"\n[server.rate]\nburst = 7\n');
    const environment = { LOCKSTEP_TLS_KEY: 'k.key', LOCKSTEP_AUTH_JWT_ISSUER: 'https://issuer.example' };
    const flags = {
      'tls.client-certificates': 'required',
      'traces.url': 'http://h:4318/v1/traces',
      'auth.keys': 'keys',
    };
    const resolved = resolveSettings('server', { flags, environment, file });
    expect(resolved.values.tls).toEqual({
      authority: 'a.pem',
      certificate: 'c.pem',
      key: 'k.key',
      'client-certificates': 'required',
    });
    const { tls, auth, rates } = securityOf(resolved);
    expect([tls?.clientCertificateRequired, auth?.issuer, auth?.certificates]).toEqual([
      true,
      'https://issuer.example',
      false,
    ]);
    expect(rates).toEqual({ requestsPerSecond: 0, burst: 7 });
    expect(tracesOf(resolved)).toEqual({ url: 'http://h:4318/v1/traces', headers: {}, samplePercent: 100 });
    const half = resolveSettings('server', { flags: { 'tls.key': 'k' }, environment: {}, file: undefined });
    expect(errorOf(() => securityOf(half)).message).toContain('belong together');
    expect(originOf('server.tls.key', { flags: { 'tls.key': 'k' }, environment: {}, file })).toBe('flag --tls-key');
    const off = securityOf(resolveSettings('server', none));
    expect([off.tls, off.auth, tracesOf(resolveSettings('server', none))]).toEqual([undefined, undefined, undefined]);
  });

  it('a secret is marked as one, wherever it comes from, and no error repeats it', () => {
    const headers = 'x-key=planted, y=b=c';
    const environment = { LOCKSTEP_TRACES_HEADERS: headers, LOCKSTEP_TRACES_URL: 'http://h:1' };
    const resolved = resolveSettings('server', { ...none, environment });
    expect(resolved.settings.filter(({ isSecret }) => isSecret).map(({ key }) => key)).toEqual([
      'server.traces.headers',
    ]);
    expect(tracesOf(resolved)?.headers).toEqual({ 'x-key': 'planted', y: 'b=c' });
    const wrong = resolveSettings('server', {
      ...none,
      environment: { ...environment, LOCKSTEP_TRACES_HEADERS: 'a=1,planted' },
    });
    expect(errorOf(() => tracesOf(wrong)).message).toBe(
      'traces.headers takes name=value with commas between; part 2 is none',
    );
    const empty = errorOf(() => resolveSettings('client', { ...none, environment: { LOCKSTEP_TOKEN: '' } }));
    expect(empty.message).toContain('(not shown)');
    const numeric = errorOf(() => resolveSettings('client', { ...none, file: fileWith('[client]\ntoken = 4711\n') }));
    expect(numeric.message).not.toContain('4711');
    const address = errorOf(() => resolveSettings('client', { ...none, flags: { url: 'http://ann:planted@h:1' } }));
    expect(JSON.stringify([address.message, address.evidence])).not.toContain('planted');
  });

  it('every limit of the server is a setting with the server’s own default', () => {
    const { values } = resolveSettings('server', none);
    expect(limitsOf(values as SettingsOf<'server'>)).toEqual(SERVER_LIMITS);
    const file = fileWith('[server.limits]\ntick-ms = 20\n');
    const changed = resolveSettings('server', {
      flags: {},
      environment: { LOCKSTEP_LIMITS_BATCH_COMMANDS_MAX: '7' },
      file,
    });
    expect(limitsOf(changed.values as SettingsOf<'server'>)).toMatchObject({ TICK_MS: 20, BATCH_COMMANDS_MAX: 7 });
  });

  it('an unknown key of the file is refused with key, file and the allowed names', () => {
    const file = fileWith('[server]\nhtpp = "h:1"\n');
    const error = errorOf(() => resolveSettings('server', { ...none, file }));
    expect(error.code).toBe('CLI_SETTING_INVALID');
    expect(error.message).toContain(file);
    expect(error.message).toContain('server.htpp');
    expect(error.message).toMatch(/allowed here: .*addresses, http, .*dx, /);
    expect(errorOf(() => resolveSettings('server', { ...none, file: fileWith('[sever]\n') })).message).toMatch(
      /sever is no setting; allowed here: server, client, bench, cluster/,
    );
    const limits = fileWith('[server.limits]\ntick = 1\n');
    expect(errorOf(() => resolveSettings('server', { ...none, file: limits })).message).toContain('tick-ms');
  });

  it('an unknown key is found by every command, also in a section that it does not use', () => {
    const file = fileWith('[cluster]\nreplica = 3\n');
    expect(errorOf(() => resolveSettings('client', { ...none, file })).message).toContain(
      'cluster.replica is no setting',
    );
  });

  it.each([
    ['[server]\ndx = "yes"\n', /server\.dx is yes, from file .*: it takes true or false/],
    ['[server]\nlog-level = "loud"\n', /server\.log-level is loud.*one of silent, error, warn, info, debug/],
    ['[server]\naddresses = "h:1"\n', /server\.addresses is h:1.*a list/],
    ['[server]\naddresses = ["h"]\n', /server\.addresses is \["h"\].*host:port/],
    ['[server.limits]\ntick-ms = 0\n', /server\.limits\.tick-ms is 0.*a whole number from 1/],
    ['[server.limits]\ntick-ms = 1.5\n', /tick-ms is 1\.5/],
    ['[cluster]\nreplicas = 9\n', /cluster\.replicas is 9.*a whole number from 1 to 7/],
    ['server = 3\n', /server must be a table/],
  ])('an ill-typed value of the file is refused: %j', (text, message) => {
    expect(errorOf(() => resolveSettings('server', { ...none, file: fileWith(text) })).message).toMatch(message);
  });

  it('a file that is no TOML is refused with line and column, a missing one with its name', () => {
    const file = fileWith('[server]\nhttp = \n');
    expect(errorOf(() => resolveSettings('server', { ...none, file })).evidence).toMatchObject({ file, line: 2 });
    const missing = errorOf(() => resolveSettings('server', { ...none, file: join(folder, 'nope.toml') }));
    expect(missing.code).toBe('CLI_FILE_UNREADABLE');
    expect(missing.message).toContain('nope.toml');
  });

  it('a variable that is no setting is refused with the names that are', () => {
    const error = errorOf(() => resolveSettings('server', { ...none, environment: { LOCKSTEP_HTPP: 'x' } }));
    expect(error.message).toMatch(/LOCKSTEP_HTPP, which is no setting.*LOCKSTEP_HTTP/);
    expect(errorOf(() => resolveSettings('server', { ...none, environment: { LOCKSTEP_DX: '1' } })).message).toMatch(
      /server\.dx is 1, from environment LOCKSTEP_DX: it takes true or false/,
    );
  });

  it('what is required and not set says the three ways to give it', () => {
    const resolved = resolveSettings('server', none);
    expect(errorOf(() => required('server', resolved, 'http')).message).toMatch(
      /http is not set: give --http, LOCKSTEP_HTTP, or server\.http in the file of --config/,
    );
  });
});

describe('host:port', () => {
  it.each([
    ['127.0.0.1:7100', { host: '127.0.0.1', port: 7100 }],
    ['[::1]:0', { host: '::1', port: 0 }],
    ['replica-0.example:65535', { host: 'replica-0.example', port: 65_535 }],
  ])('%s is read', (text, address) => {
    expect(parseHostPort(text, 'http')).toEqual(address);
  });

  it.each(['', 'h', ':1', 'h:', 'h:x', 'h:65536', 'h:-1', '::1:80', 'a b:1', 'http://h:1'])('%j is refused', (text) => {
    expect(errorOf(() => parseHostPort(text, 'http')).message).toContain(`http is ${text}: it takes host:port`);
  });
});
