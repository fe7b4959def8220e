/**
 * What the world may deliver to the log of specs/AppendLog.tla, within the bounds of MCAppendLog. The bounds limit what the
 * world does, never what the log answers.
 */
import type { AppendLogView } from '../../machines/append-log-invariants.ts';
import type { Constants } from '../driver.ts';

export type AppendLogModelEvent =
  | {
      readonly type:
        | 'Reopen'
        | 'ReopenCuttingTail'
        | 'ReopenDamaged'
        | 'FinishWrite'
        | 'Fsync'
        | 'FsyncFails'
        | 'Reverify'
        | 'ReverifyDamaged'
        | 'Resume'
        | 'Exit'
        | 'Evict'
        | 'SpaceRunsOut'
        | 'SpaceReturns';
    }
  | { readonly type: 'Grow' | 'GrowNoSpace' | 'AppendBatch' | 'WriteNoSpace' | 'WriteFails'; readonly records: number }
  | { readonly type: 'ShortWrite'; readonly records: number; readonly taken: number }
  | { readonly type: 'Crash' | 'CrashTearing'; readonly keepBytes: number }
  | { readonly type: 'Rot' | 'Intrude'; readonly cell: number };

export interface Bounds {
  readonly step: number;
  readonly unsyncedMax: number;
  readonly maxAppended: number;
  readonly maxBatch: number;
  readonly maxAllocated: number;
  readonly maxDamage: number;
  readonly mayFail: boolean;
  readonly mayFill: boolean;
}

export function boundsOf(constants: Constants): Bounds {
  const text = (name: string): string => {
    const value = constants[name];
    if (value === undefined) throw new Error(`the cfg gives no ${name}`);
    return value.text;
  };
  return {
    step: Number(text('Step')),
    unsyncedMax: Number(text('UnsyncedMax')),
    maxAppended: Number(text('MaxAppended')),
    maxBatch: Number(text('MaxBatch')),
    maxAllocated: Number(text('MaxAllocated')),
    maxDamage: Number(text('MaxDamage')),
    mayFail: text('MayFail') === 'TRUE',
    mayFill: text('MayFill') === 'TRUE',
  };
}

/** @param crashes one for each different outcome of a power loss in this state */
export function alphabetOf(
  { appended, damage, allocated, medium }: AppendLogView,
  bounds: Bounds,
  crashes: readonly AppendLogModelEvent[],
): readonly AppendLogModelEvent[] {
  const mayGrow = allocated < bounds.maxAllocated;
  const room = bounds.maxAppended - appended;
  const events: AppendLogModelEvent[] = [
    { type: 'Reopen' },
    { type: 'ReopenCuttingTail' },
    { type: 'ReopenDamaged' },
    { type: 'FinishWrite' },
    { type: 'Fsync' },
    { type: 'Reverify' },
    { type: 'ReverifyDamaged' },
    { type: 'Resume' },
    { type: 'Exit' },
    { type: 'Evict' },
    { type: 'SpaceReturns' },
    ...crashes,
  ];
  if (bounds.mayFill) events.push({ type: 'SpaceRunsOut' });
  if (bounds.mayFail) events.push({ type: 'FsyncFails' });
  for (let records = 1; records <= bounds.maxBatch; records++) {
    if (mayGrow)
      events.push({ type: 'Grow', records }, { type: 'GrowNoSpace', records }, { type: 'WriteNoSpace', records });
    if (records > room) continue;
    events.push({ type: 'AppendBatch', records });
    if (!bounds.mayFail) continue;
    events.push({ type: 'WriteFails', records });
    for (let taken = 0; taken < records; taken++) events.push({ type: 'ShortWrite', records, taken });
  }
  if (damage < bounds.maxDamage)
    for (const cell of medium.keys()) events.push({ type: 'Rot', cell }, { type: 'Intrude', cell });
  return events;
}

export function describeEvent({ type, ...parameters }: AppendLogModelEvent): string {
  const values = Object.values(parameters);
  return values.length === 0 ? type : `${type}(${values.join(', ')})`;
}
