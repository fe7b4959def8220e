/** What `make bench` prints: one table of loads with the systems side by side, one of the rest. */
import Table from 'cli-table3';
import type { CheckedEdges } from './checked-edges.ts';
import type { DiskLimit } from './disk-limit.ts';
import type { JudgedSteps } from './judged-steps.ts';
import { type LoadRow, median } from './load-result.ts';
import { LOCKSTEP } from './lockstep-system.ts';
import type { MachineEvents } from './machine-events.ts';
import type { SimulationRates } from './sim.ts';
import type { StartUp } from './start-up.ts';
import type { Consistency } from './system.ts';

interface ReadRow extends LoadRow {
  readonly consistency: Consistency;
}

export interface BenchReport {
  readonly node: string;
  readonly machine: { readonly platform: string; readonly arch: string; readonly cores: number; readonly cpu: string };
  readonly settings: { readonly bytes: number; readonly seconds: number; readonly repetitions: number };
  /** Of the systems that were not measured: why. */
  readonly missing: Readonly<Record<string, string>>;
  readonly reads: readonly ReadRow[];
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
export const PLAIN = { style: { head: [], border: [], compact: true } };

export function benchTables(report: BenchReport): string {
  const { machine, settings } = report;
  const head = `Durable replicated writes of ${settings.bytes} bytes, three processes, ${machine.cores} cores (${machine.cpu}), Node ${report.node}; median of ${settings.repetitions} rounds of ${settings.seconds} s`;
  const missing = Object.entries(report.missing).map(([name, why]) => `${name}: ${why}`);
  return [head, loads(report), ...missing, readTable(report), rest(report)].join('\n');
}

/** Every system at every level, and how we are to it. */
function loads({ rows, diskLimits }: BenchReport): string {
  const table = new Table({
    ...PLAIN,
    head: ['in flight', 'system', 'ops/s', 'p50 ms', 'p99 ms', 'p99.9 ms', 'our ops/s to it', 'our p50 to it'],
    colAligns: ['right', 'left', ...Array.from({ length: 6 }, () => 'right' as const)],
  });
  const disk = median(diskLimits.map(({ syncsPerSecond }) => syncsPerSecond));
  const levels = [...new Set(rows.map(({ inFlight }) => inFlight))];
  for (const level of levels) {
    const ours = rows.find(({ system, inFlight }) => system === LOCKSTEP && inFlight === level);
    for (const row of rows.filter(({ inFlight }) => inFlight === level)) {
      const isOurs = row === ours;
      table.push([
        level,
        row.system,
        whole(row.opsPerSecond),
        ms(row.p50Ms),
        ms(row.p99Ms),
        ms(row.p999Ms),
        isOurs ? '' : ratio(ours?.opsPerSecond, row.opsPerSecond),
        isOurs ? '' : ratio(ours?.p50Ms, row.p50Ms),
      ]);
    }
    if (ours !== undefined)
      table.push([level, 'the disk, alone', whole(disk), '', '', '', ratio(ours.opsPerSecond, disk), '']);
  }
  return table.toString();
}

function readTable({ reads }: BenchReport): string {
  if (reads.length === 0) return 'Reads: not measured';
  const table = new Table({
    ...PLAIN,
    head: ['reads in flight', 'consistency', 'system', 'ops/s', 'p50 ms', 'p99 ms', 'our ops/s to it'],
    colAligns: ['right', 'left', 'left', 'right', 'right', 'right', 'right'],
  });
  const order = (row: ReadRow): number => row.inFlight * 2 + (row.consistency === 'linearizable' ? 0 : 1);
  for (const row of reads.toSorted((a, b) => order(a) - order(b))) {
    const ours = reads.find(
      ({ system, inFlight, consistency }) =>
        system === LOCKSTEP && inFlight === row.inFlight && consistency === row.consistency,
    );
    const said = row.consistency === 'committed' && row.system === 'etcd' ? 'serializable' : row.consistency;
    const to = row === ours ? '' : ratio(ours?.opsPerSecond, row.opsPerSecond);
    table.push([row.inFlight, said, row.system, whole(row.opsPerSecond), ms(row.p50Ms), ms(row.p99Ms), to]);
  }
  return `Reads of one entry of the same size:\n${table.toString()}`;
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
      [
        `${whole(simulation.runsPerSecond)} runs, ${whole(simulation.stepsPerSecond)} steps, ${whole(simulation.machineEventsPerSecond)} machine events, ${whole(simulation.operationsPerSecond)} operations a second`,
        `${whole(simulation.wholeRuns)} of ${whole(simulation.runs)} runs with 2,000 steps or 200 operations; ${whole(simulation.steps)} steps a run; the start of the processes and of their compilers included`,
        `${whole(simulation.warmRunsPerSecond)} runs a second in the second half of them`,
        'bound by one core a worker: the work is spread flat over codec, hashes, log, machines and kernel (docs/simulation.md)',
      ].join('\n'),
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

function ratio(ours: number | undefined, theirs: number | undefined): string {
  return ours === undefined || theirs === undefined ? '-' : (ours / theirs).toFixed(2);
}
