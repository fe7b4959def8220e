/** The row Superblock of `make check`: four copies, update, repair, crash, rot, misdirected and foreign writes. */

import type { SuperblockFaultName } from '../../impl/storage/superblock-fault.ts';
import { superblockMachine } from '../../machines/superblock.ts';
import type { Component, ImplementationFault } from '../component.ts';
import {
  type SuperblockStep,
  type SuperblockWorld,
  superblockDriver,
  superblockDriverOver,
} from '../drivers/superblock.ts';
import { RealMedium } from '../drivers/superblock-real-medium.ts';

const FAULT = 'a fault of the disk: the driver does it to the medium, and the code does not notice until it reads';

/** Each step is a folder of its own with a real sync in it. */
const RANDOM_TRACES = 100;
const RANDOM_DEPTH = 50;

type Fault = ImplementationFault<SuperblockWorld, SuperblockStep>;

function fault(name: SuperblockFaultName, rule: string, cfg: string, canary?: string): Fault {
  const driver = superblockDriverOver({ faults: new Set([name]) });
  return { name, rule, cfgs: [`Superblock_${cfg}.cfg`], driver, ...(canary === undefined ? {} : { canary }) };
}

/** The machine with a guard that always says yes, under the code as it is. */
function dropped(guard: string, rule: string, cfg: string): Fault {
  const machine = superblockMachine.provide({ guards: { [guard]: () => true } });
  return { name: `drop-${guard}`, rule, cfgs: [`Superblock_${cfg}.cfg`], driver: superblockDriverOver({ machine }) };
}

const faults: readonly Fault[] = [
  dropped('CopyReadable', 'Open needs a whole copy', 'beyond'),
  dropped('NoCopyReadable', 'only a superblock without a whole copy halts as unreadable', 'update'),
  dropped('OneNewest', 'the newest copies are the same', 'foreign'),
  dropped('ParentMatches', 'the newest state follows the older ones', 'foreign'),
  dropped('Contradicted', 'only copies of two histories halt as contradicted', 'update'),
  dropped('Advances', 'no value goes back', 'update'),
  dropped('FirstHalfStale', 'a write fails only where there is one', 'fail'),
  dropped('SecondHalfStale', 'a write fails only where there is one', 'fail'),
  fault('first-whole-copy', 'the newest whole copy is the state, not the first', 'update'),
  fault('checksum-not-checked', 'a copy whose checksum fails is not believed', 'update'),
  fault('one-phase', 'the second half is not touched before the first is durable', 'update'),
  fault('second-half-not-written', 'a state is shown when all four copies hold it', 'update'),
  fault('repair-everything', 'a repair does not write over what it repairs from', 'update'),
  fault('parent-not-linked', 'a new state carries the hash of the one before', 'update', 'E30'),
  fault('sync-skipped', 'what is shown is durable', 'update', 'E15'),
  fault('sync-again', 'a sync that failed is not repeated', 'fail'),
  fault('short-write-ignored', 'a write that was cut short is no write', 'fail'),
];

export const superblockComponent: Component<SuperblockWorld, SuperblockStep> = {
  name: 'Superblock',
  sources: {
    spec: 'specs/Superblock.tla',
    machine: 'machines/superblock.ts',
    implementation: ['impl/storage/superblock.ts', 'impl/storage/superblock-copy.ts'],
    driver: 'conformance/drivers/superblock.ts',
  },
  machine: superblockMachine,
  driver: superblockDriver,
  models: [
    { cfg: 'Superblock_update.cfg', module: 'MCSuperblock', kind: 'small', distinct: 14_136 },
    { cfg: 'Superblock_beyond.cfg', module: 'MCSuperblock', kind: 'small', distinct: 4672 },
    { cfg: 'Superblock_fail.cfg', module: 'MCSuperblock', kind: 'small', distinct: 4581 },
    { cfg: 'Superblock_foreign.cfg', module: 'MCSuperblock', kind: 'small', distinct: 7166 },
    { cfg: 'Superblock_lagging.cfg', module: 'MCSuperblock', kind: 'small', distinct: 15_041 },
    { cfg: 'Superblock_misdirected.cfg', module: 'MCSuperblock', kind: 'small', distinct: 13_962 },
    { cfg: 'Superblock_live.cfg', module: 'MCSuperblock', kind: 'live', distinct: 1926 },
  ],
  faults,
  abstracted: {},
  boundsWithoutCanary: {
    DamageMax: 'no bound: what the superblock promises, four copies less one',
    OpenDamageMax: 'no bound: what the superblock promises, with and without misdirected writes',
  },
  random: {
    cfg: 'Superblock_random.cfg',
    module: 'MCSuperblock',
    driver: superblockDriverOver(
      {},
      () => ({ disk: new RealMedium(), path: '/superblock' }),
      ({ fields: { disk } }) => {
        if (disk instanceof RealMedium) disk.dispose();
      },
    ),
    traces: RANDOM_TRACES,
    depth: RANDOM_DEPTH,
  },
  outsideMachine: {
    Crash: 'the process is gone: the driver takes the power from the disk and attaches anew',
    Corrupt: FAULT,
    Intrude: FAULT,
    Misdirect: FAULT,
  },
};
