/**
 * `make bench`: durable replicated writes, three processes on this machine, beside etcd (`make bench-peers`) and the disk's
 * own limit, all interleaved in one run; then machine events, simulations, memory and start-up. Prints a table; writes JSON and a plot.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { arch, cpus, platform, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError } from 'commander';
import { benchTables } from './bench-tables.ts';
import { checkedEdges } from './checked-edges.ts';
import { type DiskLimit, measureDiskLimit } from './disk-limit.ts';
import { measureJudging } from './judged-steps.ts';
import { latencyPlot } from './latency-plot.ts';
import { foldRepetitions, type LoadResult } from './load-result.ts';
import { lockstepSystem } from './lockstep-system.ts';
import { measureMachineEvents } from './machine-events.ts';
import { etcdOr } from './peers/etcd.ts';
import { measureSimulation } from './sim.ts';
import { measureStartUp } from './start-up.ts';
import type { System } from './system.ts';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const MACHINE_EVENTS = 300_000;
const GIB = 1024 ** 3;

interface Flags {
  readonly peers: boolean;
  readonly levels: readonly number[];
  readonly bytes: number;
  readonly seconds: number;
  readonly warm: number;
  readonly repetitions: number;
  readonly startUpGib: number;
  readonly simRuns: number;
  readonly data?: string;
}

const flags = new Command('bench')
  .option('--peers', 'etcd beside us (needs Go and the folder of peers)', false)
  .option('--levels <list>', 'requests in flight', positives, [1, 16, 64, 256])
  .option('--bytes <n>', 'bytes of one entry', positive, 256)
  .option('--seconds <n>', 'of each measurement', positive, 5)
  .option('--warm <n>', 'seconds before each measurement', positive, 2)
  .option('--repetitions <n>', 'of the whole round', positive, 3)
  .option('--start-up-gib <n>', 'size of the log that a replica starts from; 0 leaves it out', notNegative, 1)
  .option('--sim-runs <n>', 'simulated runs', positive, 2000)
  .option('--data <folder>', 'on the disk to measure; default the temporary folder')
  .parse()
  .opts<Flags>();

const folder = mkdtempSync(join(flags.data ?? tmpdir(), 'lockstep-bench-'));
try {
  await main();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function main(): Promise<void> {
  const etcd = flags.peers ? etcdOr(ROOT) : 'not asked for: make bench-peers';
  const systems: readonly System[] = [lockstepSystem(ROOT), ...(typeof etcd === 'string' ? [] : [etcd])];
  const results: LoadResult[] = [];
  const limits: DiskLimit[] = [];
  let residentBytes: readonly number[] = [];
  for (let round = 0; round < flags.repetitions; round++) {
    limits.push(measureDiskLimit(folder, flags.bytes, 1));
    // The order turns with each round, so that no system always runs on the other's warm or tired machine.
    for (const system of round % 2 === 0 ? systems : systems.toReversed()) {
      const running = await system.start(folder);
      try {
        for (const inFlight of flags.levels) {
          progress(`round ${round + 1} of ${flags.repetitions}: ${system.name}, ${inFlight} in flight`);
          results.push(
            await running.load({ inFlight, bytes: flags.bytes, warmSeconds: flags.warm, seconds: flags.seconds }),
          );
        }
        const resident = running.residentBytes?.() ?? [];
        if (resident.length > 0) residentBytes = resident;
      } finally {
        await running.stop();
      }
    }
  }
  progress('simulated runs');
  const simulation = await measureSimulation(ROOT, flags.simRuns);
  progress('simulated runs judged by TLC');
  const judged = await measureJudging(ROOT);
  progress('machine events');
  const report = {
    schema: 1,
    node: process.version,
    machine: { platform: platform(), arch: arch(), cores: cpus().length, cpu: cpus()[0]?.model ?? 'unknown' },
    settings: flags,
    etcd: typeof etcd === 'string' ? etcd : 'measured',
    rows: foldRepetitions(results),
    diskLimits: limits,
    machineEvents: measureMachineEvents(MACHINE_EVENTS),
    edges: checkedEdges(ROOT),
    simulation,
    judged,
    residentBytes,
    startUp:
      flags.startUpGib === 0 ? undefined : await measureStartUp(ROOT, folder, flags.startUpGib * GIB, flags.bytes),
    results,
  };
  const out = join(ROOT, 'build', 'bench');
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, 'bench.json'), `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(join(out, 'latency.svg'), await latencyPlot(results));
  process.stdout.write(`${benchTables(report)}\n\nbuild/bench/bench.json  build/bench/latency.svg\n`);
}

function progress(text: string): void {
  process.stderr.write(`${text}\n`);
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('must be a number above 0');
  return value;
}

function notNegative(text: string): number {
  return text === '0' ? 0 : positive(text);
}

function positives(text: string): readonly number[] {
  return text.split(',').map(positive);
}
