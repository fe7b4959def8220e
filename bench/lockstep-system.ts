/** Lockstep as its users start it: `lockstep cluster` with three processes, loaded by `lockstep bench` in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { outputOf, stop } from './child.ts';
import type { LoadResult } from './load-result.ts';
import type { LoadOptions, System } from './system.ts';

const START_MS_MAX = 60_000;

export function lockstepSystem(root: string): System {
  return { name: 'lockstep', start: (folder) => startLockstep(join(root, 'bin', 'lockstep'), folder) };
}

interface ClusterLine {
  readonly event: 'cluster' | 'ready' | 'serving' | 'not-serving' | 'died';
  readonly replica?: number;
  readonly address?: string;
  readonly pid?: number;
}

async function startLockstep(bin: string, folder: string): ReturnType<System['start']> {
  const data = mkdtempSync(join(folder, 'lockstep-'));
  const child = spawn(bin, ['cluster', '--json', '--data', join(data, 'cluster'), '--port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const replicas = await untilServing(child);
  const addresses = replicas.map(({ address }) => address).join(',');
  return {
    load: (options) => load(bin, addresses, options),
    residentBytes: () => replicas.flatMap(({ pid }) => residentBytes(pid)),
    stop: async () => {
      await stop(child);
      rmSync(data, { recursive: true, force: true });
    },
  };
}

function untilServing(child: ChildProcess): Promise<readonly { readonly address: string; readonly pid: number }[]> {
  return new Promise((serving, fail) => {
    const late = setTimeout(() => refuse(`lockstep cluster serves nothing after ${START_MS_MAX} ms`), START_MS_MAX);
    const refuse = (why: string): void => {
      clearTimeout(late);
      child.kill('SIGTERM');
      fail(new Error(why));
    };
    const replicas: { address: string; pid: number }[] = [];
    child.once('exit', (code) => refuse(`lockstep cluster ended with ${code}`));
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (text) => {
      const line = JSON.parse(text) as ClusterLine;
      if (line.event === 'ready') replicas[line.replica ?? 0] = { address: line.address ?? '', pid: line.pid ?? 0 };
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
): Promise<LoadResult> {
  const flags = ['--clients', inFlight, '--size', bytes, '--warm', warmSeconds, '--seconds', seconds].map(String);
  const text = await outputOf(bin, ['bench', '--json', '--addresses', addresses, ...flags]);
  return { ...(JSON.parse(text) as Omit<LoadResult, 'system'>), system: 'lockstep' };
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
