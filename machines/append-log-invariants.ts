/**
 * The invariants of specs/AppendLog.tla by their names, over what is observed of one log and its disk: shared by the
 * conformance driver and the tests. Pure. A value is what a record was numbered with; equal values are equal records.
 */

/** A place for one record, as it reads: parent is the value of the record that it chains to, STRANGER when unknown. */
export interface CellView {
  readonly value: number;
  readonly parent: number;
  readonly state: 'whole' | 'torn' | 'rotten' | 'unwritten';
}

/** Stands for a chain hash that no record of this log has. */
export const STRANGER = 100;

export interface AppendLogView {
  readonly status: string;
  readonly written: number;
  readonly durable: number;
  readonly head: number;
  readonly owed: number;
  readonly allocated: number;
  /** As a read sees them, up to the last one written. */
  readonly file: readonly CellView[];
  /** What a power loss leaves for sure. */
  readonly medium: readonly CellView[];
  readonly forgotten: boolean;
  readonly spaceLeft: boolean;
  readonly appended: number;
  /** Values of the records ever reported durable, in order. */
  readonly acknowledged: readonly number[];
  readonly cuts: number;
  readonly reported: number;
  readonly damage: number;
  readonly damageAtOpen: number;
  /** The constant of the model: most records written and not synced. */
  readonly unsyncedMax: number;
}

const STATUSES: readonly string[] = ['down', 'open', 'full', 'short', 'unknown', 'failed', 'damaged'];
const WORKS: readonly string[] = ['open', 'full', 'short', 'unknown', 'failed'];

const isNat = (value: number): boolean => Number.isInteger(value) && value >= 0;
const isDamage = (cell: CellView): boolean => cell.state === 'rotten' || cell.parent === STRANGER;
const works = (log: AppendLogView): boolean => WORKS.includes(log.status);

/** Whether a cell holds a whole record that continues the one before it. */
function continues(cell: CellView, index: number, cells: readonly CellView[]): boolean {
  return cell.state === 'whole' && cell.parent === (cells[index - 1]?.value ?? 0);
}

export const appendLogInvariants = {
  TypeOK: (log: AppendLogView): boolean =>
    STATUSES.includes(log.status) &&
    isNat(log.written) &&
    isNat(log.durable) &&
    log.durable <= log.written &&
    isNat(log.head) &&
    log.head <= log.appended &&
    isNat(log.owed) &&
    log.file.length <= log.allocated &&
    log.medium.length <= log.file.length &&
    log.acknowledged.length <= log.appended &&
    [log.appended, log.cuts, log.reported, log.damage].every(isNat) &&
    log.damageAtOpen <= log.damage,
  AcknowledgedSurvives: ({ acknowledged, medium }: AppendLogView): boolean =>
    acknowledged.every((value, index) => {
      const cell = medium[index];
      return cell !== undefined && (isDamage(cell) || cell.value === value);
    }),
  NeverForgets: (log: AppendLogView): boolean => !works(log) || log.durable >= log.acknowledged.length,
  ShownIsWhole: (log: AppendLogView): boolean =>
    !works(log) ||
    log.damage !== log.damageAtOpen ||
    (log.durable <= log.medium.length && log.medium.slice(0, log.durable).every(continues)),
  EveryCutIsReported: ({ cuts, reported }: AppendLogView): boolean => cuts === reported,
  ChainUnbroken: ({ damage, medium }: AppendLogView): boolean =>
    damage > 0 || medium.every((cell, index) => cell.state === 'torn' || continues(cell, index, medium)),
  HaltsOnlyOnDamage: ({ status, written, durable, damage }: AppendLogView): boolean =>
    status !== 'damaged' || written !== durable || damage > 0,
  RestartCoversUnsynced: ({ file, medium, unsyncedMax }: AppendLogView): boolean =>
    file.length - medium.length <= unsyncedMax,
} as const;
