/**
 * `make bench-flame`: where the time of a replica goes under load. Three replicas with V8's profiler on, `lockstep bench`
 * beside them; prints for each replica how long its thread was at work and on what, and draws the primary's flame graph.
 */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import Table from 'cli-table3';
import { Command, InvalidArgumentError } from 'commander';
import { PLAIN } from './bench-tables.ts';
import { type CpuProfile, readCpuProfile, selfByArea } from './cpu-profile.ts';
import { flameGraph } from './flame-graph.ts';
import { startLockstep } from './lockstep-system.ts';

const PRELOADED = fileURLToPath(new URL('./record-profile.mjs', import.meta.url));
const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');
/** Microseconds between two samples. */
const INTERVAL_US = 250;
const WARM_SECONDS = 3;
const AREAS_SHOWN = 14;

const flags = new Command('bench-flame')
  .option('--level <n>', 'requests in flight', positive, 64)
  .option('--bytes <n>', 'bytes of one entry', positive, 256)
  .option('--seconds <n>', 'of the load', positive, 10)
  .parse()
  .opts<{ level: number; bytes: number; seconds: number }>();

const folder = mkdtempSync(join(tmpdir(), 'lockstep-flame-'));
try {
  await main();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function main(): Promise<void> {
  const profiles = join(folder, 'profiles');
  mkdirSync(profiles);
  const running = await startLockstep(join(ROOT, 'bin', 'lockstep'), folder, false, {
    ...process.env,
    NODE_OPTIONS: `--import=${pathToFileURL(PRELOADED)}`,
    PROFILE_FOLDER: profiles,
    PROFILE_INTERVAL_US: String(INTERVAL_US),
  });
  const { level, bytes, seconds } = flags;
  // Once without the profiler: what is loaded and compiled at first is not what a replica does.
  await running.load({ inFlight: level, bytes, warmSeconds: 0, seconds: WARM_SECONDS });
  for (const pid of running.pids) process.kill(pid, 'SIGUSR2');
  const load = await running.load({ inFlight: level, bytes, warmSeconds: 0, seconds }).finally(() => running.stop());
  const replicas = running.pids.map((pid) => readCpuProfile(profileOf(profiles, pid)));
  const primary = replicas.reduce((most, profile) => (profile.busyUs > most.busyUs ? profile : most));
  const out = join(ROOT, 'build', 'bench');
  mkdirSync(out, { recursive: true });
  const name = `flame-${level}`;
  const title = `The busiest replica (the primary), ${level} in flight, ${bytes} bytes: ${Math.round(load.opsPerSecond)} appends/s with the profiler on`;
  writeFileSync(join(out, `${name}.svg`), await flameGraph(primary, title));
  const kept = running.pids[replicas.indexOf(primary)] ?? 0;
  copyFileSync(profileOf(profiles, kept), join(out, `${name}.cpuprofile`));
  process.stdout.write(
    `${title}\np50 ${load.p50Ms.toFixed(2)} ms, p99 ${load.p99Ms.toFixed(2)} ms\n${tableOf(replicas, load.opsPerSecond)}\n`,
  );
  process.stdout.write(
    `build/bench/${name}.svg  build/bench/${name}.cpuprofile (opens in the developer tools of a browser)\n`,
  );
}

function profileOf(profiles: string, pid: number): string {
  const file = join(profiles, `${pid}.cpuprofile`);
  if (!existsSync(file)) throw new Error(`replica process ${pid} left no profile: did it end by itself?`);
  return file;
}

function tableOf(replicas: readonly CpuProfile[], opsPerSecond: number): string {
  const shares = replicas.map((profile) => new Map(selfByArea(profile)));
  const areas = [...new Set(replicas.flatMap((profile) => selfByArea(profile).map(([area]) => area)))];
  const weight = (area: string): number => shares.reduce((sum, share) => sum + (share.get(area) ?? 0), 0);
  areas.sort((one, other) => weight(other) - weight(one));
  const table = new Table({
    ...PLAIN,
    head: ['% of the time at work', ...replicas.map((_, index) => `replica ${index}`)],
    colAligns: ['left', ...replicas.map(() => 'right' as const)],
  });
  const percent = (part: number, whole: number): string => ((100 * part) / whole).toFixed(1);
  for (const area of areas.slice(0, AREAS_SHOWN)) {
    table.push([area, ...replicas.map(({ busyUs }, index) => percent(shares[index]?.get(area) ?? 0, busyUs))]);
  }
  table.push(['at work, s', ...replicas.map(({ busyUs }) => (busyUs / 1e6).toFixed(1))]);
  table.push(['idle, s', ...replicas.map(({ idleUs }) => (idleUs / 1e6).toFixed(1))]);
  const appends = opsPerSecond * flags.seconds;
  table.push(['at work an append, us', ...replicas.map(({ busyUs }) => (busyUs / appends).toFixed(1))]);
  return table.toString();
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value <= 0) throw new InvalidArgumentError('must be a whole number above 0');
  return value;
}
