/** `host:port` in text, and back; IPv6 hosts stand in brackets. Mirrors no spec module. */
import type { HostPort } from '../server/server-config.ts';
import { CliError } from './cli-error.ts';

const PORT_MAX = 65_535;

/** @param what names the value in the error, such as `addresses[1]` */
export function parseHostPort(text: string, what: string): HostPort {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:,[\]]+)):([0-9]{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined || !(port <= PORT_MAX)) {
    const message = `${what} is ${text}: it takes host:port with a port from 0 to ${PORT_MAX}, such as 127.0.0.1:7200`;
    throw new CliError('CLI_SETTING_INVALID', message, { key: what, value: text });
  }
  return { host, port };
}

export function hostPortText({ host, port }: HostPort): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
