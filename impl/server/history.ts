/** The last events that were put to the machines of this process, in a ring: for dx. Mirrors no spec module. */
import { assert } from '../ports/assert.ts';
import type { HistoryRecord } from './dx-source.ts';

export class History {
  readonly #ring: (HistoryRecord | undefined)[];
  readonly #counts = new Map<string, { taken: number; refused: number }>();
  /** The latest refusal of each event, which outlives the ring: heartbeats push everything else out within a minute. */
  readonly #refusals = new Map<string, HistoryRecord>();
  #recorded = 0;

  constructor(recordsMax: number) {
    assert(recordsMax > 0, 'a ring has room');
    this.#ring = new Array<HistoryRecord | undefined>(recordsMax);
  }

  record(record: Omit<HistoryRecord, 'sequence'>): void {
    const counts = this.countsOf(record.machine);
    if (record.taken) counts.taken++;
    else counts.refused++;
    const numbered: HistoryRecord = { ...record, sequence: this.#recorded + 1 };
    this.#ring[this.#recorded % this.#ring.length] = numbered;
    this.#recorded++;
    if (!record.taken) this.#refusals.set(`${record.machine}.${record.event}`, numbered);
  }

  /** The latest refusal of this event since the process started. */
  lastRefusal(machine: string, event: string): HistoryRecord | undefined {
    return this.#refusals.get(`${machine}.${event}`);
  }

  countsOf(machine: string): { taken: number; refused: number } {
    let counts = this.#counts.get(machine);
    if (counts === undefined) {
      counts = { taken: 0, refused: 0 };
      this.#counts.set(machine, counts);
    }
    return counts;
  }

  /** The newest last, at most limit, of one machine or of all. */
  last(machine: string | undefined, limit: number): readonly HistoryRecord[] {
    const found: HistoryRecord[] = [];
    const oldest = Math.max(0, this.#recorded - this.#ring.length);
    for (let at = this.#recorded - 1; at >= oldest && found.length < limit; at--) {
      const record = this.#ring[at % this.#ring.length];
      if (record !== undefined && (machine === undefined || record.machine === machine)) found.push(record);
    }
    return found.reverse();
  }
}
