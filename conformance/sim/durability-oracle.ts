/**
 * Durability at the end of a run: what superblock and log of a replica say in memory is what a fresh open of its disk reads
 * back, after a power loss (what they say is durable, and nothing more) and without one (everything). On forks of the disk:
 * the run is not touched. Mirrors logDurable and the superblock variables of specs/Vsr.tla.
 */
import { AssertionError } from '../../impl/ports/assert.ts';
import { LockstepError } from '../../impl/ports/lockstep-error.ts';
import type { SimulatedDisk } from '../../impl/ports/simulated-disk.ts';
import { type DataDirectory, LOG_FILE, openDataDirectory } from '../../impl/storage/data-directory.ts';
import type { Superblock } from '../../impl/storage/superblock.ts';
import { PrepareLog } from '../../impl/vsr/prepare-log.ts';

export interface DurableNode {
  readonly disk: SimulatedDisk;
  readonly directory: Pick<DataDirectory, 'path'>;
  readonly superblock: Pick<Superblock, 'status' | 'state'>;
  readonly log: Pick<PrepareLog, 'op' | 'opDurable' | 'holds' | 'holdsDurably'>;
}

/**
 * @param node with nothing in the middle of an install; one whose superblock has halted claims nothing
 * @returns what is read back otherwise than it should be, in one sentence
 */
export function readsBack(node: DurableNode): string | undefined {
  if (node.superblock.status !== 'open') return undefined;
  const { disk, log } = node;
  const afterPowerLoss = disk.fork();
  afterPowerLoss.disarm();
  afterPowerLoss.crash();
  const lost = differenceOn(afterPowerLoss, node, log.opDurable, (op, hash) => log.holdsDurably(op, hash));
  if (lost !== undefined) return `after a power loss ${lost}`;
  const path = `${node.directory.path}/${LOG_FILE}`;
  if (disk.unsyncedBytes(path) === 0 && log.op === log.opDurable) return undefined; // the same bytes read the same
  const asWritten = disk.fork();
  asWritten.disarm();
  asWritten.exitProcess();
  const wrong = differenceOn(asWritten, node, log.op, (op, hash) => log.holds(op, hash));
  return wrong === undefined ? undefined : `after a restart ${wrong}`;
}

function differenceOn(
  disk: SimulatedDisk,
  { directory: { path }, superblock }: DurableNode,
  op: number,
  holds: (op: number, hash: Uint8Array) => boolean,
): string | undefined {
  try {
    const opened = openDataDirectory(disk, path);
    const { state } = opened.superblock;
    const expected = superblock.state;
    if (state.hash !== expected.hash)
      return `the superblock has sequence ${state.sequence} (view ${state.view}, logView ${state.logView}, commit ${state.commit}) instead of ${expected.sequence} (view ${expected.view}, logView ${expected.logView}, commit ${expected.commit})`;
    const { prepareLog } = PrepareLog.open(opened.log, state.cluster);
    if (prepareLog.op !== op) return `the log ends at op ${prepareLog.op} instead of ${op}`;
    for (let at = 1; at <= op; at++)
      if (!holds(at, prepareLog.hashAt(at))) return `the log has another entry at op ${at}`;
    return undefined;
  } catch (cause) {
    if (!(cause instanceof LockstepError) || cause instanceof AssertionError) throw cause;
    return `it does not open: ${cause.code}: ${cause.message}`;
  }
}
