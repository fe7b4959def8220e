/**
 * A cluster of real replicas in one process that records itself: simulated disks, a network that loses, repeats and reorders
 * frames, kills between two events and in the middle of one. Seeded: the same seed gives the same run.
 */
import { SimulatedClock } from '../../../impl/ports/simulated-clock.ts';
import { SimulatedDisk } from '../../../impl/ports/simulated-disk.ts';
import { SimulatedRandom } from '../../../impl/ports/simulated-random.ts';
import { Recorder, recordingFile } from '../../../impl/server/recorder.ts';
import { AppendLog } from '../../../impl/storage/append-log.ts';
import { Superblock } from '../../../impl/storage/superblock.ts';
import { PrepareLog } from '../../../impl/vsr/prepare-log.ts';
import { Replica } from '../../../impl/vsr/replica.ts';

const REPLICAS = 3;
const CLUSTER = 7n;
const SUPERBLOCK = '/data/superblock';
const LOG = '/data/log';
const SEGMENT_BYTES = 65_536;

interface Node {
  readonly disk: SimulatedDisk;
  readonly recordings: SimulatedDisk;
  replica: Replica | undefined;
}

interface Frame {
  readonly from: number;
  readonly to: number;
  readonly frame: Uint8Array;
}

export interface ClusterRun {
  /** Text of each replica's recording. */
  readonly recordings: readonly string[];
  readonly commits: readonly number[];
}

/** @param turns random turns of the whole; @param kills among them, one at a time */
export function recordedRun(seed: number, turns: number, kills: number): ClusterRun {
  const random = new SimulatedRandom(seed);
  const clock = new SimulatedClock(1);
  let frames: Frame[] = [];
  const nodes = Array.from({ length: REPLICAS }, (_, index): Node => {
    const disk = new SimulatedDisk();
    disk.makeDirectory('/data');
    Superblock.format(disk, SUPERBLOCK, { cluster: CLUSTER, replica: index, replicaCount: REPLICAS });
    AppendLog.create(disk, LOG, { segmentBytes: SEGMENT_BYTES }).close();
    const recordings = new SimulatedDisk();
    recordings.makeDirectory('/run');
    return { disk, recordings, replica: undefined };
  });
  const start = (index: number, firstStart: boolean): void => {
    const node = nodes[index] as Node;
    const { superblock } = Superblock.open(node.disk, SUPERBLOCK);
    const { log } = AppendLog.open(node.disk, LOG, { segmentBytes: SEGMENT_BYTES });
    const network = { send: (to: number, frame: Uint8Array) => frames.push({ from: index, to, frame }) };
    const ports = { superblock, log: PrepareLog.open(log, CLUSTER).prepareLog, network, clock, random };
    const replica = Replica.open({ ...ports, firstStart });
    const recorder = Recorder.open(node.recordings, '/run', replica);
    replica.onEvent = (record) => recorder.note(record);
    node.replica = replica;
  };
  const kill = (index: number): void => {
    const node = nodes[index] as Node;
    node.replica = undefined;
    node.disk.exitProcess();
    frames = frames.filter(({ to }) => to !== index);
    if (random.below(2) === 0) dropLastStep(node.recordings, index);
  };
  for (let index = 0; index < REPLICAS; index++) start(index, true);
  let request = 0;
  let down: number | undefined;
  for (let turn = 0; turn < turns; turn++) {
    const index = random.below(REPLICAS);
    const replica = nodes[index]?.replica;
    const draw = random.below(100);
    if (kills > 0 && turn % Math.ceil(turns / (kills * 2)) === 0 && turn > 0) {
      if (down === undefined) kill(index);
      else start(down, false);
      down = down === undefined ? index : undefined;
    } else if (draw < 60) {
      const [frame] = frames.splice(random.below(4) === 0 ? random.below(Math.max(1, frames.length)) : 0, 1);
      if (frame === undefined || random.below(25) === 0) continue;
      if (random.below(25) === 0) frames.push(frame);
      nodes[frame.to]?.replica?.receive(frame.from, frame.frame);
    } else if (draw < 80) replica?.flush();
    else if (draw < 90) replica?.tick();
    else {
      const primary = nodes.find(({ replica: other }) => other?.status === 'normal' && other.primary === other.replica);
      primary?.replica?.submit(new TextEncoder().encode(`request ${request++}`), 1n, request);
    }
  }
  const text = ({ recordings }: Node, index: number): string => {
    const file = recordings.open(recordingFile('/run', index), 'existing');
    const bytes = new Uint8Array(file.sizeBytes);
    file.read(0, bytes);
    return new TextDecoder().decode(bytes);
  };
  return { recordings: nodes.map(text), commits: nodes.map(({ replica }) => replica?.commit ?? 0) };
}

/** As if the kill had come after the effects of the last event and before its line. */
function dropLastStep(disk: SimulatedDisk, index: number): void {
  const file = disk.open(recordingFile('/run', index), 'existing');
  const bytes = new Uint8Array(file.sizeBytes);
  file.read(0, bytes);
  const lines = new TextDecoder().decode(bytes).split('\n');
  if (lines.at(-2)?.startsWith('{"kind":"step"') !== true) return;
  file.sync();
  file.truncate(new TextEncoder().encode(`${lines.slice(0, -2).join('\n')}\n`).byteLength);
}
