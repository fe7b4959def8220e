/** The row AppendLog of `make check`: models, faults of the code that must be caught, and random traces on a real disk. */
import { appendLogMachine } from '../../machines/append-log.ts';
import type { Component, ImplementationFault } from '../component.ts';
import { appendLogDriver } from '../drivers/append-log.ts';
import { RealLogDisk, SimulatedLogDisk } from '../drivers/append-log-disk.ts';
import type { AppendLogModelEvent } from '../drivers/append-log-events.ts';
import type { LogWorld } from '../drivers/append-log-world.ts';

/** Random traces: few, because each step copies a folder and waits for a real sync. */
const RANDOM_TRACES = 100;
const RANDOM_DEPTH = 40;

const disk = (): SimulatedLogDisk => new SimulatedLogDisk();

type Fault = ImplementationFault<LogWorld, AppendLogModelEvent>;

/** A switch in the code that only the harness can reach. */
function broken(name: string, rule: string, cfg: string, canary?: string): Fault {
  const driver = appendLogDriver({ disk, faults: new Set([name]) });
  return { name, rule, cfgs: [cfg], driver, ...(canary === undefined ? {} : { canary }) };
}

/** The machine with a guard that never refuses. */
function without(guard: string, rule: string, cfg: string, canary?: string): Fault {
  const machine = appendLogMachine.provide({ guards: { [guard]: () => true } });
  const driver = appendLogDriver({ disk, machine });
  return { name: `drop-${guard}`, rule, cfgs: [cfg], driver, ...(canary === undefined ? {} : { canary }) };
}

export const appendLogComponent: Component<LogWorld, AppendLogModelEvent> = {
  name: 'AppendLog',
  sources: {
    spec: 'specs/AppendLog.tla',
    machine: 'machines/append-log.ts',
    implementation: [
      'impl/storage/append-log.ts',
      'impl/storage/log-opening.ts',
      'impl/storage/log-scan.ts',
      'impl/storage/log-record.ts',
      'impl/storage/log-batch.ts',
      'impl/storage/log-read-back.ts',
      'impl/storage/segment-file.ts',
    ],
    driver: 'conformance/drivers/append-log.ts',
  },
  machine: appendLogMachine,
  driver: appendLogDriver({ disk }),
  models: [
    { cfg: 'AppendLog_crash.cfg', module: 'MCAppendLog', kind: 'small', distinct: 303 },
    { cfg: 'AppendLog_fail.cfg', module: 'MCAppendLog', kind: 'small', distinct: 564 },
    { cfg: 'AppendLog_full.cfg', module: 'MCAppendLog', kind: 'small', distinct: 298 },
    { cfg: 'AppendLog_damage.cfg', module: 'MCAppendLog', kind: 'small', distinct: 265 },
    { cfg: 'AppendLog_live.cfg', module: 'MCAppendLog', kind: 'live', distinct: 488 },
    { cfg: 'AppendLog_deep.cfg', module: 'MCAppendLog', kind: 'deep', distinct: 16_518 },
  ],
  faults: [
    broken('ack-before-fsync', 'fsync() says yes and syncs nothing', 'AppendLog_crash.cfg', 'E21'),
    broken('retry-fsync', 'a failed sync is simply tried again', 'AppendLog_fail.cfg'),
    broken('window-not-rewritten', 'what may be forgotten is not written again', 'AppendLog_fail.cfg'),
    broken('short-write-ignored', 'a short write counts as a whole one', 'AppendLog_fail.cfg'),
    broken('cut-not-reported', 'a torn tail is cut and nobody is told', 'AppendLog_crash.cfg'),
    broken(
      'cut-at-first-bad-crc',
      'the log is cut at the first record that is not good',
      'AppendLog_damage.cfg',
      'E20',
    ),
    broken('crc-not-checked', 'a record in which bytes have changed is taken', 'AppendLog_damage.cfg'),
    broken('chain-not-checked', 'a whole record of another log is taken', 'AppendLog_damage.cfg', 'E30'),
    without('FileIsWhole', 'a file is opened without looking whether it is whole', 'AppendLog_damage.cfg'),
    without('TailIsTorn', 'a damaged file is cut as if a crash had torn it', 'AppendLog_damage.cfg', 'E20'),
    without('HasRoom', 'a batch is written behind the end of the preallocated file', 'AppendLog_crash.cfg'),
    without('LacksRoom', 'the file grows although the batch has room', 'AppendLog_crash.cfg'),
    without('UnsyncedWithinLimit', 'more is written and not synced than a restart writes again', 'AppendLog_fail.cfg'),
    without('ReadsBackWhole', 'after a failed sync what does not read back is written again', 'AppendLog_fail.cfg'),
  ],
  abstracted: {},
  boundsWithoutCanary: {
    MaxAllocated:
      'room for every record that may be appended: less would keep records from being written, and test less',
  },
  random: {
    cfg: 'AppendLog_random.cfg',
    module: 'MCAppendLog',
    driver: appendLogDriver({ disk: () => new RealLogDisk() }),
    traces: RANDOM_TRACES,
    depth: RANDOM_DEPTH,
  },
  outsideMachine: {
    Crash: 'a power loss: nobody is left to take an event; the driver crashes the disk and opens again',
    CrashTearing: 'a power loss in the middle of a write, as Crash',
    Rot: 'the process does not see it; the driver changes a byte on the disk',
    Intrude: 'the process does not see it; the driver puts a foreign record on the disk',
    Evict: 'the kernel does it: the driver drops the forgotten pages from the cache',
    SpaceRunsOut: 'the process sees it only when it writes; the driver fills the disk',
    SpaceReturns: 'the process sees it only when it tries; the driver frees the disk',
  },
};
