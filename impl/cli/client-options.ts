/** The options that every command shares which talks to a server over HTTP. Mirrors no spec module. */
import type { Command } from 'commander';
import { type Access, HttpClient } from './http-client.ts';
import { readSecretFile } from './secret-files.ts';
import { session } from './session.ts';
import { type Resolved, required, resolveSettings } from './settings.ts';

export function addClientOptions(command: Command): Command {
  return addAccessOptions(command)
    .option(
      '--url <url>',
      'HTTP address of a replica, or several with commas between (default: the three of `lockstep cluster`, from http://127.0.0.1:7100)',
    )
    .option('--timeout-ms <ms>', 'give up after so long (default 30000)')
    .option('--config <file>', 'settings in TOML')
    .addHelpText(
      'after',
      '\nEnvironment: LOCKSTEP_URL, LOCKSTEP_TIMEOUT_MS, LOCKSTEP_TOKEN (an API key or a JSON Web Token), LOCKSTEP_AUTHORITY, LOCKSTEP_CERTIFICATE, LOCKSTEP_KEY, LOCKSTEP_CONFIG. Flags win.',
    );
}

/** A token is a secret, and has no flag: everybody on the machine sees those of a process. */
export function addAccessOptions(command: Command): Command {
  return command
    .option('--authority <file>', 'for TLS: certificates whose signatures are believed')
    .option('--certificate <file>', "for TLS: the client's certificate")
    .option('--key <file>', 'for TLS: the key of this certificate');
}

export function httpClientOf(command: Command): HttpClient {
  const options = command.opts<ClientOptions>();
  const resolved = resolveSettings('client', {
    flags: {
      url: options.url,
      'timeout-ms': options.timeoutMs,
      authority: options.authority,
      certificate: options.certificate,
      key: options.key,
    },
    environment: process.env,
    file: options.config ?? process.env.LOCKSTEP_CONFIG,
  });
  const urls = required('client', resolved, 'url');
  const access = { ...accessOf('client', resolved), interrupted: session.interrupted };
  return new HttpClient(urls, required('client', resolved, 'timeout-ms'), undefined, access);
}

interface AccessSettings {
  readonly token?: string | undefined;
  readonly authority?: string | undefined;
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
}

interface ClientOptions {
  readonly url?: string;
  readonly timeoutMs?: string;
  readonly authority?: string;
  readonly certificate?: string;
  readonly key?: string;
  readonly config?: string;
}

/** Who asks, and whom it believes; files are read here. */
export function accessOf<S extends 'client' | 'bench'>(section: S, resolved: Resolved<S>): Access {
  const values: AccessSettings = resolved.values;
  const { token, authority, certificate, key } = values;
  if (authority === undefined) return { token };
  return {
    token,
    tls: {
      authority: readSecretFile(authority, `${section}.authority`),
      ...(certificate === undefined ? {} : { certificate: readSecretFile(certificate, `${section}.certificate`) }),
      ...(key === undefined ? {} : { key: readSecretFile(key, `${section}.key`) }),
    },
  };
}
