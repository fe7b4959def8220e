/** The row AppendLog of `make check`: models, faults of the code that must be caught, and random traces on a real disk. */
import { appendLogMachine } from '../../machines/append-log.ts';
import type { Component, ImplementationFault } from '../component.ts';
import { appendLogDriver } from '../drivers/append-log.ts';
import { brokenAppendLog } from '../drivers/append-log-broken.ts';
import { RealLogDisk, SimulatedLogDisk } from '../drivers/append-log-disk.ts';
import type { AppendLogModelEvent } from '../drivers/append-log-events.ts';
import type { LogWorld } from '../drivers/append-log-world.ts';

/** Random traces: few, because each step copies a folder and waits for a real sync. */
const RANDOM_TRACES = 100;
const RANDOM_DEPTH = 40;

const disk = (): SimulatedLogDisk => new SimulatedLogDisk();

type Fault = ImplementationFault<LogWorld, AppendLogModelEvent>;

const faults: readonly Fault[] = brokenAppendLog.map(({ name, rule, cfg, canary, parts }) => {
  const driver = appendLogDriver({ disk, ...parts });
  return { name, rule, cfgs: [cfg], driver, ...(canary === undefined ? {} : { canary }) };
});

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
  faults,
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
