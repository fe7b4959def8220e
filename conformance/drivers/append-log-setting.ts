/**
 * On what the driver of AppendLog runs: the bounds of the model, the disk, and what the harness breaks.
 */
import type { AppendLogOptions } from '../../impl/storage/append-log-options.ts';
import type { appendLogMachine } from '../../machines/append-log.ts';
import { CELL_BYTES, type CellReader, PAYLOAD_BYTES } from './append-log-cells.ts';
import type { LogDisk } from './append-log-disk.ts';
import type { Bounds } from './append-log-events.ts';

/** What the harness may break, and the disk that it runs on. */
export interface AppendLogSetting {
  readonly disk: () => LogDisk;
  readonly machine?: typeof appendLogMachine;
  readonly faults?: ReadonlySet<string>;
}

/** What all states of one walk share. */
export interface World {
  readonly bounds: Bounds;
  readonly setting: AppendLogSetting;
  readonly reader: CellReader;
}

/** The log as it is delivered, for facts that do not depend on what the harness breaks. */
export const PLAIN: AppendLogSetting = {
  disk: () => {
    throw new Error('a setting for facts has no disk of its own');
  },
};

export function optionsOf({ bounds, setting }: World): AppendLogOptions {
  return {
    segmentBytes: bounds.step * CELL_BYTES,
    recordBytesMax: PAYLOAD_BYTES,
    unsyncedBytesMax: bounds.unsyncedMax * CELL_BYTES,
    policy: { kind: 'none' },
    compress: false,
    ...(setting.machine === undefined ? {} : { machine: setting.machine }),
    ...(setting.faults === undefined ? {} : { faults: setting.faults }),
  };
}
