/**
 * `lockstep server`: one replica in this process, from its settings to a clean stop. Logs go to standard error as JSON
 * lines, the ready line to standard output. Mirrors no spec module.
 */
import Table from 'cli-table3';
import type { Command } from 'commander';
import { type Logger, pino } from 'pino';
import { startReplicaServer } from '../../server/replica-server.ts';
import type { RunningServer, ServerConfig } from '../../server/server-config.ts';
import { CliError, EXIT_DONE, EXIT_FAILED } from '../cli-error.ts';
import { clusterId } from '../cluster-id.ts';
import { exitsWith, Output } from '../command.ts';
import { inline } from '../dx-answer.ts';
import { loadDxPlugin } from '../dx-plugin.ts';
import { hostPortText, parseHostPort } from '../host-port.ts';
import { addSecurityFlags, securityFlagsOf, securityOf, tracesOf } from '../server-flags.ts';
import { NOT_SHOWN, type Resolved, required, resolveSettings } from '../settings.ts';
import { limitNames, limitsOf, REPLICAS_MAX, type SettingsOf } from '../settings-schema.ts';
import { wholeNumber } from '../whole-number.ts';

interface ServerOptions {
  readonly addresses?: string;
  readonly http?: string;
  readonly httpAddresses?: string;
  readonly allowedOrigins?: string;
  readonly dx: boolean;
  readonly logLevel?: string;
  readonly limit: Readonly<Record<string, string>>;
  readonly cluster?: bigint;
  readonly replica?: number;
  readonly record?: string;
  readonly config?: string;
  readonly printConfig?: boolean;
  readonly stopWithStdin?: boolean;
}

export function configure(command: Command): void {
  addSecurityFlags(command)
    .argument('[dir]', 'a directory that `lockstep format` made (or LOCKSTEP_DIRECTORY)')
    .option('--addresses <list>', 'host:port of every replica in the order of their numbers, commas between')
    .option('--http <host:port>', 'where its HTTP API listens; port 0 asks for a free one')
    .option('--http-addresses <list>', 'host:port of every HTTP API, so that the page of one shows all replicas')
    .option('--allowed-origins <list>', 'origins whose pages may use the HTTP API in a browser')
    .option('--no-dx', 'leave the DX API out')
    .option('--log-level <level>', 'silent, error, warn, info or debug (default info)')
    .option('--limit <name=n>', 'a limit of the server, such as tick-ms=20', limits, {})
    .option('--cluster <id>', 'refuse a directory of another cluster', clusterId)
    .option('--replica <n>', 'refuse the directory of another replica', wholeNumber(0, REPLICAS_MAX - 1))
    .option(
      '--record <dir>',
      'write every step of the replica there, for checks against the spec; costs a write a step',
    )
    .option('--config <file>', 'settings in TOML')
    .option('--print-config', 'print every setting with its origin, and start nothing')
    .option('--stop-with-stdin', 'stop when standard input ends, as `lockstep cluster` has it')
    .addHelpText(
      'after',
      '\nEnvironment: LOCKSTEP_ADDRESSES and so on. Flags win. SIGTERM stops it cleanly, SIGHUP reads certificates, keys and the cluster secret again.',
    )
    .action(
      exitsWith(async (directory: string | undefined, options: ServerOptions, self: Command) => {
        const out = new Output(self);
        const resolved = resolveSettings('server', {
          flags: { ...flagsOf(directory, options), ...securityFlagsOf(self) },
          environment: process.env,
          file: options.config ?? process.env.LOCKSTEP_CONFIG,
        });
        if (options.printConfig === true) return printConfig(out, resolved);
        return runServer(
          out,
          configOf(resolved, options),
          required('server', resolved, 'log-level'),
          options.stopWithStdin,
        );
      }),
    );
}

function flagsOf(directory: string | undefined, options: ServerOptions): Record<string, unknown> {
  const named = Object.entries(options.limit).map(([name, value]) => [`limits.${name}`, value]);
  return {
    directory,
    addresses: options.addresses,
    http: options.http,
    'http-addresses': options.httpAddresses,
    'allowed-origins': options.allowedOrigins,
    dx: options.dx ? undefined : false,
    'log-level': options.logLevel,
    ...Object.fromEntries(named),
  };
}

function configOf(resolved: Resolved<'server'>, { cluster, replica, record }: ServerOptions): ServerConfig {
  const directory = required('server', resolved, 'directory');
  const addresses = required('server', resolved, 'addresses');
  const http = required('server', resolved, 'http');
  return {
    directory,
    addresses: addresses.map((text, index) => parseHostPort(text, `addresses[${index}]`)),
    http: parseHostPort(http, 'http'),
    httpAddresses: (resolved.values['http-addresses'] ?? []).map((text, index) =>
      parseHostPort(text, `http-addresses[${index}]`),
    ),
    dx: required('server', resolved, 'dx'),
    limits: limitsOf(resolved.values as SettingsOf<'server'>),
    expected: { ...(cluster === undefined ? {} : { cluster }), ...(replica === undefined ? {} : { replica }) },
    recordTo: record,
    allowedOrigins: resolved.values['allowed-origins'] ?? [],
    ...securityOf(resolved),
    traces: tracesOf(resolved),
  };
}

function printConfig(out: Output, { settings }: Resolved<'server'>): number {
  const table = new Table({ head: ['setting', 'value', 'origin'], style: { head: [], border: [], compact: true } });
  for (const { key, value: given, isSecret, origin } of settings) {
    const value = isSecret && given !== undefined ? NOT_SHOWN : given;
    table.push([key, Array.isArray(value) ? value.join(',') : inline(value), origin]);
    out.value({ key, value: value ?? null, origin });
  }
  out.line(table.toString());
  return EXIT_DONE;
}

async function runServer(out: Output, config: ServerConfig, level: string, withStdin?: boolean): Promise<number> {
  const logger = pino({ level }, pino.destination({ fd: 2, sync: false }));
  const dx = config.dx ? await loadDxPlugin() : undefined;
  const starting = startReplicaServer(config, { logger, ...(dx === undefined ? {} : { dx }) });
  const letGo = stopOnRequest(starting, logger, withStdin === true);
  const isReloadable = [config.tls, config.auth, config.clusterSecret].some((part) => part !== undefined);
  const onReload = (): void => void starting.then((server) => reload(server, logger)).catch(() => {});
  if (isReloadable) process.on('SIGHUP', onReload);
  try {
    const server = await starting;
    announce(out, server, config.tls !== undefined);
    await server.stopped;
    return EXIT_DONE;
  } finally {
    letGo();
    process.off('SIGHUP', onReload);
  }
}

/** A wrong file leaves everything as it was: a running replica does not stop for it. */
async function reload(server: RunningServer, logger: Logger): Promise<void> {
  try {
    await server.reload();
    logger.info('certificates, keys and secrets are read again');
  } catch (cause) {
    logger.error({ err: cause }, 'certificates, keys and secrets stay as they were');
  }
}

function announce(out: Output, server: RunningServer, isTls: boolean): void {
  const { cluster, replica, replicaCount, peerAddress, httpAddress } = server;
  const address = hostPortText(peerAddress);
  const http = hostPortText(httpAddress);
  out.value({ event: 'ready', cluster, replica, replicaCount, address, http, pid: process.pid });
  out.line(`replica ${replica} of ${replicaCount}, cluster ${cluster}, pid ${process.pid}`);
  out.line(`  peers and clients ${address}`);
  out.line(`  HTTP              ${isTls ? 'https' : 'http'}://${http}`);
  out.line('Ctrl-C or SIGTERM stops it.');
}

/** SIGTERM, SIGINT and, when asked, the end of standard input stop the server; a second signal ends the process at once. */
function stopOnRequest(starting: Promise<RunningServer>, logger: Logger, withStdin: boolean): () => void {
  let asked = 0;
  const stop = (why: string): void => {
    asked += 1;
    logger.info({ why }, 'stopping');
    if (asked > 1) process.exit(EXIT_FAILED);
    // A failed start or stop is reported by whoever awaits it.
    void starting.then((server) => server.stop()).catch(() => {});
  };
  const onEnd = (): void => {
    if (asked === 0) stop('standard input ended');
  };
  process.on('SIGTERM', stop).on('SIGINT', stop);
  if (withStdin) process.stdin.on('end', onEnd).on('error', onEnd).resume();
  return () => {
    process.off('SIGTERM', stop).off('SIGINT', stop);
    if (withStdin) process.stdin.destroy();
  };
}

function limits(text: string, previous: Record<string, string>): Record<string, string> {
  const [, name, value] = /^([a-z-]+)=(.*)$/.exec(text) ?? [];
  const known = limitNames();
  if (name === undefined || value === undefined || !known.includes(name)) {
    const message = `--limit ${text} is no limit: it takes name=n with a name of ${known.join(', ')}`;
    throw new CliError('CLI_SETTING_INVALID', message, { value: text });
  }
  return { ...previous, [name]: value };
}
