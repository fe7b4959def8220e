/**
 * The log of the model as bytes: records of one size, and what stands in each place for one, as specs/AppendLog.tla has it.
 * Reads with the real codec; a value is the number that a record carries in its payload.
 */
import { GENESIS_HASH, hashText } from '../../impl/crypto/hash.ts';
import { encodeRecord, isWholeRecord, RECORD_FRAME_BYTES } from '../../impl/storage/log-record.ts';
import { type CellView, STRANGER } from '../../machines/append-log-invariants.ts';
import { type TlaValue, tlaInteger, tlaRecord, tlaSequence, tlaString } from '../values/tla-value.ts';

/** The value as u32, then bytes that are not zero, so that a torn record and a whole one are told apart. */
export const PAYLOAD_BYTES = 14;
/** Every record of the model has this size. */
export const CELL_BYTES = RECORD_FRAME_BYTES + PAYLOAD_BYTES;
/** Where a write tears: behind the kind, which is the first byte of any record that is not zero. */
export const TEAR_BYTES = 48;
/** A byte of the payload, and what rot makes of it. */
export const ROT_AT = 52;
export const ROTTEN_BYTE = Uint8Array.of(0x55);
const PREVIOUS_AT = 8;
const PAYLOAD_AT = RECORD_FRAME_BYTES - 4;
const FOREIGN_HASH = new Uint8Array(32).fill(0xee);

/** Values by chain hash, of every record that was ever seen: a hash stands for one value only. */
export class CellReader {
  readonly #values = new Map([[hashText(GENESIS_HASH), 0]]);

  /** The cells up to the last byte that is not zero. */
  cellsOf(bytes: Uint8Array): readonly CellView[] {
    const last = bytes.findLastIndex((byte) => byte !== 0);
    const count = Math.ceil((last + 1) / CELL_BYTES);
    return Array.from({ length: count }, (_, index) => this.#cellOf(bytes.subarray(index * CELL_BYTES), index));
  }

  valueOf(hash: Uint8Array): number {
    return this.#values.get(hashText(hash)) ?? STRANGER;
  }

  #cellOf(bytes: Uint8Array, index: number): CellView {
    const cell = bytes.slice(0, CELL_BYTES);
    if (cell.every((byte) => byte === 0)) return { value: 0, parent: 0, state: 'unwritten' };
    if (!isWholeRecord(cell, 0, PAYLOAD_BYTES)) {
      const torn = cell.subarray(TEAR_BYTES).every((byte) => byte === 0);
      return { value: 0, parent: 0, state: torn ? 'torn' : 'rotten' };
    }
    const previous = cell.slice(PREVIOUS_AT, PREVIOUS_AT + GENESIS_HASH.byteLength);
    const payload = cell.slice(PAYLOAD_AT, PAYLOAD_AT + PAYLOAD_BYTES);
    const value = new DataView(payload.buffer).getUint32(0, true);
    const { hash } = encodeRecord(index, previous, { kind: 1, payload }, false);
    this.#values.set(hashText(hash), value);
    return { value, parent: this.valueOf(previous), state: 'whole' };
  }
}

export function payloadOf(value: number): Uint8Array {
  const payload = new Uint8Array(PAYLOAD_BYTES).fill(0xff);
  new DataView(payload.buffer).setUint32(0, value, true);
  return payload;
}

export function foreignRecord(cell: number): Uint8Array {
  return encodeRecord(cell, FOREIGN_HASH, { kind: 1, payload: payloadOf(0) }, false).bytes;
}

export function tlaCells(cells: readonly CellView[]): TlaValue {
  return tlaSequence(
    cells.map(({ value, parent, state }) =>
      tlaRecord({ value: tlaInteger(value), parent: tlaInteger(parent), state: tlaString(state) }),
    ),
  );
}
