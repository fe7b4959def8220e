/**
 * The AppendLog, broken on purpose: switches in its code, and guards of its machine that never refuse. Held against the
 * models by conformance/components/append-log.ts, against simulated runs by conformance/sim/canaries.ts.
 */
import type { AppendLogOptions } from '../../impl/storage/append-log-options.ts';
import { appendLogMachine } from '../../machines/append-log.ts';

export interface BrokenAppendLog {
  readonly name: string;
  readonly rule: string;
  readonly canary?: string;
  /** The model that shows it. */
  readonly cfg: string;
  readonly parts: Pick<AppendLogOptions, 'faults' | 'machine'>;
}

type Row = readonly [name: string, rule: string, cfg: 'crash' | 'fail' | 'damage', canary?: string];

/** Switches in the code that only the harness can reach. */
const SWITCHES: readonly Row[] = [
  ['ack-before-fsync', 'fsync() says yes and syncs nothing', 'crash', 'E21'],
  ['retry-fsync', 'a failed sync is simply tried again', 'fail'],
  ['window-not-rewritten', 'what may be forgotten is not written again', 'fail'],
  ['short-write-ignored', 'a short write counts as a whole one', 'fail'],
  ['cut-not-reported', 'a torn tail is cut and nobody is told', 'crash'],
  ['cut-at-first-bad-crc', 'the log is cut at the first record that is not good', 'damage', 'E20'],
  ['crc-not-checked', 'a record in which bytes have changed is taken', 'damage'],
  ['chain-not-checked', 'a whole record of another log is taken', 'damage', 'E30'],
];

/** Guards that never refuse. */
const GUARDS: readonly Row[] = [
  ['FileIsWhole', 'a file is opened without looking whether it is whole', 'damage'],
  ['TailIsTorn', 'a damaged file is cut as if a crash had torn it', 'damage', 'E20'],
  ['HasRoom', 'a batch is written behind the end of the preallocated file', 'crash'],
  ['LacksRoom', 'the file grows although the batch has room', 'crash'],
  ['UnsyncedWithinLimit', 'more is written and not synced than a restart writes again', 'fail'],
  ['ReadsBackWhole', 'after a failed sync what does not read back is written again', 'fail'],
];

function broken([name, rule, cfg, canary]: Row, parts: BrokenAppendLog['parts']): BrokenAppendLog {
  return { name, rule, cfg: `AppendLog_${cfg}.cfg`, parts, ...(canary === undefined ? {} : { canary }) };
}

export const brokenAppendLog: readonly BrokenAppendLog[] = [
  ...SWITCHES.map((row) => broken(row, { faults: new Set([row[0]]) })),
  ...GUARDS.map(([guard, ...row]) =>
    broken([`drop-${guard}`, ...row], { machine: appendLogMachine.provide({ guards: { [guard]: () => true } }) }),
  ),
];
