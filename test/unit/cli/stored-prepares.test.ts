/**
 * Goal: `lockstep verify` sees a log whose records are whole and whose prepares are not a log: a broken chain, a gap, a body
 * that is no batch, a commit that is not there. Method: such logs written record by record on the simulated disk.
 */
import { describe, expect, it } from 'vitest';
import { verifyPrepares } from '../../../impl/cli/stored-prepares.ts';
import { GENESIS_HASH } from '../../../impl/crypto/hash.ts';
import { encodeBatch, encodeCommand } from '../../../impl/kernel/command-codec.ts';
import { SimulatedDisk } from '../../../impl/ports/simulated-disk.ts';
import { formatDataDirectory, openDataDirectory } from '../../../impl/storage/data-directory.ts';
import { verifyDataDirectory } from '../../../impl/storage/verify.ts';
import { encodePrepare, newPrepare, type Prepare } from '../../../impl/vsr/prepare.ts';
import { HASHES_KEPT } from '../../../impl/vsr/prepare-index.ts';

const CLUSTER = 7n;
const body = encodeBatch([encodeCommand({ kind: 'ReadBarrier' })]);
const prepare = (op: number, parent: Uint8Array, changed: Partial<Prepare> = {}): Prepare =>
  newPrepare({ cluster: CLUSTER, view: 0, op, parent, timestamp: 1, client: 0n, request: op, body, ...changed });

const first = prepare(1, GENESIS_HASH);
const second = prepare(2, first.hash);

function verified(prepares: readonly Prepare[], commit = 0): ReturnType<typeof verifyPrepares> {
  const disk = new SimulatedDisk();
  formatDataDirectory(disk, '/data', { cluster: CLUSTER, replica: 0, replicaCount: 3 });
  const directory = openDataDirectory(disk, '/data');
  if (prepares.length > 0) directory.log.append(prepares.map((one) => ({ kind: 1, payload: encodePrepare(one) })));
  directory.log.fsync();
  directory.superblock.update({ view: 0, logView: 0, commit });
  directory.close();
  const report = verifyDataDirectory(disk, '/data');
  expect(report.ok).toBe(true);
  return verifyPrepares(disk, report);
}

describe('the prepares of a directory', () => {
  it('a chain of them is one, also with a suffix that a view change replaced', () => {
    expect(verified([])).toEqual({ prepares: { op: 0, opsDiscarded: 0 } });
    expect(verified([first, second], 2)).toEqual({ prepares: { op: 2, opsDiscarded: 0 } });
    const other = prepare(2, first.hash, { view: 1 });
    expect(verified([first, second, other])).toEqual({ prepares: { op: 2, opsDiscarded: 1 } });
  });

  it('a suffix that was replaced may begin before every op whose hash is in memory', () => {
    const long = [first, second];
    for (let op = 3; op <= HASHES_KEPT + 200; op++) long.push(prepare(op, long[op - 2]?.hash as Uint8Array));
    const other = prepare(3, second.hash, { view: 1 });
    expect(verified([...long, other])).toEqual({ prepares: { op: 3, opsDiscarded: long.length - 2 } });
    const finding = { severity: 'fault', record: long.length, code: 'PREPARE_LOG_BROKEN_CHAIN' };
    expect(verified([...long, prepare(3, first.hash, { view: 1 })])).toMatchObject({ finding });
  });

  it.each([
    ['a parent that is not the one before', [first, prepare(2, second.hash)], 0, 'PREPARE_LOG_BROKEN_CHAIN', 1],
    ['a gap', [first, prepare(3, first.hash)], 0, 'PREPARE_LOG_GAP', 1],
    ['a commit beyond the log', [first, second, prepare(2, first.hash, { view: 1 })], 3, 'PREPARE_LOG_GAP', 2],
    ['another cluster', [prepare(1, GENESIS_HASH, { cluster: 8n })], 0, 'PREPARE_LOG_WRONG_CLUSTER', 0],
    ['a body that is no batch', [prepare(1, GENESIS_HASH, { body: Uint8Array.of(9) })], 0, /^COMMAND_/, 0],
  ] as const)('%s is a fault with its record', (_, prepares, commit, code, record) => {
    const result = verified(prepares, commit);
    expect(result).toMatchObject({
      finding: { severity: 'fault', record, code: expect.stringMatching(code) as string },
    });
  });
});
