/**
 * Opening a log: what the scan found, as facts for the machine and as a report for the caller. Changes nothing.
 * Mirrors the guards of specs/AppendLog.tla, Reopen, ReopenCuttingTail and ReopenDamaged.
 */
import type { AppendLogEvent, ScanFacts } from '../../machines/append-log.ts';
import type { AppendLogError } from './append-log-error.ts';
import type { AppendLogSettings } from './append-log-options.ts';
import { scanLog } from './log-scan.ts';
import type { SegmentFile } from './segment-file.ts';

export interface OpenReport {
  /** How the log was opened: Reopen, ReopenCuttingTail or ReopenDamaged. */
  readonly action: AppendLogEvent['type'];
  readonly verdict: ScanFacts['verdict'];
  readonly records: number;
  readonly headHash: Uint8Array;
  /** Bytes of a torn tail that were cut; 0 when none. */
  readonly tornBytes: number;
  /** Position of the end of the log: of the cut, or of the damage. */
  readonly endBytes: number;
  /** Why the log ends there; undefined when it is whole. */
  readonly reason?: AppendLogError;
}

/** What the file says about itself. */
export interface Examined {
  readonly facts: ScanFacts & { readonly tornBytes: number };
  readonly headHash: Uint8Array;
  readonly reason: AppendLogError | undefined;
}

/** Fills the index of segment with every good record. */
export function examine(segment: SegmentFile, settings: AppendLogSettings): Examined {
  const { recordBytesMax: payloadBytesMax, recordsDurableMin, faults } = settings;
  const options = { payloadBytesMax, recordsDurableMin, faults, reuses: true };
  const scan = scanLog(segment.file, options, (_, position) => segment.index(position));
  const { verdict, records, endBytes, headHash, tornBytes, reason } = scan;
  const facts = { verdict, records, endBytes, tornBytes, allocatedBytes: segment.file.sizeBytes };
  return { facts, headHash, reason };
}

export function reportOf(
  action: AppendLogEvent['type'],
  { verdict, records, endBytes, tornBytes }: Examined['facts'],
  headHash: Uint8Array,
  reason: AppendLogError | undefined,
  faults: ReadonlySet<string>,
): OpenReport {
  const cutBytes = action === 'ReopenCuttingTail' && !faults.has('cut-not-reported') ? tornBytes : 0;
  return { action, verdict, records, headHash, tornBytes: cutBytes, endBytes, ...(reason && { reason }) };
}
