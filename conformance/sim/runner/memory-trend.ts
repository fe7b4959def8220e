/** Whether the workers' memory grows with the runs: each tenth of the runs by its largest and smallest sample. Mirrors no spec module. */
import type { Memory } from './messages.ts';

const PARTS = 10;

export interface MemoryPart {
  readonly residentBytesMax: number;
  /** Of the samples of one part the one with the least garbage. */
  readonly heapBytesMin: number;
}

export class MemoryTrend {
  readonly #parts: (MemoryPart | undefined)[] = [];
  readonly #peaks = new Map<number, number>();

  /** @param share of the runs that are done, 0..1 */
  add(share: number, { worker, residentBytes, residentBytesPeak, heapBytes }: Memory): void {
    this.#peaks.set(worker, residentBytesPeak);
    const index = Math.min(PARTS - 1, Math.floor(share * PARTS));
    const part = this.#parts[index];
    this.#parts[index] = {
      residentBytesMax: Math.max(part?.residentBytesMax ?? 0, residentBytes),
      heapBytesMin: Math.min(part?.heapBytesMin ?? Number.POSITIVE_INFINITY, heapBytes),
    };
  }

  /** The most that each worker ever had, in the order in which they began. */
  get peaks(): readonly number[] {
    return [...this.#peaks.values()];
  }

  /** In order of the runs, those that have a sample. */
  get parts(): readonly MemoryPart[] {
    return this.#parts.filter((part) => part !== undefined);
  }
}
