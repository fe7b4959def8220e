/** The row Superblock of `make check`: four copies, update, repair, crash, rot, misdirected and foreign writes. */

import { superblockMachine } from '../../machines/superblock.ts';
import type { Component, ImplementationFault } from '../component.ts';
import {
  type SuperblockStep,
  type SuperblockWorld,
  superblockDriver,
  superblockDriverOver,
} from '../drivers/superblock.ts';
import { brokenSuperblock } from '../drivers/superblock-broken.ts';
import { RealMedium } from '../drivers/superblock-real-medium.ts';

const FAULT = 'a fault of the disk: the driver does it to the medium, and the code does not notice until it reads';

/** Each step is a folder of its own with a real sync in it. */
const RANDOM_TRACES = 100;
const RANDOM_DEPTH = 50;

type Fault = ImplementationFault<SuperblockWorld, SuperblockStep>;

const faults: readonly Fault[] = brokenSuperblock.map(({ name, rule, cfg, canary, parts }) => {
  const driver = superblockDriverOver(parts);
  return { name, rule, cfgs: [cfg], driver, ...(canary === undefined ? {} : { canary }) };
});

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
