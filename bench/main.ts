/**
 * `make bench`: durable replicated writes, three processes on this machine, over the binary protocol, over HTTP, and with TLS
 * everywhere, beside etcd, ZooKeeper and NATS (`make bench-peers`) and the disk's own limit, all interleaved in one run, and
 * reads beside etcd's; then machine events, simulations, memory and start-up. Prints a table; writes JSON and a plot.
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
import { lockstepSystems } from './lockstep-system.ts';
import { measureMachineEvents } from './machine-events.ts';
import { etcdOr } from './peers/etcd.ts';
import { natsOr } from './peers/nats.ts';
import { type PeerTools, peerToolsOr } from './peers/peer-tools.ts';
import { zookeeperOr } from './peers/zookeeper.ts';
import { measureSimulation } from './sim.ts';
import { measureStartUp } from './start-up.ts';
import type { Consistency, RunningSystem, System } from './system.ts';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const MACHINE_EVENTS = 300_000;
const GIB = 1024 ** 3;
const READ_LEVELS = [1, 64, 256];
const PEERS: Readonly<Record<string, (tools: PeerTools) => System | string>> = {
  etcd: etcdOr,
  zookeeper: zookeeperOr,
  nats: natsOr,
};

interface Flags {
  readonly peers: boolean;
  readonly only?: readonly string[];
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
  .option('--peers', 'etcd, ZooKeeper and NATS beside us (needs Go, Java with Maven, and the folder of peers)', false)
  .option('--only <list>', 'of them and of us, by name: lockstep, http, tls, etcd, zookeeper, nats', (text) =>
    text.split(','),
  )
  .option('--levels <list>', 'requests in flight', positives, [1, 16, 64, 256])
  .option('--bytes <n>', 'bytes of one entry', positive, 256)
  .option('--seconds <n>', 'of each measurement', positive, 5)
  .option('--warm <n>', 'seconds before each measurement', positive, 2)
  .option('--repetitions <n>', 'of the whole round', positive, 3)
  .option('--start-up-gib <n>', 'size of the log that a replica starts from; 0 leaves it out', notNegative, 1)
  .option('--sim-runs <n>', 'simulated runs; in the first thousand of each process V8 still compiles', positive, 20_000)
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
  const { systems, missing } = chosenSystems();
  const results: LoadResult[] = [];
  const reads: ReadResult[] = [];
  const limits: DiskLimit[] = [];
  let residentBytes: readonly number[] = [];
  for (let round = 0; round < flags.repetitions; round++) {
    limits.push(measureDiskLimit(folder, flags.bytes, 1));
    // The order turns with each round, so that no system always runs on the other's warm or tired machine.
    for (const system of round % 2 === 0 ? systems : systems.toReversed()) {
      const running = await system.start(folder);
      try {
        const told = `round ${round + 1} of ${flags.repetitions}: ${system.name}`;
        for (const inFlight of flags.levels) {
          progress(`${told}, ${inFlight} in flight`);
          results.push(await running.load(loadOptions(inFlight)));
        }
        reads.push(...(await measureReads(running, told)));
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
    systems: systems.map(({ name }) => name),
    missing,
    rows: foldRepetitions(results),
    reads: readRows(reads),
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

interface Chosen {
  readonly systems: readonly System[];
  /** Of those that are not measured: why. */
  readonly missing: Readonly<Record<string, string>>;
}

function chosenSystems(): Chosen {
  const { only } = flags;
  const wanted = (name: string): boolean => only === undefined || only.includes(name);
  const [binary, http, tls] = lockstepSystems(ROOT) as [System, System, System];
  const ours: readonly (readonly [string, System])[] = [
    ['lockstep', binary],
    ['http', http],
    ['tls', tls],
  ];
  const systems: System[] = ours.filter(([name]) => wanted(name)).map(([, system]) => system);
  if (!flags.peers) return { systems, missing: { 'etcd, ZooKeeper, NATS': 'not asked for: make bench-peers' } };
  const tools = peerToolsOr(ROOT);
  if (typeof tools === 'string') return { systems, missing: { 'etcd, ZooKeeper, NATS': tools } };
  const missing: Record<string, string> = {};
  for (const [name, find] of Object.entries(PEERS)) {
    if (!wanted(name)) continue;
    const found = find(tools);
    if (typeof found === 'string') missing[name] = found;
    else systems.push(found);
  }
  return { systems, missing };
}

function loadOptions(inFlight: number) {
  return { inFlight, bytes: flags.bytes, warmSeconds: flags.warm, seconds: flags.seconds };
}

interface ReadResult extends LoadResult {
  readonly consistency: Consistency;
}

async function measureReads(running: RunningSystem, told: string): Promise<readonly ReadResult[]> {
  const results: ReadResult[] = [];
  for (const consistency of ['linearizable', 'committed'] as const) {
    const measure = running.reads?.[consistency];
    if (measure === undefined) continue;
    for (const inFlight of READ_LEVELS) {
      progress(`${told}, ${consistency} reads, ${inFlight} in flight`);
      results.push({ ...(await measure(loadOptions(inFlight))), consistency });
    }
  }
  return results;
}

function readRows(results: readonly ReadResult[]) {
  return (['linearizable', 'committed'] as const).flatMap((consistency) =>
    foldRepetitions(results.filter((result) => result.consistency === consistency)).map((row) => ({
      ...row,
      consistency,
    })),
  );
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
