/**
 * Goal: a process may end before, in the middle of and after any operation on its disk, and nothing of ours takes that for
 * an answer of the disk: the stop comes out as it is, and what was acknowledged is there afterwards.
 * Method: the life of a replica's storage (format, open, prepares, updates), stopped at each of its operations in turn;
 * then kill -9 or a power loss that keeps a prefix, and the rest of the life.
 */
import { describe, expect, test } from 'vitest';
import { GENESIS_HASH } from '../../../impl/crypto/hash.ts';
import { SimulatedDisk, SimulatedStop } from '../../../impl/ports/simulated-disk.ts';
import { SimulatedRandom } from '../../../impl/ports/simulated-random.ts';
import { formatDataDirectory, openDataDirectory } from '../../../impl/storage/data-directory.ts';
import { DirectoryError } from '../../../impl/storage/directory-error.ts';
import { newPrepare } from '../../../impl/vsr/prepare.ts';
import { PrepareLog } from '../../../impl/vsr/prepare-log.ts';

const IDENTITY = { cluster: 7n, replica: 1, replicaCount: 3 };
const OPTIONS = { log: { segmentBytes: 2048 } };
const OPS = 12;
/** More than a life has. */
const OPERATIONS_MAX = 200;

interface Acknowledged {
  op: number;
  view: number;
}

/** Goes on where the disk says that it was. @param acknowledged noted after each answer that a caller could have seen */
function live(disk: SimulatedDisk, acknowledged: Acknowledged): void {
  try {
    formatDataDirectory(disk, '/r', IDENTITY, OPTIONS);
  } catch (cause) {
    if (!(cause instanceof DirectoryError) || cause.code !== 'DIRECTORY_FORMATTED') throw cause;
  }
  const { superblock, log, close } = openDataDirectory(disk, '/r', IDENTITY, OPTIONS);
  const { prepareLog } = PrepareLog.open(log, IDENTITY.cluster);
  expect(prepareLog.opDurable).toBeGreaterThanOrEqual(acknowledged.op);
  expect(superblock.state.view).toBeGreaterThanOrEqual(acknowledged.view);
  acknowledged.op = prepareLog.opDurable; // what a start shows is acknowledged
  const update = (view: number): void => {
    superblock.update({ view, logView: view, commit: view });
    acknowledged.view = view;
  };
  while (prepareLog.op < OPS) {
    for (let inBatch = 0; inBatch < 2 && prepareLog.op < OPS; inBatch++) {
      const op = prepareLog.op + 1;
      const parent = op === 1 ? GENESIS_HASH : prepareLog.headHash;
      const body = new Uint8Array(300).fill(op);
      prepareLog.append([
        newPrepare({ cluster: 7n, view: 1, op, parent, timestamp: op, client: 1n, request: op, body }),
      ]);
    }
    prepareLog.fsync();
    acknowledged.op = prepareLog.op;
    if (prepareLog.op - superblock.state.view >= 4) update(prepareLog.op);
  }
  update(OPS);
  close();
}

/** Whether the life was stopped. */
function isStopped(act: () => void): boolean {
  try {
    act();
    return false;
  } catch (cause) {
    if (!(cause instanceof SimulatedStop)) throw cause;
    return true;
  }
}

describe('a process that ends at any operation on its disk', () => {
  test.each(['kill -9', 'power loss'] as const)('%s: the stop comes out, and what was acknowledged is there', (how) => {
    let stops = 0;
    for (const share of [0, 300, 700, 1000])
      for (let at = 1; at < OPERATIONS_MAX; at++) {
        const disk = new SimulatedDisk();
        const acknowledged = { op: 0, view: 0 };
        disk.armStop(at, share, how);
        if (!isStopped(() => live(disk, acknowledged))) break;
        stops++;
        const random = new SimulatedRandom(at);
        if (how === 'kill -9') disk.exitProcess();
        else disk.powerLoss({ keptPerMille: random.below(1001), writeback: 'fifo', torn: true, random });
        live(disk, acknowledged);
        expect(acknowledged).toEqual({ op: OPS, view: OPS });
      }
    expect(stops).toBeGreaterThan(4 * 40);
  });

  test('kill -9, then a power loss: a restart has made its own what it showed', () => {
    for (let at = 1; at < OPERATIONS_MAX; at++) {
      const disk = new SimulatedDisk();
      const acknowledged = { op: 0, view: 0 };
      disk.armStop(at, 500, 'kill -9');
      if (!isStopped(() => live(disk, acknowledged))) return;
      disk.exitProcess();
      disk.armStop(at, 500, 'power loss');
      if (!isStopped(() => live(disk, acknowledged))) disk.disarm();
      disk.crash();
      live(disk, acknowledged);
      expect(acknowledged).toEqual({ op: OPS, view: OPS });
    }
    expect.unreachable('a life ends');
  });
});
