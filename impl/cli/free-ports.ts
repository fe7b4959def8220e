/**
 * Ports looked at before use, so that a busy one is an error with its name and not a half-started cluster.
 * Another process may still take a port in between; the server then says so itself. Mirrors no spec module.
 */
import { createServer } from 'node:net';
import type { HostPort } from '../server/server-config.ts';
import { CliError } from './cli-error.ts';
import { hostPortText } from './host-port.ts';

/** Below the ports that systems hand out for outgoing connections: nobody gets one of these by chance. */
const FREE_PORT_MIN = 20_000;
const FREE_PORT_MAX = 32_000;
/** Draws before giving up: with a tenth of the range in use, ten ports need about eleven. */
const DRAWS_MAX = 500;

/** @param what what is to listen there, for the error: `HTTP of replica 1` */
export async function requirePortFree(address: HostPort, what: string): Promise<void> {
  const system = await listenOnce(address);
  if (system === undefined) return;
  const place = hostPortText(address);
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: 'is in use: stop what listens there, or choose other ports with --port',
    EACCES: 'needs more rights than you have: choose a port from 1024 up with --port',
    EADDRNOTAVAIL: 'is no address of this machine: use 127.0.0.1',
  };
  const message = `${place} (${what}) ${reasons[system] ?? `cannot be listened on (${system}): choose another`}`;
  throw new CliError('CLI_PORT_BUSY', message, { address: place, for: what, system });
}

/** @param below uniform in 0..boundExclusive-1; @returns `count` different ports on which nothing listens now */
export async function freePorts(
  host: string,
  count: number,
  below: (boundExclusive: number) => number,
): Promise<readonly number[]> {
  const found = new Set<number>();
  for (let draw = 0; draw < DRAWS_MAX && found.size < count; draw++) {
    const port = FREE_PORT_MIN + below(FREE_PORT_MAX - FREE_PORT_MIN);
    if (!found.has(port) && (await listenOnce({ host, port })) === undefined) found.add(port);
  }
  if (found.size < count)
    throw new CliError('CLI_PORT_BUSY', `no ${count} free ports found on ${host}: name one with --port`, { host });
  return [...found];
}

/** Listens and stops; the system's code when it cannot. */
function listenOnce({ host, port }: HostPort): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (cause: NodeJS.ErrnoException) => resolve(cause.code ?? 'unknown'));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
