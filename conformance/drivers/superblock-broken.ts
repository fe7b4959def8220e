/**
 * The Superblock, broken on purpose: switches in its code, and guards of its machine that always say yes. Held against the
 * models by conformance/components/superblock.ts, against simulated runs by conformance/sim/canaries.ts.
 */
import type { SuperblockOptions } from '../../impl/storage/superblock.ts';
import type { SuperblockFaultName } from '../../impl/storage/superblock-fault.ts';
import { superblockMachine } from '../../machines/superblock.ts';

export interface BrokenSuperblock {
  readonly name: string;
  readonly rule: string;
  readonly canary?: string;
  /** The model that shows it. */
  readonly cfg: string;
  readonly parts: SuperblockOptions;
}

type Row<Name = string> = readonly [name: Name, rule: string, cfg: string, canary?: string];

/** Guards that always say yes, under the code as it is. */
const GUARDS: readonly Row[] = [
  ['CopyReadable', 'Open needs a whole copy', 'beyond'],
  ['NoCopyReadable', 'only a superblock without a whole copy halts as unreadable', 'update'],
  ['OneNewest', 'the newest copies are the same', 'foreign'],
  ['ParentMatches', 'the newest state follows the older ones', 'foreign'],
  ['Contradicted', 'only copies of two histories halt as contradicted', 'update'],
  ['Advances', 'no value goes back', 'update'],
  ['FirstHalfStale', 'a write fails only where there is one', 'fail'],
  ['SecondHalfStale', 'a write fails only where there is one', 'fail'],
];

const SWITCHES: readonly Row<SuperblockFaultName>[] = [
  ['first-whole-copy', 'the newest whole copy is the state, not the first', 'update'],
  ['checksum-not-checked', 'a copy whose checksum fails is not believed', 'update'],
  ['one-phase', 'the second half is not touched before the first is durable', 'update'],
  ['second-half-not-written', 'a state is shown when all four copies hold it', 'update'],
  ['repair-everything', 'a repair does not write over what it repairs from', 'update'],
  ['parent-not-linked', 'a new state carries the hash of the one before', 'update', 'E30'],
  ['sync-skipped', 'what is shown is durable', 'update', 'E15'],
  ['sync-again', 'a sync that failed is not repeated', 'fail'],
  ['short-write-ignored', 'a write that was cut short is no write', 'fail'],
];

function broken([name, rule, cfg, canary]: Row, parts: SuperblockOptions): BrokenSuperblock {
  return { name, rule, cfg: `Superblock_${cfg}.cfg`, parts, ...(canary === undefined ? {} : { canary }) };
}

export const brokenSuperblock: readonly BrokenSuperblock[] = [
  ...GUARDS.map(([guard, ...row]) =>
    broken([`drop-${guard}`, ...row], { machine: superblockMachine.provide({ guards: { [guard]: () => true } }) }),
  ),
  ...SWITCHES.map((row) => broken(row, { faults: new Set([row[0]]) })),
];
