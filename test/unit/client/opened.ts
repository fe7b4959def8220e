/** Scripted servers and real clients of them, which the tests open and closeAll() closes. */
import { type ClientOptions, LockstepClient } from '../../../impl/client/index.ts';
import { type Asked, commits, type Script, ScriptedServer } from './scripted-server.ts';

const open: { close(): unknown }[] = [];

/** After each test. */
export async function closeAll(): Promise<void> {
  for (const one of open.splice(0)) await one.close();
}

/** Closed with the rest. */
export function opened<One extends { close(): unknown }>(one: One): One {
  open.push(one);
  return one;
}

export async function servers(count: number, script: Script = commits): Promise<ScriptedServer[]> {
  const all = await Promise.all(Array.from({ length: count }, (_, replica) => ScriptedServer.start(script, replica)));
  open.push(...all);
  return all;
}

export function clientOf(all: readonly ScriptedServer[], options: Partial<ClientOptions> = {}): LockstepClient {
  return opened(new LockstepClient({ addresses: all.map(({ address }) => address), ...options }));
}

/** A client with a connection and a session: what is asked of it from now on leaves when there is room. */
export async function readyClientOf(
  all: readonly ScriptedServer[],
  options: Partial<ClientOptions> = {},
): Promise<LockstepClient> {
  const client = clientOf(all, options);
  await client.createStream('ready');
  return client;
}

/** What is asked of one kind waits until the test ends it; everything else is done. */
export function holding(operation: string, held: Asked[]): Script {
  return (asked, server) => {
    if (asked.body.operation === operation) held.push(asked);
    else commits(asked, server);
  };
}
