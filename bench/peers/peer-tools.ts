/**
 * What the peers of a benchmark share: the folder of peers (BENCH_PEERS, else ../shared/peers) with their load client, tools
 * built with Go into build/peers, and servers on free ports. Whatever is missing is said in the peer's place in the table.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import getPort from 'get-port';
import { outputOf } from '../child.ts';
import type { LoadResult } from '../load-result.ts';
import type { LoadOptions } from '../system.ts';

export const NODES = 3;
const READY_MS_MAX = 60_000;
const LOOK_MS = 100;
const BUILD_MS_MAX = 300_000;

export interface PeerTools {
  /** The folder of peers. */
  readonly peers: string;
  /** Of this checkout: build/peers, which outlives a run. */
  readonly built: string;
  readonly peerload: string;
}

/** What every peer needs, or why none can be measured here. */
export function peerToolsOr(root: string): PeerTools | string {
  const peers = resolve(root, process.env.BENCH_PEERS ?? '../shared/peers');
  if (!existsSync(join(peers, 'go', 'peerload')))
    return 'no folder of peers (set BENCH_PEERS to the one that holds go/peerload)';
  if (spawnSync('go', ['version']).status !== 0) return 'Go is missing';
  const built = join(root, 'build', 'peers');
  mkdirSync(built, { recursive: true });
  const peerload = goBuilt(built, 'peerload', join(peers, 'go', 'peerload'));
  return 'why' in peerload ? peerload.why : { peers, built, peerload: peerload.path };
}

/** A Go program of this folder, in `built`; built when it is not there yet. */
export function goBuilt(
  built: string,
  name: string,
  source: string,
  words: readonly string[] = ['build', '-o', join(built, name), '.'],
): { readonly path: string } | { readonly why: string } {
  const path = join(built, name);
  if (existsSync(path)) return { path };
  process.stderr.write(`building ${name}\n`);
  const { status, stderr } = spawnSync('go', words, {
    cwd: source,
    encoding: 'utf8',
    env: { ...process.env, GOBIN: built },
    timeout: BUILD_MS_MAX,
  });
  if (status === 0 && existsSync(path)) return { path };
  return { why: `go could not build ${name}: ${stderr.trim().split('\n').at(-1)}` };
}

export function freePorts(count: number): Promise<readonly number[]> {
  return Promise.all(Array.from({ length: count }, () => getPort({ host: '127.0.0.1' })));
}

/** A server whose words go to a file, so that one that does not start can be asked why. */
export function startServer(
  log: string,
  program: string,
  words: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): ChildProcess {
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'], env });
  const file = createWriteStream(log);
  child.stdout.pipe(file, { end: false });
  child.stderr.pipe(file, { end: false });
  child.once('exit', () => file.end());
  return child;
}

/** @throws when it is not so within a minute */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + READY_MS_MAX;
  while (performance.now() < deadline) {
    if (await holds()) return;
    await new Promise((wake) => setTimeout(wake, LOOK_MS));
  }
  throw new Error(`${what} was not ready within ${READY_MS_MAX / 1_000} s`);
}

export function listens(port: number): Promise<boolean> {
  return new Promise((answer) => {
    const socket = connect(port, '127.0.0.1');
    const end = (is: boolean): void => {
      socket.destroy();
      answer(is);
    };
    socket.once('connect', () => end(true)).once('error', () => end(false));
  });
}

interface PeerloadLine {
  readonly concurrency: number;
  readonly ops_per_s: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly p999_ms?: number;
  readonly errors: number;
}

/** The load client of the peers; its first warm-up may be long (JIT). */
export async function peerload(
  program: string,
  system: string,
  kind: string,
  addresses: string,
  { inFlight, bytes, warmSeconds, seconds }: LoadOptions,
  more: readonly string[] = [],
): Promise<LoadResult> {
  const text = await outputOf(program, [
    ...['-peer', system, '-addrs', addresses, '-levels', String(inFlight), '-size', String(bytes)],
    ...['-warm', `${warmSeconds}s`, '-dur', `${seconds}s`, ...more, kind],
  ]);
  const line = text.split('\n').find((candidate) => candidate.startsWith('{'));
  if (line === undefined) throw new Error(`${program} printed no result: ${text.slice(-400)}`);
  const row = JSON.parse(line) as PeerloadLine;
  return {
    system,
    inFlight: row.concurrency,
    opsPerSecond: row.ops_per_s,
    p50Ms: row.p50_ms,
    p99Ms: row.p99_ms,
    ...(row.p999_ms === undefined ? {} : { p999Ms: row.p999_ms }),
    errors: row.errors,
  };
}
