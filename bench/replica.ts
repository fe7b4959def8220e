/**
 * What the protocol itself costs: three real replicas with real storage and kernels in one process, frames handed over
 * directly, no network, on a folder of the caller's choice (in memory: /dev/shm). One core does all the work of three.
 * Run: node --import tsx bench/replica.ts [folder]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { encodeBatch, encodeCommand } from '../impl/kernel/command-codec.ts';
import { Kernel } from '../impl/kernel/kernel.ts';
import { RealClock } from '../impl/ports/real-clock.ts';
import { RealDisk } from '../impl/ports/real-disk.ts';
import { RealRandom } from '../impl/ports/real-random.ts';
import { formatDataDirectory, openDataDirectory } from '../impl/storage/data-directory.ts';
import { PrepareLog } from '../impl/vsr/prepare-log.ts';
import { Replica } from '../impl/vsr/replica.ts';

const REPLICAS = 3;
const CLUSTER = 1n;
const WARM_SHARE = 0.3;

export interface ReplicaCost {
  /** Commands in one prepare. */
  readonly batch: number;
  readonly preparesPerSecond: number;
  readonly commandsPerSecond: number;
  /** Processor time of one command on all three replicas: what a busy machine does not change. */
  readonly cpuMicrosecondsPerCommand: number;
}

interface Frame {
  readonly from: number;
  readonly to: number;
  readonly frame: Uint8Array;
}

/** @param inFlight prepares submitted before the frames go round */
export function measureReplicas(
  folder: string,
  batch: number,
  prepares: number,
  inFlight = 1,
  bytes = 256,
): ReplicaCost {
  const data = mkdtempSync(join(folder, 'lockstep-replica-'));
  try {
    const cluster = openCluster(data);
    const [primary] = cluster.replicas as [Replica];
    const create = encodeCommand({ kind: 'CreateStream', stream: 'bench' });
    primary.submit(encodeBatch([create]), 0n, 1);
    cluster.settle();
    const event = { data: Buffer.alloc(bytes, 7) };
    let request = 1;
    const run = (count: number): number => {
      const begin = performance.now();
      for (let at = 0; at < count; at += inFlight) {
        for (let next = 0; next < inFlight; next++) {
          const commands = Array.from({ length: batch }, () =>
            encodeCommand({ kind: 'Append', stream: 'bench', events: [event] }),
          );
          primary.submit(encodeBatch(commands), 0n, ++request);
        }
        cluster.settle();
        if (primary.commit !== primary.op) throw new Error(`op ${primary.op} is not committed`);
      }
      return performance.now() - begin;
    };
    run(Math.ceil(prepares * WARM_SHARE));
    const cpuBefore = process.cpuUsage();
    const milliseconds = run(prepares);
    const { user, system } = process.cpuUsage(cpuBefore);
    for (const kernel of cluster.kernels) {
      if (kernel.commitId < primary.op) throw new Error('a backup has not applied everything');
    }
    return {
      batch,
      preparesPerSecond: Math.round((prepares * 1000) / milliseconds),
      commandsPerSecond: Math.round((prepares * batch * 1000) / milliseconds),
      cpuMicrosecondsPerCommand: (user + system) / (prepares * batch),
    };
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
}

function openCluster(folder: string): { replicas: readonly Replica[]; kernels: readonly Kernel[]; settle: () => void } {
  const disk = new RealDisk();
  const clock = new RealClock();
  const random = new RealRandom();
  let frames: Frame[] = [];
  const kernels = Array.from({ length: REPLICAS }, () => new Kernel());
  const replicas = kernels.map((kernel, replica) => {
    const directory = join(folder, String(replica));
    formatDataDirectory(disk, directory, { cluster: CLUSTER, replica, replicaCount: REPLICAS });
    const { superblock, log, report } = openDataDirectory(disk, directory);
    return Replica.open({
      superblock,
      log: PrepareLog.open(log, CLUSTER).prepareLog,
      network: { send: (to, frame) => void frames.push({ from: replica, to, frame }) },
      clock,
      random,
      firstStart: report.firstStart,
      onCommitted: (prepare) => void kernel.apply(prepare),
    });
  });
  const settle = (): void => {
    for (const replica of replicas) replica.flush();
    while (frames.length > 0) {
      const now = frames;
      frames = [];
      for (const { from, to, frame } of now) replicas[to]?.receive(from, frame);
      for (const replica of replicas) replica.flush();
    }
  };
  return { replicas, kernels, settle };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const folder = process.argv[2] ?? tmpdir();
  for (const [batch, prepares, inFlight] of [
    [1, 20_000, 1],
    [1, 20_000, 8],
    [16, 5_000, 1],
    [64, 2_000, 1],
    [64, 2_000, 4],
  ] as const) {
    const { preparesPerSecond, commandsPerSecond, cpuMicrosecondsPerCommand } = measureReplicas(
      folder,
      batch,
      prepares,
      inFlight,
    );
    console.log(
      `batch ${batch}, ${inFlight} in flight: ${preparesPerSecond} prepares/s, ${commandsPerSecond} commands/s, ` +
        `${cpuMicrosecondsPerCommand.toFixed(1)} us of processor a command on three replicas`,
    );
  }
}
