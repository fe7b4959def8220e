/** The options that every command shares which talks to a server over HTTP. Mirrors no spec module. */
import type { Command } from 'commander';
import { HttpClient } from './http-client.ts';
import { required, resolveSettings } from './settings.ts';

export function addClientOptions(command: Command): Command {
  return command
    .option(
      '--url <url>',
      'HTTP address of a replica, or several with commas between (default: the three of `lockstep cluster`, from http://127.0.0.1:7100)',
    )
    .option('--timeout-ms <ms>', 'give up after so long (default 30000)')
    .option('--config <file>', 'settings in TOML')
    .addHelpText('after', '\nEnvironment: LOCKSTEP_URL, LOCKSTEP_TIMEOUT_MS, LOCKSTEP_CONFIG. Flags win.');
}

export function httpClientOf(command: Command): HttpClient {
  const options = command.opts<{ url?: string; timeoutMs?: string; config?: string }>();
  const resolved = resolveSettings('client', {
    flags: { url: options.url, 'timeout-ms': options.timeoutMs },
    environment: process.env,
    file: options.config ?? process.env.LOCKSTEP_CONFIG,
  });
  return new HttpClient(required('client', resolved, 'url'), required('client', resolved, 'timeout-ms'));
}
