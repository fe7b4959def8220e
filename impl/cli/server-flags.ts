/** The options of `lockstep server` about certificates, keys, rates and traces, and what they become. Mirrors no spec module. */
import type { Command } from 'commander';
import type { SecurityConfig } from '../server/security.ts';
import type { TracesConfig } from '../server/telemetry.ts';
import { CliError } from './cli-error.ts';
import { readSecretFile } from './secret-files.ts';
import type { Resolved } from './settings.ts';

/** Setting, its flag's argument, and what it is. Secrets have no flag: everybody on the machine sees those of a process. */
const FLAGS: readonly (readonly [setting: string, argument: string, what: string])[] = [
  ['tls.authority', '<file>', 'certificates whose signatures are believed; with the next two: TLS 1.3 everywhere'],
  ['tls.certificate', '<file>', 'certificate of this replica'],
  ['tls.key', '<file>', 'key of this certificate'],
  ['tls.client-certificates', '<when>', 'optional or required (default optional)'],
  ['auth.keys', '<file>', 'API keys, as `lockstep auth add-key` writes them; nobody else comes in then'],
  ['auth.cluster-secret', '<file>', 'secret of the cluster: replicas prove to each other that they know it'],
  ['auth.jwt-keys', '<file>', 'JSON Web Key Set, for tokens'],
  ['auth.jwt-issuer', '<text>', 'the issuer that a token must have'],
  ['auth.jwt-audience', '<text>', 'the audience that a token must have'],
  ['auth.jwt-skew-seconds', '<n>', 'how far clocks may differ (default 30)'],
  ['rate.requests-per-second', '<n>', 'of each key or address; 0: no limit (default)'],
  ['rate.burst', '<n>', 'requests at once after a pause (default: those of a second)'],
  ['traces.url', '<url>', 'OTLP collector that gets traces'],
  ['traces.sample-percent', '<n>', 'of requests that are traced (default 100)'],
];

export function addSecurityFlags(command: Command): Command {
  for (const [setting, argument, what] of FLAGS) command.option(`${flagOf(setting)} ${argument}`, what);
  return command.option('--auth-client-certificates', "a client certificate's roles count as credentials");
}

/** What was given of them, by setting. */
export function securityFlagsOf(command: Command): Record<string, unknown> {
  const options = command.opts<Record<string, unknown>>();
  const given = FLAGS.map(([setting]) => [setting, options[optionOf(setting)]]);
  return { ...Object.fromEntries(given), 'auth.client-certificates': options.authClientCertificates };
}

/** @throws CliError CLI_SETTING_INVALID when a part of what belongs together is missing */
export function securityOf({ values }: Resolved<'server'>): SecurityConfig {
  const { tls, auth, rate } = values;
  const { authority, certificate, key } = tls ?? {};
  const given = [authority, certificate, key].filter((file) => file !== undefined).length;
  if (given !== 0 && given !== 3) {
    const message = 'tls.authority, tls.certificate and tls.key belong together: give all three, or none';
    throw new CliError('CLI_SETTING_INVALID', message, { key: 'tls', given });
  }
  const { keys, 'jwt-keys': jwtKeys, 'cluster-secret': clusterSecret } = auth ?? {};
  const isAuthOn = keys !== undefined || jwtKeys !== undefined || auth?.['client-certificates'] === true;
  const fileOf = (file: string, what: string) => () => ({ file, text: readSecretFile(file, what) });
  return {
    tls:
      authority === undefined || certificate === undefined || key === undefined
        ? undefined
        : {
            load: () => ({
              authority: readSecretFile(authority, 'tls.authority'),
              certificate: readSecretFile(certificate, 'tls.certificate'),
              key: readSecretFile(key, 'tls.key'),
            }),
            clientCertificateRequired: tls?.['client-certificates'] === 'required',
          },
    clusterSecret: clusterSecret === undefined ? undefined : fileOf(clusterSecret, 'auth.cluster-secret'),
    auth: isAuthOn
      ? {
          apiKeys: keys === undefined ? undefined : fileOf(keys, 'auth.keys'),
          jwtKeys: jwtKeys === undefined ? undefined : fileOf(jwtKeys, 'auth.jwt-keys'),
          issuer: auth?.['jwt-issuer'],
          audience: auth?.['jwt-audience'],
          skewSeconds: auth?.['jwt-skew-seconds'] ?? 0,
          certificates: auth?.['client-certificates'] === true,
        }
      : undefined,
    rates: { requestsPerSecond: rate?.['requests-per-second'] ?? 0, burst: rate?.burst ?? 0 },
  };
}

/** @throws CliError CLI_SETTING_INVALID; never says what a header holds */
export function tracesOf({ values }: Resolved<'server'>): TracesConfig | undefined {
  const { url, headers = '', 'sample-percent': samplePercent = 100 } = values.traces ?? {};
  if (url === undefined) return undefined;
  const pairs = headers.split(',').filter((pair) => pair.trim() !== '');
  const wrong = pairs.findIndex((pair) => !/^\s*[\w-]+=./.test(pair));
  if (wrong >= 0) {
    const message = `traces.headers takes name=value with commas between; part ${wrong + 1} is none`;
    throw new CliError('CLI_SETTING_INVALID', message, { key: 'traces.headers', part: wrong + 1 });
  }
  const named = pairs.map((pair): [string, string] => {
    const at = pair.indexOf('=');
    return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
  });
  return { url, headers: Object.fromEntries(named), samplePercent };
}

function flagOf(setting: string): string {
  return `--${setting.replaceAll('.', '-')}`;
}

/** As commander names it. */
function optionOf(setting: string): string {
  return setting.replaceAll(/[.-]([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
