/** The row Superblock of `make check`: four copies, update, repair, crash, rot, misdirected and foreign writes. */
import { superblockMachine } from '../../machines/superblock.ts';
import type { Component } from '../component.ts';
import { type SuperblockStep, type SuperblockWorld, superblockDriver } from '../drivers/superblock.ts';

const FAULT = 'a fault of the disk: the driver does it to the medium, and the code does not notice until it reads';

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
  faults: [],
  abstracted: {},
  outsideMachine: {
    Crash: 'the process is gone: the driver takes the power from the disk and attaches anew',
    Corrupt: FAULT,
    Intrude: FAULT,
    Misdirect: FAULT,
  },
};
