/**
 * Lockstep as its users start it: `lockstep cluster` with three processes, in plain text or with TLS everywhere (mutual between
 * the replicas), loaded by `lockstep bench`, or over HTTP by http-load.ts, in a process of its own.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { outputOf, stop } from './child.ts';
import type { LoadResult } from './load-result.ts';
import type { LoadOptions, RunningSystem, System } from './system.ts';

const START_MS_MAX = 60_000;
const HTTP_LOAD = fileURLToPath(new URL('./http-load.ts', import.meta.url));

export const LOCKSTEP = 'lockstep';
export const LOCKSTEP_HTTP = 'lockstep, HTTP';
export const LOCKSTEP_TLS = 'lockstep, TLS';

export function lockstepSystems(root: string): readonly System[] {
  const bin = join(root, 'bin', 'lockstep');
  return [
    { name: LOCKSTEP, start: (folder) => startLockstep(bin, folder, false) },
    { name: LOCKSTEP_HTTP, start: (folder) => startLockstep(bin, folder, true) },
    { name: LOCKSTEP_TLS, start: (folder) => startSecured(bin, folder) },
  ];
}

interface ClusterLine {
  readonly event: 'cluster' | 'ready' | 'serving' | 'not-serving' | 'died';
  readonly replica?: number;
  readonly address?: string;
  readonly http?: string;
  readonly pid?: number;
}

interface Ready {
  readonly address: string;
  readonly http: string;
  readonly pid: number;
}

export interface RunningLockstep extends RunningSystem {
  /** Of the replicas, by their numbers. */
  readonly pids: readonly number[];
}

/** @param environment of the processes; default this one's */
export async function startLockstep(
  bin: string,
  folder: string,
  overHttp: boolean,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<RunningLockstep> {
  const data = mkdtempSync(join(folder, 'lockstep-'));
  const { child, replicas } = await startCluster(bin, data, environment);
  const addresses = replicas.map(({ address }) => address).join(',');
  return {
    ...(overHttp
      ? { load: (options) => loadOverHttp(replicas.map(({ http }) => http).join(','), options) }
      : {
          load: (options) => load(bin, addresses, options),
          reads: {
            linearizable: (options) => load(bin, addresses, options, ['--reads', 'linearizable']),
            committed: (options) => load(bin, addresses, options, ['--reads', 'committed']),
          },
        }),
    pids: replicas.map(({ pid }) => pid),
    residentBytes: () => replicas.flatMap(({ pid }) => residentBytes(pid)),
    stop: async () => {
      await stop(child);
      rmSync(data, { recursive: true, force: true });
    },
  };
}

/** Only what is compared with plain text: writes over the binary protocol. */
async function startSecured(bin: string, folder: string): Promise<RunningSystem> {
  const data = mkdtempSync(join(folder, 'lockstep-tls-'));
  const { child, replicas } = await startCluster(bin, data, process.env, ['--tls']);
  const addresses = replicas.map(({ address }) => address).join(',');
  const trusted = ['--authority', join(data, 'cluster', 'tls', 'authority.pem')];
  return {
    load: async (options) => ({ ...(await load(bin, addresses, options, trusted)), system: LOCKSTEP_TLS }),
    stop: async () => {
      await stop(child);
      rmSync(data, { recursive: true, force: true });
    },
  };
}

async function startCluster(
  bin: string,
  data: string,
  environment: NodeJS.ProcessEnv,
  more: readonly string[] = [],
): Promise<{ readonly child: ChildProcess; readonly replicas: readonly Ready[] }> {
  const child = spawn(bin, ['cluster', '--json', '--data', join(data, 'cluster'), '--port', '0', ...more], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: environment,
  });
  return { child, replicas: await untilServing(child) };
}

function untilServing(child: ChildProcess): Promise<readonly Ready[]> {
  return new Promise((serving, fail) => {
    const late = setTimeout(() => refuse(`lockstep cluster serves nothing after ${START_MS_MAX} ms`), START_MS_MAX);
    const refuse = (why: string): void => {
      clearTimeout(late);
      child.kill('SIGTERM');
      fail(new Error(why));
    };
    const replicas: Ready[] = [];
    child.once('exit', (code) => refuse(`lockstep cluster ended with ${code}`));
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (text) => {
      const line = JSON.parse(text) as ClusterLine;
      const { address = '', http = '', pid = 0 } = line;
      if (line.event === 'ready') replicas[line.replica ?? 0] = { address, http, pid };
      if (line.event === 'not-serving' || line.event === 'died') refuse(`lockstep cluster: ${text}`);
      if (line.event !== 'serving') return;
      clearTimeout(late);
      serving(replicas);
    });
  });
}

async function load(
  bin: string,
  addresses: string,
  { inFlight, bytes, warmSeconds, seconds }: LoadOptions,
  more: readonly string[] = [],
): Promise<LoadResult> {
  const flags = ['--clients', inFlight, '--size', bytes, '--warm', warmSeconds, '--seconds', seconds].map(String);
  const text = await outputOf(bin, ['bench', '--json', '--addresses', addresses, ...flags, ...more]);
  return { ...(JSON.parse(text) as Omit<LoadResult, 'system'>), system: LOCKSTEP };
}

async function loadOverHttp(
  addresses: string,
  { inFlight, bytes, warmSeconds, seconds }: LoadOptions,
): Promise<LoadResult> {
  const words = ['--import', 'tsx', HTTP_LOAD, addresses, ...[inFlight, bytes, warmSeconds, seconds].map(String)];
  const text = await outputOf(process.execPath, words);
  return { ...(JSON.parse(text) as Omit<LoadResult, 'system'>), system: LOCKSTEP_HTTP };
}

/** From /proc; elsewhere nothing. */
function residentBytes(pid: number): readonly number[] {
  try {
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kib === undefined ? [] : [Number(kib) * 1024];
  } catch {
    return [];
  }
}
