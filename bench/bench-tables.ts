/** What `make bench` prints: one table of loads with the systems side by side, one of the rest. */
import Table from 'cli-table3';
import type { CheckedEdges } from './checked-edges.ts';
import type { DiskLimit } from './disk-limit.ts';
import type { JudgedSteps } from './judged-steps.ts';
import { type LoadRow, median } from './load-result.ts';
import type { MachineEvents } from './machine-events.ts';
import type { SimulationRates } from './sim.ts';
import type { StartUp } from './start-up.ts';

export interface BenchReport {
  readonly node: string;
  readonly machine: { readonly platform: string; readonly arch: string; readonly cores: number; readonly cpu: string };
  readonly settings: { readonly bytes: number; readonly seconds: number; readonly repetitions: number };
  /** `measured`, or why its column is empty. */
  readonly etcd: string;
  readonly rows: readonly LoadRow[];
  readonly diskLimits: readonly DiskLimit[];
  readonly machineEvents: MachineEvents;
  readonly edges: readonly CheckedEdges[];
  /** Of each replica after the last round. */
  readonly residentBytes: readonly number[];
  readonly startUp: StartUp | undefined;
  readonly simulation: SimulationRates;
  readonly judged: readonly JudgedSteps[];
}

const MIB = 1024 ** 2;
const PLAIN = { style: { head: [], border: [] } };

export function benchTables(report: BenchReport): string {
  const { machine, settings } = report;
  const head = `Durable replicated writes of ${settings.bytes} bytes, three processes, ${machine.cores} cores (${machine.cpu}), Node ${report.node}; median of ${settings.repetitions} rounds of ${settings.seconds} s`;
  return [head, loads(report), `etcd: ${report.etcd}`, rest(report)].join('\n');
}

function loads({ rows, diskLimits }: BenchReport): string {
  const table = new Table({
    ...PLAIN,
    head: [
      'in flight',
      'ops/s',
      'p50 ms',
      'p99 ms',
      'p99.9 ms',
      'etcd ops/s',
      'p50 ms',
      'p99 ms',
      'ops/s to etcd',
      'p50 to etcd',
      'ops/s to disk limit',
    ],
    colAligns: Array.from({ length: 11 }, () => 'right'),
  });
  const disk = median(diskLimits.map(({ syncsPerSecond }) => syncsPerSecond));
  for (const ours of rows.filter(({ system }) => system === 'lockstep')) {
    const etcd = rows.find(({ system, inFlight }) => system === 'etcd' && inFlight === ours.inFlight);
    table.push([
      ours.inFlight,
      whole(ours.opsPerSecond),
      ms(ours.p50Ms),
      ms(ours.p99Ms),
      ms(ours.p999Ms),
      whole(etcd?.opsPerSecond),
      ms(etcd?.p50Ms),
      ms(etcd?.p99Ms),
      ratio(ours.opsPerSecond, etcd?.opsPerSecond),
      ratio(ours.p50Ms, etcd?.p50Ms),
      ratio(ours.opsPerSecond, disk),
    ]);
  }
  return table.toString();
}

function rest({
  rows,
  diskLimits,
  machineEvents,
  edges,
  residentBytes,
  startUp,
  simulation,
  judged,
}: BenchReport): string {
  const table = new Table(PLAIN);
  const disk = median(diskLimits.map(({ syncsPerSecond }) => syncsPerSecond));
  const diskP50 = median(diskLimits.map(({ p50Ms }) => p50Ms));
  const errors = rows.reduce((sum, row) => sum + row.errors, 0);
  table.push(
    ["disk's own limit, one write and fdatasync after the other", `${whole(disk)} a second, p50 ${ms(diskP50)} ms`],
    [
      'machine events, one core',
      `${whole(machineEvents.takenPerSecond)} taken, ${whole(machineEvents.refusedPerSecond)} refused a second`,
    ],
    [
      'edges of the last make check, one core',
      edges.map(({ component, perSecond }) => `${component} ${whole(perSecond)} a second`).join('\n') ||
        'run make check first',
    ],
    [
      `simulated clusters, 3 replicas, all oracles, ${simulation.workers} processes`,
      `${whole(simulation.runsPerSecond)} runs, ${whole(simulation.stepsPerSecond)} steps, ${whole(simulation.machineEventsPerSecond)} machine events a second`,
    ],
    [
      'simulated runs judged by TLC, the start of its JVM included',
      judged.map(({ steps, perSecond }) => `${whole(steps)} steps: ${whole(perSecond)} a second`).join('\n') ||
        'TLC is not here',
    ],
    [
      'resident memory of a replica after the load',
      residentBytes.map((bytes) => `${whole(bytes / MIB)} MiB`).join(', ') || 'cannot be read here',
    ],
    ['failed requests, all systems', whole(errors)],
  );
  if (startUp !== undefined)
    table.push([
      `start-up with a log of ${whole(startUp.logBytes / MIB)} MiB (${whole(startUp.entries)} entries)`,
      `${(startUp.ms / 1000).toFixed(2)} s until it listens`,
    ]);
  return table.toString();
}

function whole(value: number | undefined): string {
  return value === undefined ? '-' : Math.round(value).toLocaleString('en-US');
}

function ms(value: number | undefined): string {
  return value === undefined ? '-' : value.toFixed(2);
}

function ratio(ours: number, theirs: number | undefined): string {
  return theirs === undefined ? '-' : (ours / theirs).toFixed(2);
}
